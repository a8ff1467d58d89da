import type { FrameModel } from "../bloch/frames.js";
import { fail } from "../core/errors.js";
import { compose, inverse, type Map3 } from "../core/frames.js";
import { petsRotation } from "../geometry/goniometer.js";
import type { OrientationMatrix } from "../geometry/orientation.js";
import { degrees } from "../geometry/rotation.js";
import type { Structure } from "../geometry/structure.js";
import { structureToJana } from "../geometry/to-jana.js";
import { zoneAxis } from "../geometry/zone.js";
import { writeM40 } from "../io/jana/m40.js";
import { type M42, type M42Command, type M42Zone, writeM42 } from "../io/jana/m42.js";
import { writeM50 } from "../io/jana/m50.js";
import { type M90, writeM90 } from "../io/jana/m90.js";
import type { DynamicalResult, RefinedFrame } from "../refine/dynamical-types.js";
import { uniqueLabels } from "./structure-files.js";

export interface JanaExportOptions {
  /** Columns a*, b*, c*, sample frame, Å⁻¹: of the `.cif_pets` file. */
  readonly ub: OrientationMatrix;
  /** Å. */
  readonly wavelength: number;
  readonly title?: string | undefined;
  /** Limits of reflections, as the frames were filtered. Defaults 0.66, 0 and 0.1. */
  readonly rsgMax?: number | undefined;
  readonly dsgMin?: number | undefined;
  readonly sgMaxRefine?: number | undefined;
}

/** What of a refinement goes into an m42 file: a result, or frames of the same form. */
export interface JanaSource {
  readonly structure: Structure;
  readonly models: readonly FrameModel[];
  readonly parameters: readonly { readonly name: string; readonly su: number }[];
  readonly frames: readonly (Pick<RefinedFrame, "id" | "status" | "scale" | "scaleSu" | "frame"> & {
    readonly residuals?: { readonly wrAll: number } | undefined;
  })[];
}

/**
 * α and β of a frame, degrees, from its orientation and the sample's: R = Rz·Rx(α)·Ry(β). The turn about the beam changes no excitation error and is
 * dropped: an m42 file has no place for it.
 */
export function zoneAngles(frame: Map3<"lab", "hkl">, ub: OrientationMatrix): readonly [alphaDeg: number, betaDeg: number] {
  const r = compose(frame, inverse(ub));
  return [degrees(Math.asin(Math.max(-1, Math.min(1, r[7])))), degrees(Math.atan2(-r[6], r[8]))];
}

/**
 * Settings and zones of a dynamical refinement as JANA2020's m42 file. Refined orientations are written as α, β and zone axis of every frame, with
 * EDphi = EDtheta = 0; the comment of a zone is its wR(F, all) in percent, as JANA has it.
 * @throws unsupported for several sets, or a thickness model that has no published number
 */
export function dynamicalM42(r: JanaSource, options: JanaExportOptions): M42 {
  const { ub, rsgMax = 0.66, dsgMin = 0, sgMaxRefine = 0.1 } = options;
  const [model] = r.models;
  if (!model || r.models.length !== 1)
    return fail("unsupported", { sets: r.models.length }, "an m42 file holds the zones of one crystal: export the sets one by one");
  const kinds: Readonly<Record<string, number>> = { plate: 1, wedge: 2 };
  const thickmodel =
    kinds[model.thicknessModel.kind] ??
    fail("unsupported", { thicknessModel: model.thicknessModel.kind }, "JANA's numbers are known for plate and wedge alone");
  const { sweep, azimuths } = model.sampling,
    steps = (r.frames[0]?.frame.exposure.kind === "precession" ? azimuths : sweep?.kind === "midpoint" ? sweep.steps : undefined) ?? 120;
  const [variance, samples] = mosaic(model),
    tilt = model.tiltCorrection ?? 0;
  const refined = (name: string): number | undefined => r.parameters.find((p) => p.name === name)?.su;
  const words = (...c: (readonly (string | number)[])[]): M42Command[] => c.map(([n, ...a]) => [String(n), ...a.map(String)]);
  const commands: (readonly M42Command[])[] = [
    words(["calcdyn", 1], ["usewks", 0], ["scalefc", 0], ["usestdver", 1]),
    words(
      ["threads", 4],
      ["tiltcorr", tilt !== 0 || refined("tilt correction") !== undefined ? 1 : 0],
      ["iedt", 1],
      ["thickmodel", thickmodel],
    ),
    words(["nzones", r.frames.length], ["intsteps", steps]),
    words(["ormat"]),
    words(
      ["omega", 0],
      ["gmax", short(model.gMax)],
      ["sca", 4],
      ["sgmax", short(model.sMax)],
      ["sgmaxr", short(sgMaxRefine)],
      ["csgmaxr", short(rsgMax)],
      ["dsgmin", short(dsgMin)],
    ),
    ...(samples > 0 ? [words(["mosaicity", samples], ["isotropic", 0])] : []),
  ];
  const line = (values: readonly number[], keys: string) => ({ values, keys });
  const key = (name: string): string => (refined(name) === undefined ? "0" : "1");
  const zero = (n: number): number[] => Array<number>(n).fill(0);
  const head = [line([tilt], key("tilt correction")), line([variance, ...zero(5)], `${key("mosaicity")}00000`), line(zero(3), "000")];
  let first = true;
  const zones = r.frames.map((f, i): M42Zone => {
    const [alphaDeg, betaDeg] = zoneAngles(f.frame.ub, ub),
      [u, v, w] = zoneAxis(petsRotation(alphaDeg, betaDeg, 0), ub),
      { exposure } = f.frame,
      ok = f.status === "refined",
      thickness = ok && first && refined("thickness") !== undefined ? "1" : "0";
    if (ok) first = false;
    return {
      number: Number.isInteger(Number(f.id)) ? Number(f.id) : i + 1,
      rPercent: f.residuals ? 100 * f.residuals.wrAll : 0,
      u,
      v,
      w,
      alphaDeg,
      betaDeg,
      phiDeg: exposure.kind === "continuous" ? exposure.halfWidthDeg : exposure.kind === "precession" ? exposure.semiAngleDeg : 0,
      flags: "T   1",
      scale: ok ? f.scale : 1000,
      thickness: model.thickness,
      xNorm: 0,
      yNorm: 0,
      edPhi: 0,
      edTheta: 0,
      keys: [`${ok ? 1 : 0}${thickness}00`, "00"],
    };
  });
  const known = (v: number | undefined): number => (v !== undefined && v > 0 ? v : 0);
  const su: M42["su"] = {
    head: [line([known(refined("tilt correction"))], ""), line([known(refined("mosaicity")), ...zero(5)], ""), line(zero(3), "")],
    zones: zones.map((z, i) => ({
      number: z.number,
      values: [r.frames[i]!.status === "refined" ? known(r.frames[i]!.scaleSu) : 0, known(refined("thickness")), 0, 0, 0, 0],
    })),
  };
  return { commands, ub: [...ub], head, zones, su };
}
const short = (v: number): string => String(Number(v.toFixed(6)));

/** Variance, degrees², and number of samples. */
function mosaic({ mosaicity: m }: FrameModel): readonly [variance: number, samples: number] {
  if (!m || m.kind === "none") return [0, 0];
  return m.kind === "quantiles" ? [m.varianceDeg2, m.count] : [m.sigmaDeg ** 2, m.count];
}

/**
 * A JANA2020 project of a dynamical refinement, name → text: `.m40`, `.m42`, `.m50`, and `.m90` with the reflections of every zone. Intensities in an m90
 * file have one decimal, so they are multiplied by a power of ten and the scales of the zones with them.
 */
export function dynamicalJanaFiles(r: DynamicalResult, name: string, options: JanaExportOptions): ReadonlyMap<string, string> {
  const { m40, m50 } = structureToJana(uniqueLabels(r.structure), { title: options.title ?? name });
  const rows = r.frames.flatMap((f, k) =>
    f.status === "refined"
      ? Array.from({ length: f.frame.intensity.length }, (_, i) => ({ f: f.frame, i, k })).filter(
          ({ f: d, i }) => d.sigma[i]! > 0 && Number.isFinite(d.intensity[i]!),
        )
      : [],
  );
  const most = rows.reduce((m, { f, i }) => Math.max(m, Math.abs(f.intensity[i]!)), 0),
    factor = most > 0 ? 10 ** Math.floor(Math.log10(999999 / most)) : 1;
  const root = Math.sqrt(factor),
    m42 = dynamicalM42({ ...r, frames: r.frames.map((f) => ({ ...f, scale: f.scale * root, scaleSu: f.scaleSu * root })) }, options);
  const size = rows.length,
    ints = (of: (x: (typeof rows)[number], n: number) => number): Int32Array => Int32Array.from(rows, of);
  const m90: M90 = {
    header: [
      "eformat91 0",
      "datblock Block1",
      `nref ${size} obslim 3 sctom90 ${factor} norefitems 1 diffscales 1 dataave 0 scalelim 10 hklf5 0`,
      "radtype 3 dattype 1",
      `lambda ${options.wavelength.toFixed(5)} lpfactor 3`,
    ],
    dataLine: "Data Block1",
    size,
    h: ints(({ f, i }) => f.hkl[3 * i]!),
    k: ints(({ f, i }) => f.hkl[3 * i + 1]!),
    l: ints(({ f, i }) => f.hkl[3 * i + 2]!),
    intensity: Float64Array.from(rows, ({ f, i }) => f.intensity[i]! * factor),
    sigma: Float64Array.from(rows, ({ f, i }) => Math.max(0.1, f.sigma[i]! * factor)),
    zone: ints(({ k }) => m42.zones[k]!.number),
    flag1: ints(() => 0),
    flag2: ints(() => 1),
    cosines: new Float64Array(8 * size),
    tbar: new Float64Array(size),
    serial: ints((_, n) => 1000 * (n + 1) + 1),
  };
  return new Map([
    [`${name}.m40`, writeM40(m40)],
    [`${name}.m42`, writeM42(m42)],
    [`${name}.m50`, writeM50(m50)],
    [`${name}.m90`, writeM90(m90)],
  ]);
}
