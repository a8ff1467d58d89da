import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { hermitianEigen, tridiagonalEigen } from "./eigen-hermitian.js";
import { adjoint, complexMatrix, complexMultiply } from "./matrix.js";

test("600 hostile tridiagonal matrices: clusters, glue, gradings over twenty orders, near-zero couplings", () => {
  const g = rng("hostile");
  let orthogonality = 0,
    residual = 0;
  for (let round = 0; round < 600; round++) {
    const n = 2 + g.integer(140),
      mode = round % 6;
    const d = Float64Array.from({ length: n }, (_, i) =>
      mode === 0
        ? g.normal()
        : mode === 1
          ? g.integer(3)
          : mode === 2
            ? 10 ** (-20 * g.uniform())
            : mode === 3
              ? 1 + 1e-15 * g.integer(5)
              : mode === 4
                ? i % 5
                : 0,
    );
    const e = Float64Array.from({ length: n - 1 }, () =>
      mode === 0
        ? 10 ** (-18 * g.uniform())
        : mode === 1
          ? g.uniform() < 0.3
            ? 1e-16 * g.integer(20)
            : 1
          : mode === 2
            ? 10 ** (-20 * g.uniform())
            : mode === 3
              ? 1e-8 * g.normal()
              : mode === 4
                ? 1e-3 ** g.integer(6)
                : g.normal(),
    );
    const { values, vectorRows: q } = tridiagonalEigen(d, e);
    const size = Math.max(Math.abs(values[0]!), Math.abs(values[n - 1]!), 1e-300);
    for (let k = 0; k < n; k++) {
      for (let l = 0; l < n; l++) {
        let t = (d[l]! - values[k]!) * q[k * n + l]!;
        if (l > 0) t += e[l - 1]! * q[k * n + l - 1]!;
        if (l < n - 1) t += e[l]! * q[k * n + l + 1]!;
        residual = Math.max(residual, Math.abs(t) / size);
      }
      for (let m = 0; m <= k; m++) {
        let s = 0;
        for (let l = 0; l < n; l++) s += q[k * n + l]! * q[m * n + l]!;
        orthogonality = Math.max(orthogonality, Math.abs(s - (k === m ? 1 : 0)));
      }
    }
  }
  console.log(`orthogonality ${orthogonality.toExponential(1)}, residual ${residual.toExponential(1)}`);
  expect(orthogonality).toBeLessThan(2e-14);
  expect(residual).toBeLessThan(1e-14);
});

test.each([300, 700])("a Hermitian matrix of %d: A = VΛVᴴ and VᴴV = 1", (n) => {
  const g = rng(n),
    b = complexMatrix(
      n,
      n,
      Float64Array.from({ length: 2 * n * n }, () => g.normal()),
    );
  const t = adjoint(b),
    a = complexMatrix(
      n,
      n,
      b.data.map((v, i) => v + t.data[i]!),
    );
  const { values, vectors } = hermitianEigen(a);
  const scaled = complexMatrix(
    n,
    n,
    vectors.data.map((v, i) => v * values[(i >> 1) % n]!),
  );
  const back = complexMultiply(scaled, adjoint(vectors)),
    one = complexMultiply(adjoint(vectors), vectors);
  let worst = 0,
    off = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < 2 * n; j++) {
      worst = Math.max(worst, Math.abs(back.data[2 * i * n + j]! - a.data[2 * i * n + j]!));
      off = Math.max(off, Math.abs(one.data[2 * i * n + j]! - (j === 2 * i ? 1 : 0)));
    }
  console.log(`n = ${n}: |A − VΛVᴴ| ${(worst / values[n - 1]!).toExponential(1)} of |A|, |VᴴV − 1| ${off.toExponential(1)}`);
  expect(worst / values[n - 1]!).toBeLessThan(1e-14);
  expect(off).toBeLessThan(2e-14);
});
