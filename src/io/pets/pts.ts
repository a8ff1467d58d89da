import { fail } from "../../core/errors.js";
import { checkMetadata } from "../metadata-checks.js";
import { parseNumber } from "../number.js";
import { type Parsed, type TextInput, words } from "../text.js";
import { type PtsDocument, parsePtsDocument, ptsEntry } from "./pts-document.js";
import { type PtsImages, ptsImages } from "./pts-images.js";

/** What a `.pts` file says of the measurement. NaN: not given. Every other keyword stays in `document`. */
export interface Pts {
  readonly document: PtsDocument;
  /** `lambda`, Å. */
  readonly wavelength: number;
  /** `aperpixel`, Å⁻¹ per pixel. */
  readonly aPerPixel: number;
  readonly geometry: "continuous" | "precession" | "static" | undefined;
  readonly detector: string | undefined;
  /** `omega`: position of the projection of the tilt axis, degrees from the horizontal, counterclockwise in the image as seen. */
  readonly omegaDeg: number;
  readonly deltaDeg: number;
  /** `phi`: half width of a frame (continuous) or precession semi-angle. */
  readonly phiDeg: number;
  /** `virtualframes n step sum`. */
  readonly virtualFrames: { readonly merged: number; readonly step: number; readonly sum: number } | undefined;
  /** `noiseparameters`: variance of a pixel = gGamma · signal + psi. */
  readonly noise: { readonly gGamma: number; readonly psi: number } | undefined;
  /** `center`: pixels (column, row), or found by PETS2 itself. */
  readonly center: readonly [x: number, y: number] | "auto" | undefined;
  readonly bin: number;
  /** `pixelsize`, as written (the unit is not published). */
  readonly pixelSize: number;
  /** Limits of d* = 1/d, Å⁻¹: of the data, of the peak search (`dstarmaxps`), below (`dstarmin`). */
  readonly dStarMax: number;
  readonly dStarMaxPeakSearch: number;
  readonly dStarMin: number;
  /** `i/sigma`: the two thresholds of the peak search. */
  readonly iOverSigma: readonly number[];
  readonly reflectionSizePx: number;
  readonly saturationLimit: number;
  /** `referencecell`: a b c in Å, α β γ in degrees, and whether it is to be used. */
  readonly referenceCell: { readonly cell: readonly [number, number, number, number, number, number]; readonly use: boolean } | undefined;
  /** `beamstop no`: false; with a polygon or other arguments: true. */
  readonly beamstop: boolean;
  /** Corners of the beam-stop polygon, pixels, shape [n, 2]; empty without a block. */
  readonly beamstopPolygon: Float64Array;
  readonly images: PtsImages;
}

/**
 * Read a PETS2 input file. All keywords and blocks are kept in `document`, which `writePts` turns back into the same bytes; the fields are a view
 * of the common ones. Suspicious values (wavelength, pixel size, angles in radians) are named in the warnings.
 * @throws bad-file with the line number when a block is not closed or a value is no number
 */
export function parsePts(input: TextInput): Parsed<Pts> {
  const { value: document, warnings } = parsePtsDocument(input);
  if (!document.entries.some((e) => e.kind !== "blank" && e.kind !== "comment"))
    fail("bad-file", { statements: 0 }, "a .pts file holds lines of a keyword and its values, at least lambda, aperpixel and an imagelist");
  const numbers = (keyword: string, least = 1): readonly number[] | undefined => {
    const entry = ptsEntry(document, keyword);
    if (!entry) return undefined;
    const out = words(entry.args).map(parseNumber);
    if (out.length < least || out.slice(0, least).some(Number.isNaN))
      fail(
        "bad-file",
        { line: entry.line, keyword, found: entry.args },
        `${keyword} takes ${least === 1 ? "a number" : `${least} numbers`}`,
      );
    return out;
  };
  const number = (keyword: string): number => numbers(keyword)?.[0] ?? Number.NaN;
  const text = (keyword: string): string | undefined => ptsEntry(document, keyword)?.args.toLowerCase() || undefined;
  const noise = numbers("noiseparameters", 2),
    frames = numbers("virtualframes", 1),
    reference = numbers("referencecell", 6);
  const centre = text("center") === "auto" ? "auto" : numbers("center", 2);
  const stop = ptsEntry(document, "beamstop");
  const geometry = text("geometry");
  const known = (["continuous", "precession", "static"] as const).find((g) => geometry?.startsWith(g));
  const value: Pts = {
    document,
    wavelength: number("lambda"),
    aPerPixel: number("aperpixel"),
    geometry: known,
    detector: text("detector"),
    omegaDeg: number("omega"),
    deltaDeg: number("delta"),
    phiDeg: number("phi"),
    virtualFrames: frames && { merged: frames[0]!, step: frames[1] ?? 1, sum: frames[2] ?? 1 },
    noise: noise && { gGamma: noise[0]!, psi: noise[1]! },
    center: centre === "auto" ? centre : centre && [centre[0]!, centre[1]!],
    bin: number("bin"),
    pixelSize: number("pixelsize"),
    dStarMax: number("dstarmax"),
    dStarMaxPeakSearch: number("dstarmaxps"),
    dStarMin: number(ptsEntry(document, "dstarmin") ? "dstarmin" : "dstarminps"),
    iOverSigma: numbers("i/sigma") ?? [],
    reflectionSizePx: number("reflectionsize"),
    saturationLimit: number("saturationlimit"),
    referenceCell: reference && {
      cell: reference.slice(0, 6) as [number, number, number, number, number, number],
      use: (reference[6] ?? 1) !== 0,
    },
    beamstop: stop !== undefined && (stop.kind === "block" || !/^(no|false|0)?$/i.test(stop.args)),
    beamstopPolygon: polygon(stop?.body ?? []),
    images: ptsImages(document),
  };
  const more = geometry !== undefined && !known ? [`geometry ${geometry} is not one of continuous, precession, static`] : [];
  return { value, warnings: [...warnings, ...more, ...ptsChecks(value)] };
}
function polygon(lines: readonly string[]): Float64Array {
  const points = lines.map((l) => words(l).map(parseNumber)).filter((w) => w.length >= 2 && !w.slice(0, 2).some(Number.isNaN));
  return Float64Array.from(points.flatMap((w) => w.slice(0, 2)));
}
function ptsChecks(p: Pts): readonly string[] {
  const found = checkMetadata({
    wavelength: p.wavelength,
    reciprocalPixel: p.aPerPixel,
    alphaDeg: p.images.alphaDeg,
    ...(p.geometry === "continuous" ? { frameHalfWidthDeg: p.phiDeg } : { precessionSemiAngleDeg: p.phiDeg }),
  });
  if (p.images.size === 0) return [...found, "the file lists no images"];
  return p.images.use.some((u) => u === 1) ? found : [...found, "every image is switched off in the image list"];
}
