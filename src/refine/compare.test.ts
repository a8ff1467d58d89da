import { expect, test } from "vitest";
import { atom, spaceGroup, structure, unitCell } from "../geometry/index.js";
import { compareStructures } from "./compare.js";

const sio = (x: number, y: number, z: number, z0 = 2 / 3) => [
  atom({ label: "Si", element: "Si", xyz: [x, 0, z0], uIso: 0.008 }),
  atom({ label: "O", element: "O", xyz: [y, 0.2672, z], uIso: 0.015 }),
];
const cell = unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120),
  quartz = structure(cell, spaceGroup("P 32 2 1"), sio(0.4697, 0.4133, 0.7855));

test("a twofold of the lattice that is none of the structure's is a change of basis", () => {
  const turned = structure(
    cell,
    quartz.spaceGroup,
    quartz.atoms.map((a) => ({ ...a, xyz: [-a.xyz[0], -a.xyz[1], a.xyz[2]] as const })),
  );
  expect(compareStructures(turned, quartz, { hand: false }).rmsd).toBeGreaterThan(0.1);
  const m = compareStructures(turned, quartz, { hand: false, basis: [-1, 0, 0, 0, -1, 0, 0, 0, 1] });
  expect(m.rmsd).toBeLessThan(1e-6);
  expect([m.matched, m.missing, m.extra]).toEqual([9, 0, 0]);
});
test("primitive and centred cells, both ways", () => {
  const a = 5.43,
    centred = structure(unitCell(a, a, a), spaceGroup("F d -3 m:1"), [atom({ label: "Si1", element: "Si", xyz: [0, 0, 0], uIso: 0.005 })]),
    p = a / Math.SQRT2,
    primitive = structure(unitCell(p, p, p, 60, 60, 60), spaceGroup("P 1"), [
      atom({ label: "Si1", element: "Si", xyz: [0, 0, 0], uIso: 0.005 }),
      atom({ label: "Si2", element: "Si", xyz: [0.25, 0.25, 0.25], uIso: 0.005 }),
    ]);
  // Primitive axes ½(b + c), ½(a + c), ½(a + b) as columns, and their inverse.
  const toPrimitive = [0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0] as const,
    toCentred = [-1, 1, 1, 1, -1, 1, 1, 1, -1] as const;
  const down = compareStructures(centred, primitive, { basis: toPrimitive }),
    up = compareStructures(primitive, centred, { basis: toCentred });
  expect([down.matched, down.missing, down.extra]).toEqual([2, 0, 0]);
  expect([up.matched, up.missing, up.extra]).toEqual([8, 0, 0]);
  expect(down.rmsd + up.rmsd).toBeLessThan(1e-6);
  expect(() => compareStructures(centred, primitive)).toThrow("give `basis`");
  expect(() => compareStructures(centred, primitive, { basis: [1, 0, 0, 1, 0, 0, 0, 0, 1] })).toThrow("span a volume");
});
