import type { Image, TypedArray } from "../core/image.js";
import { noDistortion } from "../geometry/distortion.js";
import { type Block, figureSvg, plotSvg, type Report, reportHtml } from "../render/index.js";
import type { ProcessingRecord } from "./process.js";
import { axisPlot, correctionPlots, framePicture, indexingHistogram, reciprocalProjection, seriesPlots } from "./report-figures.js";

export interface ReportOptions {
  readonly title?: string;
  readonly subtitle?: string;
  /** Frames to show, with their numbers (from 0). */
  readonly frames?: readonly { readonly index: number; readonly image: Image<TypedArray> }[];
  /** Further sections, put behind the result: those of a determination. */
  readonly sections?: readonly Block[];
  /** What is needed to repeat the run: version, options, seed. */
  readonly footer?: string;
}

/** The report of a processing run as blocks; `processingHtml` makes the page. */
export function processingReport(
  record: ProcessingRecord,
  { title = "3D ED processing", subtitle, frames = [], sections = [], footer }: ReportOptions = {},
): Report {
  return {
    title,
    subtitle: subtitle ?? `${record.shape[0]} frames of ${record.shape[2]} × ${record.shape[1]} pixels`,
    footer,
    blocks: [
      summary(record),
      ...sections,
      lattice(record),
      frameSection(record, frames),
      axisSection(record),
      corrections(record),
      distortions(record),
      details(record),
    ],
  };
}

/** One self-contained HTML page. */
export function processingHtml(record: ProcessingRecord, options: ReportOptions = {}): string {
  return reportHtml(processingReport(record, options));
}

function summary(r: ProcessingRecord): Block {
  const { cell, cellSigma: s, indexing } = r;
  return {
    kind: "section",
    title: "Result",
    blocks: [
      ...r.warnings.map((text): Block => ({ kind: "note", text, tone: "warning" })),
      {
        kind: "facts",
        facts: [
          ["Bravais lattice", r.lattice.bravais],
          ["cell", `${[cell.a, cell.b, cell.c].map((v) => v.toFixed(3)).join(" ")} Å`],
          ["angles", `${[cell.alphaDeg, cell.betaDeg, cell.gammaDeg].map((v) => v.toFixed(2)).join(" ")}°`],
          ["volume", { value: cell.volume, su: s[6], unit: "Å³", decimals: 1 }],
          ["indexed 3-D maxima", `${(100 * r.indexed.fraction).toFixed(1)} % of ${indexing.maxima.size}`],
          ["tilt axis ω", { value: r.omegaDeg, su: indexing.omegaSigmaDeg, unit: "°" }],
          ["lattices in the series", r.lattices.length],
          ["spots", r.peaks.size],
        ],
      },
    ],
  };
}

function lattice(r: ProcessingRecord): Block {
  const { cell, cellSigma: s } = r,
    values = [cell.a, cell.b, cell.c, cell.alphaDeg, cell.betaDeg, cell.gammaDeg, cell.volume];
  const names = ["a", "b", "c", "α", "β", "γ", "V"],
    units = ["Å", "Å", "Å", "°", "°", "°", "Å³"],
    free = r.indexing.conventional;
  const freeValues = [free.cell.a, free.cell.b, free.cell.c, free.cell.alphaDeg, free.cell.betaDeg, free.cell.gammaDeg, free.cell.volume];
  return {
    kind: "section",
    title: "Cell and lattice",
    blocks: [
      {
        kind: "table",
        caption:
          "Refined cell (s.u. in parentheses) with the symmetry of the Bravais lattice; beside it the conventional cell of the most symmetric fit, refined without constraints before distortions and frames.",
        columns: ["", "refined", "unconstrained", "unit"],
        rows: names.map((n, i) => [n, su(values[i]!, s[i]), su(freeValues[i]!, free.cellSigma[i]), units[i]!]),
      },
      {
        kind: "details",
        summary: "Bravais lattices that fit the reduced cell",
        blocks: [
          {
            kind: "table",
            columns: ["lattice", "a", "b", "c", "α", "β", "γ", "obliquity (°)", "strain (%)"],
            rows: r.indexing.candidates.map((c) => [
              c.bravais,
              ...[c.measured.a, c.measured.b, c.measured.c].map((v) => ({ value: v, decimals: 3 })),
              ...[c.measured.alphaDeg, c.measured.betaDeg, c.measured.gammaDeg].map((v) => ({ value: v, decimals: 2 })),
              { value: c.obliquityDeg, decimals: 2 },
              { value: 100 * c.strain, decimals: 2 },
            ]),
          },
        ],
      },
      {
        kind: "row",
        blocks: ([0, 1, 2] as const).map(
          (k): Block => ({
            kind: "figure",
            picture: { svg: plotSvg(reciprocalProjection(r, k)) },
            alt: `reciprocal space seen along ${"abc"[k]}`,
            caption: `Reciprocal space along ${"abc"[k]}.`,
          }),
        ),
      },
      { kind: "figure", picture: { svg: plotSvg(indexingHistogram(r)) }, alt: "histogram of index errors" },
      ...(r.lattices.length > 1
        ? [
            {
              kind: "table",
              caption:
                "Individuals of the series: 3-D maxima that each explains, those that it alone explains, its cell refined on its own spots, and the rotation that brings the first onto it.",
              columns: ["", "explained", "alone", "a", "b", "c", "α", "β", "γ", "twin law"],
              rows: r.lattices.map((l, i) => [
                i + 1,
                l.explained,
                l.own,
                ...[l.cell.a, l.cell.b, l.cell.c, l.cell.alphaDeg, l.cell.betaDeg, l.cell.gammaDeg].map((v, k) => su(v, l.cellSigma[k])),
                l.misorientation ? `${l.misorientation.angleDeg.toFixed(2)}° about [${l.misorientation.row.join(" ")}]` : "",
              ]),
            } satisfies Block,
          ]
        : []),
    ],
  };
}

/** A number with its s.u.; a constrained one has none. */
function su(value: number, sigma: number | undefined): { value: number; su?: number; decimals?: number } {
  return sigma !== undefined && sigma > 0 ? { value, su: sigma } : { value, decimals: 4 };
}

function frameSection(r: ProcessingRecord, frames: NonNullable<ReportOptions["frames"]>): Block {
  const pictures = frames.map(({ index, image }) => ({
    picture: { png: framePicture(r, index, image) },
    caption: `frame ${index + 1}, α = ${r.geometry[index]!.alphaDeg.toFixed(2)}°, ${r.frames[index]!.spots.size} spots`,
  }));
  return {
    kind: "section",
    title: "Frames",
    blocks: [
      ...(pictures.length
        ? [{ kind: "frames", frames: pictures, alt: "frames with found and predicted spots", start: pictures.length >> 1 } satisfies Block]
        : []),
      { kind: "figure", wide: true, picture: { svg: figureSvg(seriesPlots(r)) }, alt: "spots per frame and centre drift" },
    ],
  };
}

function axisSection(r: ProcessingRecord): Block {
  const { axis, sense } = r.indexing,
    svg = axisPlot(r);
  const trials = sense ? [sense.best, sense.other] : [];
  return {
    kind: "section",
    title: "Tilt axis",
    blocks: [
      ...(svg
        ? [
            {
              kind: "figure",
              picture: { svg },
              alt: "sharpness against the position of the tilt axis",
              caption:
                "Sharpness of the difference vectors in the cylindrical projection. The correct position of the axis makes them sharp.",
            } satisfies Block,
          ]
        : []),
      ...(axis
        ? [
            {
              kind: "paragraph",
              text: `The search stands ${axis.significance.toFixed(1)} standard deviations above the other positions.`,
            } satisfies Block,
          ]
        : []),
      {
        kind: "table",
        caption: "Both senses of rotation, each with its own best lattice: the Ewald sphere is curved, so only one of them is right.",
        columns: ["ω (°)", "indexed (%)", "rms (indices)"],
        rows: trials.map((t) => [
          { value: t.omegaDeg, decimals: 2 },
          { value: 100 * t.fraction, decimals: 1 },
          { value: t.rms, decimals: 4 },
        ]),
      },
    ],
  };
}

function corrections(r: ProcessingRecord): Block {
  const o = r.orientations;
  if (!o)
    return {
      kind: "section",
      title: "Frame orientations",
      blocks: [{ kind: "paragraph", text: "Frames keep their nominal angles: their refinement was switched off." }],
    };
  return {
    kind: "section",
    title: "Frame orientations",
    blocks: [
      {
        kind: "figure",
        wide: true,
        picture: { svg: figureSvg(correctionPlots(r)) },
        alt: "corrections of the tilt angles and frame scales",
      },
      {
        kind: "facts",
        facts: [
          ["RC width", { value: o.rocking.rcWidth, decimals: 5, unit: "Å⁻¹" }],
          ["apparent mosaicity", { value: o.rocking.mosaicityDeg, decimals: 3, unit: "°" }],
          ["change in the last cycle", { value: o.lastChangeDeg, decimals: 4, unit: "°" }],
        ],
      },
    ],
  };
}

function distortions(r: ProcessingRecord): Block {
  const d = r.distortion;
  if (!d) return { kind: "section", title: "Distortions", blocks: [{ kind: "paragraph", text: "Not refined." }] };
  const { result } = d;
  return {
    kind: "section",
    title: "Distortions",
    blocks: [
      {
        kind: "paragraph",
        text: `Position errors fall from ${result.rmsPxBefore.toFixed(3)} to ${result.rmsPxAfter.toFixed(3)} px per coordinate; the model is ${d.kept ? "kept" : "not kept: it explains too little"}.`,
      },
      ...result.warnings.map((text): Block => ({ kind: "note", text, tone: "info" })),
      { kind: "table", columns: ["parameter", "value"], rows: result.parameters.map((p) => [p.name, { value: p.value, su: p.sigma }]) },
    ],
  };
}

function details(r: ProcessingRecord): Block {
  const { settings: s, series } = r,
    e = series.exposure;
  const exposure =
    e.kind === "static"
      ? "static"
      : e.kind === "continuous"
        ? `continuous rotation, ${(2 * e.halfWidthDeg).toFixed(3)}° per frame`
        : `precession, semi-angle ${e.semiAngleDeg}°`;
  return {
    kind: "section",
    title: "Settings",
    blocks: [
      {
        kind: "table",
        columns: ["setting", "value"],
        rows: [
          ["wavelength", { value: series.wavelength, decimals: 6, unit: "Å" }],
          ["pixel", { value: series.invAngstromPerPixel, decimals: 6, unit: "Å⁻¹" }],
          ["tilt range", `${Math.min(...series.alphaDeg).toFixed(2)}° to ${Math.max(...series.alphaDeg).toFixed(2)}°`],
          ["exposure", exposure],
          ["noise Gγ, ψ", `${s.noise.gain.toFixed(3)}, ${s.noise.psi.toFixed(3)}`],
          ["spot diameter", `${s.diameter} px`],
          ["least I/σ", s.minSnr],
          ["saturation", Number.isFinite(s.saturation) ? s.saturation : "unknown"],
          ["distortions applied", r.instrument.distortion === noDistortion || !r.distortion?.kept ? "none" : "refined"],
        ],
      },
      {
        kind: "code",
        text: `UB (Å⁻¹, columns a* b* c*)\n${[0, 3, 6].map((k) => [0, 1, 2].map((j) => r.ub[(k + j) as 0].toFixed(6).padStart(10)).join(" ")).join("\n")}`,
      },
    ],
  };
}
