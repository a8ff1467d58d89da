/**
 * Plain TypeScript twin of assembly/projector.ts, in single or double precision: the reference in conformance tests and the fallback
 * without WebAssembly. Works on the memory of an arena, so plans do not change.
 */
import type { Arena } from "../memory.js";
import type { ProjectorKernels } from "../projector.js";

export function jsProjectorKernels(arena: Arena, type: "f32" | "f64"): ProjectorKernels {
  const bytes = type === "f32" ? 4 : 8;
  const all = (): Float32Array | Float64Array =>
    type === "f32" ? new Float32Array(arena.memory.buffer) : new Float64Array(arena.memory.buffer);
  const viewOf = (geometry: number, p: number): Float64Array => new Float64Array(arena.memory.buffer, geometry + 80 * p, 10);
  const share = (distance: number, s: number): number => s * Math.max(0, 1 - s * distance);
  return {
    axisForward(vol, views, geometry, p0, p1, nz, nx, nu, row) {
      const a = all();
      for (let p = p0; p < p1; p++) {
        const g = viewOf(geometry, p),
          base = views / bytes + (p * (nu + 2) + 1) * row;
        for (let z = 0, from = vol / bytes; z < nz; z++)
          for (let x = 0; x < nx; x++, from += row) {
            const u = g[3]! + g[2]! * z + g[0]! * x,
              i = Math.floor(u);
            if (i < -1 || i >= nu) continue;
            const w0 = share(u - i, g[8]!),
              w1 = share(1 - (u - i), g[8]!);
            for (let y = 0, to = base + i * row; y < row; y++, to++) {
              a[to]! += w0 * a[from + y]!;
              a[to + row]! += w1 * a[from + y]!;
            }
          }
      }
    },
    axisAdjoint(out, views, geometry, count, z, nx, nu, row) {
      const a = all();
      a.fill(0, out / bytes, out / bytes + nx * row);
      for (let p = 0; p < count; p++) {
        const g = viewOf(geometry, p),
          base = views / bytes + (p * (nu + 2) + 1) * row;
        for (let x = 0, to = out / bytes; x < nx; x++, to += row) {
          const u = g[3]! + g[2]! * z + g[0]! * x,
            i = Math.floor(u);
          if (i < -1 || i >= nu) continue;
          const w0 = share(u - i, g[8]!),
            w1 = share(1 - (u - i), g[8]!);
          for (let y = 0, from = base + i * row; y < row; y++, from++) a[to + y]! += w0 * a[from]! + w1 * a[from + row]!;
        }
      }
    },
    poseForward(vol, views, geometry, p0, p1, nz, nx, ny, nu, nv, row, viewRow) {
      const a = all();
      for (let p = p0; p < p1; p++) {
        const g = viewOf(geometry, p),
          base = views / bytes + (p * (nu + 2) + 1) * viewRow + 4;
        for (let z = 0, from = vol / bytes; z < nz; z++)
          for (let x = 0; x < nx; x++, from += row) {
            const ua = g[3]! + g[2]! * z + g[0]! * x,
              va = g[7]! + g[6]! * z + g[4]! * x;
            for (let y = 0; y < ny; y++) {
              const u = ua + g[1]! * y,
                v = va + (g[5]! - 1) * y,
                iu = Math.floor(u),
                fv = Math.floor(v),
                iv = fv + y;
              if (iu < -1 || iu >= nu || iv < -1 || iv >= nv) continue;
              const w0 = share(u - iu, g[8]!),
                w1 = share(1 - (u - iu), g[8]!),
                wv = v - fv,
                to = base + iu * viewRow + iv,
                value = a[from + y]!;
              a[to]! += w0 * (1 - wv) * value;
              a[to + 1]! += w0 * wv * value;
              a[to + viewRow]! += w1 * (1 - wv) * value;
              a[to + viewRow + 1]! += w1 * wv * value;
            }
          }
      }
    },
    poseAdjoint(out, views, geometry, count, z, nx, ny, nu, nv, row, viewRow) {
      const a = all();
      a.fill(0, out / bytes, out / bytes + nx * row);
      for (let p = 0; p < count; p++) {
        const g = viewOf(geometry, p),
          base = views / bytes + (p * (nu + 2) + 1) * viewRow + 4;
        for (let x = 0, to = out / bytes; x < nx; x++, to += row) {
          const ua = g[3]! + g[2]! * z + g[0]! * x,
            va = g[7]! + g[6]! * z + g[4]! * x;
          for (let y = 0; y < ny; y++) {
            const u = ua + g[1]! * y,
              v = va + (g[5]! - 1) * y,
              iu = Math.floor(u),
              fv = Math.floor(v),
              iv = fv + y;
            if (iu < -1 || iu >= nu || iv < -1 || iv >= nv) continue;
            const w0 = share(u - iu, g[8]!),
              w1 = share(1 - (u - iu), g[8]!),
              wv = v - fv,
              at = base + iu * viewRow + iv;
            a[to + y]! += w0 * ((1 - wv) * a[at]! + wv * a[at + 1]!) + w1 * ((1 - wv) * a[at + viewRow]! + wv * a[at + viewRow + 1]!);
          }
        }
      }
    },
    residual(views, data, weight, n, sums) {
      const a = all(),
        [v, d, w] = [views / bytes, data / bytes, weight / bytes],
        s = new Float64Array(arena.memory.buffer, sums, 4).fill(0);
      for (let i = 0; i < n; i++) {
        const wi = a[w + i]!,
          r = wi === 0 ? 0 : a[d + i]! - a[v + i]!;
        a[v + i] = wi > 0 ? wi * r : 0;
        const k = wi < 0 ? 2 : 0;
        s[k]! += Math.abs(r);
        s[k + 1]! += r * r;
      }
    },
    descend(x, g, scale, support, n, step, positive) {
      const a = all(),
        [px, pg, pc, ps] = [x / bytes, g / bytes, scale / bytes, support / bytes];
      for (let i = 0; i < n; i++) {
        let v = a[px + i]! + step * (scale ? a[pc + i]! : 1) * a[pg + i]!;
        if (positive && !(v > 0)) v = 0;
        a[px + i] = support ? v * a[ps + i]! : v;
      }
    },
    advance(x, old, n, beta) {
      const a = all(),
        [px, po] = [x / bytes, old / bytes];
      for (let i = 0; i < n; i++) {
        const v = a[px + i]!;
        a[px + i] = v + beta * (v - a[po + i]!);
        a[po + i] = v;
      }
    },
    clear: (p, length) => void new Uint8Array(arena.memory.buffer, p, length).fill(0),
  };
}
