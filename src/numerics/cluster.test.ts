import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { clusterGraph, clusterWithin, cutLinkage, singleLinkage } from "./cluster.js";
import { kdTree } from "./cluster-kdtree.js";
import { dbscan } from "./dbscan.js";
import { kMeans } from "./kmeans.js";
import { nmf } from "./nmf.js";

const g = rng("clusters");
const cloud = (n: number, dim: number, at: readonly number[], width: number): number[] =>
  Array.from({ length: n * dim }, (_, i) => at[i % dim]! + width * g.normal());

prop(
  "k-d tree queries agree with direct search",
  [fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 120 }), fc.nat()],
  (dim, n, seed) => {
    const r = rng(seed),
      p = Float64Array.from({ length: n * dim }, () => Math.round(8 * r.uniform())), // ties on purpose
      q = Float64Array.from({ length: dim }, () => 8 * r.uniform());
    const d = Array.from({ length: n }, (_, i) => Math.hypot(...p.subarray(i * dim, (i + 1) * dim).map((v, k) => v - q[k]!)));
    const tree = kdTree(p, dim),
      found: number[] = [];
    tree.within(q, 3, (i) => found.push(i));
    expect(found.sort((a, b) => a - b)).toEqual(d.flatMap((v, i) => (v <= 3 ? [i] : [])));
    const near = tree.nearest(q, 5);
    expect([...near.distance].map((v) => v.toFixed(9))).toEqual(
      [...d]
        .sort((a, b) => a - b)
        .slice(0, 5)
        .map((v) => v.toFixed(9)),
    );
    for (const [k, i] of near.index.entries()) expect(d[i]).toBeCloseTo(near.distance[k]!, 9);
  },
);

test("graph parts", () => {
  expect(clusterGraph(6, [4, 1, 1, 5, 0, 3])).toEqual({ labels: Int32Array.of(0, 1, 2, 0, 1, 1), count: 3 });
  expect(() => clusterGraph(2, [0, 2])).toThrow(/out-of-range/);
});

describe("DBSCAN", () => {
  const p = Float64Array.from([...cloud(300, 3, [0, 0, 0], 0.1), ...cloud(200, 3, [2, 0, 0], 0.1), 9, 9, 9, -5, 3, 1]);
  const r = dbscan(p, 3, { radius: 0.12, minPoints: 5 });
  test("two clouds and noise", () => {
    const sizes = Array.from({ length: r.count }, (_, k) => r.labels.filter((l) => l === k).length).sort((a, b) => b - a);
    expect(sizes[0]).toBeGreaterThan(230);
    expect(sizes[1]).toBeGreaterThan(150);
    expect([...r.labels.slice(-2)]).toEqual([-1, -1]);
    expect(r.labels.slice(0, 300).some((l, i) => l >= 0 && r.labels.slice(300, 500).includes(l) && i >= 0)).toBe(false);
  });
  test("defining properties: core counts, density connection, nearest core", () => {
    const n = p.length / 3,
      d = (i: number, j: number): number => Math.hypot(p[3 * i]! - p[3 * j]!, p[3 * i + 1]! - p[3 * j + 1]!, p[3 * i + 2]! - p[3 * j + 2]!);
    for (let i = 0; i < n; i++) {
      let count = 0,
        coreNear = false;
      for (let j = 0; j < n; j++) {
        if (d(i, j) > 0.12) continue;
        count++;
        if (r.core[j]) coreNear = true;
        if (r.core[i] && r.core[j]) expect(r.labels[i]).toBe(r.labels[j]);
      }
      expect(r.core[i]).toBe(count >= 5 ? 1 : 0);
      expect(r.labels[i]! >= 0).toBe(coreNear);
    }
  });
  test("does not depend on the order of the points", () => {
    const n = p.length / 3,
      back = Float64Array.from(p, (_, i) => p[(n - 1 - Math.floor(i / 3)) * 3 + (i % 3)]!);
    const q = dbscan(back, 3, { radius: 0.12, minPoints: 5 });
    expect(q.count).toBe(r.count);
    const map = new Map<number, number>();
    for (let i = 0; i < n; i++) {
      const a = r.labels[i]!,
        b = q.labels[n - 1 - i]!;
      if (map.has(a)) expect(map.get(a)).toBe(b);
      map.set(a, b);
    }
  });
  test("100 000 points in 3-D", () => {
    const h = rng(3),
      big = Float64Array.from({ length: 300_000 }, (_, i) => Math.floor(i / 3000) * 10 * ((i % 3) + 1) + h.normal());
    expect(dbscan(big, 3, { radius: 0.8, minPoints: 4 }).count).toBeGreaterThanOrEqual(100);
  });
});

test("single linkage cut equals joining within a radius", () => {
  const p = Float64Array.from(cloud(80, 2, [0, 0], 1)),
    merges = singleLinkage(p, 2);
  expect(merges.length).toBe(79);
  expect(merges.at(-1)!.size).toBe(80);
  for (const r of [0.1, 0.3, 0.8]) expect(cutLinkage(80, merges, r)).toEqual(clusterWithin(p, 2, r));
});

describe("k-means", () => {
  const p = Float64Array.from([...cloud(60, 2, [0, 0], 0.3), ...cloud(60, 2, [5, 0], 0.3), ...cloud(60, 2, [0, 5], 0.3)]);
  const r = kMeans(p, 2, 3, { rng: rng(1) });
  test("finds three clouds", () => {
    expect(r.status).toBe("converged");
    for (let c = 0; c < 3; c++) expect(new Set(r.labels.slice(60 * c, 60 * c + 60)).size).toBe(1);
    expect(r.inertia).toBeLessThan(2 * 180 * 0.09 * 1.3);
  });
  test("every point belongs to its nearest centre; same seed, same bits", () => {
    expect(kMeans(p, 2, 3, { rng: rng(1) })).toEqual(r);
    for (let i = 0; i < 180; i++) {
      const d = [0, 1, 2].map((c) => Math.hypot(p[2 * i]! - r.centres[2 * c]!, p[2 * i + 1]! - r.centres[2 * c + 1]!));
      expect(d.indexOf(Math.min(...d))).toBe(r.labels[i]);
    }
  });
});

describe("NMF", () => {
  const W = Float64Array.from({ length: 30 * 3 }, () => g.uniform() ** 3),
    H = Float64Array.from({ length: 3 * 40 }, () => (g.uniform() < 0.5 ? 0 : g.uniform()));
  const V = Float64Array.from({ length: 30 * 40 }, (_, i) => {
    let s = 0;
    for (let r = 0; r < 3; r++) s += W[Math.floor(i / 40) * 3 + r]! * H[r * 40 + (i % 40)]!;
    return s;
  });
  test.each([
    ["hals", 2e-3, 3000],
    ["multiplicative", 2e-2, 5000],
  ] as const)("%s recovers an exact factorisation", (method, error, maxIterations) => {
    const r = nmf(V, 30, 40, { rng: rng(4), rank: 3, method, tolerance: 1e-12, maxIterations });
    expect(r.relativeError).toBeLessThan(error);
    expect([...r.w, ...r.h].every((v) => v >= 0)).toBe(true);
    let sum = 0;
    for (let i = 0; i < V.length; i++) {
      let s = V[i]!;
      for (let k = 0; k < 3; k++) s -= r.w[Math.floor(i / 40) * 3 + k]! * r.h[k * 40 + (i % 40)]!;
      sum += s * s;
    }
    expect(Math.sqrt(sum / V.reduce((a, b) => a + b * b, 0))).toBeCloseTo(r.relativeError, 6);
  });
  test("negative data are refused", () =>
    expect(() => nmf(Float64Array.of(1, -1), 1, 2, { rng: rng(1), rank: 1 })).toThrow(/not below zero/));
});
