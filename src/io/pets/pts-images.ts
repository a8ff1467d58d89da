import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { type PtsDocument, ptsEntry, withoutComment, withPtsBlock } from "./pts-document.js";

/**
 * The image list of a `.pts` file, row i is frame i + 1. File, alpha and beta are always there; where a file leaves the other columns out they
 * have the values PETS2 starts from: 0 corrections, scale 1, used.
 */
export interface PtsImages {
  readonly size: number;
  /** Path as written, often with backslashes; see {@link ptsImagePath}. */
  readonly file: readonly string[];
  readonly alphaDeg: Float64Array;
  readonly betaDeg: Float64Array;
  /** Correction to the keyword `omega`. */
  readonly deltaOmegaDeg: Float64Array;
  readonly scale: Float64Array;
  /** Calibration correction, pixels per Å⁻¹. */
  readonly calibration: Float64Array;
  readonly ellipticalAmplitude: Float64Array;
  readonly ellipticalPhase: Float64Array;
  /** 1: the frame is used, 0: it is not. */
  readonly use: Uint8Array;
}
/** One image of the list. */
export interface PtsImage {
  readonly file: string;
  readonly alphaDeg: number;
  readonly betaDeg?: number;
  readonly deltaOmegaDeg?: number;
  readonly scale?: number;
  readonly calibration?: number;
  readonly ellipticalAmplitude?: number;
  readonly ellipticalPhase?: number;
  readonly use?: boolean;
}
const defaults = [Number.NaN, 0, 0, 1, 0, 0, 0, 1] as const;

/** File name and numbers of one line: the name may hold blanks, bare or in quotes. */
function splitImageLine(content: string): { file: string; numbers: number[] } {
  const quoted = /^"([^"]*)"\s*(.*)$/.exec(content);
  const words = (quoted ? quoted[2]! : content).split(/\s+/).filter((w) => w !== "");
  let first = words.length;
  const least = quoted ? 0 : 1;
  while (first > least && words.length - first < 12 && !Number.isNaN(parseNumber(words[first - 1]!))) first--;
  return { file: quoted ? quoted[1]! : words.slice(0, first).join(" "), numbers: words.slice(first).map(parseNumber) };
}

/** @throws bad-file with the line number when a line has no angles */
export function ptsImages(document: PtsDocument): PtsImages {
  const entry = ptsEntry(document, "imagelist");
  const file: string[] = [],
    rows: number[][] = [];
  entry?.body.forEach((line, i) => {
    const content = withoutComment(line);
    if (content === "") return;
    const image = splitImageLine(content);
    if (image.numbers.length < 1)
      fail(
        "bad-file",
        { line: entry.line + 1 + i, found: line.slice(0, 80) },
        "a line of the image list holds a file name, alpha and beta in degrees",
      );
    file.push(image.file);
    rows.push(image.numbers);
  });
  return fromRows(file, rows);
}
/** Make an image list from single images. */
export function ptsImagesOf(images: readonly PtsImage[]): PtsImages {
  return fromRows(
    images.map((m) => m.file),
    images.map((m) =>
      [
        m.alphaDeg,
        m.betaDeg,
        m.deltaOmegaDeg,
        m.scale,
        m.calibration,
        m.ellipticalAmplitude,
        m.ellipticalPhase,
        m.use === false ? 0 : 1,
      ].map((v, j) => v ?? defaults[j]!),
    ),
  );
}
function fromRows(file: readonly string[], rows: readonly (readonly number[])[]): PtsImages {
  const column = (j: number): Float64Array => Float64Array.from(rows, (r) => r[j] ?? defaults[j]!);
  return {
    size: file.length,
    file,
    alphaDeg: column(0),
    betaDeg: column(1),
    deltaOmegaDeg: column(2),
    scale: column(3),
    calibration: column(4),
    ellipticalAmplitude: column(5),
    ellipticalPhase: column(6),
    use: Uint8Array.from(rows, (r) => ((r[7] ?? 1) === 0 ? 0 : 1)),
  };
}

/** A copy of the document with its image list replaced. Comments, and lines whose values do not change, keep their characters. */
export function withPtsImages(document: PtsDocument, images: PtsImages): PtsDocument {
  const old = ptsEntry(document, "imagelist");
  const before = ptsImages(document);
  const body: string[] = [];
  let i = 0;
  for (const line of old?.body ?? []) {
    if (withoutComment(line) === "") body.push(line);
    else if (i < images.size) {
      body.push(keyOf(images, i) === keyOf(before, i) ? line : imageLine(images, i));
      i++;
    }
  }
  for (; i < images.size; i++) body.push(imageLine(images, i));
  return withPtsBlock(document, "imagelist", body, old?.args ?? "");
}
function valuesOf(m: PtsImages, i: number): number[] {
  return [m.alphaDeg, m.betaDeg, m.deltaOmegaDeg, m.scale, m.calibration, m.ellipticalAmplitude, m.ellipticalPhase, m.use].map(
    (c) => c[i]!,
  );
}
const keyOf = (m: PtsImages, i: number): string => `${m.file[i]}|${valuesOf(m, i).join("|")}`;
function imageLine(m: PtsImages, i: number): string {
  const [alpha, beta, omega, scale, calibration, amplitude, phase, use] = valuesOf(m, i) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const file = /\s/.test(m.file[i]!) ? `"${m.file[i]}"` : m.file[i]!;
  const numbers = [
    alpha.toFixed(4).padStart(10),
    beta.toFixed(4).padStart(9),
    omega.toFixed(4),
    scale.toFixed(4),
    calibration.toFixed(5),
    amplitude.toFixed(5),
    phase.toFixed(4),
    String(use),
  ];
  return `${file} ${numbers.join(" ")}`;
}
/** An image path with forward slashes, as every system but Windows wants it. */
export function ptsImagePath(file: string): string {
  return file.replaceAll("\\", "/");
}
