import type { Image, TypedArray } from "../core/image.js";
import { formula, type Structure } from "../geometry/structure.js";
import { withSu } from "../geometry/to-cif.js";
import { mapSection, sectionSvg } from "../refine/map-section.js";
import { voltPerElectronAngstrom } from "../refine/potential-map.js";
import type { Residuals } from "../refine/residuals.js";
import { structureSvg } from "../refine/structure-svg.js";
import { type Block, plotSvg } from "../render/index.js";
import type { Determination } from "./determine.js";
import type { Diagnosis } from "./determine-diagnose.js";
import {
  amplitudePlot,
  distributionPlot,
  frameRPlot,
  histogramPlot,
  outlierPicture,
  outlierSpots,
  shellPlot,
  thicknessPlot,
} from "./determine-figures.js";
import { handText, percent } from "./determine-record.js";
import { peakPlane } from "./peak-plane.js";
import { thicknessProfilePlots } from "./thickness-profile.js";

export interface DeterminationReportOptions {
  /** Reads a frame, for the pictures of outliers; without it they are left out. */
  readonly read?: ((frame: number) => Promise<Image<TypedArray>>) | undefined;
}
const figure = (svg: string, alt: string, caption?: string): Block => ({
  kind: "figure",
  picture: { svg },
  alt,
  ...(caption ? { caption } : {}),
});

/** Sections of a report for `processingReport`: intensities, solution, refinement, structure, diagnostics, as far as the chain came. */
export async function determinationSections(d: Determination, options: DeterminationReportOptions = {}): Promise<readonly Block[]> {
  const out: Block[] = [];
  if (d.stopped) out.push({ kind: "note", tone: "warning", text: `The chain ended at “${d.stopped.step}”: ${d.stopped.reason}` });
  if (d.measured) out.push(intensities(d));
  if (d.solution) out.push(solution(d));
  if (d.kinematical) out.push(refinement(d));
  if (d.diagnosis) out.push(structureSection(d.diagnosis), await diagnostics(d, d.diagnosis, options));
  return out;
}

function intensities(d: Determination): Block {
  const m = d.measured!,
    { overall } = m.merged.statistics;
  return {
    kind: "section",
    title: "Intensities",
    blocks: [
      ...m.integrated.warnings.map((text): Block => ({ kind: "note", tone: "warning", text })),
      {
        kind: "facts",
        facts: [
          ["Laue class by intensities", m.laue.laue],
          ["observations", overall.observations],
          ["unique", overall.unique],
          ["resolution", `${m.integrated.dMin.toFixed(2)} Å`],
          ["completeness", percent(overall.completeness, 1)],
          ["R_int", percent(overall.rInt, 1)],
          ["R_meas", percent(overall.rMeas, 1)],
          ["CC½", overall.ccHalf.toFixed(3)],
          ["rocking curve", `${m.curves.rocking.rcWidth.toFixed(5)} Å⁻¹ + g·${m.curves.rocking.mosaicityDeg.toFixed(3)}°`],
          ["virtual frames", `${m.virtual.frames.length} of ${m.virtualPlan.merge} frames, step ${m.virtualPlan.step}`],
          ["beam stop", m.beamStop ? `${m.beamStop.pixels} pixels left out` : "none found"],
        ],
      },
      figure(shellPlot(d), "merging figures by resolution shell"),
    ],
  };
}

function solution(d: Determination): Block {
  const s = d.solution!;
  return {
    kind: "section",
    title: "Solution",
    blocks: [
      ...s.warnings.map((text): Block => ({ kind: "note", text })),
      {
        kind: "facts",
        facts: [
          ["status", s.status],
          ["space group", s.structure.spaceGroup.hm ?? ""],
          ["contents", `${formula(s.structure)}, Z = ${s.z}`],
          ["R1", percent(s.r1, 1)],
          ["trials", s.trials.length],
          ["B (Wilson)", `${s.normalised.b.toFixed(2)} Å²`],
          [
            "also possible",
            s.otherGroups
              .slice(0, 3)
              .map((g) => g.group.hm)
              .join(", ") || "none",
          ],
        ],
      },
    ],
  };
}

function refinement(d: Determination): Block {
  const row = (name: string, r: Residuals | undefined, parameters: number | undefined): (string | number)[] =>
    r
      ? [
          name,
          `${r.nObs}/${r.nAll}`,
          percent(r.rObs),
          percent(r.rAll),
          percent(r.wrAll),
          Number.isFinite(r.gofAll) ? r.gofAll.toFixed(2) : "–",
          parameters ?? "–",
        ]
      : [];
  const { kinematical: k, dynamical: y, hand } = d;
  const model = y?.models[0];
  return {
    kind: "section",
    title: "Refinement",
    blocks: [
      {
        kind: "table",
        columns: ["theory", "N obs/all", "R obs", "R all", "wR all", "GoF", "parameters"],
        rows: [
          row("kinematical, merged intensities", k?.residuals, k?.parameters.length),
          row("dynamical, virtual frames", y?.residuals, y?.refinedParameters),
          row("dynamical, equivalents merged (MR)", y?.merged, undefined),
        ].filter((r) => r.length > 0),
      },
      ...(model
        ? ([
            {
              kind: "facts",
              facts: [
                [
                  "thickness",
                  `${model.thicknessModel.kind}, ${model.thickness.toFixed(0)} Å${model.thicknessModel.kind === "plate" ? "" : " at most"}`,
                ],
                ["status", y!.status],
                ["largest shift/s.u.", y!.maxShiftOverSu.toFixed(2)],
                ...(d.displacements
                  ? ([["displacements", `${d.displacements.anisotropic ? "tensors" : "isotropic"}: ${d.displacements.reason}`]] as const)
                  : []),
                ["frames", `${y!.frames.filter((f) => f.status === "refined").length} of ${y!.frames.length}`],
              ],
            },
          ] satisfies Block[])
        : []),
      ...(hand && hand.hand !== "achiral"
        ? [{ kind: "note", tone: Math.abs(hand.z) > 3 ? "good" : "warning", text: handText(hand.z) } satisfies Block]
        : []),
      ...[...new Set([...(k?.warnings ?? []), ...(y?.warnings ?? [])])].map((text): Block => ({ kind: "note", tone: "warning", text })),
      {
        kind: "row",
        blocks: [
          ...(d.thickness ? [figure(thicknessPlot(d.thickness), "R against thickness")] : []),
          ...(d.distribution ? [figure(distributionPlot(d.distribution), "free distribution of thicknesses")] : []),
          ...(d.profile
            ? thicknessProfilePlots(d.profile).map((p) => figure(plotSvg(p), "final structure, frames scaled anew at each thickness"))
            : []),
          ...[frameRPlot(d)].flatMap((svg) => (svg ? [figure(svg, "R of the frames against tilt")] : [])),
        ],
      },
    ],
  };
}

function structureSection(g: Diagnosis): Block {
  const s = g.structure;
  const su = (v: number, u: number | undefined, digits: number): string => withSu(v, u ?? Number.NaN, digits);
  return {
    kind: "section",
    title: "Structure",
    blocks: [
      figure(structureSvg(s), "the unit cell with displacement ellipsoids", "Ellipsoids of 50 % probability."),
      {
        kind: "table",
        columns: ["atom", "x", "y", "z", "occupancy", "U (Å²)"],
        rows: s.atoms.map((a) => [
          a.label,
          ...[0, 1, 2].map((k) => su(a.xyz[k]!, a.su?.xyz[k], 5)),
          su(a.occupancy, a.su?.occupancy, 3),
          su(a.uIso, a.su?.uIso, 4),
        ]),
      },
    ],
  };
}

async function diagnostics(d: Determination, g: Diagnosis, { read }: DeterminationReportOptions): Promise<Block> {
  const { statistics: st } = g,
    e = voltPerElectronAngstrom,
    r = g.regression;
  const pictures: Block[] = [];
  if (read)
    for (const spot of outlierSpots(d, 8)) {
      const image = await read(spot.frame);
      pictures.push({
        kind: "figure",
        picture: { png: outlierPicture(image, spot, d.measured!.integrated.experiment.settings.diameter) },
        alt: `outlier ${spot.hkl}`,
        caption: `${spot.hkl} on frame ${spot.frame + 1}: √I_calc ${spot.excess > 0 ? "above" : "below"} the band ${Math.abs(spot.excess).toFixed(1)} times`,
      });
    }
  return {
    kind: "section",
    title: "Diagnostics",
    blocks: [
      {
        kind: "facts",
        facts: [
          ["outside the band", `${g.outliers.length} of ${g.rows.intensity.length}`],
          [
            "cubic coefficient",
            r ? `${(r.coefficients[2] / g.bandScale ** 2).toExponential(2)} (${(r.su[2] / g.bandScale ** 2).toExponential(1)})` : "–",
          ],
          ["variance about the cubic", r ? (r.variance * g.bandScale ** 2).toFixed(0) : "–"],
          ["R obs, linearised", g.linearised ? percent(g.linearised.rObs) : "–"],
          ["3σ of the difference map", `${st.level.toFixed(3)} V, ${(st.level / e).toFixed(4)} e Å⁻¹`],
          ["extremes", `${st.minElectronPerAngstrom.toFixed(3)} … ${st.maxElectronPerAngstrom.toFixed(3)} e Å⁻¹`],
        ],
      },
      {
        kind: "row",
        blocks: [
          figure(amplitudePlot(g), "calculated against observed amplitudes"),
          figure(histogramPlot(st), "histogram of the difference map"),
        ],
      },
      ...(g.outlierFrames.length > 0
        ? [
            {
              kind: "details",
              summary: `Outliers by frame (${g.outlierFrames.length} frames)`,
              blocks: [
                {
                  kind: "table",
                  columns: ["virtual frame", "tilt (°)", "outliers", "reflections"],
                  rows: g.outlierFrames
                    .slice(0, 20)
                    .map((f) => [f.frame + 1, d.data?.frames[f.frame]?.alphaDeg.toFixed(1) ?? "", f.count, f.reflections]),
                },
              ],
            } satisfies Block,
          ]
        : []),
      ...(pictures.length > 0 ? [{ kind: "row", blocks: pictures } satisfies Block] : []),
      {
        kind: "table",
        caption: "Peaks and holes of the difference map above 3σ.",
        columns: ["x", "y", "z", "V", "e Å⁻¹", "height/σ", "nearest atom", "Å"],
        rows: g.peaks.map((p) => [
          ...p.xyz.map((v) => v.toFixed(3)),
          p.height.toFixed(3),
          (p.height / e).toFixed(4),
          p.overSigma.toFixed(1),
          p.nearest,
          p.distance.toFixed(2),
        ]),
      },
      ...sectionFigure(g),
    ],
  };
}

/** Section through the highest peak and the two atoms nearest to it. */
function sectionFigure(g: Diagnosis): Block[] {
  const s: Structure = g.structure,
    plane = peakPlane(s, g.peaks);
  if (!plane) return [];
  const section = mapSection(g.map, { points: plane.points, size: 8 });
  const title = `difference potential through the highest peak, ${plane.labels.join(" and ")}`;
  return [figure(sectionSvg(section, { structure: s, title, limit: 2 * g.statistics.level }), "section of the difference map")];
}
