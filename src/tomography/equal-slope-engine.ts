import type { PoolCall } from "../core/pool.js";
import { rng } from "../core/rng.js";
import { GROUP, type SectorViews } from "./equal-slope-data.js";
import { pseudoPolar, type Sector } from "./pseudo-polar.js";
import type { Runner } from "./runner.js";

export interface EqualSlopeSize {
  /** [nz, across]. */
  readonly slice: readonly [number, number];
  readonly pairs: number;
  readonly radial: number;
  readonly steps: number;
  readonly views: number;
}
interface EngineOptions extends EqualSlopeSize {
  readonly sectors: readonly SectorViews[];
  readonly line: Int32Array;
  readonly positive: boolean;
  readonly support: boolean;
}
/** Figures of the volume before a step; `squares` grows with Σ w |F − M|², the function that is minimised. */
export interface EqualSlopeFigures {
  readonly rkMagnitude: number;
  readonly rkComplex: number;
  readonly rkFree?: number;
  readonly squares: number;
}

/** Groups worked on at a time: the number of work arrays, whatever the number of workers. */
const TOGETHER = 8,
  SUMS = 6,
  POWER = 12;

/** Memory and steps of an equal-slope reconstruction: volume, former volume and gradient as complex pairs of slices. */
export function equalSlopeEngine(run: Runner, o: EngineOptions) {
  const { arena } = run,
    [nz, across] = o.slice,
    { pairs, radial } = o,
    plan = pseudoPolar({ arena, slice: o.slice, radial, steps: o.steps }),
    perPair = 2 * nz * across,
    length = pairs * perPair;
  const groups = Array.from({ length: Math.ceil(pairs / GROUP) }, (_, g) => ({
    at: 4 * GROUP * g * perPair,
    count: Math.min(GROUP, pairs - GROUP * g),
  }));
  const block = (): number => {
    const p = arena.alloc(4 * length + 16);
    arena.f32(p, length).fill(0);
    return p;
  };
  const [volume, former, gradient, support] = [block(), block(), block(), o.support ? block() : 0],
    sums = arena.alloc(8 * SUMS * groups.length);
  const rooms = Array.from({ length: Math.min(TOGETHER, groups.length) }, () => ({
    work: arena.alloc(plan.workBytes(GROUP)),
    scratch: arena.alloc(plan.scratchBytes),
    spare: arena.alloc(16 * o.views),
  }));
  const sectors = o.sectors.map(({ sector, views }) => {
    const column = arena.alloc(4 * views.length),
      size = (radial / 2 + 1) * views.length,
      weight = arena.alloc(4 * size);
    arena.i32(column, views.length).set(views.map((p) => Math.floor(plan.width / 2) + o.line[p]!));
    const data = groups.map((g) => arena.alloc(8 * radial * g.count * views.length));
    return { sector, count: views.length, column, weight, size, data };
  });
  const of = (sector: Sector) => sectors.find((s) => s.sector === sector)!;

  /** Residual of group g, and its gradient when wanted. */
  const residual = (g: number, back: boolean): PoolCall[] => {
    const { work, scratch, spare } = rooms[g % TOGETHER]!,
      { at, count } = groups[g]!;
    return sectors.flatMap((s, i) => [
      ...plan.forward(s.sector, volume + at, count, work, scratch),
      {
        family: "slopes",
        name: "residual",
        args: [work, s.data[g]!, s.weight, s.column, s.count, radial, count, plan.width, spare, sums + 8 * SUMS * g],
      },
      ...(back ? plan.adjoint(s.sector, work, gradient + at, count, scratch, i > 0) : []),
    ]);
  };
  const runGroups = async (make: (g: number) => PoolCall[], signal?: AbortSignal): Promise<void> => {
    for (let from = 0; from < groups.length; from += TOGETHER)
      await run.run(
        groups.slice(from, from + TOGETHER).map((_, i) => make(from + i)),
        signal,
      );
  };
  const figures = (): EqualSlopeFigures => {
    const s = new Float64Array(SUMS);
    arena.f64(sums, SUMS * groups.length).forEach((v, i) => {
      s[i % SUMS]! += v;
    });
    return {
      rkMagnitude: s[0]! / s[2]!,
      rkComplex: s[1]! / s[2]!,
      ...(s[4]! > 0 ? { rkFree: s[3]! / s[4]! } : {}),
      squares: s[5]!,
    };
  };
  const clear = (): void => void arena.f64(sums, SUMS * groups.length).fill(0);
  return {
    volume: () => arena.f32(volume, length),
    former: () => arena.f32(former, length),
    support: () => (support ? arena.f32(support, length) : undefined),
    weights: (sector: Sector) => arena.f32(of(sector).weight, of(sector).size),
    data: (sector: Sector, g: number) => arena.f32(of(sector).data[g]!, 2 * radial * groups[g]!.count * of(sector).count),
    /** Largest eigenvalue of Fᴴ w F on one pair of slices, a little above the estimate of a power iteration. */
    norm: async (signal?: AbortSignal): Promise<number> => {
      const draw = rng(1).fork("power iteration"),
        { work, scratch, spare } = rooms[0]!,
        widest = Math.max(...sectors.map((s) => s.count));
      const zeros = arena.alloc(8 * radial * widest);
      arena.f32(zeros, 2 * radial * widest).fill(0);
      const x = (p: number): Float32Array => arena.f32(p, perPair);
      x(volume).forEach((_, i, a) => {
        a[i] = draw.uniform();
      });
      const calls = sectors.flatMap((s, i) => [
        ...plan.forward(s.sector, volume, 1, work, scratch),
        { family: "slopes", name: "residual", args: [work, zeros, s.weight, s.column, s.count, radial, 1, plan.width, spare, sums] },
        ...plan.adjoint(s.sector, work, gradient, 1, scratch, i > 0),
      ]);
      let norm = 1;
      for (let k = 0; k < POWER; k++) {
        await run.run([calls], signal);
        norm = Math.sqrt(x(gradient).reduce((s, v) => s + v * v, 0) / x(volume).reduce((s, v) => s + v * v, 0));
        const g = x(gradient).map((v) => -v / norm);
        x(volume).set(g);
      }
      x(volume).fill(0);
      arena.free(zeros);
      return 1.1 * norm;
    },
    evaluate: async (signal?: AbortSignal): Promise<EqualSlopeFigures> => {
      clear();
      await runGroups((g) => residual(g, false), signal);
      return figures();
    },
    /** One step of every slice: down the gradient, constraints, then on by `beta` times the way since the former volume, which is kept apart. */
    step: async (size: number, beta: number, signal?: AbortSignal): Promise<EqualSlopeFigures> => {
      clear();
      await runGroups((g) => {
        const { at, count } = groups[g]!,
          n = count * perPair,
          projector = (name: string, ...args: number[]): PoolCall => ({ family: "projector", name, args });
        return [
          ...residual(g, true),
          projector("descend", volume + at, gradient + at, 0, support && support + at, n, size, o.positive ? 1 : 0),
          projector("advance", volume + at, former + at, n, beta),
        ];
      }, signal);
      return figures();
    },
  };
}
export type EqualSlopeEngine = ReturnType<typeof equalSlopeEngine>;

/** Bytes of kernel memory. */
export function equalSlopeMemory({ slice: [nz, across], pairs, radial, steps, views }: EqualSlopeSize, support: boolean): number {
  const width = Math.max(nz, across, 2 * steps + 1),
    rooms = Math.min(TOGETHER, Math.ceil(pairs / GROUP));
  const tables = (radial / 2 + 1) * 8 * (width + 10 * width);
  return 8 * pairs * nz * across * (support ? 4 : 3) + 8 * radial * pairs * views + rooms * 8 * radial * GROUP * width + tables + 2 ** 22;
}
