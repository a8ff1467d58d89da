import { projectorWasm } from "./generated/projector.js";
import { jsProjectorKernels } from "./js/projector.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { projectorWasm } from "./generated/projector.js";

type N = number;
/**
 * Parallel-beam projector of a volume onto views, and its exact adjoint: voxel (x, y, z) falls on the detector at
 * u = u0 + ux·x + uy·y + uz·z, v = v0 + vx·x + vy·y + vz·z and is shared by the pixels around it: across u with weights s·(1 − s·|Δu|) within
 * 1/s <= 1 (Joseph's interpolation when 1/s is the larger of |ux| and |uz|), across v with 1 − |Δv|.
 * Arrays are addresses (bytes) in an arena; y runs fastest: volume [nz][nx][row], views [P][nu + 2][row] with a border row on both sides.
 * `geometry` is always f64 [P][10]: ux uy uz u0 vx vy vz v0 s 0. The pose pair has 4 border values before v = 0 and at least 4 behind v = nv − 1.
 * Nothing is checked.
 */
export interface ProjectorKernels {
  /** Tilts about y (v = y): views p0 … p1 − 1 += projections. row is a multiple of 8. */
  axisForward(vol: N, views: N, geometry: N, p0: N, p1: N, nz: N, nx: N, nu: N, row: N): void;
  /** One plane z of the back projection of `count` views into out [nx][row]. */
  axisAdjoint(out: N, views: N, geometry: N, count: N, z: N, nx: N, nu: N, row: N): void;
  /** Any pose. row is a multiple of 4, the values behind ny are zero; viewRow >= nv + 8. */
  poseForward(vol: N, views: N, geometry: N, p0: N, p1: N, nz: N, nx: N, ny: N, nu: N, nv: N, row: N, viewRow: N): void;
  poseAdjoint(out: N, views: N, geometry: N, count: N, z: N, nx: N, ny: N, nu: N, nv: N, row: N, viewRow: N): void;
  /**
   * views = weight·(data − views) over n values (a multiple of 4); weight 0 leaves out, < 0 withholds (result 0). sums, four f64:
   * Σ|data − views|, Σ(data − views)² where weight > 0; the same where weight < 0.
   */
  residual(views: N, data: N, weight: N, n: N, sums: N): void;
  /** x += step·scale·g; x = max(x, 0) when positive; x *= support. scale and support may be 0 (absent). n is a multiple of 4. */
  descend(x: N, g: N, scale: N, support: N, n: N, step: N, positive: N): void;
  /** x += beta·(x − old) while old becomes the former x. n is a multiple of 4. */
  advance(x: N, old: N, n: N, beta: N): void;
  /** Zeros. */
  clear(p: N, bytes: N): void;
}

/** WebAssembly in single precision where it can run, else (or for f64) plain TypeScript on the same memory. */
export function projectorKernels(arena: Arena, type: "f32" | "f64" = "f32", kernels?: "wasm" | "js"): ProjectorKernels {
  return type === "f32" && kernels !== "js" && wasmAvailable()
    ? arena.family<ProjectorKernels>(projectorWasm)
    : jsProjectorKernels(arena, type);
}
