/** Background of a spot as a clipped plane: twin of the one in assembly/integrate.ts. Same bits. */

/** A frame with what covers it: bits of the mask, cores of spots, and the fitted spots. */
export interface Frame {
  readonly data: Float32Array;
  readonly mask: Uint8Array;
  readonly cover: Uint8Array;
  readonly model: Float32Array;
  readonly ny: number;
  readonly nx: number;
}

/** Level and slopes at a spot to out[o + 4], [14], [15]; their share of the variance to [5], pixels used to [12]. */
export function plane(
  { data, mask, cover, model, ny, nx }: Frame,
  x: number,
  y: number,
  radius: number,
  rounds: number,
  clip2: number,
  gain: number,
  psi: number,
  out: Float64Array,
  o: number,
): void {
  const y0 = Math.max(0, Math.ceil(y - radius)),
    y1 = Math.min(ny - 1, Math.floor(y + radius)),
    x0 = Math.max(0, Math.ceil(x - radius)),
    x1 = Math.min(nx - 1, Math.floor(x + radius)),
    r2 = radius * radius;
  let b0 = out[o + 4]!,
    b1 = out[o + 14]!,
    b2 = out[o + 15]!,
    share = out[o + 5]!,
    used = 0,
    everywhere = false;
  for (let round = 0; round < rounds; round++) {
    const first = rounds > 1 && round === 0,
      upwards = rounds > 1 && round === 1;
    let n = 0,
      su = 0,
      sv = 0,
      suu = 0,
      suv = 0,
      svv = 0,
      sr = 0,
      sru = 0,
      srv = 0;
    for (let py = y0; py <= y1; py++) {
      const v = py - y;
      for (let px = x0; px <= x1; px++) {
        const u = px - x;
        if (u * u + v * v > r2) continue;
        const i = py * nx + px;
        if (mask[i] !== 0 || (!everywhere && cover[i] !== 0)) continue;
        const r = data[i]! - model[i]!;
        if (!first) {
          const level = b0 + b1 * u + b2 * v,
            d = r - level;
          if ((d > 0 || !upwards) && d * d > clip2 * (gain * Math.max(level, 0.25) + psi)) continue;
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
    const mu = su / n,
      mv = sv / n,
      mr = sr / n,
      cuu = suu - su * mu,
      cuv = suv - su * mv,
      cvv = svv - sv * mv,
      cur = sru - sr * mu,
      cvr = srv - sr * mv,
      det = cuu * cvv - cuv * cuv;
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
  out[o + 4] = b0;
  out[o + 14] = b1;
  out[o + 15] = b2;
  out[o + 5] = share;
  out[o + 12] = used;
}
