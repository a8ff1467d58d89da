/** Structure factors against a plain triple loop and gemmi; symmetry and form-factor rates. */

import { rng } from "../src/core/rng.js";
import { betaFromU } from "../src/geometry/adp.js";
import { bravaisCandidates } from "../src/geometry/bravais.js";
import { unitCell } from "../src/geometry/cell.js";
import { dStar } from "../src/geometry/metric.js";
import { niggliCell } from "../src/geometry/niggli.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, expandToP1, type Structure, structure } from "../src/geometry/structure.js";
import { sphereReflections, uniqueReflections } from "../src/geometry/unique.js";
import { lobato } from "../src/scattering/lobato.js";
import { peng1996LowAngle } from "../src/scattering/peng.js";
import { structureFactors } from "../src/scattering/structure-factors.js";
import { type Report, runPython, time } from "./harness.js";

/** Seeded atoms on general positions. */
function model(hm: string, cell: ReturnType<typeof unitCell>, atoms: number, anisotropic: boolean): Structure {
  const g = rng(hm);
  const elements = ["Si", "O", "Al", "Na", "C"];
  return structure(
    cell,
    spaceGroup(hm),
    Array.from({ length: atoms }, (_, i) =>
      atom({
        label: `A${i}`,
        element: elements[i % 5]!,
        xyz: [g.uniform(), g.uniform(), g.uniform()],
        uIso: 0.015,
        uAniso: anisotropic ? [0.012, 0.015, 0.018, 0.001, -0.001, 0.002] : undefined,
      }),
    ),
  );
}

/** The definition, atom by atom: form factor, cos, sin and exp each time. */
function plain(s: Structure, hkl: Int32Array): Float64Array {
  const images = expandToP1(s).map((i) => ({
    ...i,
    form: peng1996LowAngle(s.atoms[i.atom]!.element),
    beta: i.uAniso && betaFromU(s.cell, i.uAniso),
  }));
  const out = new Float64Array((2 * hkl.length) / 3);
  for (let i = 0; i < hkl.length / 3; i++) {
    const [h, k, l] = [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!];
    const g = dStar(s.cell, [h, k, l]);
    for (const a of images) {
      const b = a.beta;
      const e = b
        ? b[0] * h * h + b[1] * k * k + b[2] * l * l + 2 * (b[3] * h * k + b[4] * h * l + b[5] * k * l)
        : 2 * Math.PI ** 2 * s.atoms[a.atom]!.uIso * g * g;
      const f = a.form.f(g / 2) * Math.exp(-e),
        p = -2 * Math.PI * (h * a.xyz[0] + k * a.xyz[1] + l * a.xyz[2]);
      out[2 * i]! += f * Math.cos(p);
      out[2 * i + 1]! += f * Math.sin(p);
    }
  }
  return out;
}

/** gemmi on the same model and reflections, ms per pass. */
function gemmiTime(s: Structure, hkl: Int32Array): { ms: number; f: number[] } | undefined {
  const atoms = s.atoms.map((a) => [a.label, a.element, ...a.xyz, a.uIso, ...(a.uAniso ?? [])]);
  const c = s.cell;
  return runPython(`
import gemmi, json, time
s = gemmi.SmallStructure()
s.cell = gemmi.UnitCell(${c.a}, ${c.b}, ${c.c}, ${c.alphaDeg}, ${c.betaDeg}, ${c.gammaDeg})
s.symops = [op.triplet() for op in gemmi.SpaceGroup(${JSON.stringify(s.spaceGroup.hm)}).operations()]
s.determine_and_set_spacegroup("s")
for row in json.loads(${JSON.stringify(JSON.stringify(atoms))}):
    site = gemmi.SmallStructure.Site()
    site.label, site.type_symbol = row[0], row[1]
    site.element = gemmi.Element(row[1])
    site.fract = gemmi.Fractional(*row[2:5])
    site.u_iso = row[5]
    if len(row) > 6: site.aniso = gemmi.SMat33d(*row[6:12])
    s.add_site(site)
s.setup_cell_images()
hkl = json.loads(${JSON.stringify(JSON.stringify([...hkl]))})
H = [hkl[i:i+3] for i in range(0, len(hkl), 3)]
calc = gemmi.StructureFactorCalculatorE(s.cell)
best = 1e9
for _ in range(2):
    t = time.perf_counter()
    f = [calc.calculate_sf_from_small_structure(s, h) for h in H]
    best = min(best, time.perf_counter() - t)
print(json.dumps({"ms": best * 1e3, "f": [abs(x) for x in f[:20]]}))
`);
}

export async function run(report: Report): Promise<void> {
  const cases = [
    ["P 21 21 21, 60 atoms iso", model("P 21 21 21", unitCell(7.5, 9.7, 30.2), 60, false), 0.85],
    ["F d d 2, 12 atoms aniso", model("F d d 2", unitCell(18.3, 18.6, 6.6), 12, true), 0.6],
    ["C 1 2/c 1, 40 atoms aniso", model("C 1 2/c 1", unitCell(18.2, 9.7, 12.2, 90, 104), 40, true), 0.8],
  ] as const;
  for (const [name, s, dMin] of cases) {
    const unique = uniqueReflections(s.cell, s.spaceGroup, { dMin }).hkl;
    const ms = time(() => structureFactors(s, unique, peng1996LowAngle));
    report({
      name: `${name}: ${unique.length / 3} unique F`,
      ms,
      peer: "plain TS",
      peerMs: time(() => plain(s, unique), { warmMs: 50, forMs: 300 }),
    });
    const g = gemmiTime(s, unique);
    if (g) {
      const ours = structureFactors(s, unique, peng1996LowAngle);
      const worst = Math.max(...g.f.map((x, i) => Math.abs(Math.hypot(ours[2 * i]!, ours[2 * i + 1]!) - x)));
      report({
        name: `${name}: ${unique.length / 3} unique F`,
        ms,
        peer: `gemmi`,
        peerMs: g.ms,
        note: `largest |F| difference of 20: ${worst.toExponential(1)} Å`,
      });
    }
    const sphere = sphereReflections(s.cell, s.spaceGroup, { dMin, absences: "centring" }).hkl;
    report({ name: `${name}: whole sphere, ${sphere.length / 3} F`, ms: time(() => structureFactors(s, sphere, peng1996LowAngle)) });
  }
  const forms = ["Si", "O", "Cs"].map((e) => lobato(e));
  let sink = 0;
  report({
    name: "10^6 Lobato form factors",
    ms: time(() => {
      for (let i = 0; i < 1e6; i++) sink += forms[i % 3]!.f(i * 2e-6);
    }),
    note: sink > 0 ? "" : "?",
  });
  const cell = unitCell(18.2, 9.7, 12.2, 90, 104);
  report({ name: "unique reflections of C2/c to 0.8 Å", ms: time(() => uniqueReflections(cell, spaceGroup("C2/c"), { dMin: 0.8 })) });
  report({ name: "Niggli reduction of a skewed cell", ms: time(() => niggliCell(unitCell(5.1, 25.3, 40.7, 31, 47, 62))) });
  report({ name: "Bravais candidates of a cubic F lattice", ms: time(() => bravaisCandidates(unitCell(3.84, 3.84, 3.84, 60, 60, 60))) });
}
