import { expect, test } from "vitest";
import { isAbsent } from "../geometry/extinctions.js";
import { ubMatrix } from "../geometry/orientation.js";
import { latticePoints } from "../geometry/predict.js";
import { albite, glycine, kinematicalIntensity, luag, natrolite, quartz } from "./simulate-crystals.js";
import { blackman, j0, kinematical, pointIntensities } from "./simulate-intensity.js";

test.each([
  [0, 1],
  [1, 0.7651976865579666],
  [2.404825557695773, 0],
  [10, -0.2459357644513483],
])("J0(%d)", (x, value) => {
  expect(j0(x)).toBeCloseTo(value, 13);
});

test("Blackman's factor: 1 − A²/3 for a weak reflection, 1/2A for a strong one", () => {
  const f = blackman(60);
  expect(f(0)).toBe(1);
  expect(f(0.05)).toBeCloseTo(1 - 0.05 ** 2 / 3, 5);
  expect(f(50) * 100).toBeGreaterThan(0.9);
  expect(f(50) * 100).toBeLessThan(1.1);
});

// Two routes: the sum over all atoms of the cell without the rule of absences, and the rule.
test.each([luag, quartz, natrolite, glycine, albite])(
  "structure factors of %o have the absences and the symmetry of the space group",
  (make) => {
    const crystal = make();
    const all = kinematicalIntensity({ ...crystal, group: { ...crystal.group, ops: crystal.group.ops } });
    const p1 = kinematicalIntensity(inP1(crystal));
    let most = 0,
      absent = 0;
    for (let h = -4; h <= 4; h++)
      for (let k = -4; k <= 4; k++)
        for (let l = 0; l <= 4; l++) {
          if (h === 0 && k === 0 && l === 0) continue;
          const direct = p1(h, k, l);
          most = Math.max(most, direct);
          if (isAbsent(crystal.group, [h, k, l])) {
            absent++;
            expect(direct).toBeLessThan(1e-6 * 1000);
            expect(all(h, k, l)).toBe(0);
          } else expect(Math.abs(all(h, k, l) - direct)).toBeLessThan(1e-6 * (1 + direct));
          expect(p1(-h, -k, -l)).toBeCloseTo(direct, 6);
        }
    expect(most).toBeGreaterThan(50);
    if (crystal.group.ops.length > 2) expect(absent).toBeGreaterThan(0);
  },
);

/** Every atom of the cell written out, in P1. */
function inP1(crystal: ReturnType<typeof luag>): ReturnType<typeof luag> {
  const { group } = crystal;
  const atoms = crystal.atoms.flatMap((atom) => {
    const seen = new Map<string, readonly [number, number, number]>();
    for (const { rotation: w, shift } of group.ops) {
      const [x, y, z] = atom.x;
      const p = [0, 1, 2].map((i) => {
        const v = w[(3 * i) as 0] * x + w[(3 * i + 1) as 0] * y + w[(3 * i + 2) as 0] * z + shift[i as 0] / 24;
        return v - Math.floor(v + 1e-6);
      }) as [number, number, number];
      seen.set(p.map((v) => (Math.round(v * 5e3) % 5000).toString()).join(), p);
    }
    return [...seen.values()].map((x) => ({ ...atom, x }));
  });
  const identity = group.ops.find((op) => op.rotation.join() === "1,0,0,0,1,0,0,0,1" && op.shift.join() === "0,0,0")!;
  return { ...crystal, atoms, group: { ...group, ops: [identity] } };
}

test("damping brings strong and weak together; multiple scattering lifts the absent", () => {
  const crystal = glycine();
  const points = latticePoints(ubMatrix([1, 0, 0, 0, 1, 0, 0, 0, 1], crystal.cell), { gMax: 1 });
  const intensity = kinematicalIntensity(crystal);
  const plain = pointIntensities(points, intensity, kinematical),
    damped = pointIntensities(points, intensity, { strongestA: 5, scatter: 0, umweg: 0.001 }),
    faded = pointIntensities(points, intensity, kinematical, 4);
  const mean = (v: Float64Array) => v.reduce((a, b) => a + b, 0) / v.length;
  expect(plain.reduce((a, b) => Math.max(a, b))).toBe(1);
  expect(damped.reduce((a, b) => Math.max(a, b))).toBe(1);
  expect(mean(damped)).toBeGreaterThan(2 * mean(plain));
  expect(mean(faded)).toBeLessThan(mean(plain));
  expect(plain.reduce((a, b) => Math.min(a, b))).toBe(0);
  expect(damped.reduce((a, b) => Math.min(a, b))).toBeGreaterThan(0);
});
