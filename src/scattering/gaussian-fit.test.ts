import { expect, test } from "vitest";
import { fitGaussians } from "./gaussian-fit.js";
import { lobato } from "./lobato.js";
import { peng1996, peng1998 } from "./peng.js";

test.each(["H", "C", "O", "Na", "Si", "Ti", "Br", "Cs", "Lu", "U"])(
  "four Gaussians and a constant stand for %s within 0.3 % of f(0)",
  (element) => {
    for (const source of [lobato, peng1996]) {
      const fit = fitGaussians(source(element));
      expect(fit.worst).toBeLessThan(3e-3);
      for (const s of [0.05, 0.33, 0.71, 1.1]) {
        const f = fit.a.reduce((sum, a, i) => sum + a * Math.exp(-fit.b[i]! * s * s), fit.c);
        expect(Math.abs(f - source(element).f(s))).toBeLessThan(3.1e-3 * source(element).f(0));
      }
    }
  },
);
test("ions are refused", () => {
  expect(() => fitGaussians(peng1998("Na", 1))).toThrow(/Coulomb/);
});
