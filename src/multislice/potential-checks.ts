import { fail } from "../core/errors.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import type { AtomModel } from "./atoms.js";
import { antialiasCutoff, type WaveGrid } from "./grid.js";
import type { PotentialOptions } from "./potential.js";
import type { AtomGroup } from "./potential-factors.js";

/** Ions that the table, or the finite projection, cannot give. @throws unsupported, out-of-range, and what the factors throw */
export function checkIons(
  groups: readonly AtomGroup[],
  factors: FormFactorSource,
  projection: "infinite" | "finite",
  grid: WaveGrid,
): void {
  for (const { symbol, charge } of groups) {
    if (charge === 0) continue;
    if (projection === "finite")
      fail(
        "unsupported",
        { element: symbol, charge, projection },
        "the Coulomb tail of an ion has no end along the beam: use the infinite projection, or ions: 'neutral'",
      );
    const { sMax, source } = factors(symbol, charge),
      wanted = antialiasCutoff(grid) / 2;
    if (sMax < wanted * (1 - 1e-9))
      fail(
        "out-of-range",
        { element: symbol, charge, source, sMax, wanted: Number(wanted.toFixed(3)) },
        "the grid reaches beyond the angles for which this table of ions holds: use mottBethe, or coarser pixels",
      );
  }
}

/** Options that do not go together, or with the model. @throws bad-value, unsupported */
export function checkOptions(
  model: AtomModel,
  { grid: g, projection, pixelFactor, absorption }: PotentialOptions,
  damped: boolean,
  groups: readonly AtomGroup[],
): void {
  if ((damped || absorption) && !model.displacement)
    fail(
      "bad-value",
      { debyeWaller: damped },
      "the model has no displacements: give U of the atoms (Å²), or leave debyeWaller and absorption out",
    );
  if (projection === "finite" && pixelFactor === "abtem")
    fail("unsupported", { projection, pixelFactor }, "abTEM's pixel correction belongs to its infinite projection");
  const sheared = projection === "finite" && groups.find(({ u }) => u && Math.hypot(u[3]!, u[4]!) > 1e-3 * (u[0]! + u[1]! + u[2]!));
  if (sheared)
    fail(
      "unsupported",
      { element: sheared.symbol, U23: sheared.u![3], U13: sheared.u![4], projection },
      "U13 and U23 (box axes, z along the beam) tilt the smear of an atom against the slices, which the finite projection with Debye–Waller factors does not carry: use frozenPhonons, the infinite projection, or isotropic displacements",
    );
  const c = model.cell,
    size = Math.hypot(c[0]!, c[1]!, c[3]!, c[4]!);
  const off = Math.max(Math.abs(g.a[0] - c[0]!), Math.abs(g.a[1] - c[1]!), Math.abs(g.b[0] - c[3]!), Math.abs(g.b[1] - c[4]!));
  if (off > 1e-6 * size)
    fail(
      "bad-value",
      { a: g.a, b: g.b, box: [c[0], c[1], c[3], c[4]] },
      "the grid must have the in-plane vectors of the box: waveGrid(nx, ny, a, b) with rows a and b of its cell",
    );
}
