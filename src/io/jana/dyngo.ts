import { parseNumber } from "../number.js";
import { type M42, m42Setting } from "./m42.js";

/** Settings of the dynamical calculation in JANA2020 (Dyngo), from an m42 file. NaN: not given. */
export interface DyngoSettings {
  /** Largest |g| of a beam in the matrix, Å⁻¹ (`gmax`). */
  readonly gMax: number;
  /** Largest |Sg| of a beam in the matrix, Å⁻¹ (`sgmax`). */
  readonly sgMax: number;
  /** Largest |Sg| of a refined reflection, Å⁻¹ (`sgmaxr`). */
  readonly sgMaxRefine: number;
  /** Largest RSg = |Sg| / ΔSg of a refined reflection (`csgmaxr`). */
  readonly rsgMax: number;
  /** Least DSg = ΔSg − |Sg| of a refined reflection, Å⁻¹ (`dsgmin`). */
  readonly dsgMin: number;
  /** Number of tilts a frame is integrated over (`intsteps`). */
  readonly integrationSteps: number;
  /** `thickmodel`; 2 is the wedge, as the reproduced alanine refinement shows. */
  readonly thicknessModel: number;
  readonly zones: number;
  readonly threads: number;
  /** `usebethe`: thresholds of the Bethe approximation. */
  readonly bethe: readonly number[];
  /** `tiltcorr` 1: thickness is corrected for the tilt by `tiltCorrection`, t = C·t0/cos α + (1 − C)·t0. */
  readonly useTiltCorrection: boolean;
  readonly tiltCorrection: number;
  /** `mosaicity`: number of samples; the tensor's first element is a variance in deg². */
  readonly mosaicitySamples: number;
  readonly mosaicity: readonly number[];
}

/** Read the settings of an m42 file. Parameter lines before the zones are told apart by their length: one number tilt correction, six mosaicity. */
export function dyngoSettings(m: M42): DyngoSettings {
  const number = (name: string): number => parseNumber(m42Setting(m, name)?.[0] ?? "");
  const line = (length: number): readonly number[] => m.head.find((h) => h.values.length === length)?.values ?? [];
  return {
    gMax: number("gmax"),
    sgMax: number("sgmax"),
    sgMaxRefine: number("sgmaxr"),
    rsgMax: number("csgmaxr"),
    dsgMin: number("dsgmin"),
    integrationSteps: number("intsteps"),
    thicknessModel: number("thickmodel"),
    zones: number("nzones"),
    threads: number("threads"),
    bethe: m42Setting(m, "usebethe")?.map(parseNumber) ?? [],
    useTiltCorrection: number("tiltcorr") === 1,
    tiltCorrection: line(1)[0] ?? Number.NaN,
    mosaicitySamples: number("mosaicity"),
    mosaicity: line(6),
  };
}
