/** Core: frames of reference, errors, jobs with progress and abort, keyed random numbers, worker pool. */

export type { Details, ErrorCode } from "./errors.js";
export { fail, isSdkError, SdkError } from "./errors.js";
export type { Frame, Map3, Vec3 } from "./frames.js";
export { apply, compose, cross, determinant, dot, inverse, norm, transpose } from "./frames.js";
export type { Image, TypedArray } from "./image.js";
export { printable } from "./inspect.js";
export type { Progress, RunOptions, Steps } from "./job.js";
export { runAsync, runSync } from "./job.js";
export type { NdView } from "./ndview.js";
export { contiguous, imageOf, isContiguous, ndView, pick, rowMajorStride } from "./ndview.js";
export type { Pool, PoolCall, PoolOptions, PoolRun, PoolTask } from "./pool.js";
export { workerPool } from "./pool.js";
export { availableParallelism } from "./pool-thread.js";
export type { Rng } from "./rng.js";
export { rng } from "./rng.js";
