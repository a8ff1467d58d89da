import type { Map3, Vec3 } from "../core/frames.js";
import { readDataText } from "./data.js";

/** The CIF of the L-alanine refinement, with its JANA2020 project inside. */
export const alanineFile = "3ded/jana_dyn/alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif";

export interface AlanineZone {
  readonly uvw: Vec3<"hkl">;
  readonly alphaDeg: number;
  readonly betaDeg: number;
  readonly halfWidthDeg: number;
}

/** UB, zones (m42) and listed reflections of the alanine refinement, read by column, independent of the package's own parsers. */
export function alanine(): {
  ub: Map3<"sample", "hkl">;
  zones: AlanineZone[];
  reflections: { hkl: Vec3<"hkl">; zone: number }[];
  wavelength: number;
} {
  const lines = readDataText(alanineFile).split(/\r?\n/);
  const numbers = (line: string): number[] => line.trim().split(/\s+/).map(Number);
  const ormat = lines.indexOf("ormat");
  const ub = lines.slice(ormat + 1, ormat + 4).flatMap(numbers) as unknown as Map3<"sample", "hkl">;
  const zones = lines.flatMap((line, i): AlanineZone[] => {
    if (!line.startsWith("# Zone")) return [];
    const [u, v, w, alphaDeg, betaDeg, halfWidthDeg] = [0, 1, 2, 3, 4, 5].map((f) => Number(lines[i + 1]!.slice(9 * f, 9 * f + 9)));
    if (alphaDeg === 0 && betaDeg === 0) return []; // the block of standard uncertainties repeats the zones
    return [{ uvw: [u!, v!, w!], alphaDeg: alphaDeg!, betaDeg: betaDeg!, halfWidthDeg: halfWidthDeg! }];
  });
  const start = lines.findIndex((l) => l.trim() === "_refln_observed_status") + 1;
  const reflections: { hkl: Vec3<"hkl">; zone: number }[] = [];
  for (let i = start; ; i++) {
    const f = lines[i]!.trim().split(/\s+/);
    if (f.length < 8 || !Number.isInteger(Number(f[0]))) break;
    reflections.push({ hkl: [Number(f[0]), Number(f[1]), Number(f[2])], zone: Number(f[6]) });
  }
  return { ub, zones, reflections, wavelength: 0.0251 };
}
