import { describe, expect, test } from "vitest";
import { apply, determinant, type Vec3 } from "../core/frames.js";
import { unitCell } from "../geometry/cell.js";
import { dSpacing } from "../geometry/metric.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, type Structure, structure } from "../geometry/structure.js";
import { fc, prop } from "../testing/prop.js";
import type { AtomModel } from "./atoms.js";
import { crystalCell, crystalDirection, crystalRotation, orientedAtoms } from "./atoms-orient.js";

const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 31 2 1"), [
  atom({ element: "Si", xyz: [0.47, 0, 1 / 3] }),
  atom({ element: "O", xyz: [0.4131, 0.2677, 0.1189], uAniso: [0.016, 0.012, 0.012, 0.009, -0.003, -0.005] }),
]);
const monoclinic = structure(unitCell(5.1, 11.8, 5.46, 90, 111.8, 90), spaceGroup("P 1 21/c 1"), [
  atom({ element: "O", xyz: [0.1, 0.2, 0.3] }),
]);
const silicon = structure(unitCell(5.431, 5.431, 5.431), spaceGroup("F d -3 m:1"), [atom({ element: "Si", xyz: [0, 0, 0] })]);

const edges = ({ cell: c }: AtomModel): number[] => [0, 3, 6].map((k) => Math.hypot(c[k]!, c[k + 1]!, c[k + 2]!));
const volume = (m: AtomModel): number => determinant([...m.cell] as never);

/** Sorted distances below `reach` from every atom, three-dimensional periodicity, summed over the model's atoms and divided by their number. */
function distances(m: AtomModel, reach: number): Map<string, number> {
  const out = new Map<string, number>(),
    n = m.atomicNumbers.length,
    c = m.cell;
  const count = edges(m).map((e) => Math.ceil((2 * reach) / e) + 3);
  for (let p = 0; p < n; p++)
    for (let q = 0; q < n; q++)
      for (let i = -count[0]!; i <= count[0]!; i++)
        for (let j = -count[1]!; j <= count[1]!; j++)
          for (let k = -count[2]!; k <= count[2]!; k++) {
            const d = Math.hypot(
              ...[0, 1, 2].map((x) => m.positions[3 * q + x]! - m.positions[3 * p + x]! + i * c[x]! + j * c[3 + x]! + k * c[6 + x]!),
            );
            if (d < reach && d > 0) {
              const key = `${m.atomicNumbers[p]} ${m.atomicNumbers[q]} ${d.toFixed(4)}`;
              out.set(key, (out.get(key) ?? 0) + 1 / n);
            }
          }
  return new Map([...out].map(([k, v]) => [k, Math.round(v * 1e6) / 1e6] as const).sort());
}

describe("boxes against ASE 3.29 (surface) and abTEM 1.0.11 (orthogonalize_cell)", () => {
  test("quartz [001]: the hexagonal cell, and its orthogonal box", () => {
    const skew = orientedAtoms(quartz, { toSource: { uvw: [0, 0, 1] } });
    expect(skew.atoms.atomicNumbers.length).toBe(9);
    const o = orientedAtoms(quartz, { toSource: { uvw: [0, 0, 1] }, orthogonal: true });
    expect(edges(o.atoms).map((v) => Number(v.toFixed(6)))).toEqual([4.913, 8.509566, 5.405]);
    expect(o.atoms.atomicNumbers.length).toBe(18);
    expect([o.maxStrain, o.atoms.cell[3]]).toEqual([0, 0]);
  });
  // [h k l, area, thickness, atoms] as ase.build.surface(…, layers=1, periodic=True) gives them.
  test.each([
    [quartz, [1, 0, 1], 33.795299, 3.343209, 9],
    [quartz, [1, 1, 0], 45.994202, 2.4565, 9],
    [quartz, [1, 0, 0], 26.554765, 4.254783, 9],
    [monoclinic, [1, 1, 1], 106.399496, 2.867349, 4],
    [monoclinic, [0, 0, 1], 60.18, 5.069533, 4],
  ] as const)("%s (%s)", (s, hkl, area, thickness, n) => {
    const { atoms, maxStrain } = orientedAtoms(s, { toSource: { hkl } });
    expect(volume(atoms) / atoms.cell[8]!).toBeCloseTo(area, 5);
    expect(atoms.cell[8]).toBeCloseTo(thickness, 6);
    expect(atoms.atomicNumbers.length).toBe(n);
    expect(maxStrain).toBe(0);
  });
  test("monoclinic b axis: abTEM's 2 × 5 cell of 0.008 % strain, and a report of it", () => {
    const o = orientedAtoms(monoclinic, { toSource: { uvw: [0, 1, 0] }, orthogonal: true, maxStrain: 0.003 });
    // abTEM shears 0.139° out of 5.1 × 25.3477 Å; the shear strain is half of it.
    expect(edges(o.atoms)[0]).toBeCloseTo(5.1, 6);
    expect(edges(o.atoms)[1]).toBeCloseTo(25.3478, 3);
    expect(o.maxStrain).toBeGreaterThan(0.0005);
    expect(o.maxStrain).toBeLessThan(0.003);
    expect(Math.abs(o.strain[5]!)).toBeCloseTo(o.maxStrain, 4);
    expect(() => orientedAtoms(monoclinic, { toSource: { uvw: [0, 1, 0] }, orthogonal: true })).toThrow(/maxStrain 0\.0012 would do/);
  });
});

test("centring makes the box smaller: Si [110] is 5.431 × 3.840 Å with 4 atoms", () => {
  const { atoms, vectors } = orientedAtoms(silicon, { toSource: { uvw: [1, 1, 0] }, orthogonal: true });
  expect(edges(atoms).map((v) => Number(v.toFixed(4)))).toEqual([3.8403, 5.431, 3.8403]);
  expect(atoms.atomicNumbers.length).toBe(4);
  expect(vectors.map((v) => Math.abs(v))).toContain(0.5);
});

const small = fc.integer({ min: -3, max: 3 });
prop(
  "exact boxes hold the same crystal: distances, density, directions, handedness",
  [fc.constantFrom<Structure>(quartz, monoclinic, silicon), small, small, small],
  (s, h, k, l) => {
    if (h === 0 && k === 0 && l === 0) return;
    const { atoms, rotation, maxStrain } = orientedAtoms(s, { toSource: { hkl: [h, k, l] }, maxLength: 120 });
    const { rows, atoms: cell } = crystalCell(s);
    expect(maxStrain).toBeLessThan(1e-9);
    expect(atoms.atomicNumbers.length / volume(atoms)).toBeCloseTo(cell.atomicNumbers.length / volume(cell), 9);
    const z = apply(rotation, crystalDirection(rows, { hkl: [h, k, l] }) as Vec3);
    expect([z[0], z[1], z[2]].map((v) => Number(v.toFixed(9)) + 0)).toEqual([0, 0, -1]);
    expect(determinant(rotation)).toBeCloseTo(1, 12);
    expect(distances(atoms, 3)).toEqual(distances(cell, 3));
    if (atoms.displacement && cell.displacement) {
      const trace = (m: AtomModel): number => m.displacement!.reduce((t, u, i) => t + (i % 6 < 3 ? u : 0), 0) / m.atomicNumbers.length;
      expect(trace(atoms)).toBeCloseTo(trace(cell), 9);
    }
  },
  { runs: 10 },
);

test("the chosen direction runs to the right", () => {
  const o = orientedAtoms(quartz, { toSource: { uvw: [0, 0, 1] }, toRight: { hkl: [1, 0, 0] }, orthogonal: true });
  expect(edges(o.atoms)[0]).toBeCloseTo(4.913 * Math.sqrt(3), 6); // a* runs along 2a + b
  const { rows } = crystalCell(quartz);
  expect(apply(o.rotation, crystalDirection(rows, { hkl: [1, 0, 0] }) as Vec3)[0]).toBeCloseTo(1, 9);
  const r = crystalRotation(quartz, { uvw: [1, 2, 3] }, { hkl: [0, 0, 1] });
  expect(apply(r, crystalDirection(rows, { uvw: [1, 2, 3] }) as Vec3)[2]).toBeCloseTo(-1, 12);
  const right = apply(r, crystalDirection(rows, { hkl: [0, 0, 1] }) as Vec3);
  expect([right[0] > 0, Math.abs(right[1]) < 1e-12]).toEqual([true, true]);
});

test("spacing of planes is the thickness", () => {
  const { atoms } = orientedAtoms(monoclinic, { toSource: { hkl: [1, 2, -1] } });
  expect(atoms.cell[8]).toBeCloseTo(dSpacing(monoclinic.cell, [1, 2, -1]), 9);
});

test("bad requests are told", () => {
  expect(() => orientedAtoms(quartz, { toSource: { uvw: [0, 0, 0] } })).toThrow(/not all zero/);
  expect(() => orientedAtoms(quartz, { toSource: { uvw: [0.123, 0.7771, 0.2] } })).toThrow(/crystalRotation/);
  expect(() => orientedAtoms(monoclinic, { toSource: { uvw: [1, 2, 3] } })).toThrow(/toSource: \{ hkl \}/);
  expect(() => orientedAtoms(quartz, { toSource: { uvw: [0, 0, 1] }, maxStrain: 2 })).toThrow(/small number/);
  expect(() => crystalRotation(quartz, { uvw: [0, 0, 1] }, { uvw: [0, 0, 2] })).toThrow(/along/);
});
