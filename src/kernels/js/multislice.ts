import type { Arena } from "../memory.js";
import type { MultisliceKernels } from "../multislice.js";
import { type Line, line } from "./fft.js";
import { jsAxis } from "./fft-arrays.js";

type Heap = Float32Array | Float64Array;

/** Plain TypeScript twin of assembly/multislice.ts: whole transforms instead of fused ones, the reference of the conformance test. */
export function jsMultislice(arena: Arena): MultisliceKernels {
  const f32 = heapOf(arena, (bytes) => arena.f32(0, bytes / 4)),
    f64 = heapOf(arena, (bytes) => arena.f64(0, bytes / 8));
  const a = typed(arena, f32, 4),
    b = typed(arena, f64, 8);
  return {
    advance_f32: a.advance,
    advance_f64: b.advance,
    filter_f32: a.filter,
    filter_f64: b.filter,
    toReal_f32: a.toReal,
    toReal_f64: b.toReal,
    shifted_f32: a.shifted,
    shifted_f64: b.shifted,
    spread_f32: a.spread,
    spread_f64: b.spread,
    intensity_f32: a.intensity,
    intensity_f64: b.intensity,
    detect_f32: (wave, n, masks, detectors, out) => detect(f32(), f32(), f64(), wave / 4, n, masks / 4, detectors, out / 8),
    detect_f64: (wave, n, masks, detectors, out) => detect(f64(), f32(), f64(), wave / 8, n, masks / 4, detectors, out / 8),
    transmit_f32: a.transmit,
    transmit_f64: b.transmit,
    phases: (step, weight, count, lo, hi, out) => {
      const h = f64();
      for (let j = 0, o = out / 8; j < count; j++)
        for (let k = lo; k < hi; k++, o += 2) {
          const turn = h[step / 8 + j]!,
            p = (turn - Math.round(turn)) * k,
            t = 2 * Math.PI * (p - Math.round(p)),
            w = weight ? h[weight / 8 + j]! : 1;
          h[o] = w * Math.cos(t);
          h[o + 1] = -w * Math.sin(t);
        }
    },
    weigh: (spectrum, f, s, n) => {
      const h = f64();
      for (let i = 0; i < n; i++) {
        h[spectrum / 8 + 2 * i]! += h[f / 8 + i]! * h[s / 8 + 2 * i]!;
        h[spectrum / 8 + 2 * i + 1]! += h[f / 8 + i]! * h[s / 8 + 2 * i + 1]!;
      }
    },
  };
}

/** View of the whole memory, renewed when it has grown. */
function heapOf<H extends Heap>(arena: Arena, make: (bytes: number) => H): () => H {
  let view = make(0);
  return () => {
    if (view.buffer !== arena.memory.buffer || view.length === 0) view = make(arena.memory.buffer.byteLength);
    return view;
  };
}

function detect(w: Heap, m: Heap, o: Heap, wave: number, n: number, masks: number, detectors: number, out: number): void {
  for (let d = 0; d < detectors; d++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += m[masks + d * n + i]! * (w[wave + 2 * i]! ** 2 + w[wave + 2 * i + 1]! ** 2);
    o[out + d] = sum;
  }
}

function typed(arena: Arena, heap: () => Heap, size: 4 | 8) {
  const lines = new Map<number, Line>();
  const lineOf = (n: number): Line => {
    const l = lines.get(n) ?? line(n);
    lines.set(n, l);
    return l;
  };
  const shape = (plan: number) => {
    const [ny, nx, , , left, right] = arena.i32(plan, 6) as unknown as [number, number, number, number, number, number];
    return { ny, nx, left, right, n: nx * ny };
  };
  const multiply = (h: Heap, x: number, y: number, n: number): void => {
    for (let i = 0; i < 2 * n; i += 2) {
      const ar = h[x + i]!,
        ai = h[x + i + 1]!,
        br = h[y + i]!,
        bi = h[y + i + 1]!;
      h[x + i] = ar * br - ai * bi;
      h[x + i + 1] = ar * bi + ai * br;
    }
  };
  const transform = (h: Heap, plan: number, at: number, inverse: boolean): void => {
    const { ny, nx, left, right } = shape(plan);
    if (!inverse) {
      jsAxis(lineOf(nx), h, at, ny, 1, false, 1);
      for (let i = 0; i < ny; i++) h.fill(0, at + 2 * (i * nx + left), at + 2 * (i * nx + nx - right));
    }
    jsAxis(lineOf(ny), h, at, 1, nx, inverse, inverse ? 1 / ny : 1);
    if (inverse) jsAxis(lineOf(nx), h, at, ny, 1, true, 1 / nx);
  };
  const words = (ptr: number): readonly [number, number] => arena.i32(ptr, 2) as unknown as [number, number];
  return {
    advance: (plan: number, slices: number, first: number, last: number, wave: number, waves: number): void => {
      const h = heap(),
        { n } = shape(plan);
      for (let w = 0; w < waves; w++)
        for (let s = first; s < last; s++) {
          const at = wave / size + 2 * n * w,
            [t, propagator] = words(slices + 8 * s);
          transform(h, plan, at, true);
          multiply(h, at, t / size, n);
          transform(h, plan, at, false);
          multiply(h, at, propagator / size, n);
        }
    },
    filter: (plan: number, wave: number, factor: number, back: boolean): void => {
      const h = heap();
      transform(h, plan, wave / size, false);
      if (factor) multiply(h, wave / size, factor / size, shape(plan).n);
      if (back) transform(h, plan, wave / size, true);
    },
    toReal: (plan: number, wave: number): void => transform(heap(), plan, wave / size, true),
    shifted: (plan: number, amplitude: number, x: number, y: number, out: number): void => {
      const h = heap(),
        { ny, nx } = shape(plan);
      for (let i = 0, o = out / size, a = amplitude / size; i < ny; i++)
        for (let j = 0; j < nx; j++, o += 2, a += 2) {
          const yr = h[y / size + 2 * i]!,
            yi = h[y / size + 2 * i + 1]!,
            xr = h[x / size + 2 * j]!,
            xi = h[x / size + 2 * j + 1]!;
          const re = xr * yr - xi * yi,
            im = xr * yi + xi * yr;
          const ar = h[a]!,
            ai = h[a + 1]!;
          h[o] = re * ar - im * ai;
          h[o + 1] = re * ai + im * ar;
        }
    },
    spread: (from: number, my: number, mx: number, to: number, ny: number, nx: number): void => {
      const h = heap(),
        [source, target] = [from / size, to / size],
        place = (i: number, m: number, n: number): number => (i < m / 2 ? i : i - m + n);
      h.fill(0, target, target + 2 * ny * nx);
      for (let y = 0; y < my; y++)
        for (let x = 0; x < mx; x++)
          for (let k = 0; k < 2; k++) h[target + 2 * (place(y, my, ny) * nx + place(x, mx, nx)) + k] = h[source + 2 * (y * mx + x) + k]!;
    },
    intensity: (wave: number, n: number, out: number, weight: number, add: boolean): void => {
      const h = heap();
      for (let i = 0, w = wave / size, o = out / size; i < n; i++, w += 2, o++)
        h[o] = (add ? h[o]! : 0) + weight * (h[w]! ** 2 + h[w + 1]! ** 2);
    },
    transmit: (v: number, loss: number, sigma: number, n: number, out: number): void => {
      const h = heap();
      for (let i = 0, o = out / size; i < n; i++, o += 2) {
        const p = sigma * h[v / size + i]!,
          m = loss ? Math.exp(-sigma * h[loss / size + i]!) : 1;
        h[o] = m * Math.cos(p);
        h[o + 1] = m * Math.sin(p);
      }
    },
  };
}
