import { fail } from "../core/errors.js";
import type { PoolCall } from "../core/pool.js";
import { type Arena, defaultArena } from "../kernels/memory.js";
import { type ProjectorKernels, projectorKernels } from "../kernels/projector.js";
import { centreIndex } from "./layout.js";
import type { Poses } from "./poses.js";

export type Real = Float32Array | Float64Array;
export interface PlanOptions {
  /** [nz, ny, nx] of the volume; it may be larger than the views (an object that continues outside the field). */
  readonly volume: readonly [nz: number, ny: number, nx: number];
  /** [ny, nx] of the views; default those of the volume. */
  readonly detector?: readonly [ny: number, nx: number] | undefined;
  readonly poses: Poses;
  /** Where the centre of the object appears in each view, pixels from the centre of the view, flat [P, 2] (x, y). Default 0. */
  readonly shifts?: ArrayLike<number> | undefined;
  /** "f64" runs plain TypeScript in double precision: for checks. */
  readonly type?: "f32" | "f64" | undefined;
  readonly kernels?: "wasm" | "js" | undefined;
  readonly arena?: Arena | undefined;
  /** "linear" shares every voxel linearly, which is right for a mere back projection; default Joseph's weights. */
  readonly weights?: "joseph" | "linear" | undefined;
}

/** One call of a projector kernel. */
export interface KernelCall extends PoolCall {
  readonly family: "projector";
  readonly name: keyof ProjectorKernels;
}
/** Rows of y that one block holds when views are tilted about y: blocks are independent of each other and stay in the cache. */
const BLOCK = 32;
const EXACT = 1e-12;

/**
 * Geometry, memory layout and kernel calls of a projector. Volumes live in blocks of y (one block for general poses), y fastest:
 * [block][nz][na][row]; views likewise, with a border. Where the fast axis is better x (tilt axis along x), x and y are exchanged inside.
 */
export function projectorPlan(options: PlanOptions) {
  const { volume, poses, shifts, type = "f32", arena = defaultArena() } = options;
  const [nz, ny, nx] = volume,
    [dy, dx] = options.detector ?? [ny, nx];
  if ([nz, ny, nx, dy, dx].some((n) => !(Number.isInteger(n) && n >= 1 && n <= 16384)))
    fail("bad-shape", { volume, detector: [dy, dx] }, "volumes [nz, ny, nx] and views [ny, nx] have whole sizes of at least 1");
  const views = poses.length / 9;
  if (!(Number.isInteger(views) && views >= 1)) fail("bad-shape", { poses: poses.length }, "poses are flat [P, 9], at least one view");
  if (shifts && shifts.length !== 2 * views) fail("bad-shape", { shifts: shifts.length, views }, "shifts are flat [P, 2]");
  const k = projectorKernels(arena, type, options.kernels),
    bytes = type === "f32" ? 4 : 8;

  let along = 0;
  for (let p = 0; p < views; p++) along += Math.abs(poses[9 * p + 4]!) - Math.abs(poses[9 * p]!);
  const swapped = along < -1e-9;
  const [nb, na] = swapped ? [nx, ny] : [ny, nx],
    [nv, nu] = swapped ? [dx, dy] : [dy, dx];
  const geometry = new Float64Array(10 * views);
  let axis = nv === nb;
  for (let p = 0; p < views; p++) {
    const r = (i: number, j: number): number => poses[9 * p + 3 * i + j]!;
    const [a, b] = swapped ? [1, 0] : [0, 1];
    const centres = [centreIndex(na), centreIndex(nb), centreIndex(nz)] as const;
    const rows = [a, b].map((c) => [r(a, c), r(b, c), r(2, c)] as const);
    rows.forEach((row, i) => {
      const own = centreIndex(i === 0 ? nu : nv) + (shifts ? shifts[2 * p + (i === 0 ? a : b)]! : 0);
      geometry.set([...row, own - row[0] * centres[0] - row[1] * centres[1] - row[2] * centres[2]], 10 * p + 4 * i);
    });
    const [ux, uy, uz, , vx, vy, vz, v0] = geometry.subarray(10 * p, 10 * p + 8);
    // Joseph's weights where the rows of voxels lie along the tilt axis; in other poses rows of many phases average without them.
    geometry[10 * p + 8] = options.weights !== "linear" && Math.abs(uy!) < 0.1 ? 1 / Math.max(Math.abs(ux!), Math.abs(uz!)) : 1;
    axis &&= [uy!, vx!, vy! - 1, vz!, v0!].every((x) => Math.abs(x) < EXACT * 16384);
  }
  const row = axis ? Math.min(BLOCK, 8 * Math.ceil(nb / 8)) : 4 * Math.ceil(nb / 4);
  const blocks = axis ? Math.ceil(nb / row) : 1;
  const viewRow = axis ? row : 4 * Math.ceil((nv + 8) / 4),
    lead = axis ? 0 : 4;
  const volumeBlock = nz * na * row,
    oneView = (nu + 2) * viewRow,
    viewBlock = views * oneView;
  const owned: number[] = [];
  const alloc = (size: number): number => {
    const p = arena.alloc(size);
    owned.push(p);
    return p;
  };
  const geometryPtr = alloc(8 * geometry.length);
  arena.f64(geometryPtr, geometry.length).set(geometry);
  const array = (ptr: number, n: number): Real => (type === "f32" ? arena.f32(ptr, n) : arena.f64(ptr, n));
  const [stepA, stepB] = swapped ? [nx, 1] : [1, nx];
  const call = (name: keyof ProjectorKernels, ...args: number[]): KernelCall => ({ family: "projector", name, args });

  /** Visit runs along the fast axis: index in the inner array, index in the outer one, and its step. */
  const copyVolume = (move: (inner: number, outer: number, step: number, n: number) => void): void => {
    for (let b = 0; b < blocks; b++)
      for (let z = 0; z < nz; z++)
        for (let a = 0; a < na; a++)
          move(b * volumeBlock + (z * na + a) * row, z * ny * nx + a * stepA + b * row * stepB, stepB, Math.min(row, nb - b * row));
  };
  const copyViews = (move: (inner: number, outer: number, step: number, n: number) => void): void => {
    const [stepU, stepV] = swapped ? [dx, 1] : [1, dx];
    for (let b = 0; b < blocks; b++)
      for (let p = 0; p < views; p++)
        for (let u = 0; u < nu; u++)
          move(
            b * viewBlock + p * oneView + (u + 1) * viewRow + lead,
            p * dy * dx + u * stepU + b * row * stepV,
            stepV,
            axis ? Math.min(row, nb - b * row) : nv,
          );
  };
  const put = (copy: typeof copyVolume, length: number) => (ptr: number, data: ArrayLike<number>) => {
    const inner = array(ptr, length).fill(0);
    copy((i, o, step, n) => {
      for (let k = 0; k < n; k++) inner[i + k] = data[o + k * step]!;
    });
  };
  const get = (copy: typeof copyVolume, length: number) => (ptr: number, out: Real) => {
    const inner = array(ptr, length);
    copy((i, o, step, n) => {
      for (let k = 0; k < n; k++) out[o + k * step] = inner[i + k]!;
    });
  };
  const volumeLength = blocks * volumeBlock,
    viewsLength = blocks * viewBlock;
  return {
    kernels: k,
    arena,
    type,
    axis,
    views,
    volume: [nz, ny, nx] as const,
    detector: [dy, dx] as const,
    blocks,
    nz,
    /** Values in one plane z of a block, one view of a block, and in the whole inner arrays. */
    planeLength: na * row,
    viewLength: oneView,
    volumeLength,
    viewsLength,
    bytes,
    alloc,
    allocVolume: () => alloc(bytes * volumeLength),
    allocViews: () => alloc(bytes * viewsLength),
    allocPlane: () => alloc(bytes * na * row),
    array,
    /** Address of plane z of block b, and of view p of block b. */
    planeAt: (ptr: number, b: number, z: number) => ptr + bytes * (b * volumeBlock + z * na * row),
    viewAt: (ptr: number, b: number, p: number) => ptr + bytes * (b * viewBlock + p * oneView),
    /** Outer arrays [nz, ny, nx] and [P, ny, nx] into inner ones and back; borders become 0. */
    putVolume: put(copyVolume, volumeLength),
    getVolume: get(copyVolume, volumeLength),
    putViews: put(copyViews, viewsLength),
    getViews: get(copyViews, viewsLength),
    clearViews: (ptr: number, b: number, p: number, count: number): KernelCall =>
      call("clear", ptr + bytes * (b * viewBlock + p * oneView), bytes * oneView * count),
    /** Views p0 … p1 − 1 of block b += projections of the volume. */
    forward: (vol: number, out: number, b: number, p0: number, p1: number): KernelCall => {
      const [v, w] = [vol + bytes * b * volumeBlock, out + bytes * b * viewBlock];
      return axis
        ? call("axisForward", v, w, geometryPtr, p0, p1, nz, na, nu, row)
        : call("poseForward", v, w, geometryPtr, p0, p1, nz, na, nb, nu, nv, row, viewRow);
    },
    /** Plane z of block b of the back projection of views first … first + count − 1. */
    adjoint: (out: number, data: number, b: number, z: number, first = 0, count = views): KernelCall => {
      const w = data + bytes * (b * viewBlock + first * oneView),
        g = geometryPtr + 80 * first;
      return axis
        ? call("axisAdjoint", out, w, g, count, z, na, nu, row)
        : call("poseAdjoint", out, w, g, count, z, na, nb, nu, nv, row, viewRow);
    },
    call,
    /** Run a call in this thread. */
    run: (c: KernelCall): void => (k[c.name] as (...args: readonly number[]) => void)(...c.args),
    free: (): void => {
      for (const p of owned.splice(0)) arena.free(p);
    },
  };
}
export type ProjectorPlan = ReturnType<typeof projectorPlan>;
