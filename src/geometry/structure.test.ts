import { expect, test } from "vitest";
import { cifBlock, cifMeasuredColumn, cifNumber, cifNumbers, cifTexts } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { writeCif } from "../io/cif-write.js";
import { janaProject } from "../io/jana/embedded.js";
import { describeData, readData } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { type Adp, betaFromU, bFromU, cartesianAdp, equivalentU, isotropicAdp, isPositiveAdp, uFromB, uFromBeta } from "./adp.js";
import { cellParameters, unitCell } from "./cell.js";
import { element, elementOfLabel, parseAtomType } from "./elements.js";
import { spaceGroupFromCif, structureFromCif } from "./from-cif.js";
import { structureFromJana } from "./from-jana.js";
import { quadratic, reciprocalBasis } from "./metric.js";
import { spaceGroup } from "./space-groups.js";
import { atom, composition, density, expandToP1, formula, multiplicities, type Structure, structure } from "./structure.js";
import { contactAngleDeg, contacts } from "./structure-bonds.js";
import { structureToCif, withSu } from "./to-cif.js";

const read = (file: string, block?: string) => {
  const found = cifBlock(parseCif(readData(file)).value, block)!;
  return { block: found, ...structureFromCif(found) };
};
const jana = "3ded/jana_dyn/";
const files = [
  [`${jana}natrolite_jana2006_dyn+kin.cif`, "natrolite_kinematical", "Al16 H32 Na16 O96 Si24", 43],
  [`${jana}albite_jana2006_dyn+kin.cif`, "albite_kinematical", "Al2 Na2 O16 Si6", 2],
  [`${jana}alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif`, "I", "C12 H28 N4 O8", 19],
  [`${jana}LuAG_jana2020_dyn_IAM.cif`, "I", "Al40 Lu24 O96", 230],
  ["3ded/diffbloch/cspbbr3_start.cif", undefined, "Br12 Cs4 Pb4", 62],
  ["3ded/diffbloch/quartz_enantiomer_1_start.cif", undefined, "O6 Si3", 154],
  ["3ded/diffbloch/borane_IAM_start.cif", undefined, "B72 H88", 56],
  ["3ded/diffbloch/abiraterone_start.cif", undefined, "C104 H132 N4 O8", 19],
] as const;

describeData("structures from real CIFs", ["3ded/jana_dyn", "3ded/diffbloch"], () => {
  test.each(files)("%s %s: content %s, number %d, density as stated, no warnings", (file, name, content, number) => {
    const { block, value, warnings } = read(file, name);
    expect(warnings).toEqual([]);
    expect([formula(value), value.spaceGroup.number]).toEqual([content, number]);
    const stated = cifNumber(block, "_exptl_crystal_density_diffrn");
    if (!Number.isNaN(stated)) expect(Math.abs(density(value) / stated - 1)).toBeLessThan(5e-4);
    const volume = cifNumber(block, "_cell_volume");
    expect(Math.abs(value.cell.volume / volume - 1)).toBeLessThan(5e-3);
    const multiplicity = cifNumbers(block, "_atom_site_site_symmetry_multiplicity");
    if (multiplicity) expect(multiplicities(value)).toEqual([...multiplicity]);
    expect(expandToP1(value).length).toBe(multiplicities(value).reduce((s, n) => s + n, 0));
  });

  test.each(files.slice(0, 4))("%s %s: the listed bonds and angles are found, and U_eq follows from the tensors", (file, name) => {
    const { block, value } = read(file, name);
    const index = (label: string): number => value.atoms.findIndex((a) => a.label === label);
    const all = contacts(value, { maxDistance: 4 });
    const a = cifTexts(block, "_geom_bond_atom_site_label_1") ?? [],
      b = cifTexts(block, "_geom_bond_atom_site_label_2") ?? [],
      { value: d, su: dSu } = cifMeasuredColumn(block, "_geom_bond_distance") ?? { value: [], su: [] };
    let checked = 0;
    a.forEach((label, i) => {
      if (Number.isNaN(d[i]!) || d[i]! > 3.9) return;
      const near = all.filter((c) => c.from === index(label) && c.to === index(b[i]!)).map((c) => Math.abs(c.distance - d[i]!));
      // Coordinates are printed to their s.u., so distances come back to about half of theirs.
      expect(Math.min(...near)).toBeLessThan(Math.max(0.0016, 0.6 * (dSu[i]! || 0)));
      checked++;
    });
    const [p, q, r] = [1, 2, 3].map((k) => cifTexts(block, `_geom_angle_atom_site_label_${k}`) ?? []) as [string[], string[], string[]];
    const angles = cifNumbers(block, "_geom_angle") ?? [];
    q.forEach((label, i) => {
      if (Number.isNaN(angles[i]!) || i % 9 !== 0) return;
      const from = all.filter((c) => c.from === index(label));
      const best = Math.min(
        ...from
          .filter((c) => c.to === index(p[i]!))
          .flatMap((c) =>
            from.filter((e) => e.to === index(r[i]!) && e !== c).map((e) => Math.abs(contactAngleDeg(value, c, e) - angles[i]!)),
          ),
      );
      expect(best).toBeLessThan(0.15);
      checked++;
    });
    if (a.length > 3) expect(checked).toBeGreaterThan(3);
    for (const atom of value.atoms) {
      if (!atom.uAniso) continue;
      expect(Math.abs(equivalentU(value.cell, atom.uAniso) - atom.uIso)).toBeLessThan(Math.max(1.1e-4, 0.6 * atom.su!.uIso));
      expect(isPositiveAdp(value.cell, atom.uAniso)).toBe(true);
    }
  });

  test.each(files)("%s %s: written as CIF and read again", (file, name) => {
    const { value } = read(file, name);
    const text = writeCif({ version: "1.1", blocks: [structureToCif(value)], comments: [] });
    const again = structureFromCif(cifBlock(parseCif(text).value)!);
    expect(again.warnings).toEqual([]);
    expect(again.value.spaceGroup.hallNumber).toBe(value.spaceGroup.hallNumber);
    expect(again.value.atoms.map((a) => [a.label, a.element, a.occupancy, a.disorder])).toEqual(
      value.atoms.map((a) => [a.label, a.element, a.occupancy, a.disorder]),
    );
    again.value.atoms.forEach((a, i) => {
      const b = value.atoms[i]!;
      a.xyz.forEach((x, k) => {
        expect(Math.abs(x - b.xyz[k]!)).toBeLessThanOrEqual(Math.max(1e-8, 0.51 * (b.su!.xyz[k]! || 0)));
      });
      expect(a.uAniso === undefined).toBe(b.uAniso === undefined);
    });
  });

  test("JANA's own files give the structure of the CIF around them", () => {
    const { block, value } = read(files[2][0], "I");
    const project = janaProject(block).value;
    const { value: s, warnings } = structureFromJana(project.m40!, project.m50!);
    expect(warnings).toEqual([]);
    expect(s.spaceGroup.number).toBe(19);
    expect(formula(s)).toBe(formula(value));
    for (const a of value.atoms) {
      const b = s.atoms.find((x) => x.label === a.label)!;
      a.xyz.forEach((x, k) => {
        // The same parameters, printed to the s.u. in one file; hydrogen may be stated in another asymmetric unit.
        expect(Math.abs(x - b.xyz[k]!)).toBeLessThan(Math.max(5e-5, 0.6 * b.su!.xyz[k]!));
      });
      a.uAniso!.forEach((u, k) => {
        expect(Math.abs(u - b.uAniso![k]!)).toBeLessThan(Math.max(5e-5, 0.6 * b.su!.uAniso![k]!));
      });
    }
  });

  test("a cell that breaks its symmetry is named (glycine as edited upstream)", () => {
    const { warnings } = read("3ded/glycine_pets/alpha_glycine.cif");
    expect(warnings.join()).toMatch(/does not obey P 1 21\/n 1.*2\.30°/);
  });
});

const block = (text: string) => cifBlock(parseCif(`data_t\n${text}`).value)!;
const cubic = "_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n";
test("CIF: B and beta loops, charges, missing values, dummy atoms, disorder", () => {
  const { value, warnings } = structureFromCif(
    block(`${cubic}_symmetry_space_group_name_H-M 'P 1'
loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_B_iso_or_equiv\n_atom_site_occupancy\n_atom_site_calc_flag\n_atom_site_disorder_assembly\n_atom_site_disorder_group
Fe1 Fe3+ 0 0 0 0.7896(8) 1 d . .\nO1 O-2 .5 1/2 0 ? . d . .\nO2 O2- .25(1) .25 .25 1 .5 d A 1\nX1 Fe . . . . . dum . .\nQ1 Xx 0 0 0 1 1 d . .
loop_\n_atom_site_aniso_label\n_atom_site_aniso_B_11\n_atom_site_aniso_B_22\n_atom_site_aniso_B_33\n_atom_site_aniso_B_12\n_atom_site_aniso_B_13\n_atom_site_aniso_B_23
O2 1 1 2 0 0 0\n`),
  );
  expect(value.atoms.map((a) => [a.label, a.element, a.charge, a.occupancy])).toEqual([
    ["Fe1", "Fe", 3, 1],
    ["O2", "O", -2, 0.5],
  ]);
  expect(bFromU(value.atoms[0]!.uIso)).toBeCloseTo(0.7896, 10);
  expect(value.atoms[1]!.uAniso!.map(bFromU).map((x) => +x.toFixed(9))).toEqual([1, 1, 2, 0, 0, 0]);
  expect(value.atoms[1]!.disorder).toEqual({ assembly: "A", group: "1" });
  expect(warnings.join("; ")).toMatch(/O1 has no coordinates.*Q1/);
});
test("CIF: what is damaged in an atom list is named, and no atom is lost without a word", () => {
  const list = (rows: string, tensors = "") =>
    structureFromCif(
      block(
        `${cubic}_space_group_name_H-M_alt 'P 1'\nloop_\n${["label", "type_symbol", "fract_x", "fract_y", "fract_z"].map((t) => `_atom_site_${t}\n`).join("")}${rows}\n${tensors}`,
      ),
    );
  const tensor = `loop_\n_atom_site_aniso_label\n${["11", "22", "33", "12", "13", "23"].map((t) => `_atom_site_aniso_U_${t}\n`).join("")}`;
  const { value, warnings } = list(
    "? O 0 0 0\nLi1 abc .1 .2 .3\nNa1 NaN .5 .5 .5\nC1 Cval .7 .7 .7\n? ? ? ? ?",
    `${tensor}Li1 .01 .01 ? 0 0 0\nSi9 .01 .01 .01 0 0 0\n`,
  );
  expect(value.atoms.map((a) => [a.label, a.element])).toEqual([
    ["O1", "O"],
    ["Li1", "Li"],
    ["Na1", "Na"],
    ["C1", "C"],
  ]);
  expect(warnings).toEqual([
    "the displacement tensor of Li1 lacks 1 of its numbers and is left out",
    "the atom of row 1 has no label; it is called O1",
    'atom Li1: "abc" is no atom type; Li is taken',
    'atom Na1: "NaN" is no atom type; Na is taken',
    "displacement tensors of Si9 belong to no atom of the list",
  ]);
  expect(() => list("O1 O 1e308 0 0")).toThrow(/bad-file.*O1/);
  expect(list("O1 O .999 0 0\nO2 O .001 1 0\nO3 O .1 0 0").warnings).toEqual(["more than one atom in one place: O1 and O2"]);
  const hot = block(
    `${cubic}loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_U_iso_or_equiv\nO1 0 0 0 1e308\n`,
  );
  expect(structureFromCif(hot).warnings.join()).toMatch(/no atom has such a displacement, Å²: O1 1e\+308/);
  const angle = (line: string) =>
    structureFromCif(
      block(
        `${cubic.replace(/_cell_angle_beta 90\n/, line)}loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nO1 0 0 0\n`,
      ),
    );
  expect(angle("").warnings.join()).toMatch(/does not say _cell_angle_beta: 90° is taken/);
  expect(() => angle("_cell_angle_beta abc\n")).toThrow(/bad-file.*NaN/);
  const operators = (list: string) => spaceGroupFromCif(block(`loop_\n_space_group_symop_operation_xyz\n${list}\n`));
  const twice = operators("x,y,z\n-x,-y,-z\nx,y,z\n-x,-y,-z");
  expect([twice.value.number, twice.warnings]).toEqual([2, ["2 operators stand twice in the list"]]);
  expect(() => operators("-x,-y,-z\n-x,y,-z")).toThrow(/bad-file.*x,y,z is missing/);
});
test("CIF: symbol against operators against number", () => {
  const ops = "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,-y,-z\n";
  expect(spaceGroupFromCif(block(`${ops}_space_group_IT_number 1\n`)).warnings.join()).toMatch(/number 2, the file states 1/);
  expect(spaceGroupFromCif(block("_space_group_name_H-M_alt 'F d -3 m'\n")).warnings.join()).toMatch(/which origin/);
  expect(spaceGroupFromCif(block("_space_group_name_Hall '-P 2ybc'\n")).value.number).toBe(14);
  expect(spaceGroupFromCif(block("_cell_length_a 1\n")).warnings.join()).toMatch(/P 1 was taken/);
  const odd = spaceGroupFromCif(block("loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x+1/4,y+1/2,-z+1/4\n"));
  expect([odd.value.number, odd.value.ops.length]).toEqual([4, 2]);
  expect(() => spaceGroupFromCif(block("_space_group_name_H-M_alt 'Q 7'\n"))).toThrow(/bad-file/);
  expect(() => structureFromCif(block(cubic))).toThrow(/_atom_site_label/);
  expect(() => structureFromCif(block("_cell_length_a 4\n"))).toThrow(/no complete/);
});

const rockSalt = (): Structure =>
  structure(unitCell(5.64, 5.64, 5.64), spaceGroup("F m -3 m"), [
    atom({ element: "Na", charge: 1, xyz: [0, 0, 0], uIso: 0.02 }),
    atom({ element: "Cl", charge: -1, xyz: [0.5, 0.5, 0.5], uIso: 0.02 }),
  ]);
test("rock salt: content, density and six neighbours", () => {
  const s = rockSalt();
  expect([...composition(s)]).toEqual([
    ["Cl", 4],
    ["Na", 4],
  ]);
  expect(density(s)).toBeCloseTo(2.164, 2);
  const near = contacts(s).filter((c) => c.from === 0);
  expect(near.length).toBe(6);
  for (const c of near) expect(c.distance).toBeCloseTo(2.82, 10);
  expect(contactAngleDeg(s, near[0]!, near[1]!) % 90).toBeCloseTo(0, 6);
  expect(String(s)).toBe("Structure(Cl4 Na4, F m -3 m, 2 atoms, 179.4 Å³)");
  expect(() => structure(s.cell, s.spaceGroup, [atom({ element: "Zz", xyz: [0, 0, 0] })])).toThrow(/bad-value/);
  expect(() => structure(s.cell, s.spaceGroup, [atom({ element: "Na", xyz: [0, 0, 0], occupancy: 8 })])).toThrow(/occupancy/);
});

const u6 = fc.tuple(
  ...([0, 1, 2].map(() => fc.double({ min: 0.01, max: 0.1, noNaN: true })) as [
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
  ]),
  fc.double({ min: -0.01, max: 0.01, noNaN: true }),
  fc.double({ min: -0.01, max: 0.01, noNaN: true }),
  fc.double({ min: -0.01, max: 0.01, noNaN: true }),
);
const hexagonal = unitCell(5, 6, 7, 80, 95, 115);
prop(
  "displacements: U ↔ β, U_eq is a third of the Cartesian trace, and 2π² gᵀU g is β's exponent",
  [u6, fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })],
  (u, h, k) => {
    const adp = u as unknown as Adp;
    const beta = betaFromU(hexagonal, adp);
    uFromBeta(hexagonal, beta).forEach((x, i) => {
      expect(x).toBeCloseTo(adp[i]!, 14);
    });
    const c = cartesianAdp(hexagonal, adp);
    expect((c[0] + c[4] + c[8]) / 3).toBeCloseTo(equivalentU(hexagonal, adp), 13);
    const b = reciprocalBasis(hexagonal),
      l = 3;
    const g = [b[0] * h + b[1] * k + b[2] * l, b[4] * k + b[5] * l, b[8] * l] as const;
    const exponent = beta[0] * h * h + beta[1] * k * k + beta[2] * l * l + 2 * (beta[3] * h * k + beta[4] * h * l + beta[5] * k * l);
    expect(2 * Math.PI * Math.PI * quadratic(c, g)).toBeCloseTo(exponent, 9);
    const iso = cartesianAdp(hexagonal, isotropicAdp(hexagonal, 0.03));
    iso.forEach((x, i) => {
      expect(x).toBeCloseTo(i % 4 === 0 ? 0.03 : 0, 12);
    });
    expect(uFromB(bFromU(0.01))).toBeCloseTo(0.01, 15);
  },
);

test("elements, atom types, labels and s.u.", () => {
  expect(element("SI")).toMatchObject({ z: 14, symbol: "Si" });
  expect(element(118)!.symbol).toBe("Og");
  expect(element("Xx")).toBeUndefined();
  const types = {
    Si: ["Si", 0],
    "Fe3+": ["Fe", 3],
    "O2-": ["O", -2],
    "O-2": ["O", -2],
    "Na+": ["Na", 1],
    Cval: ["C", 0],
    SI4: ["Si", 0],
    Ow: ["O", 0],
    D: ["H", 0],
  };
  for (const [type, [symbol, charge]] of Object.entries(types)) expect(parseAtomType(type)).toEqual({ element: symbol, charge });
  expect([elementOfLabel("O12A"), elementOfLabel("Cs1"), elementOfLabel("H1b3"), elementOfLabel("?")]).toEqual(["O", "Cs", "H", undefined]);
  expect([withSu(1.23456, 0.0012), withSu(1.23456, 0.0031), withSu(90, 0), withSu(253.2, 12), withSu(-0.5, 0.00098)]).toEqual([
    "1.2346(12)",
    "1.235(3)",
    "90",
    "253(12)",
    "-0.5000(10)",
  ]);
  expect(cellParameters(unitCell(1, 2, 3))).toEqual([1, 2, 3, 90, 90, 90]);
});

test("operators of another setting than the symbol's are used and said", () => {
  const block = (symbol: string) =>
    parseCif(
      `data_a\n_space_group_name_H-M_alt '${symbol}'\nloop_\n_space_group_symop_operation_xyz\n${ops.map((o) => `'${o}'`).join("\n")}\n`,
    ).value.blocks[0]!;
  const ops = "x,y,z 1/2+x,1/2-y,-z -x,-y,1/2+z 1/2-x,1/2+y,1/2-z -x,-y,-z 1/2-x,1/2+y,z x,y,1/2-z 1/2+x,1/2-y,1/2+z".split(" ");
  expect(spaceGroupFromCif(block("P b n m")).warnings).toEqual([]);
  const other = spaceGroupFromCif(block("P n m a"));
  expect(other.value.hm).toBe("P b n m");
  expect(other.warnings.join()).toMatch(/operators are those of P b n m.*"P n m a"/);
});
