import type { Plot } from "../render/index.js";

/** A collection of the study in numbers. */
export interface StudyRow {
  readonly name: string;
  readonly frames: number;
  readonly rInt: number;
  readonly ccHalf: number;
  readonly observations: number;
  readonly completeness: number;
  /** Trials of three seeds that have all framework atoms within 0.15 Å, and the RMSD of the best. */
  readonly solved: number;
  /** Of these, without a doubt of the solution's own. */
  readonly trusted: number;
  readonly rmsd: number;
}

/** The pictures of the study. `faster`: how many times peak search, angles, integration and all of it are faster on averages than on stills. */
export function studyPlots(
  rows: readonly StudyRow[],
  box: readonly { readonly box: number; readonly fit: number; readonly sum: number }[],
  refined: Readonly<
    Record<"precession" | "rotation" | "static 0.1°" | "static 0.3°" | "average 1.5°", { readonly sigmas: number; readonly rObs: number }>
  >,
  faster: readonly number[],
): Plot[] {
  const of = (name: string): StudyRow => rows.find((r) => r.name === name)!,
    bars = ["precession", "rotation 0.3°", "static 0.1°", "average 1.5°"],
    steps = [1, 2, 3, 4].map((k) => of(`static 0.${k}°`)),
    x = [0.1, 0.2, 0.3, 0.4],
    line = (y: readonly number[], label: string, color: string): Plot["marks"] => [
      { kind: "line", x, y, label, color },
      { kind: "points", x, y, color },
    ],
    named = (texts: readonly string[]) => ({ values: texts.map((_, i) => i + 1), texts });
  return [
    {
      title: "agreement of equivalents",
      x: { ticks: named(bars), range: [0.4, bars.length + 0.6] },
      y: { label: "R_int (%)" },
      marks: [{ kind: "bars", x: bars.map((_, i) => i + 1), y: bars.map((b) => 100 * of(b).rInt), base: 0 }],
    },
    {
      title: "static frames left out",
      legend: "top-right",
      x: { label: "step (degrees)" },
      y: { label: "%", range: [0, 155] },
      marks: [
        ...line(
          steps.map((r) => 100 * r.rInt),
          "R_int",
          "#d55e00",
        ),
        ...line(
          steps.map((r) => 100 * r.completeness),
          "completeness",
          "#009e73",
        ),
        ...line(
          steps.map((r) => (100 * r.observations) / steps[0]!.observations),
          "complete curves, of those at 0.1°",
          "#0072b2",
        ),
      ],
    },
    {
      title: "mean change with the box, I > 10 σ",
      x: { label: "box (spot diameters)" },
      y: { label: "change (%)" },
      marks: [
        { kind: "line", x: box.map((b) => b.box), y: box.map((b) => 100 * b.fit), label: "profile fit" },
        { kind: "line", x: box.map((b) => b.box), y: box.map((b) => 100 * b.sum), label: "box sum" },
      ],
    },
    {
      title: "the sodium site left out, after refinement",
      x: { ticks: named(["precession", "rotation"]), range: [0.4, 2.6] },
      y: { label: "height in the difference map (σ)" },
      marks: [
        { kind: "bars", x: [1, 2], y: [refined.precession.sigmas, refined.rotation.sigmas], base: 0 },
        { kind: "rule", y: 3, dash: "4 3" },
      ],
    },
    {
      title: "dynamical refinement",
      x: { ticks: named(Object.keys(refined)), range: [0.4, 5.6] },
      y: { label: "R_obs (%)" },
      marks: [{ kind: "bars", x: [1, 2, 3, 4, 5], y: Object.values(refined).map((r) => 100 * r.rObs), base: 0 }],
    },
    {
      title: "frames of 1.5° against stills",
      x: { ticks: named(["peak search", "angles", "integration", "all"]), range: [0.4, 4.6] },
      y: { label: "times faster" },
      marks: [
        { kind: "bars", x: [1, 2, 3, 4], y: faster, base: 0 },
        { kind: "rule", y: 8, dash: "4 3" },
      ],
    },
  ];
}
