import { type UnitCell, unitCell } from "../geometry/cell.js";
import { isCentringAbsent } from "../geometry/extinctions.js";
import { type SpaceGroup, spaceGroup } from "../geometry/space-groups.js";
import { atom, type Structure, structure } from "../geometry/structure.js";

/** A crystal to simulate from. */
export interface ModelCrystal {
  readonly name: string;
  readonly structure: Structure;
  readonly cell: UnitCell;
  readonly group: SpaceGroup;
  /** Where the coordinates come from. */
  readonly source: string;
}

type Row = readonly [element: string, x: number, y: number, z: number, uIso: number, occupancy?: number];
const crystal = (name: string, cell: UnitCell, symbol: string, rows: readonly Row[], source: string): ModelCrystal => {
  const group = spaceGroup(symbol);
  const atoms = rows.map(([element, x, y, z, uIso, occupancy = 1], i) =>
    atom({ element, label: `${element}${i + 1}`, xyz: [x, y, z], uIso, occupancy }),
  );
  return { name, structure: structure(cell, group, atoms), cell, group, source };
};

/** Lutetium aluminium garnet, cubic. */
export function luag(): ModelCrystal {
  return crystal(
    "LuAG, Lu3Al5O12",
    unitCell(11.9104, 11.9104, 11.9104),
    "I a -3 d",
    [
      ["Lu", 0.25, 0.375, 0.5, 0.0035],
      ["Al", 0.25, 0.625, 0.5, 0.005],
      ["Al", 0.5, 0.5, 0.5, 0.0024],
      ["O", 0.35067, 0.53004, 0.44756, 0.0044],
    ],
    "Suresh et al., Nat. Commun. 15 (2024) 9066",
  );
}

/** α-quartz, trigonal. */
export function quartz(): ModelCrystal {
  return crystal(
    "quartz, SiO2",
    unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120),
    "P 32 2 1",
    [
      ["Si", 0.4697, 0, 2 / 3, 0.008],
      ["O", 0.4133, 0.2672, 0.7855, 0.015],
    ],
    "Kihara, Eur. J. Mineral. 2 (1990) 63, values at 298 K",
  );
}

/** Natrolite, orthorhombic, F-centred. */
export function natrolite(): ModelCrystal {
  return crystal(
    "natrolite, Na2Al2Si3O10·2H2O",
    unitCell(18.2682, 18.6357, 6.6142),
    "F d d 2",
    [
      ["Si", 0, 0, 0, 0.0144],
      ["Si", 0.0968, 0.03864, -0.3694, 0.0132],
      ["Al", -0.03709, 0.09389, 0.3873, 0.0112],
      ["Na", -0.22073, 0.03113, 0.3837, 0.0268],
      ["O", 0.06959, 0.02263, -0.1389, 0.0232],
      ["O", -0.02218, 0.06854, 0.133, 0.0248],
      ["O", -0.06978, 0.18252, 0.3914, 0.0164],
      ["O", -0.0994, 0.03478, 0.4995, 0.0201],
      ["O", 0.04374, 0.09762, 0.5277, 0.0206],
      ["O", -0.3064, 0.0616, 0.6387, 0.0389],
      ["H", -0.3531, 0.0645, 0.573, 0.0467],
      ["H", -0.305, 0.1029, 0.725, 0.0467],
    ],
    "Klar et al., Nat. Chem. 15 (2023) 848, supplementary CIF",
  );
}

/** α-glycine, monoclinic (without its hydrogen atoms). */
export function glycine(): ModelCrystal {
  return crystal(
    "α-glycine, C2H5NO2",
    unitCell(5.1054, 11.9688, 5.4645, 90, 111.697, 90),
    "P 21/n",
    [
      ["O", 0.3047, 0.0943, 0.2351, 0.034],
      ["O", 0.8465, 0.1415, 0.1072, 0.033],
      ["N", 0.3013, 0.0897, 0.7409, 0.025],
      ["C", 0.0749, 0.125, 0.066, 0.022],
      ["C", 0.0651, 0.1448, 0.7863, 0.024],
    ],
    "Jönsson & Kvick, Acta Cryst. B28 (1972) 1827",
  );
}

/** Albite (low), triclinic, on its primitive reduced cell. */
export function albite(): ModelCrystal {
  return crystal(
    "albite, NaAlSi3O8",
    unitCell(7.13, 7.38, 7.64, 115.17, 107.2, 100.6),
    "P -1",
    [
      ["Si", 0.6853, -0.0804, 0.1998, 0.0031],
      ["Si", 0.7622, 0.3153, 0.1754, 0.0034],
      ["Si", 0.6403, 0.7012, 0.4371, 0.003],
      ["Al", 0.7918, 0.6595, 0.8223, 0.0034],
      ["Na", 0.8537, 0.2217, 0.7431, 0.0356],
      ["O", 0.7188, -0.0944, 0.4103, 0.0064],
      ["O", 0.8092, -0.2028, 0.0771, 0.0127],
      ["O", 0.967, 0.3737, 0.1357, 0.0078],
      ["O", 0.3895, 0.5976, 0.3176, 0.0112],
      ["O", 0.7713, 0.1707, 0.2834, 0.0092],
      ["O", 0.5624, 0.1853, -0.0521, 0.0122],
      ["O", 0.739, 0.5308, 0.3273, 0.0155],
      ["O", 0.7275, 0.7865, 0.681, 0.0095],
    ],
    "Klar et al., Nat. Chem. 15 (2023) 848, supplementary CIF",
  );
}

/** A sodium conductor of the NASICON type, rhombohedral: aluminium on a tenth of the titanium sites, its charge balanced by sodium on a second site, 7 % full (the last atom). */
export function natp(): ModelCrystal {
  return crystal(
    "NATP, Na1.21Al0.21Ti1.79(PO4)3",
    unitCell(8.485, 8.485, 21.8, 90, 90, 120),
    "R -3 c:H",
    [
      ["Na", 0, 0, 0, 0.03],
      ["Ti", 0, 0, 0.1457, 0.006, 0.895],
      ["Al", 0, 0, 0.1457, 0.006, 0.105],
      ["P", 0.2858, 0, 0.25, 0.006],
      ["O", 0.1739, -0.027, 0.193, 0.012],
      ["O", 0.1936, 0.1663, 0.0887, 0.01],
      ["Na", 0.637, 0, 0.25, 0.04, 0.07],
    ],
    "framework of NaTi2(PO4)3 after Hagman & Kierkegaard, Acta Chem. Scand. 22 (1968) 1822; aluminium and second sodium added",
  );
}

/** Lattice centring of a group as the simulator wants it. */
export function centringAllows(group: SpaceGroup): (h: number, k: number, l: number) => boolean {
  return (h, k, l) => !isCentringAbsent(group, [h, k, l]);
}
