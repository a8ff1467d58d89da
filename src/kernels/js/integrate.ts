/** Plain TypeScript twin of assembly/integrate.ts: the reference in conformance tests and the fallback without WebAssembly. Same bits. */
import type { IntegrateKernels, Prepared } from "../integrate.js";
import { type Frame, plane } from "./integrate-plane.js";
import { allStamps, stamp } from "./integrate-stamps.js";

/** Columns of the result of a fit, for each spot. */
export const COLUMNS = 16;

/** Work without a task: all is done at the end. */
const now = <T>(finish: () => T): Prepared<T> => ({ task: [], finish });

export const jsIntegrateKernels: IntegrateKernels = {
  name: "js",
  run: () => undefined,
  stamps: (coef, size, xs, ys, which) => now(() => allStamps(coef, size, xs, ys, which)),
  frame(data, mask, ny, nx, settings) {
    const { gain, psi, box, core, background, clip, modelError, reject } = settings,
      n = ny * nx,
      area: Frame = { data, mask: mask ?? new Uint8Array(n), cover: new Uint8Array(n), model: new Float32Array(n), ny, nx },
      box2 = box * box,
      core2 = core * core,
      clip2 = clip * clip,
      error2 = modelError * modelError,
      reject2 = reject * reject;
    const { cover, model } = area;
    return {
      fit: (coef, size, xs, ys, which, iterations) =>
        now(() => {
          const s = size - 3,
            reach = (s - 4) / 2 + 1,
            count = xs.length,
            st = allStamps(coef, size, xs, ys, which),
            out = new Float64Array(COLUMNS * count),
            flags = new Int32Array(count);
          model.fill(0);
          cover.fill(0);
          for (let i = 0; i < count; i++) {
            const x = xs[i]!,
              y = ys[i]!;
            for (let py = Math.max(0, Math.ceil(y - core)); py <= Math.min(ny - 1, Math.floor(y + core)); py++)
              for (let px = Math.max(0, Math.ceil(x - core)); px <= Math.min(nx - 1, Math.floor(x + core)); px++) {
                const u = px - x,
                  v = py - y;
                if (u * u + v * v <= core2) cover[py * nx + px] = 1;
              }
          }
          for (let turn = 0; turn < iterations; turn++) {
            const last = turn === iterations - 1;
            for (let i = 0; i < count; i++) {
              const x = xs[i]!,
                y = ys[i]!,
                o = COLUMNS * i,
                stampAt = i * s * s,
                ox = Math.floor(x) - reach,
                oy = Math.floor(y) - reach;
              plane(area, x, y, background, turn === 0 ? 4 : 1, clip2, gain, psi, out, o);
              const b0 = out[o + 4]!,
                b1 = out[o + 14]!,
                b2 = out[o + 15]!,
                old = out[o]!,
                strong = Math.max(old, 0),
                share = out[o + 5]!,
                levelVariance = share * (gain * Math.max(b0, 0) + psi);
              let top = 0,
                bottom = 0,
                mixed = 0,
                inBox = 0,
                good = 0,
                leak = 0,
                rejected = 0,
                pixels = 0,
                sum = 0,
                sumVariance = 0,
                summed = 0,
                peak = 0,
                chi = 0,
                cr = 0,
                cp = 0,
                crr = 0,
                cpp = 0,
                crp = 0,
                met = 0;
              for (let m = 0; m < s; m++) {
                const py = oy + m,
                  v = py - y;
                if (v * v > box2) continue;
                for (let k = 0; k < s; k++) {
                  const px = ox + k,
                    u = px - x,
                    d2 = u * u + v * v;
                  if (d2 > box2) continue;
                  const P = st[stampAt + m * s + k]!;
                  inBox += P;
                  if (px < 0 || py < 0 || px >= nx || py >= ny) {
                    if (d2 <= core2) met |= 16;
                    continue;
                  }
                  const at = py * nx + px,
                    bits = area.mask[at]!;
                  if (bits !== 0) {
                    if (d2 <= core2) met |= bits;
                    continue;
                  }
                  const c = data[at]!,
                    level = b0 + b1 * u + b2 * v,
                    others = model[at]! - old * P,
                    r = c - level - others,
                    variance = gain * Math.max(level + Math.max(others, 0) + strong * P, 0.05) + psi;
                  if (last) {
                    sum += c - level;
                    sumVariance += gain * Math.max(c, 0) + psi;
                    summed += 1;
                    if (d2 <= core2 && c > peak) peak = c;
                  }
                  const e = r - old * P;
                  if (turn > 0 && e * e > reject2 * (variance + 9 * error2 * old * old * P * P)) {
                    rejected += 1;
                    continue;
                  }
                  const w = 1 / variance;
                  good += P;
                  top += w * P * r;
                  bottom += w * P * P;
                  mixed += w * P;
                  leak += w * P * others;
                  if (last) {
                    pixels += 1;
                    chi += w * e * e;
                    cr += r;
                    cp += P;
                    crr += r * r;
                    cpp += P * P;
                    crp += r * P;
                  }
                }
              }
              let I = 0;
              if (bottom > 0 && good > 0.1) {
                // Spots in one place share their counts: none takes more than all of them, nor far less than nothing, or the turns would not settle.
                const s0 = Math.sqrt(1 / bottom),
                  alone = (top + leak) / bottom;
                I = Math.min(Math.max(top / bottom, -20 * s0), Math.max(alone, 0) + 6 * s0);
                out[o + 1] = 1 / bottom + (mixed / bottom) * (mixed / bottom) * levelVariance;
                out[o + 9] = leak / bottom;
              } else out[o + 1] = -1;
              out[o] = I;
              out[o + 6] = inBox > 0 ? good / inBox : 0;
              out[o + 13] = inBox;
              if (last) {
                out[o + 2] = sum;
                out[o + 3] = sumVariance + summed * summed * levelVariance;
                out[o + 7] = pixels > 0 ? chi / pixels : 0;
                const vr = pixels * crr - cr * cr,
                  vp = pixels * cpp - cp * cp;
                out[o + 8] = vr > 0 && vp > 0 ? (pixels * crp - cr * cp) / Math.sqrt(vr * vp) : 0;
                out[o + 10] = peak;
                out[o + 11] = rejected;
                out[o + 5] = levelVariance;
                flags[i] = met;
              }
              const change = I - old;
              if (change === 0) continue;
              for (let m = Math.max(0, -oy); m < s && oy + m < ny; m++)
                for (let k = Math.max(0, -ox); k < s && ox + k < nx; k++) {
                  const at = (oy + m) * nx + ox + k;
                  model[at] = model[at]! + change * st[stampAt + m * s + k]!;
                }
            }
          }
          return { out, flags, model: () => model.slice() };
        }),
      shifts: (coef, size, xs, ys, which, list, fitted) =>
        now(() => {
          const s = size - 3,
            reach = (s - 4) / 2 + 1,
            one = new Float32Array(s * s),
            dx = new Float32Array(s * s),
            dy = new Float32Array(s * s),
            moved = new Float64Array(4 * list.length);
          for (let n = 0; n < list.length; n++) {
            const i = list[n]!,
              x = xs[i]!,
              y = ys[i]!,
              fx = x - Math.floor(x),
              fy = y - Math.floor(y),
              o = COLUMNS * i,
              c = which[i]! * size * size;
            stamp(coef, c, size, fx, fy, false, false, one, 0);
            stamp(coef, c, size, fx, fy, true, false, dx, 0);
            stamp(coef, c, size, fx, fy, false, true, dy, 0);
            const I = fitted[o]!,
              b0 = fitted[o + 4]!,
              b1 = fitted[o + 14]!,
              b2 = fitted[o + 15]!,
              ox = Math.floor(x) - reach,
              oy = Math.floor(y) - reach;
            let a11 = 0,
              a12 = 0,
              a13 = 0,
              a22 = 0,
              a23 = 0,
              a33 = 0,
              g1 = 0,
              g2 = 0,
              g3 = 0;
            for (let m = Math.max(0, -oy); m < s && oy + m < ny; m++) {
              const py = oy + m,
                v = py - y;
              for (let k = Math.max(0, -ox); k < s && ox + k < nx; k++) {
                const px = ox + k,
                  u = px - x,
                  at = py * nx + px;
                if (u * u + v * v > box2 || area.mask[at] !== 0) continue;
                const q = m * s + k,
                  P = one[q]!,
                  level = b0 + b1 * u + b2 * v,
                  shown = model[at]!,
                  r = data[at]! - level - shown,
                  w = 1 / (gain * Math.max(level + shown, 0.05) + psi + error2 * I * I * P * P),
                  jx = -I * dx[q]!,
                  jy = -I * dy[q]!;
                a11 += w * P * P;
                a12 += w * P * jx;
                a13 += w * P * jy;
                a22 += w * jx * jx;
                a23 += w * jx * jy;
                a33 += w * jy * jy;
                g1 += w * P * r;
                g2 += w * jx * r;
                g3 += w * jy * r;
              }
            }
            let h22 = 0,
              h23 = 0,
              h33 = 0,
              k2 = 0,
              k3 = 0;
            if (a11 > 0) {
              h22 = a22 - (a12 * a12) / a11;
              h23 = a23 - (a12 * a13) / a11;
              h33 = a33 - (a13 * a13) / a11;
              k2 = g2 - (a12 * g1) / a11;
              k3 = g3 - (a13 * g1) / a11;
            }
            const det = h22 * h33 - h23 * h23,
              ok = det > 1e-6 * h22 * h33 && h22 > 0 && h33 > 0;
            moved[4 * n] = ok ? (k2 * h33 - k3 * h23) / det : 0;
            moved[4 * n + 1] = ok ? (k3 * h22 - k2 * h23) / det : 0;
            moved[4 * n + 2] = ok ? h33 / det : -1;
            moved[4 * n + 3] = ok ? h22 / det : -1;
          }
          return moved;
        }),
      close() {},
    };
  },
};
