import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, type Structure, structure } from "../geometry/structure.js";

type Cell = Parameters<typeof unitCell>;
type Line = readonly [element: string, x: number, y: number, z: number];
const crystal = (cell: Cell, group: string, atoms: readonly Line[]): Structure =>
  structure(
    unitCell(...cell),
    spaceGroup(group),
    atoms.map(([element, x, y, z], i) => atom({ element, label: `${element}${i + 1}`, xyz: [x, y, z], uIso: 0.006 })),
  );

/**
 * Published structures, rounded, with a formula each: heavy atoms on lattices of higher symmetry than the crystal's, tilted perovskites, frameworks, molecules.
 * All atoms vibrate alike (0.006 Å²). What a solution from calculated intensities is held against.
 */
export const publishedCrystals = {
  lithiumIodate: [
    "Li I O3",
    crystal([5.48, 5.48, 5.17, 90, 90, 120], "P 63", [["I", 1 / 3, 2 / 3, 0], ["O", 0.247, 0.342, 0.838], ["Li", 0, 0, 0.076]]),
  ],
  perovskite: [
    "Ca Ti O3",
    crystal([5.38, 5.442, 7.64], "P b n m", [["Ca", 0.9935, 0.0359, 0.25], ["Ti", 0, 0.5, 0], ["O", 0.0714, 0.4838, 0.25], ["O", 0.7108, 0.2888, 0.0371]]),
  ],
  lithiumNiobate: [
    "Li Nb O3",
    crystal([5.148, 5.148, 13.863, 90, 90, 120], "R 3 c:H", [["Nb", 0, 0, 0], ["Li", 0, 0, 0.2787], ["O", 0.0475, 0.3433, 0.0633]]),
  ],
  sodalite: [
    "Na4 Al3 Si3 O12 Cl",
    crystal([8.876, 8.876, 8.876], "P -4 3 n", [["Al", 0.25, 0, 0.5], ["Si", 0.25, 0.5, 0], ["O", 0.1390, 0.1494, 0.4383], ["Na", 0.1778, 0.1778, 0.1778], ["Cl", 0, 0, 0]]),
  ],
  scheelite: [
    "Ca W O4",
    crystal([5.243, 5.243, 11.376], "I 41/a:2", [["Ca", 0, 0.25, 0.625], ["W", 0, 0.25, 0.125], ["O", 0.1507, 0.0086, 0.2106]]),
  ],
  forsterite: [
    "Mg2 Si O4",
    crystal([4.753, 10.19, 5.978], "P b n m", [["Mg", 0, 0, 0], ["Mg", 0.9915, 0.2774, 0.25], ["Si", 0.4262, 0.094, 0.25], ["O", 0.7657, 0.0913, 0.25], ["O", 0.2215, 0.4474, 0.25], ["O", 0.2777, 0.1628, 0.0331]]),
  ],
  baddeleyite: [
    "Zr O2",
    crystal([5.1505, 5.2116, 5.3173, 90, 99.23, 90], "P 1 21/c 1", [["Zr", 0.2754, 0.0395, 0.2083], ["O", 0.0700, 0.3317, 0.3447], ["O", 0.4496, 0.7569, 0.4792]]),
  ],
  leadTitanate: [
    "Pb Ti O3",
    crystal([3.904, 3.904, 4.152], "P 4 m m", [["Pb", 0, 0, 0], ["Ti", 0.5, 0.5, 0.5377], ["O", 0.5, 0.5, 0.1118], ["O", 0, 0.5, 0.6174]]),
  ],
  barite: [
    "Ba S O4",
    crystal([8.884, 5.456, 7.157], "P n m a", [["Ba", 0.1845, 0.25, 0.1585], ["S", 0.4370, 0.75, 0.1911], ["O", 0.5870, 0.75, 0.1068], ["O", 0.3175, 0.75, 0.0498], ["O", 0.4194, 0.9704, 0.3116]]),
  ],
  caesiumLeadBromide: [
    "Cs Pb Br3",
    crystal([8.244, 11.735, 8.198], "P n m a", [["Cs", 0.0298, 0.25, 0.9925], ["Pb", 0, 0, 0.5], ["Br", 0.4951, 0.25, 0.0535], ["Br", 0.2053, 0.0281, 0.7948]]),
  ],
  monazite: [
    "La P O4",
    crystal([6.8313, 7.0705, 6.5034, 90, 103.27, 90], "P 1 21/n 1", [["La", 0.28154, 0.16033, 0.10067], ["P", 0.3047, 0.1639, 0.6121], ["O", 0.2503, 0.0077, 0.4477], ["O", 0.3799, 0.3315, 0.4964], ["O", 0.4748, 0.1071, 0.8018], ["O", 0.1277, 0.2168, 0.7101]]),
  ],
  potassiumTitanylPhosphate: [
    "K Ti O P O4",
    crystal([12.814, 6.404, 10.616], "P n a 21", [["Ti", 0.3729, 0.5, 0], ["Ti", 0.2467, 0.2692, 0.2515], ["P", 0.498, 0.3364, 0.2608], ["P", 0.1808, 0.502, 0.5128], ["K", 0.378, 0.7804, 0.312], ["K", 0.1053, 0.6989, 0.0669],
      ["O", 0.4866, 0.4869, 0.1496], ["O", 0.51, 0.4652, 0.3835], ["O", 0.4003, 0.1988, 0.279], ["O", 0.5937, 0.1927, 0.2426], ["O", 0.112, 0.3105, 0.5417], ["O", 0.1115, 0.6917, 0.4881], ["O", 0.253, 0.54, 0.6293], ["O", 0.253, 0.461, 0.4], ["O", 0.2244, 0.0399, 0.3547], ["O", 0.2689, 0.4654, 0.1058]]),
  ],
  alanine: [
    "C3 H7 N O2",
    crystal([6.032, 12.343, 5.784], "P 21 21 21", [["O", 0.7284, 0.0842, 0.6283], ["O", 0.4409, 0.1851, 0.7614], ["N", 0.6473, 0.1379, 0.1837], ["C", 0.5534, 0.1409, 0.6002], ["C", 0.4669, 0.161, 0.3552], ["C", 0.2596, 0.091, 0.3031]]),
  ],
} as const satisfies Record<string, readonly [formula: string, truth: Structure]>; // biome-ignore format: a table
