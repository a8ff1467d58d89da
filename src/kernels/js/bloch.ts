import type { BlochKernels } from "../bloch.js";
import type { Arena } from "../memory.js";
import { besselRow } from "./bloch-bessel.js";

/** Plain TypeScript twin of assembly/bloch.ts: the reference of the conformance tests, and the fallback without WebAssembly. */
export function jsBloch(arena: Arena): BlochKernels {
  let f64 = arena.f64(0, 0),
    i32 = arena.i32(0, 0);
  const heap = (): Float64Array => {
    if (f64.buffer !== arena.memory.buffer || f64.length === 0) f64 = arena.f64(0, arena.memory.buffer.byteLength / 8);
    return f64;
  };
  const ints = (): Int32Array => {
    if (i32.buffer !== arena.memory.buffer || i32.length === 0) i32 = arena.i32(0, arena.memory.buffer.byteLength / 4);
    return i32;
  };
  const k: BlochKernels = {
    name: "js",
    arena,
    gemmWork: () => 64,
    fillReal: (n, key, table, centre, q, diagonal, f, shift, a, ld) => {
      const h = heap(),
        m = ints();
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < ld; j++)
          h[a / 8 + i * ld + j] =
            j >= n ? 0 : f * h[q / 8 + i]! * h[q / 8 + j]! * (i === j ? 0 : h[table / 8 + centre + m[key / 4 + i]! - m[key / 4 + j]!]!);
        h[a / 8 + i * ld + i] = f * (h[diagonal / 8 + i]! - shift);
      }
    },
    fillComplex: (n, key, table, centre, q, diagonal, u0, decay, hermitian, f, shift, a) => {
      const h = heap(),
        m = ints();
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const c = f * h[q / 8 + i]! * h[q / 8 + j]!,
            mirror = hermitian && j > i ? -1 : 1;
          const from = table / 8 + 2 * (centre + mirror * (m[key / 4 + i]! - m[key / 4 + j]!)),
            to = a / 8 + 2 * (i * n + j);
          h[to] = c * h[from]!;
          h[to + 1] = mirror * c * h[from + 1]!;
        }
        const to = a / 8 + 2 * (i * n + i);
        h[to] = f * (h[diagonal / 8 + i]! - shift);
        h[to + 1] = f * (u0 * h[q / 8 + i]! ** 2 - decay);
      }
    },
    rescale: (n, width, pairs, f, shift, decay, a) => {
      const h = heap(),
        at = a / 8;
      for (let i = 0; i < n * width; i++) h[at + i]! *= f;
      for (let i = 0; i < n; i++) {
        const p = at + i * width + (pairs ? 2 * i : i);
        h[p]! -= f * shift;
        if (pairs) h[p + 1]! -= f * decay;
      }
    },
    bessel: (times, tau, rho, capacity, out) => {
      const h = heap();
      let terms = 1;
      for (let t = 0; t < times; t++) {
        const needed = besselRow(rho * h[tau / 8 + t]!, capacity, h, out / 8 + t * capacity);
        if (needed < 0) return -1;
        terms = Math.max(terms, needed);
      }
      return terms;
    },
    vectorsReal: (n, a, ld, terms, v) => {
      const h = heap();
      h.fill(0, v / 8, v / 8 + terms * ld);
      h[v / 8] = 1;
      for (let s = 1; s < terms; s++) {
        const y = v / 8 + s * ld,
          x = y - ld,
          z = x - ld;
        for (let i = 0; i < n; i++) {
          const row = a / 8 + i * ld;
          let sum = 0;
          for (let j = 0; j < n; j++) sum += h[row + j]! * h[x + j]!;
          h[y + i] = s === 1 ? sum / 2 : sum - h[z + i]!;
        }
      }
    },
    vectorsComplex: (n, a, terms, v) => {
      const h = heap();
      h.fill(0, v / 8, v / 8 + 2 * terms * n);
      h[v / 8] = 1;
      for (let s = 1; s < terms; s++) {
        const y = v / 8 + 2 * s * n,
          x = y - 2 * n,
          z = x - 2 * n;
        for (let i = 0; i < n; i++) {
          const row = a / 8 + 2 * i * n;
          let re = 0,
            im = 0;
          for (let j = 0; j < 2 * n; j += 2) {
            re += h[row + j]! * h[x + j]! - h[row + j + 1]! * h[x + j + 1]!;
            im += h[row + j]! * h[x + j + 1]! + h[row + j + 1]! * h[x + j]!;
          }
          h[y + 2 * i] = s === 1 ? re / 2 : re - h[z + 2 * i]!;
          h[y + 2 * i + 1] = s === 1 ? im / 2 : im - h[z + 2 * i + 1]!;
        }
      }
    },
    combine: (times, terms, width, J, capacity, v, even, odd) => {
      const h = heap();
      for (let t = 0; t < times; t++) {
        h.fill(0, even / 8 + t * width, even / 8 + (t + 1) * width);
        h.fill(0, odd / 8 + t * width, odd / 8 + (t + 1) * width);
        for (let s = 0; s < terms; s++) {
          const at = J / 8 + t * capacity + s,
            c = h[at]! * (s === 0 ? 1 : 2) * (s & 2 ? -1 : 1);
          h[at] = c;
          const to = (s & 1 ? odd : even) / 8 + t * width,
            from = v / 8 + s * width;
          for (let i = 0; i < width; i++) h[to + i]! += c * h[from + i]!;
        }
      }
    },
    waves: (times, n, width, kind, turn, even, odd, out) => {
      const h = heap();
      for (let t = 0; t < times; t++) {
        const c = turn ? h[turn / 8 + 2 * t]! : 1,
          s = turn ? h[turn / 8 + 2 * t + 1]! : 0;
        for (let i = 0; i < n; i++) {
          const e = even / 8 + t * width,
            o = odd / 8 + t * width,
            to = out / 8 + 2 * (t * n + i);
          const re = kind === 0 ? h[e + i]! : h[e + 2 * i]! - h[o + 2 * i + 1]!,
            im = kind === 0 ? h[o + i]! : h[e + 2 * i + 1]! + h[o + 2 * i]!;
          h[to] = re * c - im * s;
          h[to + 1] = re * s + im * c;
        }
      }
    },
    averageIntensities: (times, n, psi, weights, q, out) => {
      const h = heap();
      h.fill(0, out / 8, out / 8 + n);
      let worst = 0;
      for (let t = 0; t < times; t++) {
        let flux = 0;
        for (let i = 0; i < n; i++) {
          const at = psi / 8 + 2 * (t * n + i),
            intensity = h[at]! ** 2 + h[at + 1]! ** 2;
          flux += intensity;
          h[out / 8 + i]! += h[weights / 8 + t]! * intensity;
        }
        worst = Math.max(worst, Number.isNaN(flux) ? Number.POSITIVE_INFINITY : Math.abs(flux - 1));
      }
      for (let i = 0; i < n; i++) h[out / 8 + i]! *= h[q / 8 + i]! ** 2;
      return worst;
    },
    solve: (
      kind,
      n,
      key,
      table,
      centre,
      q,
      diagonal,
      u0,
      decay,
      below0,
      above0,
      tolerance,
      times,
      tau,
      weights,
      capacity,
      scratch,
      out,
    ) => {
      const ld = kind === 0 ? (n + 1) & ~1 : n,
        width = kind === 0 ? ld : 2 * n;
      const v = scratch + 8 * n * width,
        J = v + 8 * capacity * width,
        even = J + 8 * times * capacity,
        odd = even + 8 * times * width,
        psi = odd + 8 * times * width,
        work = psi + 16 * times * n;
      const d = heap().subarray(diagonal / 8, diagonal / 8 + n);
      let lo = Number.POSITIVE_INFINITY,
        hi = Number.NEGATIVE_INFINITY,
        below = below0,
        above = above0,
        error = 0;
      for (const x of d) {
        lo = Math.min(lo, x);
        hi = Math.max(hi, x);
      }
      for (let attempt = 0; attempt < 8; attempt++) {
        const shift = 0.5 * (lo - below + hi + above),
          rho = Math.max(1e-9, 0.5 * (hi + above - lo + below));
        const terms = k.bessel(times, tau, rho, capacity, J);
        if (terms < 0) {
          heap()[out / 8] = Number.NaN;
          return -1;
        }
        if (kind === 0) {
          k.fillReal(n, key, table, centre, q, diagonal, 2 / rho, shift, scratch, ld);
          k.vectorsReal(n, scratch, ld, terms, v);
        } else {
          k.fillComplex(n, key, table, centre, q, diagonal, u0, decay, kind === 1 ? 1 : 0, 2 / rho, shift, scratch);
          k.vectorsComplex(n, scratch, terms, v, work);
        }
        k.combine(times, terms, width, J, capacity, v, even, odd, work);
        k.waves(times, n, width, kind === 0 ? 0 : 1, 0, even, odd, psi);
        error = k.averageIntensities(times, n, psi, weights, q, out);
        if (kind === 2 || error <= tolerance) break;
        below = 1.5 * below + 0.02 * (hi - lo) + 1e-6;
        above = 1.5 * above + 0.02 * (hi - lo) + 1e-6;
      }
      if (kind !== 2 && !(error <= tolerance)) heap()[out / 8] = Number.NaN;
      return error;
    },
    reverse: (n, ld, pairs, _hermitian, terms, a, y) => {
      const h = heap(),
        size = pairs ? 2 : 1,
        row = size * ld;
      for (let s = terms - 2; s >= 1; s--)
        for (let i = 0, p = y / 8 + s * row; i < n; i++)
          for (let part = 0; part < size; part++) {
            const at = p + size * i + part;
            let sum = h[at]! - (s + 2 < terms ? h[at + 2 * row]! : 0);
            for (let j = 0; j < n; j++) {
              const m = a / 8 + size * (j * ld + i),
                x = p + row + size * j;
              sum += h[m]! * h[x + part]!;
              if (pairs) sum += part ? -h[m + 1]! * h[x]! : h[m + 1]! * h[x + 1]!;
            }
            h[at] = sum;
          }
    },
    collect: (n, ld, pairs, g, a, q, slope, target, scale, u, sums) => {
      const h = heap(),
        m = ints(),
        size = pairs ? 2 : 1;
      let total = 0,
        sloped = 0;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          if (i === j) continue;
          const to = u / 8 + m[target / 4 + i * n + j]!,
            f = scale * h[q / 8 + i]! * h[q / 8 + j]!;
          let product = 0;
          for (let part = 0; part < size; part++) {
            const o = size * (i * ld + j) + part,
              x = h[g / 8 + o]!;
            h[to + part]! += f * x;
            product += x * h[a / 8 + o]!;
          }
          total += product;
          sloped += product * (h[slope / 8 + i]! + h[slope / 8 + j]!);
        }
      h[sums / 8] = total;
      h[sums / 8 + 1] = sloped;
    },
    scatter: (n, x, pairs, q, place, grid, points) => {
      const h = heap(),
        m = ints();
      h.fill(0, grid / 8, grid / 8 + 2 * points);
      for (let i = 0; i < n; i++) {
        const at = grid / 8 + 2 * m[place / 4 + i]!,
          f = h[q / 8 + i]!;
        h[at] = f * h[x / 8 + (pairs ? 2 * i : i)]!;
        h[at + 1] = pairs ? f * h[x / 8 + 2 * i + 1]! : 0;
      }
    },
    multiplyGrid: (points, grid, factor, realFactor) => {
      const h = heap();
      for (let i = 0; i < points; i++) {
        const at = grid / 8 + 2 * i,
          a = h[at]!,
          b = h[at + 1]!;
        const c = h[factor / 8 + (realFactor ? i : 2 * i)]!,
          d = realFactor ? 0 : h[factor / 8 + 2 * i + 1]!;
        h[at] = a * c - b * d;
        h[at + 1] = a * d + b * c;
      }
    },
    gatherStep: (n, pairs, grid, place, q, d, u0, decay, factor, scale, shift, x, z, y) => {
      const h = heap(),
        m = ints();
      for (let i = 0; i < n; i++) {
        const f = h[q / 8 + i]!,
          at = grid / 8 + 2 * m[place / 4 + i]!,
          e = h[d / 8 + i]! - shift;
        if (!pairs) {
          h[y / 8 + i] = factor * (f * scale * h[at]! + e * h[x / 8 + i]!) - (z ? h[z / 8 + i]! : 0);
          continue;
        }
        const xr = h[x / 8 + 2 * i]!,
          xi = h[x / 8 + 2 * i + 1]!,
          g = u0 * f * f - decay;
        h[y / 8 + 2 * i] = factor * (f * scale * h[at]! + e * xr - g * xi) - (z ? h[z / 8 + 2 * i]! : 0);
        h[y / 8 + 2 * i + 1] = factor * (f * scale * h[at + 1]! + e * xi + g * xr) - (z ? h[z / 8 + 2 * i + 1]! : 0);
      }
    },
  };
  return k;
}
