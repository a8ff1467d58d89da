// Sine, cosine and exponential of two f64 lanes: the same bits everywhere, unlike Math.sin.
// Cody–Waite reduction, Taylor polynomials whose remainder on |r| <= π/4 (ln 2 / 2) is below 1e-16.

/** sin x (`sine`) or cos x for |x| < 10⁵: error some 2e-16. */
// @ts-ignore: decorator
@inline
export function sincos(x: v128, sine: bool): v128 {
  const big = f64x2.splat(6755399441055744.0);
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(0.6366197723675814)), big), n = f64x2.sub(shifted, big);
  let r = f64x2.sub(x, f64x2.mul(n, f64x2.splat(1.5707963267341256)));
  r = f64x2.sub(r, f64x2.mul(n, f64x2.splat(6.077100506506192e-11)));
  const z = f64x2.mul(r, r);
  let p = f64x2.splat(-7.647163731819816e-13);
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.605904383682161e-10));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-2.505210838544172e-8));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.7557319223985893e-6));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-0.0001984126984126984));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(0.008333333333333333));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-0.16666666666666666));
  const s = f64x2.add(r, f64x2.mul(f64x2.mul(r, z), p));
  let q = f64x2.splat(4.779477332387385e-14);
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(-1.1470745597729725e-11));
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(2.08767569878681e-9));
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(-2.755731922398589e-7));
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(0.0000248015873015873));
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(-0.001388888888888889));
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(0.041666666666666664));
  q = f64x2.add(f64x2.mul(q, z), f64x2.splat(-0.5));
  const c = f64x2.add(f64x2.splat(1), f64x2.mul(z, q));
  // Quadrant n mod 4: the sine takes c in odd ones and is negative in 2, 3; the cosine is the sine one quadrant on.
  const quadrant = sine ? shifted : i64x2.add(shifted, i64x2.splat(1));
  const odd = i64x2.neg(v128.and(quadrant, i64x2.splat(1)));
  const sign = i64x2.shl(v128.and(quadrant, i64x2.splat(2)), 62);
  return v128.xor(v128.bitselect(c, s, odd), sign);
}

/** eˣ for −700 < x < 700; x below gives 0. */
// @ts-ignore: decorator
@inline
export function exp2x(x: v128): v128 {
  const big = f64x2.splat(6755399441055744.0);
  const y = f64x2.max(x, f64x2.splat(-700)), shifted = f64x2.add(f64x2.mul(y, f64x2.splat(1.4426950408889634)), big), n = f64x2.sub(shifted, big);
  const r = f64x2.sub(f64x2.sub(y, f64x2.mul(n, f64x2.splat(0.6931471803691238))), f64x2.mul(n, f64x2.splat(1.9082149292705877e-10)));
  let p = f64x2.splat(1.6059043836821613e-10);
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.08767569878681e-9));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.505210838544172e-8));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.755731922398589e-7));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.7557319223985893e-6));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.0000248015873015873));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.0001984126984126984));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.001388888888888889));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.008333333333333333));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.041666666666666664));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.16666666666666666));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.5));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1));
  return i64x2.add(p, i64x2.shl(shifted, 52));
}
