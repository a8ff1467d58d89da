import type { Pool, PoolTask } from "../core/pool.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { type AtomKernels, atomKernels, atomsWasm } from "../kernels/atoms.js";
import { jsAtomKernels } from "../kernels/js/atoms.js";
import { type Arena, arena, wasmAvailable } from "../kernels/memory.js";
import type { PosedProjections } from "./atom-model.js";

export interface EngineOptions {
  readonly workers?: number | undefined;
  /** "js" runs the TypeScript twin of the kernels in this thread. */
  readonly backend?: "wasm" | "js" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Pixels of a patch: at least 3.5 widths on either side of the centre (2·10⁻³ of the peak), a multiple of 4. */
export function patchSize(widthPixels: number): number {
  return Math.max(8, 4 * Math.ceil((7 * widthPixels + 2) / 4));
}

/** Coefficients of one view: f32 [n, 4] for `forward`, f64 [3] for the background plane. */
export interface ViewInput {
  readonly c: Float32Array;
  readonly b: Float64Array;
}

/**
 * Memory and kernels behind a refinement: padded images, patches and per-view scratch live in one arena, views are tasks of a pool.
 * Results are read per view and summed by the caller in the order of views, so that any number of workers gives the same bits.
 */
export class AtomEngine {
  readonly views: number;
  readonly ny: number;
  readonly nx: number;
  readonly pad: number;
  readonly stride: number;
  /** Pixels of a padded image, a multiple of 4. */
  readonly count: number;
  private readonly at: Record<"data" | "model" | "weight" | "image" | "scratch" | "bIn" | "bOut" | "chi", number>;
  private atoms: Record<"centres" | "width" | "origin" | "g" | "frac" | "c" | "out", number> | undefined;
  private readonly kernels: AtomKernels;
  n = 0;

  private constructor(
    readonly memory: Arena,
    private readonly pool: Pool | undefined,
    js: boolean,
    projections: PosedProjections,
    /** Patch size W. */
    readonly W: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    const [views, ny, nx] = projections.shape;
    [this.views, this.ny, this.nx, this.pad] = [views, ny, nx, W];
    this.stride = nx + 2 * W;
    this.count = 4 * Math.ceil((this.stride * (ny + 2 * W)) / 4);
    const images = (): number => {
      const p = memory.alloc(4 * views * this.count);
      memory.f32(p, views * this.count).fill(0);
      return p;
    };
    this.at = {
      data: images(),
      model: images(),
      weight: images(),
      image: images(),
      scratch: memory.alloc(4 * W * views + 64),
      bIn: memory.alloc(24 * views),
      bOut: memory.alloc(24 * views),
      chi: memory.alloc(8 * views),
    };
    this.kernels = js ? jsAtomKernels(memory) : atomKernels(memory);
    const { mask } = projections,
      size = ny * nx;
    for (let i = 0; i < views; i++) {
      const view = projections.projections.subarray(i * size, (i + 1) * size);
      this.setImage("data", i, mask ? view.map((v, j) => (mask[i * size + j] ? 0 : v)) : view);
    }
  }

  static async create(projections: PosedProjections, widestPixels: number, options: EngineOptions = {}): Promise<AtomEngine> {
    const js = options.backend === "js" || !wasmAvailable();
    const threaded = !js && options.workers !== 1;
    const memory = arena({ shared: threaded });
    const pool = threaded ? await arenaPool(memory, { atoms: atomsWasm }, { workers: options.workers }) : undefined;
    return new AtomEngine(memory, pool, js, projections, patchSize(widestPixels), options.signal);
  }

  async close(): Promise<void> {
    await this.pool?.close();
  }

  /** Copy an unpadded image into the middle of a padded one. */
  setImage(kind: "data" | "weight", view: number, values: Float32Array): void {
    const to = this.memory.f32(this.at[kind] + 4 * view * this.count, this.count);
    for (let y = 0; y < this.ny; y++) to.set(values.subarray(y * this.nx, (y + 1) * this.nx), (y + this.pad) * this.stride + this.pad);
  }

  /** An unpadded copy. */
  image(kind: "data" | "model" | "weight" | "image", view: number): Float32Array {
    const from = this.memory.f32(this.at[kind] + 4 * view * this.count, this.count),
      out = new Float32Array(this.ny * this.nx);
    for (let y = 0; y < this.ny; y++) {
      const o = (y + this.pad) * this.stride + this.pad;
      out.set(from.subarray(o, o + this.nx), y * this.nx);
    }
    return out;
  }

  /** Room for n atoms; what was there is lost. */
  resize(n: number): void {
    if (this.atoms) for (const p of Object.values(this.atoms)) this.memory.free(p);
    const { views, W, memory } = this;
    this.n = n;
    this.atoms = {
      centres: memory.alloc(16 * views * n),
      width: memory.alloc(8 * views * n),
      origin: memory.alloc(4 * views * n),
      g: memory.alloc(8 * W * views * n),
      frac: memory.alloc(8 * views * n),
      c: memory.alloc(16 * views * n),
      out: memory.alloc(60 * views * n),
    };
  }

  private async each(task: (view: number) => PoolTask): Promise<number[]> {
    this.signal?.throwIfAborted();
    const tasks = Array.from({ length: this.views }, (_, i) => task(i));
    if (this.pool) return this.pool.run(tasks, { signal: this.signal });
    const k = this.kernels as unknown as Record<string, (...args: readonly number[]) => number>;
    const values: number[] = [];
    for (const calls of tasks) {
      let value = 0;
      for (const { name, args } of calls) value = k[name]!(...args);
      values.push(value);
    }
    return values;
  }

  private view(i: number) {
    const { n, W, count, at } = this,
      a = this.atoms!;
    return {
      centres: a.centres + 16 * i * n,
      width: a.width + 8 * i * n,
      origin: a.origin + 4 * i * n,
      g: a.g + 8 * W * i * n,
      frac: a.frac + 8 * i * n,
      c: a.c + 16 * i * n,
      out: a.out + 60 * i * n,
      data: at.data + 4 * i * count,
      model: at.model + 4 * i * count,
      weight: at.weight + 4 * i * count,
      image: at.image + 4 * i * count,
      scratch: at.scratch + 4 * W * i,
      bIn: at.bIn + 24 * i,
      bOut: at.bOut + 24 * i,
    };
  }

  /** Patches of all views from centres (x, y) in pixels and widths in pixels. */
  async place(centres: (view: number, into: Float64Array) => void, widths: Float64Array): Promise<void> {
    const { n, W, ny, nx, pad } = this;
    for (let i = 0; i < this.views; i++) {
      const v = this.view(i);
      centres(i, this.memory.f64(v.centres, 2 * n));
      this.memory.f64(v.width, n).set(widths);
    }
    await this.each((i) => {
      const v = this.view(i);
      return [{ family: "atoms", name: "patches", args: [n, v.centres, v.width, W, ny, nx, pad, v.origin, v.g, v.frac] }];
    });
  }

  private input(input: (view: number, into: ViewInput) => void): void {
    for (let i = 0; i < this.views; i++) {
      const v = this.view(i);
      input(i, { c: this.memory.f32(v.c, 4 * this.n), b: this.memory.f64(v.bIn, 3) });
    }
  }

  /** Model images from coefficients, then weighted residuals into `image`; returns χ² of every view. */
  async residuals(input: (view: number, into: ViewInput) => void): Promise<number[]> {
    const { n, W, ny, nx, pad, stride } = this;
    this.input(input);
    return this.each((i) => {
      const v = this.view(i);
      return [
        { family: "atoms", name: "plane", args: [ny, nx, pad, v.bIn, v.model] },
        { family: "atoms", name: "forward", args: [n, W, stride, v.origin, v.g, v.frac, v.c, v.model, v.scratch] },
        { family: "atoms", name: "residual", args: [ny, nx, pad, v.data, v.model, v.weight, v.image] },
      ];
    });
  }

  /** Jᵀ of the weighted residuals that `residuals` left. */
  async gradient(output: (view: number, out: Float32Array, sums: Float64Array) => void): Promise<void> {
    const { n, W, ny, nx, pad, stride } = this;
    await this.each((i) => {
      const v = this.view(i);
      return [
        { family: "atoms", name: "adjoint", args: [n, W, stride, v.origin, v.g, v.frac, v.image, v.out] },
        { family: "atoms", name: "planeSums", args: [ny, nx, pad, v.image, v.bOut] },
      ];
    });
    this.output(output, 4);
  }

  /** Jᵀ W J of coefficients, view by view. */
  async normal(
    input: (view: number, into: ViewInput) => void,
    output: (view: number, out: Float32Array, sums: Float64Array) => void,
  ): Promise<void> {
    const { n, W, ny, nx, pad, count } = this;
    this.input(input);
    await this.each((i) => {
      const v = this.view(i);
      const args = [n, W, ny, nx, pad, count, v.origin, v.g, v.frac, v.c, v.bIn, v.image, v.weight, v.out, v.bOut, v.scratch];
      return [{ family: "atoms", name: "normal", args }];
    });
    this.output(output, 4);
  }

  /** The fifteen moments of the weights under each squared patch. */
  async moments(output: (view: number, out: Float32Array) => void): Promise<void> {
    const { n, W, stride } = this;
    await this.each((i) => {
      const v = this.view(i);
      return [{ family: "atoms", name: "moments", args: [n, W, stride, v.origin, v.g, v.frac, v.weight, v.out] }];
    });
    this.output(output, 15);
  }

  private output(output: (view: number, out: Float32Array, sums: Float64Array) => void, width: number): void {
    for (let i = 0; i < this.views; i++) {
      const v = this.view(i);
      output(i, this.memory.f32(v.out, width * this.n), this.memory.f64(v.bOut, 3));
    }
  }
}
