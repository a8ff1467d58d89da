import { fail } from "../core/errors.js";
import { element } from "../geometry/elements.js";
import { atomsHtml } from "../render/atoms-page.js";
import type { AtomModel } from "./atom-model.js";
import { atomsCif } from "./atoms-cif.js";
import type { AtomTomography } from "./chain.js";
import { type PoseConvention, poseAngles } from "./poses.js";

/** What is known of atoms beside the model, for files. */
export interface AtomFileColumns {
  /** Element or label of every class; default X, X2, … */
  readonly names?: readonly string[] | undefined;
  /** Standard deviations, Å, [n, 3]. */
  readonly sigma?: Float64Array | undefined;
  /** Probability of the class, [n]. */
  readonly probability?: Float64Array | undefined;
  readonly comment?: string | undefined;
}

/** Symbols in order of atomic number, the order of classes: heavier elements are brighter. @throws bad-value for what is no element or is named twice */
export function elementsByNumber(symbols: readonly string[] | undefined): string[] | undefined {
  const z = (s: string): number =>
    element(s.trim())?.z ?? fail("bad-value", { species: s }, "species are element symbols separated by commas, such as Fe,Pt");
  const twice = symbols?.find((s, i) => symbols.findIndex((t) => t.trim() === s.trim()) < i);
  if (twice !== undefined) fail("bad-value", { species: twice }, "each element is named once");
  const keyed = symbols?.map((s) => [z(s), s.trim()] as const);
  return keyed?.sort((a, b) => a[0] - b[0]).map(([, s]) => s);
}

const label = (names: readonly string[] | undefined, k: number): string => names?.[k] ?? (k === 0 ? "X" : `X${k + 1}`);

/** Extended XYZ (read by ASE, OVITO, Jmol): element, position in Å, and where known error bars, intensity, probability of the species. */
export function atomsXyz(model: AtomModel, { names, sigma, probability, comment = "" }: AtomFileColumns = {}): string {
  const properties = [
    "species:S:1",
    "pos:R:3",
    ...(sigma ? ["sigma:R:3"] : []),
    "intensity:R:1",
    "width:R:1",
    ...(probability ? ["probability:R:1"] : []),
  ];
  const lines = [String(model.size), `Properties=${properties.join(":")}${comment ? ` ${comment}` : ""}`];
  for (let a = 0; a < model.size; a++) {
    const p = model.positions.subarray(3 * a, 3 * a + 3),
      columns = [label(names, model.species[a]!), ...Array.from(p, (v) => v.toFixed(5))];
    if (sigma) columns.push(...Array.from(sigma.subarray(3 * a, 3 * a + 3), (v) => v.toFixed(5)));
    columns.push(model.intensities[a]!.toPrecision(6), model.widths[a]!.toFixed(5));
    if (probability) columns.push(probability[a]!.toFixed(6));
    lines.push(columns.join(" "));
  }
  return `${lines.join("\n")}\n`;
}

/** PDB: HETATM records, B = 8π²σ² of the Gaussian; coordinates in Å with three decimals. Serial numbers wrap at 100 000. */
export function atomsPdb(model: AtomModel, { names }: AtomFileColumns = {}): string {
  const lines = ["REMARK   positions in angstroms from the centre of the volume"];
  for (let a = 0; a < model.size; a++) {
    const name = label(names, model.species[a]!).slice(0, 2).toUpperCase(),
      [x, y, z] = Array.from(model.positions.subarray(3 * a, 3 * a + 3), (v) => v.toFixed(3).padStart(8)) as [string, string, string];
    const b = Math.min(999.99, 8 * Math.PI ** 2 * model.widths[a]! ** 2)
      .toFixed(2)
      .padStart(6);
    lines.push(
      `HETATM${String((a + 1) % 100000).padStart(5)} ${name.padEnd(4)} UNL A   1    ${x}${y}${z}  1.00${b}          ${name.padStart(2)}`,
    );
  }
  return `${[...lines, "END"].join("\n")}\n`;
}

/** A self-contained page that shows the atoms in three dimensions, coloured by species; radii grow with the atomic number of what is named. */
export function atomsPage(
  model: AtomModel,
  { names, title = "Atoms" }: { readonly names?: readonly string[] | undefined; readonly title?: string | undefined } = {},
): string {
  const kinds = model.species.reduce((k, s) => Math.max(k, s + 1), names?.length ?? 1),
    classes = Array.from({ length: kinds }, (_, k) => k);
  return atomsHtml({
    positions: model.positions,
    classes: model.species,
    names: classes.map((k) => label(names, k)),
    radii: classes.map((k) => 0.9 + 0.1 * Math.cbrt(element(label(names, k))?.z ?? 27 * (k + 1))),
    title,
  });
}

/** Figures of the whole chain as plain JSON: R, R_free, counts, error bars in pm. */
export function atomsRecord(out: AtomTomography, names?: readonly string[]): Readonly<Record<string, unknown>> {
  const refined = out.modelled?.refined,
    sigma = refined?.errors?.length,
    k = out.classes.means.length;
  const round = (v: number | undefined, digits = 5): number | null =>
    v === undefined || !Number.isFinite(v) ? null : Number(v.toPrecision(digits));
  const pm = (rows: readonly number[]): number | null =>
    sigma && rows.length ? round(100 * Math.sqrt(rows.reduce((s, a) => s + sigma[a]! ** 2, 0) / rows.length), 4) : null;
  const all = Array.from({ length: out.model.size }, (_, a) => a);
  const figures = out.reconstruction.figures;
  return {
    atoms: out.model.size,
    traced: out.traced.size,
    R: round(refined?.r1 ?? figures.r1),
    R_free: round(refined?.rFree ?? figures.r1Free),
    R_reconstruction: round(figures.r1),
    reducedChi2: round(refined?.reducedChi2),
    status: refined?.status ?? null,
    species: Array.from({ length: k }, (_, c) => {
      const rows = all.filter((a) => out.model.species[a] === c);
      const sure = rows.filter((a) => out.classes.probability[a * k + c]! > 0.99).length;
      return {
        name: label(names, c),
        count: rows.length,
        certain: sure,
        intensity: round(out.classes.means[c]),
        intensitySpread: round(out.classes.sigmas[c]),
        errorPm: pm(rows),
      };
    }),
    /** Root mean square of the expected length of the error: the Cramér–Rao bound for the fitted noise. */
    errorPm: pm(all),
    widthAngstrom: round(refined ? refined.model.widths[0] : out.traced.width),
    noise: refined ? { gain: round(refined.noise.gain), floor: round(refined.noise.floor) } : null,
    rounds: out.modelled?.rounds ?? [],
    extended: out.extended,
    warnings: out.warnings,
  };
}

/** Everything a program writes about a run: record, XYZ, PDB, CIF, a page to look at, and a name for the file from that of the stack. */
export function atomsOutput(
  result: AtomTomography,
  {
    names,
    stack,
    out,
    convention,
  }: {
    readonly names?: readonly string[] | undefined;
    readonly stack: string;
    readonly out?: string | undefined;
    /** Also give the refined angles of the views, degrees. */
    readonly convention?: PoseConvention | undefined;
  },
): {
  readonly file: string;
  readonly record: Readonly<Record<string, unknown>>;
  readonly xyz: string;
  readonly pdb: string;
  readonly cif: string;
  readonly html: string;
} {
  const k = result.classes.means.length,
    refined = result.modelled?.refined;
  const probability = Float64Array.from(result.model.species, (s, a) => result.classes.probability[a * k + s]!);
  const record = atomsRecord(result, names);
  return {
    file: out ?? `${stack.replace(/\.[^.]*$/, "")}-atoms.xyz`,
    record:
      convention && refined
        ? {
            ...record,
            anglesDeg: Array.from(poseAngles(refined.poses, convention), (v) => Number(v.toFixed(4))),
            shiftsPixels: Array.from(refined.shifts, (v) => Number(v.toFixed(4))),
          }
        : record,
    xyz: atomsXyz(result.model, { names, sigma: refined?.errors?.positions, probability }),
    pdb: atomsPdb(result.model, { names }),
    cif: atomsCif(result.model, { names }),
    html: atomsPage(result.model, { names, title: `Atoms of ${stack}` }),
  };
}
