import { fail, isSdkError } from "../core/errors.js";
import { cellParameters, type UnitCell, unitCell } from "../geometry/cell.js";
import { cellFromCif } from "../geometry/from-cif.js";
import { petsCellProblem } from "../geometry/pets-cell.js";
import { type ReflectionList, reflectionList } from "../geometry/reflection-list.js";
import type { CifBlock } from "../io/cif.js";
import { cifNumbers, cifText } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { cifReflections } from "../io/cif-reflections.js";
import { parseHklList } from "../io/hkl.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { parseHklf } from "../io/shelx/hklf.js";

/** What a file offers for a solution. */
export interface SolutionInput {
  readonly reflections: ReflectionList;
  readonly cell: UnitCell;
  /** `_chemical_formula_sum` of the file. */
  readonly composition?: string | undefined;
  /** Where the list was found. */
  readonly source: string;
  readonly warnings: readonly string[];
}
export interface SolutionInputOptions {
  /** Needed where the file has none; contradicting the file's by more than 1 % is an error. */
  readonly cell?: UnitCell | undefined;
  /** Block of a CIF; by default the first with a list of F², else of intensities. */
  readonly block?: string | undefined;
}

/**
 * Reflections for a solution from the bytes of a file: CIF (reflection loop or embedded SHELX list), `.cif_pets`, or h k l I σ as text (SHELX columns or blanks).
 * @param name - file name; its ending tells the format
 * @throws not-found when there is no list or no cell; bad-cell when the given cell contradicts the file's
 */
export function readSolutionInput(bytes: Uint8Array, name: string, options: SolutionInputOptions = {}): SolutionInput {
  if (/\.cif_pets$/i.test(name)) {
    const { value, warnings } = parseCifPets(bytes);
    const own = unitCell(...(value.cell as unknown as [number, number, number, number, number, number]));
    const cell = agreed(options.cell, own);
    const r = value.reflections,
      problem = petsCellProblem(value.cell, value.ub);
    const list = listOf(cell, r.h, r.k, r.l, r.intensity, r.sigma);
    return { ...list, cell, source: name, warnings: problem ? [...warnings, problem] : warnings };
  }
  if (/\.(cif|fcf|hkl_cif)$/i.test(name)) return fromCif(bytes, name, options);
  const cell = options.cell ?? fail("not-found", { file: name }, "a plain reflection list has no cell: give a b c alpha beta gamma");
  const list = plainList(bytes, cell);
  return { ...list, cell, source: name, warnings: [...list.warnings, ...sigmaProblems(list.reflections)] };
}

/** A plain list names no columns: what else may stand where σ should. */
function sigmaProblems({ size, intensity, sigma }: ReflectionList): readonly string[] {
  const whole = (x: Float64Array): number => x.reduce((n, v) => n + Number(Number.isInteger(v)), 0);
  return size >= 20 && whole(sigma) === size && whole(intensity) < 0.5 * size
    ? [
        "every σ is a whole number, and the intensities are not: is the column of the σ missing, and a number of the frame or batch taken for it?",
      ]
    : [];
}

type PlainList = { reflections: ReflectionList; warnings: readonly string[] };
/** Columns of SHELX, or numbers between blanks: the latter where the fixed columns cut through numbers, as in the wider columns of JANA2020. */
function plainList(bytes: Uint8Array, cell: UnitCell): PlainList {
  let fixed: ReturnType<typeof parseHklf> | undefined;
  try {
    fixed = parseHklf(bytes);
  } catch (e) {
    if (!isSdkError(e)) throw e;
  }
  if (!fixed) return freeList(bytes, cell);
  const { value: v, warnings } = fixed;
  const shelx = { ...listOf(cell, v.h, v.k, v.l, v.intensity, v.sigma), warnings };
  try {
    const free = freeList(bytes, cell),
      n = Math.min(v.size, free.reflections.size);
    let other = 0;
    for (let i = 0; i < n; i++) if (Math.abs(free.reflections.intensity[i]! - v.intensity[i]!) > 1e-6 * Math.abs(v.intensity[i]!)) other++;
    return other > n / 10 ? free : shelx;
  } catch (e) {
    if (!isSdkError(e)) throw e;
    return shelx;
  }
}
function freeList(bytes: Uint8Array, cell: UnitCell): PlainList {
  const { value: v, warnings } = parseHklList(bytes);
  if (v.columns.length === 0) fail("bad-file", { columns: 3 }, "the list holds indices only; rows read h k l I σ");
  return { ...listOf(cell, v.h, v.k, v.l, v.columns[0]!, v.columns[1] ?? new Float64Array(v.size).fill(Number.NaN)), warnings };
}

function fromCif(bytes: Uint8Array, name: string, options: SolutionInputOptions): SolutionInput {
  const { value, warnings } = parseCif(bytes);
  const blocks = value.blocks.filter((b) => options.block === undefined || b.name === options.block);
  if (blocks.length === 0)
    fail("not-found", { block: options.block, blocks: value.blocks.map((b) => b.name) }, "the CIF has no such block");
  const found = blocks.flatMap((block) => {
    const list = listOfBlock(block);
    return list ? [{ block, ...list }] : [];
  });
  const best = found.find((f) => f.rank === 0) ?? found[0];
  if (!best)
    return fail(
      "not-found",
      { file: name, blocks: blocks.map((b) => b.name) },
      "no block holds a reflection list (_refln_index_h … or _shelx_hkl_file)",
    );
  const own = ownCell(best.block) ?? value.blocks.map(ownCell).find((c) => c);
  const cell = agreed(options.cell, own) ?? fail("not-found", { file: name }, "the CIF has no cell; give one");
  const composition = [best.block, ...value.blocks].map((b) => cifText(b, "_chemical_formula_sum")).find((t) => t && t !== "?");
  return {
    ...listOf(cell, best.h, best.k, best.l, best.intensity, best.sigma),
    cell,
    composition,
    source: `${name}, block ${best.block.name}`,
    warnings,
  };
}
function ownCell(block: CifBlock): UnitCell | undefined {
  try {
    return cifNumbers(block, "_cell_length_a") || cifText(block, "_cell_length_a") ? cellFromCif(block).cell : undefined;
  } catch (e) {
    if (isSdkError(e)) return undefined;
    throw e;
  }
}

interface Columns {
  readonly rank: number;
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
}
function listOfBlock(block: CifBlock): Columns | undefined {
  const shelx = cifText(block, "_shelx_hkl_file") ?? cifText(block, "_iucr_refine_reflections_details");
  if (shelx)
    try {
      const v = parseHklf(shelx).value;
      if (v.size > 0) return { rank: 0, h: v.h, k: v.k, l: v.l, intensity: v.intensity, sigma: v.sigma };
    } catch (e) {
      if (!isSdkError(e)) throw e;
    }
  try {
    const r = cifReflections(block);
    if (!r.measured.some(Number.isFinite)) return undefined;
    const isF = r.quantity === "f";
    const intensity = isF ? r.measured.map((f) => f * Math.abs(f)) : r.measured;
    const sigma = isF ? r.sigma.map((s, i) => 2 * Math.abs(r.measured[i]!) * s) : r.sigma;
    return { rank: r.quantity === "intensity" ? 1 : 0, h: r.h, k: r.k, l: r.l, intensity, sigma };
  } catch (e) {
    if (isSdkError(e, "not-found")) return undefined;
    throw e;
  }
}

function listOf(
  cell: UnitCell,
  h: Int32Array,
  k: Int32Array,
  l: Int32Array,
  intensity: Float64Array,
  sigma: Float64Array,
): { reflections: ReflectionList } {
  const hkl = new Int32Array(3 * h.length);
  for (let i = 0; i < h.length; i++) hkl.set([h[i]!, k[i]!, l[i]!], 3 * i);
  return { reflections: reflectionList(cell, { hkl, intensity, sigma }) };
}
/** The given cell, when it agrees with the file's within 1 % in lengths and 1° in angles. */
function agreed(given: UnitCell | undefined, own: UnitCell): UnitCell;
function agreed(given: UnitCell | undefined, own: UnitCell | undefined): UnitCell | undefined;
function agreed(given: UnitCell | undefined, own: UnitCell | undefined): UnitCell | undefined {
  if (!given || !own) return given ?? own;
  const [p, q] = [cellParameters(given), cellParameters(own)];
  if (p.some((x, i) => Math.abs(x - q[i]!) > (i < 3 ? 0.01 * q[i]! : 1)))
    fail("bad-cell", { given: [...p], file: [...q] }, "the given cell contradicts the file's by more than 1 % or 1°");
  return given;
}
