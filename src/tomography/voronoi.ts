import { fail } from "../core/errors.js";
import { kdTree } from "../numerics/cluster-kdtree.js";
import type { NeighbourLists } from "./order-bond.js";

type Point = readonly [number, number, number];
interface Face {
  /** Atom on the other side; −1 for the starting cube. */
  readonly neighbour: number;
  readonly corners: readonly Point[];
}

/** Voronoi cells: faces of atom i are start[i] … start[i + 1] − 1. */
export interface VoronoiCells {
  /** Å³; NaN where the cell is open, [n]. */
  readonly volume: Float64Array;
  /** 1 where neighbours within the cutoff close the cell on all sides; 0 at a surface, [n]. */
  readonly closed: Uint8Array;
  readonly start: Int32Array;
  /** Neighbour behind each face, nearest first. */
  readonly neighbour: Int32Array;
  /** Å². */
  readonly area: Float64Array;
  /** Corners of each face. */
  readonly corners: Uint8Array;
}

/**
 * Voronoi cell of every atom: a cube cut by the planes halfway to the neighbours, nearest first, until none can reach it.
 * @param cutoff - Å: neighbours further away make no face; a cell that they do not close is open. Twice the distance of neighbours is enough
 *   inside matter
 * @param leastArea - neighbours whose face is below this share of the surface of the cell are dropped (0.01 in the AET papers; default 0) and
 *   the faces given are those of the cell of the others, so their corners still obey Euler's relation. The volume is unchanged
 * @throws bad-shape, bad-value
 * @see Voronoi (1908) J. reine angew. Math. 134, 198; Rycroft (2009) Chaos 19, 041111
 */
export function voronoiCells(
  positions: Float64Array,
  cutoff: number,
  { leastArea = 0 }: { readonly leastArea?: number | undefined } = {},
): VoronoiCells {
  if (!(cutoff > 0)) fail("bad-value", { cutoff }, "the cutoff is a distance in Å, about twice that of neighbours");
  if (!(leastArea >= 0 && leastArea < 1)) fail("bad-value", { leastArea }, "leastArea is a share of the surface from 0 to below 1");
  const n = positions.length / 3,
    tree = kdTree(positions, 3),
    volume = new Float64Array(n).fill(Number.NaN),
    closed = new Uint8Array(n),
    start = new Int32Array(n + 1),
    neighbour: number[] = [],
    areas: number[] = [],
    corners: number[] = [];
  for (let a = 0; a < n; a++) {
    const near: { j: number; d2: number }[] = [];
    tree.within(positions.subarray(3 * a, 3 * a + 3), cutoff, (j, d2) => {
      if (j === a) return;
      if (d2 < 1e-12) fail("bad-value", { atoms: [a, j] }, "two atoms at one place: remove one");
      near.push({ j, d2 });
    });
    near.sort((p, q) => p.d2 - q.d2 || p.j - q.j);
    const vector = (j: number): Point => [0, 1, 2].map((c) => positions[3 * j + c]! - positions[3 * a + c]!) as unknown as Point;
    let faces = cutAll(near, vector, cutoff);
    // A corner further than half the cutoff could be cut by an atom that was not looked at.
    const shut = faces.every((f) => f.neighbour >= 0) && 4 * reach2(faces) <= cutoff * cutoff * (1 + 1e-9);
    let sizes = faces.map((f) => faceArea(f.corners));
    const surface = sizes.reduce((s, v) => s + v, 0);
    if (shut) {
      closed[a] = 1;
      volume[a] = faces.reduce((s, f, t) => {
        const j = f.neighbour;
        return s + (sizes[t]! * Math.sqrt(near.find((q) => q.j === j)!.d2)) / 6;
      }, 0);
    }
    if (leastArea > 0) {
      const kept = new Set(faces.filter((_, t) => sizes[t]! > leastArea * surface).map((f) => f.neighbour));
      if (kept.size < faces.length) {
        faces = cutAll(
          near.filter(({ j }) => kept.has(j)),
          vector,
          cutoff,
        );
        sizes = faces.map((f) => faceArea(f.corners));
      }
    }
    faces.forEach((f, t) => {
      // What is left of a plane that touches an edge or a corner is rounding.
      if (f.neighbour < 0 || sizes[t]! <= 1e-9 * surface) return;
      neighbour.push(f.neighbour);
      areas.push(sizes[t]!);
      corners.push(f.corners.length);
    });
    start[a + 1] = neighbour.length;
  }
  return {
    volume,
    closed,
    start,
    neighbour: Int32Array.from(neighbour),
    area: Float64Array.from(areas),
    corners: Uint8Array.from(corners),
  };
}

/**
 * Neighbours by Voronoi cells: all behind a face of a closed cell, and of an open cell those nearer than `reach`, Å. For `shortRangeOrder`.
 * @param reach - such as the first valley of the pair distribution; cells cut off at twice that are open at the surface alone
 * @throws bad-shape, bad-value
 */
export function voronoiNeighbours({ start, neighbour, closed }: VoronoiCells, positions: Float64Array, reach: number): NeighbourLists {
  if (positions.length !== 3 * closed.length)
    fail("bad-shape", { positions: positions.length, cells: closed.length }, "give the positions that the cells were made of");
  if (!(reach > 0)) fail("bad-value", { reach }, "the reach is a distance in Å, such as the first valley of the pair distribution");
  const index: number[] = [],
    from = new Int32Array(start.length);
  for (let a = 0; a < closed.length; a++) {
    const near = (j: number): boolean => Math.hypot(...[0, 1, 2].map((c) => positions[3 * j + c]! - positions[3 * a + c]!)) < reach;
    for (const j of neighbour.slice(start[a], start[a + 1]!).sort()) if (closed[a] || near(j)) index.push(j);
    from[a + 1] = index.length;
  }
  return { start: from, index: Int32Array.from(index) };
}

/** Voronoi index ⟨n₃, n₄, n₅, n₆⟩ of every atom: faces with 3, 4, 5, 6 corners, [n, 4]. */
export function voronoiIndex({ start, corners }: VoronoiCells): Uint8Array {
  const out = new Uint8Array(4 * (start.length - 1));
  for (let a = 0; a < start.length - 1; a++)
    for (let f = start[a]!; f < start[a + 1]!; f++) if (corners[f]! >= 3 && corners[f]! <= 6) out[4 * a + corners[f]! - 3]!++;
  return out;
}

/** The cube cut by the planes of neighbours, nearest first, while they can reach it. */
function cutAll(near: readonly { readonly j: number; readonly d2: number }[], vector: (j: number) => Point, cutoff: number): Face[] {
  let faces = cube(cutoff);
  for (const { j, d2 } of near) {
    if (d2 > 4 * reach2(faces)) break;
    faces = cut(faces, vector(j), d2, j);
  }
  return faces;
}

function cube(h: number): Face[] {
  return [0, 1, 2].flatMap((axis) =>
    [-h, h].map((w) => ({
      neighbour: -1,
      corners: [
        [-h, -h],
        [h, -h],
        [h, h],
        [-h, h],
      ].map(([u, v]) => (axis === 0 ? [w, u, v] : axis === 1 ? [v, w, u] : [u, v, w]) as Point),
    })),
  );
}

const reach2 = (faces: readonly Face[]): number => {
  let most = 0;
  for (const f of faces) for (const [x, y, z] of f.corners) most = Math.max(most, x * x + y * y + z * z);
  return most;
};

/** What lies on the near side of the plane p · d = d²/2. Each face is clipped (Sutherland–Hodgman); the new corners make the new face. */
function cut(faces: Face[], d: Point, d2: number, neighbour: number): Face[] {
  const height = (p: Point): number => p[0] * d[0] + p[1] * d[1] + p[2] * d[2] - d2 / 2,
    eps = 1e-10 * d2;
  if (faces.every((f) => f.corners.every((p) => height(p) <= eps))) return faces;
  const out: Face[] = [],
    rim: Point[] = [];
  const onRim = (p: Point): void => {
    if (!rim.some((q) => (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2 < 1e-14 * d2)) rim.push(p);
  };
  for (const f of faces) {
    const kept: Point[] = [],
      m = f.corners.length;
    for (let i = 0; i < m; i++) {
      const p = f.corners[i]!,
        q = f.corners[(i + 1) % m]!,
        hp = height(p),
        hq = height(q);
      if (hp <= eps) kept.push(p);
      if (Math.abs(hp) <= eps) onRim(p);
      else if (Math.abs(hq) > eps && hp > 0 !== hq > 0) {
        const t = hp / (hp - hq),
          c = [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])] as const;
        kept.push(c);
        onRim(c);
      }
    }
    if (kept.length >= 3) out.push({ neighbour: f.neighbour, corners: kept });
  }
  if (rim.length >= 3) out.push({ neighbour, corners: around(rim, d) });
  return out;
}

/** Corners in order around their centre, seen along d. */
function around(rim: readonly Point[], d: Point): Point[] {
  const centre = [0, 1, 2].map((c) => rim.reduce((s, p) => s + p[c as 0] / rim.length, 0)),
    other: Point = Math.abs(d[0]) < Math.abs(d[1]) ? [1, 0, 0] : [0, 1, 0],
    e1 = cross(d, other),
    e2 = cross(d, e1),
    n1 = Math.hypot(...e1),
    n2 = Math.hypot(...e2);
  const angle = (p: Point): number => {
    const r = [p[0] - centre[0]!, p[1] - centre[1]!, p[2] - centre[2]!] as const;
    return Math.atan2((r[0] * e2[0] + r[1] * e2[1] + r[2] * e2[2]) / n2, (r[0] * e1[0] + r[1] * e1[1] + r[2] * e1[2]) / n1);
  };
  return rim
    .map((p) => ({ p, at: angle(p) }))
    .sort((a, b) => a.at - b.at)
    .map(({ p }) => p);
}

const cross = (a: Point, b: Point): Point => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

function faceArea(corners: readonly Point[]): number {
  const sum = [0, 0, 0],
    o = corners[0]!;
  for (let i = 1; i + 1 < corners.length; i++) {
    const [p, q] = [corners[i]!, corners[i + 1]!];
    cross([p[0] - o[0], p[1] - o[1], p[2] - o[2]], [q[0] - o[0], q[1] - o[1], q[2] - o[2]]).forEach((v, c) => {
      sum[c]! += v / 2;
    });
  }
  return Math.hypot(...sum);
}
