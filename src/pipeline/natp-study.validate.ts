import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inverse } from "../core/frames.js";
import type { Exposure } from "../geometry/experiment.js";
import { spaceGroupFromHall } from "../geometry/space-groups.js";
import { averagedFrames, averagingPlan, type IntegratedSeries, integrateSeries, suggestSpotSettings } from "../integration/index.js";
import { compareStructures } from "../refine/index.js";
import { figureSvg } from "../render/index.js";
import { solveStructure } from "../solution/index.js";
import { keptWaves } from "../testing/kept-waves.js";
import { reduceIntegrated } from "./reduce.js";
import { ceramicCase } from "./simulate-cases-dynamical.js";
import {
  anglesApart,
  cpuSeconds,
  framesSource,
  type Processed,
  processed,
  type Recorded,
  record,
  trueCounts,
  truthCorrelation,
} from "./study-collect.js";
import { type StudyRow, studyPlots } from "./study-figure.js";
import { missingAtom } from "./study-sodium.js";

/**
 * The study of the ceramics paper on simulated data, one table and one figure: a NASICON crystal collected in three ways (`ceramicCase` says what comes
 * from where), static steps left out, static frames averaged to 1.5°, boxes of 1 to 2.5 spot diameters, the scarce sodium site left out of a
 * refinement. Angles are those that the microscope reports, refined by us; the Laue class is given, the rest of the symmetry is not. EWALD_WAVES names a
 * folder that keeps the waves; EWALD_FIGURE a file for the figure.
 */
type Kind = Exposure["kind"];
const laue = spaceGroupFromHall('-R 3 2"'),
  composition = "Na Ti2 P3 O12",
  percent = (v: number): string => (100 * v).toFixed(1);

async function row(name: string, s: IntegratedSeries): Promise<StudyRow> {
  const r = reduceIntegrated(s, { laue, virtual: undefined }),
    { rInt, ccHalf, observations, completeness } = r.merged.before.overall,
    reference = ceramicCase("static").crystal.structure;
  let solved = 0,
    trusted = 0,
    rmsd = Number.NaN;
  const groups = new Set<string>();
  for (let seed = 1; seed <= 3; seed++) {
    const { structure, axes, status } = await solveStructure(r.merged.observations, r.cell, composition, { seed, laue: laue.laueGroup }),
      // A group below R-3c may come on axes of its own.
      match = compareStructures(structure, reference, { basis: inverse(axes) });
    groups.add(structure.spaceGroup.hm);
    // 108 atoms of the framework and the first sodium site.
    if (match.matched >= 108 && match.max < 0.15) {
      solved++;
      if (status === "solved") trusted++;
      if (!(match.rmsd >= rmsd)) rmsd = match.rmsd;
    }
  }
  const found = { name, frames: s.experiment.geometry.length, rInt, ccHalf, observations, completeness, solved, trusted, rmsd };
  console.log(`${JSON.stringify(found)} ${[...groups].join(", ")}`);
  return found;
}

test("three ways to collect, thinner steps, averaged frames, boxes and the scarce sodium site", async () => {
  const begin = cpuSeconds();
  // Stills last: their times are compared with those of the averages, and both should find compiled code.
  const kinds = ["precession", "continuous", "static"] as const,
    names = { static: "static 0.1°", continuous: "rotation 0.3°", precession: "precession" };
  const recorded = {} as Record<Kind, ReturnType<typeof record>>,
    found = {} as Record<Kind, Processed>,
    settings = {} as Record<Kind, Awaited<ReturnType<typeof suggestSpotSettings>>>;
  const rows: StudyRow[] = [],
    angles: Record<string, readonly [number, number]> = {},
    truth: Record<string, number> = {},
    rTrue: Record<string, number> = {};
  for (const k of kinds) {
    const c = ceramicCase(k),
      r = record(c, await keptWaves(c)),
      { simulation } = r;
    recorded[k] = r;
    settings[k] = await suggestSpotSettings(framesSource(simulation, r.frames), { noise: r.noise });
    found[k] = await processed(r, simulation, c, settings[k]);
    const { series } = found[k];
    angles[k] = [anglesApart(r.nominal, simulation.truth), anglesApart(series.experiment.geometry, simulation.truth)];
    const counts = trueCounts(series, simulation);
    truth[k] = truthCorrelation(series, counts);
    // The same merging with counts that have no noise and no error of integration.
    rTrue[k] = reduceIntegrated(
      { ...series, intensities: { ...series.intensities, intensity: counts } },
      { laue },
    ).merged.before.overall.rInt;
    rows.push(await row(names[k], series));
  }
  // Stills left out: what a coarser step would have recorded, with angles refined from what is left.
  const still = recorded.static,
    c = ceramicCase("static");
  const thin: Processed[] = [];
  for (const keep of [2, 3, 4]) {
    const every = <T>(a: readonly T[]): T[] => a.filter((_, i) => i % keep === 0),
      part: Recorded = { ...still, frames: every(still.frames), nominal: every(still.nominal) };
    thin.push(await processed(part, still.simulation, c, settings.static));
    rows.push(await row(`static 0.${keep}°`, thin.at(-1)!.series));
  }
  // Fifteen stills to one frame of 1.5°.
  const plan = averagingPlan(still.frames.length, { merge: 15 }),
    sums = [...averagedFrames((i) => Float32Array.from(still.frames[i]!), plan, { mode: "sum", saturation: 65535 })],
    together: Recorded = {
      frames: sums,
      nominal: plan.groups.map((g) => still.nominal[g[7]!]!),
      instrument: { ...still.instrument, exposure: { kind: "continuous", halfWidthDeg: 0.75 } },
      noise: { gain: still.noise.gain, psi: 15 * still.noise.psi },
    },
    mean = await processed(together, still.simulation, c, settings.static),
    times = [found.static.cpu, mean.cpu].map((t) => [...t, t.reduce((s, v) => s + v, 0)]),
    faster = times[0]!.map((v, i) => v / times[1]![i]!);
  rows.push(await row("average 1.5°", mean.series));
  // Boxes on the first precession frames, whose pattern is dense.
  const box = await boxes(recorded.precession, found.precession.series, 24);
  console.log(JSON.stringify({ times, truth, rTrue, angles, box }));
  // Virtual frames of 1.5° (precession: its own), as in the paper.
  const without = async (s: IntegratedSeries, merge: number) => {
      const found = await missingAtom(c.crystal.structure, s, laue, merge);
      console.log(JSON.stringify(found));
      return found;
    },
    na = {
      precession: await without(found.precession.series, 1),
      rotation: await without(found.continuous.series, 5),
      "static 0.1°": await without(found.static.series, 15),
      "static 0.3°": await without(thin[1]!.series, 5),
      "average 1.5°": await without(mean.series, 1),
    };
  const cpu = cpuSeconds() - begin;
  console.log(
    [
      "collection        frames  R_int %  CC1/2  observations  complete %  solved of 3  without a doubt  RMSD (Å)",
      ...rows.map((r) =>
        [
          r.name.padEnd(18),
          String(r.frames).padStart(5),
          percent(r.rInt).padStart(8),
          r.ccHalf.toFixed(4).padStart(8),
          String(r.observations).padStart(11),
          percent(r.completeness).padStart(11),
          String(r.solved).padStart(11),
          String(r.trusted).padStart(15),
          r.rmsd.toFixed(3).padStart(11),
        ].join(" "),
      ),
      `spot diameters (px) ${kinds.map((k) => settings[k].diameter).join(", ")}; R_int of counts without noise ${kinds.map((k) => percent(rTrue[k]!)).join(", ")}`,
      `angles reported and refined against the truth (°) ${kinds.map((k) => angles[k]!.map((v) => v.toFixed(3)).join(" → ")).join(", ")}`,
      `correlation with the truth, I > 10 σ: ${kinds.map((k) => truth[k]!.toFixed(5)).join(", ")}`,
      `1.5° frames: peak search, angles, integration, all ${faster.map((v) => v.toFixed(1)).join(", ")} times faster than stills (${times.map((t) => t.map((v) => v.toFixed(2)).join(", ")).join(" s and ")} s)`,
      `box ${box.map((b) => `${b.box}: fit ${percent(b.fit)} %, sum ${percent(b.sum)} %`).join("; ")}`,
      ...Object.entries(na).map(
        ([k, v]) =>
          `${k}: sodium ${v.sigmas.toFixed(1)} σ, R ${percent(v.rObs)}, wR ${percent(v.wrAll)}, MR ${percent(v.mergedR)} %, ${v.thickness.toFixed(0)} Å, ${v.cycles} cycles, ${v.status}`,
      ),
      `${cpu.toFixed(0)} s of processor`,
    ].join("\n"),
  );
  if (process.env.EWALD_FIGURE) writeFileSync(process.env.EWALD_FIGURE, figureSvg(studyPlots(rows, box, na, faster)));
  for (const k of kinds) expect(truth[k]!, k).toBeGreaterThanOrEqual(0.995);
  for (const k of kinds) expect(angles[k]![1], k).toBeLessThan(0.7 * angles[k]![0]);
  const of = (name: string): StudyRow => rows.find((r) => r.name === name)!;
  expect(of("precession").rInt).toBeLessThan(of("rotation 0.3°").rInt - 0.02);
  expect(of("rotation 0.3°").rInt).toBeLessThan(of("static 0.1°").rInt);
  // The crystal and the collection order them, noise and integration not.
  expect(rTrue.precession!).toBeLessThan(rTrue.continuous! - 0.02);
  expect(rTrue.continuous!).toBeLessThan(rTrue.static!);
  // Steps wider than the curves lose them: R of the dynamical refinement goes from 7.24 to 13.35 % in the paper, 1.84 times, from 0.1 to 0.3°.
  expect(na["static 0.3°"].rObs).toBeGreaterThan(1.84 * na["static 0.1°"].rObs);
  for (const k of [2, 3, 4]) expect(of(`static 0.${k}°`).rInt).toBeGreaterThan(of("static 0.1°").rInt + 0.04);
  expect(of("static 0.3°").observations).toBeLessThan(0.75 * of("static 0.1°").observations);
  expect(of("static 0.3°").completeness).toBeLessThan(0.8);
  // Averages: solution and refinement are as good, and all of the processing is faster.
  expect(na["average 1.5°"].rObs).toBeLessThan(na["static 0.1°"].rObs + 0.005);
  expect(of("average 1.5°").solved).toBe(3);
  expect(of("average 1.5°").rmsd).toBeLessThan(of("static 0.1°").rmsd + 0.005);
  expect(of("average 1.5°").rInt).toBeLessThan(of("static 0.1°").rInt + 0.03);
  expect(faster[0]).toBeGreaterThan(8);
  // Wanted: 8 for all of it, 8.5 on a quiet machine and down to 6.3 on a busy one. Spots cost as much as frames in the angles, and one on an average stands for four on stills.
  expect(faster[3]).toBeGreaterThan(5);
  expect(box[3]!.fit).toBeLessThan(0.02);
  expect(box[3]!.sum).toBeGreaterThan(0.08);
  expect(na.precession.sigmas).toBeGreaterThan(3);
  expect(na.rotation.sigmas).toBeLessThan(na.precession.sigmas);
}, 3_600_000);

/** Mean change of intensities above 10 σ with the box, in spot diameters, against a box of one. */
async function boxes(r: ReturnType<typeof record>, s: IntegratedSeries, frames: number) {
  const few = framesSource(r.simulation, r.frames.slice(0, frames)),
    part = { ...s.experiment, geometry: s.experiment.geometry.slice(0, frames) },
    out: { readonly box: number; readonly fit: number; readonly sum: number }[] = [];
  let base: IntegratedSeries | undefined;
  for (const size of [1, 1.5, 2, 2.5]) {
    const now = await integrateSeries(few, part, { dMin: 0.8, boxDiameters: size, profiles: s.profiles });
    base ??= now;
    const t = base.intensities,
      rows = [...Array(t.size).keys()].filter((i) => t.flags[i] === 0 && t.intensity[i]! > 10 * t.sigma[i]!),
      change = (k: "intensity" | "sum"): number =>
        rows.reduce((v, i) => v + Math.abs(now.intensities[k][i]! / t[k][i]! - 1), 0) / rows.length;
    out.push({ box: size, fit: change("intensity"), sum: change("sum") });
  }
  return out;
}
