import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { openFrames } from "../io/detect.js";
import { hdf5Frames } from "../io/hdf5/frames.js";
import { readHdf5Mat } from "../io/hdf5/mat.js";
import { type MatValue, readMat } from "../io/mat.js";
import { readNpy } from "../io/npy.js";
import { type ByteInput, type ByteSource, readAll, readUpTo, toSource } from "../io/source.js";
import { decodeText } from "../io/text.js";
import { type Mdoc, parseAngles, parseMdoc } from "../io/tilt-angles.js";
import { axisContradicted } from "./inspect-series.js";
import { type PoseConvention, type Poses, posesFromEuler, posesFromMatrices, posesFromQuaternions, posesFromTilts } from "./poses.js";
import { type AxesRead, orientStack, type StackLayout, transposeViews } from "./series-layout.js";
import { type TiltSeries, tiltSeries } from "./tilt-series.js";
import { usableSeries } from "./usable-views.js";

export interface ReadSeriesOptions {
  /** Meaning of three-column angles; must be given unless the first and third column are all zero. */
  readonly convention?: PoseConvention | undefined;
  /** Direction of the tilt axis for one-column angles: degrees from the image's x towards y; default 90, or that of a .mdoc. */
  readonly axisDeg?: number | undefined;
  /** Angles are degrees unless said otherwise. */
  readonly angleUnit?: "degrees" | "radians" | undefined;
  /** Å per pixel; default what the files say. */
  readonly pixelAngstrom?: number | undefined;
  /** Variable of a MAT file or dataset of an HDF5 file; default the only or largest one with three axes. */
  readonly variable?: string | undefined;
  /**
   * Order of the axes of NPY, HDF5 and MAT arrays: [view, y, x], the published [x, y, view], or [y, x, view] as images are stacked elsewhere. Default: views
   * first (last in MAT) unless the number of angles says otherwise; of the two with views last, that whose profiles agree with the tilt axis, else the published one.
   */
  readonly layout?: StackLayout | undefined;
  /** "refuse" (default): pixels that are not finite and empty views are errors. "leave out": they are masked or dropped, with a warning. */
  readonly damaged?: "refuse" | "leave out" | undefined;
}
interface Numbers {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly axes: AxesRead;
  readonly pixelAngstrom?: number | undefined;
  readonly tiltsDeg?: Float64Array | undefined;
  readonly warnings: readonly string[];
}

/**
 * A tilt series from files: projections as MRC, TIFF (stack), NPY, MAT (5 to 7.3), HDF5 or another image format, angles as `.tlt`, `.rawtlt`, `.mdoc`, text
 * of 1, 3, 4 or 9 columns (tilts, Euler angles, quaternions, matrices), NPY or MAT. Without angles those of the stack's headers, or of a `.mdoc`,
 * `.rawtlt` or `.tlt` beside it, are taken.
 * @throws bad-file, bad-shape when angles and views differ in number, bad-value for angles that look like radians
 */
export async function readTiltSeries(
  projections: ByteInput,
  angles: ByteInput | undefined,
  options: ReadSeriesOptions = {},
): Promise<{ readonly series: TiltSeries; readonly warnings: readonly string[] }> {
  const stack = await readNumbers(toSource(projections), options.variable, 3);
  const warnings = [...stack.warnings];
  const side = angles === undefined ? await angleSibling(toSource(projections)) : toSource(angles);
  if (side?.name && angles === undefined) warnings.push(`angles from ${side.name}`);
  const list = side
    ? await readAngles(side)
    : stack.tiltsDeg
      ? { values: stack.tiltsDeg, rows: stack.tiltsDeg.length, columns: 1 }
      : fail(
          "not-found",
          { projections: toSource(projections).name },
          "no angles: give an angle file (.tlt, .mdoc, text, NPY or MAT); the stack names none",
        );
  const counts = [list.rows, list.columns === 1 ? 0 : list.columns],
    numbers = stack.data instanceof Float32Array ? stack.data : Float32Array.from(stack.data),
    { data, shape, guessed, note } = orientStack(numbers, stack.shape, { axes: stack.axes, layout: options.layout, counts });
  if (note) warnings.push(note);
  const poses = posesOf(list, shape[0], options);
  const pixelAngstrom = options.pixelAngstrom ?? stack.pixelAngstrom ?? list.mdoc?.pixelAngstrom;
  const checked =
    options.damaged === "leave out"
      ? usableSeries(data, shape, poses, { pixelAngstrom })
      : { series: tiltSeries(data, shape, poses, { pixelAngstrom }), warnings: [] };
  warnings.push(...checked.warnings);
  if (!(guessed && axisContradicted(checked.series))) return { series: checked.series, warnings };
  warnings.push(
    "the profiles of the views contradict the tilt axis when rows are x: array read as [y, x, view] (state the layout to overrule this)",
  );
  const { shape: old, mask, poses: kept } = checked.series;
  return {
    series: tiltSeries(transposeViews(checked.series.projections, old), [old[0], old[2], old[1]], kept, {
      pixelAngstrom,
      mask: mask && transposeViews(mask, old),
    }),
    warnings,
  };
}

async function readNumbers(source: ByteSource, variable: string | undefined, axes: number): Promise<Numbers> {
  const head = await readUpTo(source, 0, 16),
    text = String.fromCharCode(...head);
  if (text.startsWith("MATLAB 5.0") || text.startsWith("MATLAB 7.3")) {
    const { value, warnings } = text.startsWith("MATLAB 7.3") ? await readHdf5Mat(source) : await readMat(source);
    return { ...matArray(value, variable, axes), axes: "reversed", warnings };
  }
  if (text.startsWith("\x93NUMPY")) {
    const { data, shape, dtype } = await readNpy(source);
    if (dtype === "c64" || dtype === "c128") fail("bad-file", { dtype }, "projections are real numbers");
    return { data, shape, axes: "array", warnings: [] };
  }
  const hdf5 = text.startsWith("\x89HDF\r\n");
  const frames = hdf5 ? await hdf5Frames(source, variable === undefined ? {} : { image: variable }) : await openFrames(source);
  const [n, ny, nx] = frames.shape,
    out = new Float32Array(n * ny * nx),
    tilts = new Float64Array(n).fill(Number.NaN);
  for (let i = 0; i < n; i++) {
    out.set((await frames.read(i)).data, i * ny * nx);
    if (frames.frame) tilts[i] = (await frames.frame(i)).facts.tiltDeg ?? Number.NaN;
  }
  const { pixelAngstrom } = frames.facts;
  await frames.close?.();
  const known = tilts.every(Number.isFinite) && new Set(tilts).size > 1;
  return {
    data: out,
    shape: [n, ny, nx],
    axes: hdf5 ? "array" : "images",
    pixelAngstrom,
    tiltsDeg: known ? tilts : undefined,
    warnings: frames.warnings,
  };
}

function matArray(
  variables: Readonly<Record<string, MatValue>>,
  wanted: string | undefined,
  axes: number,
): { data: TypedArray; shape: readonly number[] } {
  const all = Object.entries(variables).flatMap(([name, v]) =>
    v.kind === "array"
      ? [[name, v] as const]
      : v.kind === "struct" && v.records.length === 1
        ? Object.entries(v.records[0]!).flatMap(([f, x]) => (x.kind === "array" ? [[`${name}.${f}`, x] as const] : []))
        : [],
  );
  const fitting = all.filter(([name, v]) =>
    wanted === undefined
      ? v.shape.filter((s) => s > 1).length >= Math.min(axes, 1) && v.shape.length <= 3 && (axes < 3 || v.shape.length === 3)
      : name === wanted,
  );
  fitting.sort((a, b) => b[1].data.length - a[1].data.length);
  const best =
    fitting[0] ??
    fail(
      "not-found",
      { variable: wanted, variables: all.map(([n, v]) => `${n} [${v.shape.join(", ")}]`) },
      `no numeric variable with ${axes} axes of that name in the MAT file`,
    );
  return best[1];
}

interface AngleList {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
  readonly mdoc?: Mdoc | undefined;
}

async function readAngles(source: ByteSource): Promise<AngleList> {
  const head = String.fromCharCode(...(await readUpTo(source, 0, 16)));
  if (head.startsWith("MATLAB") || head.startsWith("\x93NUMPY")) {
    const { data, shape } = await readNumbers(source, undefined, 2);
    const long = shape.filter((s) => s > 1);
    const [a, b] = long.length === 2 ? (long as [number, number]) : [long[0] ?? 1, 1];
    if (long.length > 2) fail("bad-shape", { shape }, "angles are a table: one view a row");
    // MATLAB's [views, 3] arrives as [3, views].
    return a <= 9 && [3, 4, 9].includes(a) && !([3, 4, 9].includes(b) && b < a)
      ? { values: Float64Array.from({ length: a * b }, (_, i) => data[(i % a) * b + Math.floor(i / a)]!), rows: b, columns: a }
      : { values: Float64Array.from(data), rows: a, columns: b };
  }
  const text = decodeText(await readAll(source, { maxBytes: 1 << 26 }));
  if (/\.mdoc$/i.test(source.name ?? "") || /^\s*\[\s*(ZValue|FrameSet|T)\s*=/m.test(text)) {
    const mdoc = parseMdoc(text);
    return { values: mdoc.tiltsDeg, rows: mdoc.tiltsDeg.length, columns: 1, mdoc };
  }
  return parseAngles(text);
}

/** Angle files that belong to a stack by their name. */
async function angleSibling(source: ByteSource): Promise<ByteSource | undefined> {
  const name = source.name ?? "",
    stem = name.replace(/\.[^.]*$/, "");
  for (const other of [`${name}.mdoc`, `${stem}.mdoc`, `${stem}.rawtlt`, `${stem}.tlt`]) {
    const found = await source.sibling?.(other);
    if (found) return found;
  }
  return undefined;
}

function posesOf({ values, rows, columns, mdoc }: AngleList, views: number, o: ReadSeriesOptions): Poses {
  let [n, per] = [rows, columns];
  if (rows === 1 && columns === views && views > 1) [n, per] = [views, 1]; // one line
  if (n !== views)
    fail(
      "bad-shape",
      { views, angles: n, columns: per },
      "as many lines of angles as views are needed: check that the angle file belongs to this stack",
    );
  const scale = o.angleUnit === "radians" ? 180 / Math.PI : 1;
  if (per === 1 || per === 3) {
    let most = 0;
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
    if (most * scale > 360)
      fail("bad-value", { largest: most }, "a tilt is at most a full turn of 360°: is this the angle file, and in degrees?");
    if (o.angleUnit === undefined && views >= 5 && most > 0 && most <= 1.75)
      fail(
        "bad-value",
        { largest: most },
        'these angles look like radians (none is above 1.75): pass angleUnit: "radians", or angleUnit: "degrees" if the tilts are that small',
      );
  }
  const scaled = Float64Array.from(values, (v) => v * scale);
  if (per === 1) {
    // SerialEM writes the rotation from the y axis; ours is from x.
    const axisDeg = o.axisDeg ?? (mdoc?.axisAngleDeg === undefined ? 90 : 90 - mdoc.axisAngleDeg);
    return posesFromTilts(scaled, { axisDeg });
  }
  if (per === 3) {
    const alone = Array.from({ length: n }, (_, p) => scaled[3 * p] === 0 && scaled[3 * p + 2] === 0).every(Boolean);
    if (o.convention === undefined && !alone)
      fail(
        "bad-value",
        { columns: 3 },
        'three angles a view need their convention: "ZYZ" (GENFIRE: Rz·Ry·Rz) or "ZYX" (RESIRE: Rz·Ry·Rx); mixing them up spoils the volume silently',
      );
    return posesFromEuler(scaled, o.convention ?? "ZYX");
  }
  if (per === 4) return posesFromQuaternions(values);
  if (per === 9) return posesFromMatrices(values);
  return fail(
    "bad-shape",
    { columns: per },
    "angles have 1 (tilt), 3 (φ θ ψ), 4 (quaternion) or 9 (matrix) columns: leave out columns of indices, and write decimals with a point",
  );
}
