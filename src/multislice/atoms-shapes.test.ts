import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { parseAtomsXyz, writeAtomsXyz } from "../io/atoms-xyz.js";
import { fc, prop } from "../testing/prop.js";
import { atomModel, thicknessOf } from "./atoms.js";
import { atomsFromStructure, repeatAtoms } from "./atoms-build.js";
import { checkAtoms, overlaps } from "./atoms-check.js";
import { cutCrystal, filterAtoms, joinAtoms, padAtoms } from "./atoms-cut.js";
import { atomsFromXyz, atomsToXyz, snapshotsFromXyz } from "./atoms-files.js";
import { crystalRotation } from "./atoms-orient.js";
import { layeredShape, nanoparticle, wulffShape } from "./atoms-particle.js";
import { dislocation, displaceAtoms, sphericalMisfit, sumFields, uniformStrain } from "./atoms-strain.js";

const fcc = (a: number, e: string) => structure(unitCell(a, a, a), spaceGroup("F m -3 m"), [atom({ element: e, xyz: [0, 0, 0] })]);
const gold = fcc(4.08, "Au");
const silicon = structure(unitCell(5.431, 5.431, 5.431), spaceGroup("F d -3 m:1"), [atom({ element: "Si", xyz: [0, 0, 0], uIso: 0.006 })]);

describe("bodies", () => {
  test("cube, octahedron, and their mixture: volumes in closed form", () => {
    const inscribed = (forms: [number, number, number, number][]) =>
      wulffShape(
        gold,
        forms.map(([h, k, l, energy]) => ({ hkl: [h, k, l], energy })),
        20,
      );
    const sphere = (4 / 3) * Math.PI * 1000;
    const cube = inscribed([[1, 0, 0, 1]]);
    expect(cube.volume).toBeCloseTo(sphere, 6);
    expect(2 * cube.planes[0]!.distance).toBeCloseTo(Math.cbrt(sphere), 9);
    const octahedron = inscribed([[1, 1, 1, 1]]);
    expect(4 * Math.sqrt(3) * octahedron.planes[0]!.distance ** 3).toBeCloseTo(sphere, 6);
    // Truncated octahedron of γ100/γ111 = √3/2·2/√3·… : {100} cuts appear only below √3.
    expect(inscribed([[1, 0, 0, 1.8], [1, 1, 1, 1]]).facets.length).toBe(8); // biome-ignore format: a table
    const both = inscribed([[1, 0, 0, 1.15], [1, 1, 1, 1]]); // biome-ignore format: a table
    expect(both.facets.length).toBe(14);
    // Gauss: V = ⅓ Σ d·A, and the surface is closed (checked inside); the distances keep the ratio of the energies.
    const d = (h: string): number => both.planes.find((p) => p.hkl.join() === h)!.distance;
    expect(d("1,0,0") / d("1,1,1")).toBeCloseTo(1.15, 12);
  });
  test("layers: atoms as ase.cluster.FaceCenteredCubic counts them (ASE 3.29)", () => {
    const shape = layeredShape(fcc(3.61, "Cu"), [{ hkl: [1, 0, 0], layers: 3 }, { hkl: [1, 1, 1], layers: 3 }]); // biome-ignore format: a table
    expect(nanoparticle(fcc(3.61, "Cu"), shape).atomicNumbers.length).toBe(147);
    const iron = structure(unitCell(2.87, 2.87, 2.87), spaceGroup("I m -3 m"), [atom({ element: "Fe", xyz: [0, 0, 0] })]);
    expect(nanoparticle(iron, layeredShape(iron, [{ hkl: [1, 0, 0], layers: 4 }, { hkl: [1, 1, 0], layers: 3 }])).atomicNumbers.length).toBe(145); // biome-ignore format: a table
    const cut = layeredShape(gold, [{ hkl: [1, 0, 0], layers: 6 }, { hkl: [1, 1, 0], layers: 9 }, { hkl: [1, 1, 1], layers: 5 }]); // biome-ignore format: a table
    expect(nanoparticle(gold, cut).atomicNumbers.length).toBe(675);
  });
  test("a sphere holds volume/cell atoms whatever its orientation, and lies inside its box", () => {
    const rotation = crystalRotation(silicon, { uvw: [1, 2, 3] }, { hkl: [1, 1, -1] });
    const p = nanoparticle(silicon, { sphere: 40 }, { rotation, vacuum: 4 });
    expect(p.atomicNumbers.length / ((8 * (4 / 3) * Math.PI * 20 ** 3) / 5.431 ** 3)).toBeCloseTo(1, 1);
    expect(p.cell[0]).toBeCloseTo(48, 3);
    checkAtoms(p);
    const r = Array.from(p.atomicNumbers, (_, i) => Math.hypot(...[0, 1, 2].map((k) => p.positions[3 * i + k]! - 24)));
    expect(Math.max(...r)).toBeLessThan(20.001);
    expect(p.displacement!.length).toBe(6 * p.atomicNumbers.length);
  });
  test("faces that close no body are refused", () => {
    const zincblende = structure(unitCell(5.65, 5.65, 5.65), spaceGroup("P m m 2"), [atom({ element: "Ga", xyz: [0, 0, 0] })]);
    expect(() => wulffShape(zincblende, [{ hkl: [0, 0, 1], energy: 1 }], 20)).toThrow(/close a body/);
    expect(() => wulffShape(gold, [{ hkl: [1, 1, 1], energy: -1 }], 20)).toThrow(/positive surface energy/);
  });
});

test("a cut along the cell equals repetitions of it", () => {
  const cell = atomsFromStructure(silicon);
  const cut = cutCrystal(silicon, { box: [5.431 * 2, 5.431 * 3, 5.431], centre: [1, 1.5, 0.5] });
  const key = (m: { positions: Float64Array }): string[] =>
    Array.from({ length: m.positions.length / 3 }, (_, i) =>
      [0, 1, 2].map((k) => (m.positions[3 * i + k]! + 1e-9).toFixed(6)).join(),
    ).sort();
  expect(key(cut)).toEqual(key(repeatAtoms(cell, [2, 3, 1])));
});

test("vacuum, joins and filters", () => {
  const m = atomModel({ cell: [4, 0, 0, 2, 4, 0, 0, 0, 5], atoms: ["Ti"], positions: [1, 1, 1], occupancy: [0.5] });
  const p = padAtoms(m, { above: 3, below: 2, sides: 10 });
  expect(thicknessOf(p)).toBe(10);
  expect(p.positions[2]).toBe(4);
  // Both heights of the parallelogram grow by 20 Å.
  const c = p.cell,
    area = c[0]! * c[4]! - c[1]! * c[3]!;
  expect(area / Math.hypot(c[3]!, c[4]!)).toBeCloseTo(16 / Math.hypot(2, 4) + 20, 9);
  expect(c[4]).toBeCloseTo(24, 9);
  const j = joinAtoms(p, { atoms: m, shift: [0, 0, 1] });
  expect([...j.atomicNumbers]).toEqual([22, 22]);
  expect([...j.occupancy!]).toEqual([0.5, 0.5]);
  expect(filterAtoms(j, (_x, _y, z) => z > 3).atomicNumbers.length).toBe(1);
});

describe("elastic fields", () => {
  const b = 3.84,
    nu = 0.218;
  const edge = dislocation({ burgers: [b, 0, 0], line: [0, 0, 1], core: [0.1, 0.2, 0], poisson: nu });
  const mixed = dislocation({ burgers: [1, 2, 1.5], line: [1, -1, 2], core: [0, 0, 0], poisson: nu });
  const turn = (f: typeof edge, u: readonly number[], v: readonly number[], steps = 4001): number[] => {
    // ∮ du over a circle, jumps of the branch left out.
    const sum = [0, 0, 0];
    let old: readonly number[] | undefined;
    for (let i = 0; i <= steps; i++) {
      const t = (2 * Math.PI * i) / steps;
      const now = f(...([0, 1, 2].map((k) => 7 * (Math.cos(t) * u[k]! + Math.sin(t) * v[k]!)) as unknown as [number, number, number]));
      if (old && Math.hypot(...now.map((x, k) => x - old![k]!)) < 0.5)
        now.forEach((x, k) => {
          sum[k]! += x - old![k]!;
        });
      old = now;
    }
    return sum;
  };
  test("a right-handed circuit gains the Burgers vector", () => {
    expect(turn(edge, [1, 0, 0], [0, 1, 0])[0]).toBeCloseTo(b, 2);
    const u = [1 / Math.SQRT2, 1 / Math.SQRT2, 0],
      n = [1, -1, 2].map((v) => v / Math.sqrt(6));
    const v = [n[1]! * u[2]! - n[2]! * u[1]!, n[2]! * u[0]! - n[0]! * u[2]!, n[0]! * u[1]! - n[1]! * u[0]!];
    const sum = turn(mixed, u, v);
    [1, 2, 1.5].forEach((x, k) => {
      expect(sum[k]).toBeCloseTo(x, 2);
    });
  });
  // (1−2ν)∇²u + ∇(∇·u) = 0: the definition of equilibrium without body forces.
  const navier = (f: typeof edge, at: readonly number[], poisson: number): number => {
    const h = 0.02,
      p = (d: readonly number[]): readonly number[] => f(...(at.map((v, k) => v + h * d[k]!) as unknown as [number, number, number]));
    const e = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // biome-ignore format: a table
    const second = (i: number, j: number, k: number): number => {
      if (j === k) return (p(e[j]!)[i]! - 2 * p([0, 0, 0])[i]! + p(e[j]!.map((v) => -v))[i]!) / (h * h);
      const s = (a: number, c: number): number => p(e[j]!.map((v, q) => a * v + c * e[k]![q]!))[i]!;
      return (s(1, 1) - s(1, -1) - s(-1, 1) + s(-1, -1)) / (4 * h * h);
    };
    return Math.hypot(
      ...[0, 1, 2].map(
        (i) =>
          (1 - 2 * poisson) * (second(i, 0, 0) + second(i, 1, 1) + second(i, 2, 2)) + second(0, 0, i) + second(1, 1, i) + second(2, 2, i),
      ),
    );
  };
  prop(
    "fields obey the equation of equilibrium",
    [fc.double({ min: 3, max: 9, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true })],
    (r, t) => {
      const at = [r * Math.cos(t) * 1.1, r * Math.sin(t), 0.3];
      if (Math.abs(at[1]! - 0.2) < 0.1) return; // the cut
      expect(navier(edge, at, nu)).toBeLessThan(2e-4);
      expect(navier(sphericalMisfit([0, 0, 0], 2, 0.02), at, nu)).toBeLessThan(2e-5);
    },
  );
  test("atoms move by the field; a core on an atom is told", () => {
    const m = repeatAtoms(atomsFromStructure(silicon), [2, 2, 1]);
    const s = displaceAtoms(
      m,
      sumFields(uniformStrain([0.01, 0, 0, 0, 0, 0.02]), () => [0, 0, 1]),
    );
    const i = 7;
    expect(s.positions[3 * i]).toBeCloseTo(m.positions[3 * i]! * 1.01 + 0.02 * m.positions[3 * i + 1]!, 12);
    expect(s.positions[3 * i + 2]).toBeCloseTo(m.positions[3 * i + 2]! + 1, 12);
    expect(() => displaceAtoms(m, dislocation({ burgers: [b, 0, 0], line: [0, 0, 1], core: [0, 0, 0] }))).toThrow(/between atoms/);
    expect(() => dislocation({ burgers: [0, 0, 0], line: [0, 0, 1], core: [0, 0, 0] })).toThrow(/not zero/);
    expect(() => dislocation({ burgers: [1, 0, 0], line: [0, 0, 1], core: [0, 0, 0], poisson: 0.7 })).toThrow(/Poisson/);
  });
});

describe("overlaps", () => {
  prop(
    "the list of boxes finds what the double loop finds, through the periodic edge",
    [
      fc.array(
        fc.tuple(
          ...([0, 1, 2].map(() => fc.double({ min: -1, max: 7, noNaN: true })) as [
            fc.Arbitrary<number>,
            fc.Arbitrary<number>,
            fc.Arbitrary<number>,
          ]),
        ),
        { minLength: 2, maxLength: 12 },
      ),
    ],
    (points) => {
      const cell = [6, 0, 0, 2, 5, 0, 0, 0, 7];
      const m = atomModel({ cell, atoms: points.map(() => 14), positions: points.flat() });
      let found = 0;
      for (let p = 0; p < points.length; p++)
        for (let q = p + 1; q < points.length; q++) {
          let d = Number.POSITIVE_INFINITY;
          for (let i = -3; i <= 3; i++)
            for (let j = -3; j <= 3; j++)
              d = Math.min(
                d,
                Math.hypot(
                  points[q]![0] - points[p]![0] + 6 * i + 2 * j,
                  points[q]![1] - points[p]![1] + 5 * j,
                  points[q]![2] - points[p]![2],
                ),
              );
          if (d < overlaps(atomModel({ cell, atoms: [14, 14], positions: [0, 0, 0, 0, 0, 0] }))[0]!.allowed) found++;
        }
      expect(overlaps(m).length).toBe(found);
    },
  );
  test("a shared site is none, a doubled one is told with its atoms", () => {
    const cell = [4, 0, 0, 0, 4, 0, 0, 0, 4];
    checkAtoms(atomModel({ cell, atoms: ["Na", "K"], positions: [1, 1, 1, 1, 1, 1], occupancy: [0.4, 0.6] }));
    const bad = atomModel({ cell, atoms: ["Na", "K"], positions: [1, 1, 1, 1, 1, 1.2] });
    expect(() => checkAtoms(bad)).toThrow(expect.toSatisfy((e: unknown) => isSdkError(e, "bad-value") && e.details.distance === 0.2));
    expect(() => checkAtoms(atomModel({ cell, atoms: ["Na"], positions: [1, 1, 5] }))).toThrow(/outside the box/);
    // An atom may overlap its own periodic image: a cell given in nm, say.
    expect(() => checkAtoms(atomModel({ cell: [0.4, 0, 0, 0, 0.4, 0, 0, 0, 0.4], atoms: ["Na"], positions: [0, 0, 0] }))).toThrow(/units/);
  });
});

describe("files", () => {
  test("a model comes back from its .xyz file", () => {
    const m = repeatAtoms(atomsFromStructure(silicon), [1, 1, 2]);
    expect(atomsFromXyz(parseAtomsXyz(writeAtomsXyz([atomsToXyz(m)])).value[0]!)).toEqual(m);
  });
  test("a cell that stands askew is turned, a molecule gets a box", () => {
    const [f] = parseAtomsXyz('2\nLattice="0 0 4 5 0 0 0 6 0"\nSi 0 0 1\nO 2.5 3 2\n').value;
    const m = atomsFromXyz(f!);
    expect([...m.cell].map((v) => Number(v.toFixed(9)) + 0)).toEqual([4, 0, 0, 0, 5, 0, 0, 0, 6]);
    expect([...m.positions].map((v) => Number(v.toFixed(9)) + 0)).toEqual([1, 0, 0, 2, 2.5, 3]);
    const [molecule] = parseAtomsXyz("2\n\nO 0 0 0\nH 0.9 0 -0.3\n").value;
    expect(() => atomsFromXyz(molecule!)).toThrow(/vacuum/);
    expect([...atomsFromXyz(molecule!, { vacuum: 3 }).cell]).toEqual([6.9, 0, 0, 0, 6, 0, 0, 0, 6.3]);
    expect(() => atomsFromXyz(parseAtomsXyz("1\n\nQq 0 0 0\n").value[0]!, { vacuum: 3 })).toThrow(/element/);
  });
  test("snapshots of a run", () => {
    const two = '1\nLattice="4 0 0 0 4 0 0 0 4"\nSi 0 0 1\n1\nLattice="4 0 0 0 4 0 0 0 4"\nSi 0 0 1.1\n';
    expect(snapshotsFromXyz(parseAtomsXyz(two).value).map((m) => m.positions[2])).toEqual([1, 1.1]);
    expect(() => snapshotsFromXyz(parseAtomsXyz(two.replace('Lattice="4', 'Lattice="5')).value)).toThrow(/constant pressure/);
  });
});
