/** Plain TypeScript twin of assembly/images.ts: the reference in conformance tests and the fallback without WebAssembly. Same bits. */
import { edgeRule, type ImageKernels } from "../images.js";
import { edgeIndex, padded } from "./images-pad.js";
import { extreme, median, medianU16 } from "./images-rank.js";

const f = Math.fround;

export const jsImageKernels: ImageKernels = {
  name: "js",
  separable(data, ny, nx, wy, wx, edge) {
    const ry = (wy.length - 1) / 2,
      rx = (wx.length - 1) / 2,
      rule = edgeRule[edge];
    const out = new Float32Array(data.length),
      row = new Float32Array(nx + 2 * rx);
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        let acc = 0;
        for (let k = 0; k < wy.length; k++) {
          const s = edgeIndex(y + k - ry, ny, rule);
          const term = f(wy[k]! * (s < 0 ? 0 : data[s * nx + x]!));
          acc = k === 0 ? term : f(acc + term);
        }
        row[rx + x] = acc;
      }
      for (let k = 1; k <= rx; k++) {
        const a = edgeIndex(-k, nx, rule),
          b = edgeIndex(nx - 1 + k, nx, rule);
        row[rx - k] = a < 0 ? 0 : row[rx + a]!;
        row[rx + nx - 1 + k] = b < 0 ? 0 : row[rx + b]!;
      }
      for (let x = 0; x < nx; x++) {
        let acc = f(wx[0]! * row[x]!);
        for (let k = 1; k < wx.length; k++) acc = f(acc + f(wx[k]! * row[x + k]!));
        out[y * nx + x] = acc;
      }
    }
    return out;
  },
  correlate(data, ny, nx, weights, ry, rx, edge) {
    const p = padded(data, ny, nx, ry, rx, edgeRule[edge], 0),
      px = nx + 2 * rx,
      out = new Float32Array(data.length);
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        let acc = 0;
        for (let j = 0, w = 0; j <= 2 * ry; j++)
          for (let i = 0; i <= 2 * rx; i++, w++) if (weights[w] !== 0) acc = f(acc + f(weights[w]! * p[(y + j) * px + x + i]!));
        out[y * nx + x] = acc;
      }
    return out;
  },
  extreme,
  median,
  medianU16,
  localMoments(data, mask, ny, nx, ry, rx, edge, want) {
    const rule = edgeRule[edge],
      n = data.length;
    const mean = new Float32Array(n),
      variance = want.variance ? new Float32Array(n) : undefined,
      count = want.count ? new Float32Array(n) : undefined;
    const sums = new Float64Array(nx),
      squares = new Float64Array(nx),
      counts = new Float64Array(nx);
    const addRow = (y: number, sign: number): void => {
      const r = edgeIndex(y, ny, rule);
      if (r < 0) return;
      for (let x = 0, i = r * nx; x < nx; x++, i++) {
        if (mask && mask[i] !== 0) continue;
        const v = data[i]!,
          sv = sign * v;
        sums[x]! += sv;
        squares[x]! += sv * v;
        if (mask) counts[x]! += sign;
      }
    };
    const at = (a: Float64Array, x: number): number => {
      const i = edgeIndex(x, nx, rule);
      return i < 0 ? 0 : a[i]!;
    };
    for (let y = -ry; y < ry; y++) addRow(y, 1);
    for (let y = 0; y < ny; y++) {
      addRow(y + ry, 1);
      if (!mask) counts.fill(rule === 0 ? Math.min(ny - 1, y + ry) - Math.max(0, y - ry) + 1 : 2 * ry + 1);
      let s = 0,
        q = 0,
        c = 0;
      for (let x = -rx; x < rx; x++) {
        s += at(sums, x);
        c += at(counts, x);
        q += at(squares, x);
      }
      for (let x = 0; x < nx; x++) {
        if (x - rx - 1 >= 0 && x + rx < nx) {
          s += sums[x + rx]! - sums[x - rx - 1]!;
          c += counts[x + rx]! - counts[x - rx - 1]!;
          q += squares[x + rx]! - squares[x - rx - 1]!;
        } else {
          s += at(sums, x + rx);
          c += at(counts, x + rx);
          q += at(squares, x + rx);
          if (x > 0) {
            s -= at(sums, x - rx - 1);
            c -= at(counts, x - rx - 1);
            q -= at(squares, x - rx - 1);
          }
        }
        const i = y * nx + x,
          m = c > 0 ? s / c : Number.NaN;
        mean[i] = m;
        if (variance) variance[i] = c > 0 ? Math.max(0, q / c - m * m) : Number.NaN;
        if (count) count[i] = c;
      }
      addRow(y - ry, -1);
    }
    return { mean, variance, count };
  },
  accumulate(sum, squares, frames, n) {
    const size = sum.length;
    for (let k = 0; k < n; k++)
      for (let i = 0; i < size; i++) {
        const v = frames[k * size + i]!;
        sum[i]! += v;
        if (squares) squares[i]! += v * v;
      }
  },
  bin(data, mask, ny, nx, factor, saturation) {
    const by = Math.floor(ny / factor),
      bx = Math.floor(nx / factor),
      limit = f(saturation);
    const out = new Float32Array(by * bx),
      bad = new Uint8Array(by * bx);
    for (let y = 0; y < by; y++)
      for (let x = 0; x < bx; x++) {
        let s = 0,
          n = 0,
          over = false;
        for (let j = 0; j < factor; j++) {
          const at = (y * factor + j) * nx + x * factor;
          for (let i = at; i < at + factor; i++) {
            if (mask && mask[i] !== 0) continue;
            const v = data[i]!;
            if (v >= limit) over = true;
            s += v;
            n++;
          }
        }
        out[y * bx + x] = n > 0 ? s * ((factor * factor) / n) : Number.NaN;
        bad[y * bx + x] = over || n === 0 ? 1 : 0;
      }
    return { data: out, bad };
  },
  totals(data, mask) {
    let count = 0,
      s = 0,
      q = 0,
      low = Number.POSITIVE_INFINITY,
      high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < data.length; i++) {
      if (mask && mask[i] !== 0) continue;
      const v = data[i]!;
      if (!Number.isFinite(v)) continue;
      count++;
      s += v;
      q += v * v;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    return Float64Array.of(count, s, q, low, high);
  },
  match(data, nx, y0, x0, template, ty, tx, ry, rx) {
    const out = new Float64Array((2 * ry + 1) * (2 * rx + 1));
    for (let dy = -ry, o = 0; dy <= ry; dy++)
      for (let dx = -rx; dx <= rx; dx++, o++) {
        let total = 0;
        for (let y = 0; y < ty; y++) {
          const a = y * tx,
            b = (y0 + y + dy) * nx + x0 + dx;
          let even = 0,
            odd = 0,
            x = 0;
          for (; x + 2 <= tx; x += 2) {
            even += template[a + x]! * data[b + x]!;
            odd += template[a + x + 1]! * data[b + x + 1]!;
          }
          total += even + odd;
          for (; x < tx; x++) total += template[a + x]! * data[b + x]!;
        }
        out[o] = total;
      }
    return out;
  },
};
