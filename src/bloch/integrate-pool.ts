import type { Pool } from "../core/pool.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { jacobianWasm } from "../kernels/jacobian.js";
import { type Arena, arena } from "../kernels/memory.js";
import { pullWasm } from "../kernels/pull.js";
import { sweepWasm } from "../kernels/sweep.js";

/** Workers for `sweepAll` and `pullAll` and the shared memory they work on. Close the pool when done. */
export async function sweepPool(
  options: { readonly workers?: number | undefined } = {},
): Promise<{ readonly pool: Pool; readonly arena: Arena }> {
  const memory = arena({ shared: true });
  return { pool: await arenaPool(memory, { sweep: sweepWasm, pull: pullWasm, jacobian: jacobianWasm }, options), arena: memory };
}
