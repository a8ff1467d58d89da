import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { readNpy } from "../io/npy.js";
import { describeData, readData } from "../testing/data.js";
import { voronoiCells, voronoiIndex, voronoiNeighbours } from "./voronoi.js";

test("fcc: inner cells are rhombic dodecahedra of a³/4, with 12 equal faces; surface cells are open", () => {
  const a = 3.9,
    p: number[] = [],
    inner: number[] = [];
  for (let i = -4; i <= 4; i++)
    for (let j = -4; j <= 4; j++)
      for (let k = -4; k <= 4; k++)
        if (((i + j + k) & 1) === 0) {
          if (Math.max(Math.abs(i), Math.abs(j), Math.abs(k)) <= 2) inner.push(p.length / 3);
          p.push((i * a) / 2, (j * a) / 2, (k * a) / 2);
        }
  const v = voronoiCells(Float64Array.from(p), 6);
  for (const q of inner) {
    expect(v.closed[q]).toBe(1);
    expect(v.volume[q]).toBeCloseTo(a ** 3 / 4, 9);
    expect(v.start[q + 1]! - v.start[q]!).toBe(12);
    for (let f = v.start[q]!; f < v.start[q + 1]!; f++) expect(v.area[f]).toBeCloseTo(a ** 2 / Math.SQRT2 / 4, 9);
    expect(Array.from(voronoiIndex(v).subarray(4 * q, 4 * q + 4))).toEqual([0, 12, 0, 0]);
  }
  expect(v.closed[0]).toBe(0);
  expect(v.volume[0]).toBeNaN();
  const positions = Float64Array.from(p),
    lists = voronoiNeighbours(v, positions, 3);
  for (const q of inner) expect(lists.start[q + 1]! - lists.start[q]!).toBe(12);
  // the corner of the cube: three neighbours at a/√2, others behind its open cell are further
  expect(lists.start[1]).toBe(3);
  for (const j of lists.index.subarray(0, 3))
    expect(Math.hypot(...[0, 1, 2].map((c) => p[3 * j + c]! - p[c]!))).toBeCloseTo(a / Math.SQRT2, 9);
  expect(() => voronoiNeighbours(v, positions.subarray(3), 3)).toThrow(/bad-shape/);
  expect(() => voronoiNeighbours(v, positions, 0)).toThrow(/reach/);
});

test("random points repeated periodically: cells fill the box, faces are mutual and obey Euler's relation", () => {
  const random = rng("voronoi"),
    box = 12,
    n = 120,
    base = Array.from({ length: 3 * n }, () => box * random.uniform()),
    p: number[] = [...base];
  for (let i = -1; i <= 1; i++)
    for (let j = -1; j <= 1; j++)
      for (let k = -1; k <= 1; k++)
        if (i || j || k) for (let q = 0; q < n; q++) p.push(base[3 * q]! + i * box, base[3 * q + 1]! + j * box, base[3 * q + 2]! + k * box);
  const v = voronoiCells(Float64Array.from(p), 10),
    sum = v.volume.subarray(0, n).reduce((s, x) => s + x, 0);
  expect(Math.abs(sum / box ** 3 - 1)).toBeLessThan(1e-10);
  for (let a = 0; a < n; a++) {
    let euler = 0;
    for (let f = v.start[a]!; f < v.start[a + 1]!; f++) {
      euler += 6 - v.corners[f]!;
      const b = v.neighbour[f]!,
        back = v.neighbour.subarray(v.start[b]!, v.start[b + 1]!).indexOf(a);
      if (v.closed[b]) {
        expect(back).toBeGreaterThanOrEqual(0);
        expect(v.area[v.start[b]! + back]).toBeCloseTo(v.area[f]!, 8);
      }
    }
    expect(euler).toBe(12); // three edges meet in every corner
  }
  expect(() => voronoiCells(Float64Array.from([0, 0, 0, 0, 0, 0]), 3)).toThrow(/one place/);
});

describeData("published Voronoi indices", ["tomography/models"], () => {
  test("metallic glass", async () => {
    const xyz = Float64Array.from((await readNpy(readData("tomography", "models", "metallic_glass_xyz_A.npy"))).data as Float32Array),
      published = (await readNpy(readData("tomography", "models", "metallic_glass_voronoi_index.npy"))).data as Uint8Array;
    const centre = [0, 1, 2].map((c) => xyz.reduce((s, v, i) => s + (i % 3 === c ? (3 * v) / xyz.length : 0), 0)),
      from = (a: number): number => Math.hypot(...centre.map((m, c) => xyz[3 * a + c]! - m));
    const rows = Array.from({ length: xyz.length / 3 }, (_, a) => a).filter((a) => from(a) < 24),
      v = voronoiCells(Float64Array.from(rows.flatMap((a) => Array.from(xyz.subarray(3 * a, 3 * a + 3)))), 9, { leastArea: 0.01 }),
      index = voronoiIndex(v);
    let inside = 0,
      equal = 0,
      faces = 0;
    rows.forEach((a, r) => {
      if (from(a) > 14) return;
      expect(v.closed[r]).toBe(1);
      // columns of the file: 1 … 6 corners
      inside++;
      if ([0, 1, 2, 3].every((c) => index[4 * r + c] === published[6 * a + 2 + c])) equal++;
      if (published.subarray(6 * a, 6 * a + 6).reduce((s, x) => s + x, 0) === index.subarray(4 * r, 4 * r + 4).reduce((s, x) => s + x, 0))
        faces++;
    });
    // Measured 0.784 and 0.842 of 601 atoms; the published rule for small faces is known only as 1 % of the surface
    expect(inside).toBe(601);
    expect(equal / inside).toBeGreaterThan(0.78);
    expect(faces / inside).toBeGreaterThan(0.84);
  });
});
