// f·(A − shift − i decay): A_ij = q_i q_j W[centre + key_i − key_j], A_ii = d_i + i u0 q_i².

// @ts-ignore: decorator
@inline export function real(n: i32, key: usize, table: usize, centre: i32, q: usize, d: usize, f: f64, shift: f64, a: usize, lda: i32): void {
  const origin = table + <usize>centre * 8, row = <usize>lda * 8;
  for (let i: i32 = 0; i < n; i++) {
    const k = load<i32>(key + (<usize>i << 2)), qi = f * load<f64>(q + (<usize>i << 3)), at = a + <usize>i * row;
    for (let j: i32 = 0; j < i; j++) {
      const w = qi * load<f64>(q + (<usize>j << 3)) * load<f64>(origin + <usize>((k - load<i32>(key + (<usize>j << 2))) * 8));
      store<f64>(at + (<usize>j << 3), w);
      store<f64>(a + <usize>j * row + (<usize>i << 3), w);
    }
    store<f64>(at + (<usize>i << 3), f * (load<f64>(d + (<usize>i << 3)) - shift));
    if (lda > n) store<f64>(at + (<usize>n << 3), 0);
  }
}

// @ts-ignore: decorator
@inline export function complex(n: i32, key: usize, table: usize, centre: i32, q: usize, d: usize, u0: f64, decay: f64, hermitian: bool, f: f64, shift: f64, a: usize): void {
  const origin = table + <usize>centre * 16, row = <usize>n * 16;
  const conjugate = f64x2(1, -1);
  for (let i: i32 = 0; i < n; i++) {
    const k = load<i32>(key + (<usize>i << 2)), qi = f * load<f64>(q + (<usize>i << 3)), at = a + <usize>i * row;
    for (let j: i32 = 0; j < i; j++) {
      const step = <usize>((k - load<i32>(key + (<usize>j << 2))) * 16), c = f64x2.splat(qi * load<f64>(q + (<usize>j << 3)));
      const w = f64x2.mul(c, v128.load(origin + step)), mirror = a + <usize>j * row + (<usize>i << 4);
      v128.store(at + (<usize>j << 4), w);
      if (hermitian) v128.store(mirror, f64x2.mul(w, conjugate));
      else v128.store(mirror, f64x2.mul(c, v128.load(origin - step)));
    }
    const qq = load<f64>(q + (<usize>i << 3));
    store<f64>(at + (<usize>i << 4), f * (load<f64>(d + (<usize>i << 3)) - shift));
    store<f64>(at + (<usize>i << 4), f * (u0 * qq * qq - decay), 8);
  }
}
