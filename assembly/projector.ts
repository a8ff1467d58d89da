// Parallel-beam projector of a volume onto views and its exact adjoint. Voxel (x, y, z) falls on the detector at u = u0 + ux·x + uy·y + uz·z,
// v = v0 + vx·x + vy·y + vz·z and is shared between the pixels around: across u by a triangle of half-width 1/s and area 1, across v by one of
// half-width 1. With 1/s the larger of |ux| and |uz| that is Joseph's interpolation along the rows of voxels. The adjoint takes the same weights.
// y is the fastest axis inside: volume [nz][nx][row], views [P][nu + 2][row] with one row of pixels before and one behind. The geometry of a
// view is ten f64: ux uy uz u0 vx vy vz v0 s 0. `axis…`: v = y (tilt about y), whole rows share one weight. `pose…`: any pose, rows of the views
// have 4 values before v = 0 and at least 4 behind v = nv − 1. What lies outside the detector ends in these borders.

// @ts-ignore: decorator
@inline
function loadG(g: usize, k: i32): f64 {
  return load<f64>(g + <usize>(k << 3));
}

/** Weight of a pixel at a distance: s·(1 − s·distance) within 1/s. */
// @ts-ignore: decorator
@inline
function share(distance: f64, s: f64): f32 {
  return <f32>(s * max<f64>(0, 1 - s * distance));
}

/** out row += Σ w_k · row_k over eight rows, pairs summed first. */
// @ts-ignore: decorator
@inline
function addRows(
  to: usize, bytes: usize, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, h: usize,
  wa: f32, wb: f32, wc: f32, wd: f32, we: f32, wf: f32, wg: f32, wh: f32,
): void {
  const ka = f32x4.splat(wa), kb = f32x4.splat(wb), kc = f32x4.splat(wc), kd = f32x4.splat(wd);
  const ke = f32x4.splat(we), kf = f32x4.splat(wf), kg = f32x4.splat(wg), kh = f32x4.splat(wh);
  for (let o: usize = 0; o < bytes; o += 16) {
    const p = f32x4.add(f32x4.mul(ka, v128.load(a + o)), f32x4.mul(kb, v128.load(b + o)));
    const q = f32x4.add(f32x4.mul(kc, v128.load(c + o)), f32x4.mul(kd, v128.load(d + o)));
    const r = f32x4.add(f32x4.mul(ke, v128.load(e + o)), f32x4.mul(kf, v128.load(f + o)));
    const s = f32x4.add(f32x4.mul(kg, v128.load(g + o)), f32x4.mul(kh, v128.load(h + o)));
    v128.store(to + o, f32x4.add(v128.load(to + o), f32x4.add(f32x4.add(p, q), f32x4.add(r, s))));
  }
}

/** Views p0 … p1 − 1 += projections of a volume; row is a multiple of 8. */
export function axisForward(vol: usize, views: usize, geometry: usize, p0: i32, p1: i32, nz: i32, nx: i32, nu: i32, row: i32): void {
  const bytes = <usize>(row << 2);
  for (let p = p0; p < p1; p++) {
    const g = geometry + <usize>p * 80;
    const ux = loadG(g, 0), uz = loadG(g, 2), u0 = loadG(g, 3), s = loadG(g, 8);
    const base = views + (<usize>p * <usize>(nu + 2) + 1) * bytes;
    let from = vol;
    for (let z: i32 = 0; z < nz; z++) {
      const uAt = u0 + uz * <f64>z;
      for (let x: i32 = 0; x < nx; x++, from += bytes) {
        const u = uAt + ux * <f64>x, fl = Math.floor(u);
        const i = <i32>fl;
        if (i < -1 || i >= nu) continue;
        const f = u - fl;
        const w1 = f32x4.splat(share(1 - f, s)), w0 = f32x4.splat(share(f, s));
        const a = base + <usize>(i * <i32>bytes), b = a + bytes;
        for (let o: usize = 0; o < bytes; o += 32) {
          const v = v128.load(from + o), w = v128.load(from + o, 16);
          v128.store(a + o, f32x4.add(v128.load(a + o), f32x4.mul(w0, v)));
          v128.store(a + o, f32x4.add(v128.load(a + o, 16), f32x4.mul(w0, w)), 16);
          v128.store(b + o, f32x4.add(v128.load(b + o), f32x4.mul(w1, v)));
          v128.store(b + o, f32x4.add(v128.load(b + o, 16), f32x4.mul(w1, w)), 16);
        }
      }
    }
  }
}

/** Pixel before the place of voxel (x, z) in a view, −1 … nu − 1 where the voxel is seen, else −2. */
// @ts-ignore: decorator
@inline
function pixelBefore(u: f64, nu: i32): i32 {
  const i = <i32>Math.floor(u);
  return i < -1 || i >= nu ? -2 : i;
}

/** One plane z of the back projection of `count` views; out [nx][row] is overwritten. */
export function axisAdjoint(out: usize, views: usize, geometry: usize, count: i32, z: i32, nx: i32, nu: i32, row: i32): void {
  const bytes = <usize>(row << 2), view = <usize>(nu + 2) * bytes;
  memory.fill(out, 0, <usize>nx * bytes);
  for (let p: i32 = 0; p < count; p += 4) {
    const last = count - 1 - p;
    const g0 = geometry + <usize>p * 80, g1 = last >= 1 ? g0 + 80 : g0, g2 = last >= 2 ? g0 + 160 : g0, g3 = last >= 3 ? g0 + 240 : g0;
    const b0 = views + <usize>p * view + bytes, b1 = last >= 1 ? b0 + view : b0, b2 = last >= 2 ? b0 + 2 * view : b0, b3 = last >= 3 ? b0 + 3 * view : b0;
    const s0 = loadG(g0, 8), s1 = loadG(g1, 8), s2 = loadG(g2, 8), s3 = loadG(g3, 8);
    const x0 = loadG(g0, 0), x1 = loadG(g1, 0), x2 = loadG(g2, 0), x3 = loadG(g3, 0);
    const at0 = loadG(g0, 3) + loadG(g0, 2) * <f64>z, at1 = loadG(g1, 3) + loadG(g1, 2) * <f64>z;
    const at2 = loadG(g2, 3) + loadG(g2, 2) * <f64>z, at3 = loadG(g3, 3) + loadG(g3, 2) * <f64>z;
    for (let x: i32 = 0; x < nx; x++) {
      const ua = at0 + x0 * <f64>x, ub = at1 + x1 * <f64>x, uc = at2 + x2 * <f64>x, ud = at3 + x3 * <f64>x;
      const a = pixelBefore(ua, nu), b = last >= 1 ? pixelBefore(ub, nu) : -2, c = last >= 2 ? pixelBefore(uc, nu) : -2, d = last >= 3 ? pixelBefore(ud, nu) : -2;
      if (a < -1 && b < -1 && c < -1 && d < -1) continue;
      const fa = ua - Math.floor(ua), fb = ub - Math.floor(ub), fc = uc - Math.floor(uc), fd = ud - Math.floor(ud);
      // What a view does not see is taken from its border of zeros.
      const pa = b0 + <usize>(max<i32>(a, -1) * <i32>bytes), pb = b1 + <usize>(max<i32>(b, -1) * <i32>bytes);
      const pc = b2 + <usize>(max<i32>(c, -1) * <i32>bytes), pd = b3 + <usize>(max<i32>(d, -1) * <i32>bytes);
      addRows(
        out + <usize>x * bytes, bytes, pa, pa + bytes, pb, pb + bytes, pc, pc + bytes, pd, pd + bytes,
        a < -1 ? 0 : share(fa, s0), a < -1 ? 0 : share(1 - fa, s0), b < -1 ? 0 : share(fb, s1), b < -1 ? 0 : share(1 - fb, s1),
        c < -1 ? 0 : share(fc, s2), c < -1 ? 0 : share(1 - fc, s2), d < -1 ? 0 : share(fd, s3), d < -1 ? 0 : share(1 - fd, s3),
      );
    }
  }
}

/** share() of four distances. */
// @ts-ignore: decorator
@inline
function shares(distance: v128, s: v128): v128 {
  return f32x4.mul(s, f32x4.max(f32x4.splat(0), f32x4.sub(f32x4.splat(1), f32x4.mul(s, distance))));
}

// @ts-ignore: decorator
@inline
function addTo(p: usize, v: f32): void {
  store<f32>(p, load<f32>(p) + v);
}

/** axisForward for any pose; volume rows hold ny values, row a multiple of 4; view rows hold nv values, viewRow >= nv + 8. */
export function poseForward(vol: usize, views: usize, geometry: usize, p0: i32, p1: i32, nz: i32, nx: i32, ny: i32, nu: i32, nv: i32, row: i32, viewRow: i32): void {
  const bytes = viewRow << 2;
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  for (let p = p0; p < p1; p++) {
    const g = geometry + <usize>p * 80;
    const ux = loadG(g, 0), uy = loadG(g, 1), uz = loadG(g, 2), u0 = loadG(g, 3);
    const vx = loadG(g, 4), vy = loadG(g, 5) - 1, vz = loadG(g, 6), v0 = loadG(g, 7);
    const base = views + (<usize>p * <usize>(nu + 2) + 1) * <usize>bytes + 16;
    const s = loadG(g, 8), sv = f32x4.splat(<f32>s);
    const uLanes = f32x4(0, <f32>uy, <f32>(2 * uy), <f32>(3 * uy)), tLanes = f32x4(0, <f32>vy, <f32>(2 * vy), <f32>(3 * vy));
    let from = vol;
    for (let z: i32 = 0; z < nz; z++) {
      for (let x: i32 = 0; x < nx; x++, from += <usize>(row << 2)) {
        const ua = u0 + uz * <f64>z + ux * <f64>x, ta = v0 + vz * <f64>z + vx * <f64>x;
        const ub = ua + uy * <f64>(ny - 1);
        if (max<f64>(ua, ub) < -1 || min<f64>(ua, ub) >= <f64>nu) continue;
        // Where the pixels of four neighbours are neighbours, they go together; `open` is where the next ones would follow on.
        let open: i32 = -1;
        let ca = zero, cb = zero;
        let next: usize = 0;
        for (let y: i32 = 0; y < ny; y += 4) {
          const u = ua + uy * <f64>y, t = ta + vy * <f64>y;
          const fu = Math.floor(u), ft = Math.floor(t);
          if (fu == Math.floor(u + 3 * uy) && ft == Math.floor(t + 3 * vy)) {
            const iu = <i32>fu, iv = <i32>ft + y;
            if (iu < -1 || iu >= nu || iv < -4 || iv >= nv) continue;
            const to = base + <usize>(iu * bytes + (iv << 2));
            if (open != y || next != to) {
              if (open >= 0) {
                addTo(next, f32x4.extract_lane(ca, 3));
                addTo(next + <usize>bytes, f32x4.extract_lane(cb, 3));
              }
              ca = zero;
              cb = zero;
            }
            const wu = f32x4.add(f32x4.splat(<f32>(u - fu)), uLanes), wt = f32x4.add(f32x4.splat(<f32>(t - ft)), tLanes);
            const value = v128.load(from + <usize>(y << 2));
            const b = f32x4.mul(value, shares(f32x4.sub(one, wu), sv)), a = f32x4.mul(value, shares(wu, sv));
            const a1 = f32x4.mul(a, wt), b1 = f32x4.mul(b, wt), rest = f32x4.sub(one, wt);
            v128.store(to, f32x4.add(v128.load(to), f32x4.add(f32x4.mul(a, rest), v128.shuffle<f32>(ca, a1, 3, 4, 5, 6))));
            const tb = to + <usize>bytes;
            v128.store(tb, f32x4.add(v128.load(tb), f32x4.add(f32x4.mul(b, rest), v128.shuffle<f32>(cb, b1, 3, 4, 5, 6))));
            ca = a1;
            cb = b1;
            next = to + 16;
            open = y + 4;
            continue;
          }
          for (let k: i32 = y; k < min<i32>(y + 4, ny); k++) {
            const su = ua + uy * <f64>k, st = ta + vy * <f64>k;
            const fsu = Math.floor(su), fst = Math.floor(st);
            const iu = <i32>fsu, iv = <i32>fst + k;
            if (iu < -1 || iu >= nu || iv < -1 || iv >= nv) continue;
            const to = base + <usize>(iu * bytes + (iv << 2));
            const wt = <f32>(st - fst), value = load<f32>(from + <usize>(k << 2));
            const b = value * share(1 - (su - fsu), s), a = value * share(su - fsu, s);
            addTo(to, a * (1 - wt));
            addTo(to + 4, a * wt);
            addTo(to + <usize>bytes, b * (1 - wt));
            addTo(to + <usize>bytes + 4, b * wt);
          }
        }
        if (open >= 0) {
          addTo(next, f32x4.extract_lane(ca, 3));
          addTo(next + <usize>bytes, f32x4.extract_lane(cb, 3));
        }
      }
    }
  }
}

/** axisAdjoint for any pose; out [nx][row], the values behind ny are zero. */
export function poseAdjoint(out: usize, views: usize, geometry: usize, count: i32, z: i32, nx: i32, ny: i32, nu: i32, nv: i32, row: i32, viewRow: i32): void {
  const bytes = viewRow << 2, view = <usize>(nu + 2) * <usize>bytes;
  const one = f32x4.splat(1);
  memory.fill(out, 0, <usize>(nx * row) << 2);
  for (let x: i32 = 0; x < nx; x++) {
    const to = out + (<usize>(x * row) << 2);
    let g = geometry, base = views + <usize>bytes + 16;
    for (let p: i32 = 0; p < count; p++, g += 80, base += view) {
      const uy = loadG(g, 1), vy = loadG(g, 5) - 1, s = loadG(g, 8), sv = f32x4.splat(<f32>s);
      const ua = loadG(g, 3) + loadG(g, 2) * <f64>z + loadG(g, 0) * <f64>x, ta = loadG(g, 7) + loadG(g, 6) * <f64>z + loadG(g, 4) * <f64>x;
      const ub = ua + uy * <f64>(ny - 1);
      if (max<f64>(ua, ub) < -1 || min<f64>(ua, ub) >= <f64>nu) continue;
      const uLanes = f32x4(0, <f32>uy, <f32>(2 * uy), <f32>(3 * uy)), tLanes = f32x4(0, <f32>vy, <f32>(2 * vy), <f32>(3 * vy));
      for (let y: i32 = 0; y < ny; y += 4) {
        const u = ua + uy * <f64>y, t = ta + vy * <f64>y;
        const fu = Math.floor(u), ft = Math.floor(t);
        if (fu == Math.floor(u + 3 * uy) && ft == Math.floor(t + 3 * vy)) {
          const iu = <i32>fu, iv = <i32>ft + y;
          if (iu < -1 || iu >= nu || iv < -4 || iv >= nv) continue;
          const a = base + <usize>(iu * bytes + (iv << 2)), b = a + <usize>bytes;
          const wu = f32x4.add(f32x4.splat(<f32>(u - fu)), uLanes), wt = f32x4.add(f32x4.splat(<f32>(t - ft)), tLanes);
          const rest = f32x4.sub(one, wt);
          const first = f32x4.add(f32x4.mul(rest, v128.load(a)), f32x4.mul(wt, v128.load(a, 4)));
          const second = f32x4.add(f32x4.mul(rest, v128.load(b)), f32x4.mul(wt, v128.load(b, 4)));
          const at = to + <usize>(y << 2);
          v128.store(at, f32x4.add(v128.load(at), f32x4.add(f32x4.mul(shares(wu, sv), first), f32x4.mul(shares(f32x4.sub(one, wu), sv), second))));
          continue;
        }
        for (let k: i32 = y; k < min<i32>(y + 4, ny); k++) {
          const su = ua + uy * <f64>k, st = ta + vy * <f64>k;
          const fsu = Math.floor(su), fst = Math.floor(st);
          const iu = <i32>fsu, iv = <i32>fst + k;
          if (iu < -1 || iu >= nu || iv < -1 || iv >= nv) continue;
          const a = base + <usize>(iu * bytes + (iv << 2)), b = a + <usize>bytes;
          const wt = <f32>(st - fst);
          const rt: f32 = 1 - wt, first: f32 = rt * load<f32>(a) + wt * load<f32>(a, 4), second: f32 = rt * load<f32>(b) + wt * load<f32>(b, 4);
          addTo(to + <usize>(k << 2), share(su - fsu, s) * first + share(1 - (su - fsu), s) * second);
        }
      }
    }
    for (let k = ny; k < row; k++) store<f32>(to + <usize>(k << 2), 0);
  }
}

/**
 * views = weight · (data − views), n values (a multiple of 4): weight > 0 takes part, 0 is left out (borders, bad pixels), < 0 is withheld
 * (result 0). sums: f64 Σ|data − views| and Σ(data − views)² where it takes part, the same where withheld.
 */
export function residual(views: usize, data: usize, weight: usize, n: i32, sums: usize): void {
  let s: f64 = 0, q: f64 = 0, sf: f64 = 0, qf: f64 = 0;
  for (let i: i32 = 0; i < n; i += 4) {
    const o = <usize>(i << 2);
    const w = v128.load(weight + o), d = f32x4.sub(v128.load(data + o), v128.load(views + o));
    const on = f32x4.gt(w, f32x4.splat(0)), off = f32x4.lt(w, f32x4.splat(0));
    const a = v128.and(d, on);
    v128.store(views + o, f32x4.mul(w, a));
    s += sum4(f32x4.abs(a));
    q += sum4(f32x4.mul(a, a));
    if (v128.any_true(off)) {
      const b = v128.and(d, off);
      sf += sum4(f32x4.abs(b));
      qf += sum4(f32x4.mul(b, b));
    }
  }
  store<f64>(sums, s);
  store<f64>(sums, q, 8);
  store<f64>(sums, sf, 16);
  store<f64>(sums, qf, 24);
}

// @ts-ignore: decorator
@inline
function sum4(v: v128): f64 {
  return (<f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1)) + (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3));
}

/** x += step · scale · g, then x = max(x, 0) when positive, then x *= support; scale and support: f32 [n] or 0; n a multiple of 4. */
export function descend(x: usize, g: usize, scale: usize, support: usize, n: i32, step: f32, positive: i32): void {
  const t = f32x4.splat(step), zero = f32x4.splat(0);
  for (let i: i32 = 0; i < n; i += 4) {
    const o = <usize>(i << 2);
    let d = f32x4.mul(t, v128.load(g + o));
    if (scale) d = f32x4.mul(d, v128.load(scale + o));
    let v = f32x4.add(v128.load(x + o), d);
    if (positive) v = f32x4.max(v, zero);
    if (support) v = f32x4.mul(v, v128.load(support + o));
    v128.store(x + o, v);
  }
}

/** x += beta · (x − old) while old becomes the former x; n a multiple of 4. */
export function advance(x: usize, old: usize, n: i32, beta: f32): void {
  const t = f32x4.splat(beta);
  for (let i: i32 = 0; i < n; i += 4) {
    const o = <usize>(i << 2);
    const v = v128.load(x + o);
    v128.store(x + o, f32x4.add(v, f32x4.mul(t, f32x4.sub(v, v128.load(old + o)))));
    v128.store(old + o, v);
  }
}

/** Zeros. */
export function clear(p: usize, bytes: usize): void {
  memory.fill(p, 0, bytes);
}
