import { fail } from "../core/errors.js";
import { type Adp, isPositiveAdp } from "../geometry/adp.js";
import { beam } from "../geometry/beam.js";
import { type UnitCell, unitCell } from "../geometry/cell.js";
import { quadratic, reciprocalMetric } from "../geometry/metric.js";
import type { CaseInputs } from "./case.js";

const finite = (x: unknown): x is number => typeof x === "number" && Number.isFinite(x);
const numbers = (x: unknown, count?: number): x is readonly number[] =>
  Array.isArray(x) && x.every(finite) && (count === undefined || x.length === count);
const atomKeys = new Set(["element", "xyz", "B", "uIso", "uAniso", "occupancy", "charge", "label", "comment"]);

/** Atoms at rest are ellipsoids too. */
const isEllipsoid = (cell: UnitCell, u: Adp): boolean => isPositiveAdp(cell, u.map((x, i) => x + (i < 3 ? 1e-9 : 0)) as unknown as Adp);

const parameterKinds = new Set("x y z occupancy uIso u11 u22 u33 u12 u13 u23 thickness".split(" "));

/** The optional requests: what they hold besides numbers that their own readers check. */
function checkOptions(inputs: CaseInputs): void {
  for (const key of ["surfaceNormal", "refraction"] as const)
    if (inputs[key] !== undefined && typeof inputs[key] !== "boolean") fail("bad-value", { [key]: inputs[key] }, `${key} is true or false`);
  for (const key of ["precession", "rotation", "mosaicity", "tiltCorrection"] as const) {
    const option: unknown = inputs[key];
    if (option === undefined) continue;
    if (typeof option !== "object" || option === null) fail("bad-value", { [key]: option }, `${key} is an object of named numbers`);
    for (const [name, value] of Object.entries(option as object))
      if (name !== "kind" && name !== "axes" && !finite(value) && !numbers(value, 3))
        fail("bad-value", { [`${key}.${name}`]: value }, `${key} holds finite numbers`);
  }
  const { derivatives, beams } = inputs;
  if (derivatives !== undefined && !Array.isArray(derivatives))
    fail("bad-value", { derivatives }, 'derivatives is a list such as [{"kind": "x", "atom": 0}, {"kind": "thickness"}]');
  derivatives?.forEach((q, i) => {
    if (!parameterKinds.has(q?.kind))
      fail("bad-value", { [`derivatives[${i}]`]: q }, `a parameter is of kind ${[...parameterKinds].join(", ")}`);
  });
  const strong = new Set(beams.map((h) => h.join(" ")));
  for (const h of inputs.weakBeams ?? [])
    if (strong.has(h.join(" "))) fail("bad-value", { weakBeam: h }, "a beam is either kept or eliminated: take it from one of the lists");
}

function checkAtom(cell: UnitCell, a: Record<string, unknown>, i: number): void {
  if (typeof a !== "object" || a === null) fail("bad-value", { atom: i, is: a }, "an atom is an object with element, xyz and B");
  const wrong = (key: string, cure: string): never => fail("bad-value", { atom: i, [key]: a[key] }, cure);
  const unknown = Object.keys(a).filter((k) => !atomKeys.has(k));
  if (unknown.length > 0)
    fail(
      "bad-value",
      { atom: i, unknown },
      "an atom of a case has element, xyz, one of B, uIso and uAniso, and perhaps occupancy and charge",
    );
  if (typeof a.element !== "string") wrong("element", "element is a symbol, with a charge perhaps: Si, O2-");
  if (!numbers(a.xyz, 3)) wrong("xyz", "xyz holds three fractional coordinates");
  for (const key of ["B", "uIso"])
    if (a[key] !== undefined && !(finite(a[key]) && (a[key] as number) >= 0))
      wrong(key, "a mean square displacement is a number of at least 0, Å²");
  if (a.uAniso !== undefined && (!numbers(a.uAniso, 6) || !isEllipsoid(cell, a.uAniso as unknown as Adp)))
    wrong("uAniso", "uAniso holds U11 U22 U33 U12 U13 U23 of an ellipsoid, Å²");
  if (["B", "uIso", "uAniso"].filter((k) => a[k] !== undefined).length > 1)
    fail("bad-value", { atom: i, keys: Object.keys(a) }, "B, uIso and uAniso exclude each other");
  for (const key of ["occupancy", "charge"]) if (a[key] !== undefined && !finite(a[key])) wrong(key, `${key} is a number`);
}

/** The given and the derived value may differ by digits of constants, not more. */
function agree(name: string, given: number | undefined, ours: number, from: string, tolerance = 1e-4): void {
  if (given !== undefined && !(Math.abs(given - ours) <= tolerance * ours))
    fail("bad-value", { [name]: given, [from]: ours }, `${name} contradicts the ${from}: correct one of them`);
}

/**
 * Everything about the inputs of a case that can be wrong without the arithmetic noticing: missing numbers, keys of atoms that nobody reads, indices that are not
 * whole, a wave vector of another voltage, a volume of another cell.
 * @throws bad-value, naming the input
 */
export function checkCase(inputs: CaseInputs): void {
  const { cell: c, atoms, beams, kReciprocal: k, thicknessesAngstrom: t } = inputs;
  if (!c || !Array.isArray(atoms))
    fail("bad-value", { inputs: Object.keys(inputs) }, "inputs holds cell {a, b, c, alpha, beta, gamma} and atoms [{element, xyz, B}]");
  for (const key of ["a", "b", "c", "alpha", "beta", "gamma"] as const)
    if (!finite(c[key]))
      fail("bad-value", { [`cell.${key}`]: c[key] }, "the cell has six numbers: a, b, c in Å, alpha, beta, gamma in degrees");
  const cell = unitCell(c.a, c.b, c.c, c.alpha, c.beta, c.gamma);
  atoms.forEach((a, i) => {
    checkAtom(cell, a as unknown as Record<string, unknown>, i);
  });
  if (!Array.isArray(beams) || beams.length === 0)
    fail("bad-value", { beams: beams?.length ?? 0 }, "inputs.beams lists [h, k, l], 0 0 0 among them");
  for (const h of [...beams, ...(inputs.weakBeams ?? [])])
    if (!numbers(h, 3) || !h.every(Number.isInteger))
      fail("bad-value", { beam: h }, "a beam of inputs.beams is three whole numbers h, k, l");
  if (inputs.kV !== undefined && typeof inputs.kV !== "number") fail("bad-value", { kV: inputs.kV }, "kV is a number, for example 200");
  if (!Array.isArray(t) || !t.every((x) => x > 0 && finite(x)))
    fail("bad-value", { thicknessesAngstrom: t }, "thicknessesAngstrom is a list of positive numbers, Å");
  const three = (x: unknown): boolean => Array.isArray(x) && x.length === 3 && x.every((v) => typeof v === "number");
  if (!three(k)) fail("bad-value", { kReciprocal: k }, "kReciprocal holds the three components of K on a*, b*, c*");
  if (inputs.normalDirect !== undefined && !three(inputs.normalDirect))
    fail("bad-value", { normalDirect: inputs.normalDirect }, "normalDirect holds the three components of the foil normal on a, b, c");
  if (inputs.absorptiveRatio !== undefined && inputs.absorptive !== undefined && inputs.absorptive !== "none")
    fail(
      "bad-value",
      { absorptive: inputs.absorptive, absorptiveRatio: inputs.absorptiveRatio },
      "absorptive and absorptiveRatio exclude each other",
    );
  checkOptions(inputs);
  const known = beam(inputs.kV);
  agree("cellVolume", inputs.cellVolume, cell.volume, "volume of the cell");
  agree("wavelengthAngstrom", inputs.wavelengthAngstrom, known.wavelength, "wavelength of kV");
  agree("gamma", inputs.gamma, known.gamma, "gamma of kV");
  agree("vOverC", inputs.vOverC, known.beta, "v/c of kV");
  // |K| may hold the refraction by the mean inner potential, 1e-4 at most.
  const size = Math.sqrt(quadratic(reciprocalMetric(cell), k));
  if (size > 0) agree("length of kReciprocal", size, known.k, "1/wavelength of kV", 1e-3);
}
