// Intensities of predicted spots on one frame: sub-pixel stamps of profiles, local background, profile fit with neighbours, shifts.
import { f, put, stamp } from "./lib/stamps";

/** Stamps of all spots. xs, ys: f64 [count], px; which: i32 [count], the profile; coef: f64 [profiles, size, size]; out: f32 [count, s, s]. */
export function stamps(coef: usize, size: i32, xs: usize, ys: usize, which: usize, count: i32, out: usize, rows: usize): void {
  const s = size - 3;
  for (let i: i32 = 0; i < count; i++) {
    const x = f(xs, i), y = f(ys, i);
    const c = coef + (<usize>(load<i32>(which + (<usize>i << 2)) * size * size) << 3);
    stamp(c, size, x - floor(x), y - floor(y), false, false, out + (<usize>(i * s * s) << 2), rows);
  }
}

/**
 * Plane of the background about a spot, from the pixels that are good, not in a core and do not stand out; `rounds` of clipping. Written into
 * o: level 4, its variance 5, slopes 14 and 15, pixels 12. The first of several rounds has nothing to clip with, the second clips upwards alone.
 */
function plane(data: usize, mask: usize, cover: usize, model: usize, ny: i32, nx: i32, x: f64, y: f64, radius: f64, rounds: i32, clip2: f64, gain: f64, psi: f64, o: usize): void {
  const y0 = max<i32>(0, <i32>ceil(y - radius)), y1 = min<i32>(ny - 1, <i32>floor(y + radius));
  const x0 = max<i32>(0, <i32>ceil(x - radius)), x1 = min<i32>(nx - 1, <i32>floor(x + radius));
  const r2 = radius * radius;
  let b0 = f(o, 4), b1 = f(o, 14), b2 = f(o, 15), share = f(o, 5), used: f64 = 0;
  let everywhere = false;
  for (let round: i32 = 0; round < rounds; round++) {
    const first = rounds > 1 && round == 0, upwards = rounds > 1 && round == 1;
    let n: f64 = 0, su: f64 = 0, sv: f64 = 0, suu: f64 = 0, suv: f64 = 0, svv: f64 = 0, sr: f64 = 0, sru: f64 = 0, srv: f64 = 0;
    for (let py = y0; py <= y1; py++) {
      const v = <f64>py - y;
      for (let px = x0; px <= x1; px++) {
        const u = <f64>px - x;
        if (u * u + v * v > r2) continue;
        const i = py * nx + px;
        if (load<u8>(mask + <usize>i) || (!everywhere && load<u8>(cover + <usize>i))) continue;
        const q = <usize>i << 2;
        const r = <f64>load<f32>(data + q) - <f64>load<f32>(model + q);
        if (!first) {
          const level = b0 + b1 * u + b2 * v, d = r - level;
          if ((d > 0 || !upwards) && d * d > clip2 * (gain * max<f64>(level, 0.25) + psi)) continue;
        }
        n += 1;
        su += u;
        sv += v;
        suu += u * u;
        suv += u * v;
        svv += v * v;
        sr += r;
        sru += r * u;
        srv += r * v;
      }
    }
    if (n < 25 && !everywhere) {
      // Spots so dense that no background is left between them: take all good pixels, with the model of the spots taken off.
      everywhere = true;
      round = -1;
      continue;
    }
    if (n < 1) break;
    const mu = su / n, mv = sv / n, mr = sr / n;
    const cuu = suu - su * mu, cuv = suv - su * mv, cvv = svv - sv * mv, cur = sru - sr * mu, cvr = srv - sr * mv;
    const det = cuu * cvv - cuv * cuv;
    if (n >= 25 && det > 0.01 * cuu * cvv) {
      b1 = (cur * cvv - cvr * cuv) / det;
      b2 = (cvr * cuu - cur * cuv) / det;
      share = 1 / n + (mu * mu * cvv - 2 * mu * mv * cuv + mv * mv * cuu) / det;
    } else {
      b1 = 0;
      b2 = 0;
      share = 1 / n;
    }
    b0 = mr - b1 * mu - b2 * mv;
    used = n;
  }
  put(o, 4, b0);
  put(o, 14, b1);
  put(o, 15, b2);
  put(o, 5, share);
  put(o, 12, used);
}

/**
 * Intensities of all spots of a frame, in turns: each spot is fitted to what the models of the others leave, until they agree.
 * data: f32 [ny, nx]; mask: u8 [ny, nx], 0 is good; cover: u8 [ny, nx] and model: f32 [ny, nx], written; stamps: f32 [count, s, s];
 * p: f64, gain, psi, box radius, core radius, background radius, clip², model error², rejection²; flags: i32 [count], the mask bits met in the core, 16 outside the frame;
 * out: f64 [count, 16]: fitted I, its variance, box sum, its variance, level, variance of the level, share of the profile on good pixels, χ² a pixel,
 * correlation with the profile, what neighbours put into the fit, highest count in the core, rejected pixels, background pixels, profile in the box, slopes.
 */
export function fit(data: usize, mask: usize, cover: usize, model: usize, ny: i32, nx: i32, xs: usize, ys: usize, stamps: usize, s: i32, count: i32, p: usize, iterations: i32, out: usize, flags: usize): void {
  const gain = f(p, 0), psi = f(p, 1), box2 = f(p, 2) * f(p, 2), core = f(p, 3), core2 = core * core, far = f(p, 4), clip2 = f(p, 5), error2 = f(p, 6), reject2 = f(p, 7);
  const reach = (s - 4) / 2 + 1;
  memory.fill(model, 0, <usize>(ny * nx) << 2);
  memory.fill(cover, 0, <usize>(ny * nx));
  memory.fill(out, 0, <usize>count << 7);
  for (let i: i32 = 0; i < count; i++) {
    const x = f(xs, i), y = f(ys, i);
    const y1 = min<i32>(ny - 1, <i32>floor(y + core)), x1 = min<i32>(nx - 1, <i32>floor(x + core));
    for (let py = max<i32>(0, <i32>ceil(y - core)); py <= y1; py++)
      for (let px = max<i32>(0, <i32>ceil(x - core)); px <= x1; px++) {
        const u = <f64>px - x, v = <f64>py - y;
        if (u * u + v * v <= core2) store<u8>(cover + <usize>(py * nx + px), 1);
      }
  }
  for (let turn: i32 = 0; turn < iterations; turn++) {
    const last = turn == iterations - 1;
    for (let i: i32 = 0; i < count; i++) {
      const x = f(xs, i), y = f(ys, i), o = out + (<usize>i << 7), st = stamps + (<usize>(i * s * s) << 2);
      const ox = <i32>floor(x) - reach, oy = <i32>floor(y) - reach;
      plane(data, mask, cover, model, ny, nx, x, y, far, turn == 0 ? 4 : 1, clip2, gain, psi, o);
      const b0 = f(o, 4), b1 = f(o, 14), b2 = f(o, 15), old = f(o, 0), strong = max<f64>(old, 0);
      const share = f(o, 5), levelVariance = share * (gain * max<f64>(b0, 0) + psi);
      let top: f64 = 0, bottom: f64 = 0, mixed: f64 = 0, inBox: f64 = 0, good: f64 = 0, leak: f64 = 0, rejected: f64 = 0, pixels: f64 = 0;
      let sum: f64 = 0, sumVariance: f64 = 0, summed: f64 = 0, peak: f64 = 0, chi: f64 = 0;
      let cr: f64 = 0, cp: f64 = 0, crr: f64 = 0, cpp: f64 = 0, crp: f64 = 0, met: i32 = 0;
      for (let m: i32 = 0; m < s; m++) {
        const py = oy + m, v = <f64>py - y;
        if (v * v > box2) continue;
        for (let k: i32 = 0; k < s; k++) {
          const px = ox + k, u = <f64>px - x, d2 = u * u + v * v;
          if (d2 > box2) continue;
          const P = <f64>load<f32>(st + (<usize>(m * s + k) << 2));
          inBox += P;
          if (px < 0 || py < 0 || px >= nx || py >= ny) {
            if (d2 <= core2) met |= 16;
            continue;
          }
          const at = py * nx + px, bits = <i32>load<u8>(mask + <usize>at);
          if (bits) {
            if (d2 <= core2) met |= bits;
            continue;
          }
          const c = <f64>load<f32>(data + (<usize>at << 2)), level = b0 + b1 * u + b2 * v;
          const others = <f64>load<f32>(model + (<usize>at << 2)) - old * P, r = c - level - others;
          const variance = gain * max<f64>(level + max<f64>(others, 0) + strong * P, 0.05) + psi;
          if (last) {
            sum += c - level;
            sumVariance += gain * max<f64>(c, 0) + psi;
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
      let I: f64 = 0;
      if (bottom > 0 && good > 0.1) {
        // Spots in one place share their counts: none takes more than all of them, nor far less than nothing, or the turns would not settle.
        const s0 = sqrt(1 / bottom), alone = (top + leak) / bottom;
        I = min<f64>(max<f64>(top / bottom, -20 * s0), max<f64>(alone, 0) + 6 * s0);
        put(o, 1, 1 / bottom + (mixed / bottom) * (mixed / bottom) * levelVariance);
        put(o, 9, leak / bottom);
      } else put(o, 1, -1);
      put(o, 0, I);
      put(o, 6, inBox > 0 ? good / inBox : 0);
      put(o, 13, inBox);
      if (last) {
        put(o, 2, sum);
        put(o, 3, sumVariance + summed * summed * levelVariance);
        put(o, 7, pixels > 0 ? chi / pixels : 0);
        const vr = pixels * crr - cr * cr, vp = pixels * cpp - cp * cp;
        put(o, 8, vr > 0 && vp > 0 ? (pixels * crp - cr * cp) / sqrt(vr * vp) : 0);
        put(o, 10, peak);
        put(o, 11, rejected);
        put(o, 5, levelVariance);
        store<i32>(flags + (<usize>i << 2), met);
      }
      const change = I - old;
      if (change == 0) continue;
      for (let m = max<i32>(0, -oy); m < s && oy + m < ny; m++) {
        const to = model + (<usize>((oy + m) * nx + ox) << 2), from = st + (<usize>(m * s) << 2);
        for (let k = max<i32>(0, -ox); k < s && ox + k < nx; k++) {
          const q = <usize>k << 2;
          store<f32>(to + q, <f32>(<f64>load<f32>(to + q) + change * <f64>load<f32>(from + q)));
        }
      }
    }
  }
}

/**
 * One Gauss–Newton step for the position of each listed spot after `fit`: shifts and their variances, px, into moved f64 [listed, 4].
 * list: i32 [listed]; which, coef, size as in `stamps`; dx, dy: f32 [s, s] scratch; rows as in `stamps`.
 */
export function shifts(data: usize, mask: usize, model: usize, ny: i32, nx: i32, xs: usize, ys: usize, which: usize, coef: usize, size: i32, stamps: usize, list: usize, listed: i32, p: usize, out: usize, moved: usize, dx: usize, dy: usize, rows: usize): void {
  const s = size - 3, gain = f(p, 0), psi = f(p, 1), box2 = f(p, 2) * f(p, 2), error2 = f(p, 6), reach = (s - 4) / 2 + 1;
  for (let n: i32 = 0; n < listed; n++) {
    const i = load<i32>(list + (<usize>n << 2));
    const x = f(xs, i), y = f(ys, i), o = out + (<usize>i << 7), st = stamps + (<usize>(i * s * s) << 2);
    const c = coef + (<usize>(load<i32>(which + (<usize>i << 2)) * size * size) << 3);
    stamp(c, size, x - floor(x), y - floor(y), true, false, dx, rows);
    stamp(c, size, x - floor(x), y - floor(y), false, true, dy, rows);
    const I = f(o, 0), b0 = f(o, 4), b1 = f(o, 14), b2 = f(o, 15), ox = <i32>floor(x) - reach, oy = <i32>floor(y) - reach;
    let a11: f64 = 0, a12: f64 = 0, a13: f64 = 0, a22: f64 = 0, a23: f64 = 0, a33: f64 = 0, g1: f64 = 0, g2: f64 = 0, g3: f64 = 0;
    for (let m = max<i32>(0, -oy); m < s && oy + m < ny; m++) {
      const py = oy + m, v = <f64>py - y;
      for (let k = max<i32>(0, -ox); k < s && ox + k < nx; k++) {
        const px = ox + k, u = <f64>px - x, at = py * nx + px;
        if (u * u + v * v > box2 || load<u8>(mask + <usize>at)) continue;
        const q = <usize>(m * s + k) << 2, P = <f64>load<f32>(st + q);
        const level = b0 + b1 * u + b2 * v, shown = <f64>load<f32>(model + (<usize>at << 2));
        const r = <f64>load<f32>(data + (<usize>at << 2)) - level - shown;
        const w = 1 / (gain * max<f64>(level + shown, 0.05) + psi + error2 * I * I * P * P);
        const jx = -I * <f64>load<f32>(dx + q), jy = -I * <f64>load<f32>(dy + q);
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
    // The intensity is eliminated; two equations are left.
    let h22 = 0.0, h23 = 0.0, h33 = 0.0, k2 = 0.0, k3 = 0.0;
    if (a11 > 0) {
      h22 = a22 - (a12 * a12) / a11;
      h23 = a23 - (a12 * a13) / a11;
      h33 = a33 - (a13 * a13) / a11;
      k2 = g2 - (a12 * g1) / a11;
      k3 = g3 - (a13 * g1) / a11;
    }
    const det = h22 * h33 - h23 * h23, to = moved + (<usize>n << 5);
    const ok = det > 1e-6 * h22 * h33 && h22 > 0 && h33 > 0;
    put(to, 0, ok ? (k2 * h33 - k3 * h23) / det : 0);
    put(to, 1, ok ? (k3 * h22 - k2 * h23) / det : 0);
    put(to, 2, ok ? h33 / det : -1);
    put(to, 3, ok ? h22 / det : -1);
  }
}
