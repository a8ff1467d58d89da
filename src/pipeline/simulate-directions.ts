import { intervalRule, sweepRule } from "../bloch/integrate-rules.js";
import type { DirectionSet } from "../bloch/rotation.js";
import { fail } from "../core/errors.js";
import { apply, compose, transpose, type Vec3 } from "../core/frames.js";
import type { Exposure } from "../geometry/experiment.js";
import { radians, rotationAbout } from "../geometry/rotation.js";
import { normalCdf } from "../numerics/erf.js";

/** Standard deviations to which the mosaic blocks are followed. */
const TAIL = 3.5;

/**
 * Directions of one exposure of a crystal whose blocks are turned by an isotropic normal distribution, for a truth rather than for a model of JANA's
 * kind: about the tilt axis the blocks and the rotation are one density (a box folded with a Gaussian), across it a Gaussian of its own. Smooth
 * densities on equal steps converge faster than any power once the step resolves the bandwidth (cycles per radian, g·t) and the densities.
 * The fastest of them carry little: steps for 0.6 of the bandwidth are within 0.2 % of the intensities (wedge; albite, 600 Å).
 * @param mosaicity - σ of the blocks, radians
 * @param range - largest |g| times the largest thickness
 */
export function simulationDirections(exposure: Exposure, mosaicity: number, range: number): DirectionSet {
  if (!(mosaicity >= 0 && range > 0)) fail("out-of-range", { mosaicity, range }, "mosaicity is at least 0, and g·t is positive");
  const bandwidth = 0.6 * range;
  const across = gaussian(mosaicity, bandwidth);
  if (exposure.kind === "precession") {
    // The ring blurred by the blocks: to order σ/φ a ring for each radial shift.
    const angle = radians(exposure.semiAngleDeg);
    const n = Math.ceil(2 * Math.PI * bandwidth * Math.sin(angle) + 20);
    return directions(
      across.flatMap(({ x, w }) =>
        Array.from({ length: n }, (_, i) => {
          const azimuth = (2 * Math.PI * i) / n,
            r = angle + x;
          return { kappa: [Math.sin(r) * Math.cos(azimuth), Math.sin(r) * Math.sin(azimuth), -Math.cos(r)] as Vec3<"lab">, weight: w / n };
        }),
      ),
    );
  }
  const half = exposure.kind === "continuous" ? radians(exposure.halfWidthDeg) : 0;
  const along = half > 0 ? swept(half, mosaicity, bandwidth, range) : gaussian(mosaicity, bandwidth);
  return directions(
    across.flatMap((a) => {
      const block = rotationAbout<"lab", "lab">([0, 1, 0], a.x);
      return along.map((t) => ({
        kappa: apply(transpose(compose(block, rotationAbout<"lab", "lab">([1, 0, 0], t.x))), [0, 0, -1] as Vec3<"lab">),
        weight: a.w * t.w,
      }));
    }),
  );
}

interface Node {
  readonly x: number;
  readonly w: number;
}
const step = (sigma: number, bandwidth: number): number => 1 / (bandwidth + 0.6 / sigma);
const normalised = (nodes: readonly Node[]): Node[] => {
  const sum = nodes.reduce((s, n) => s + n.w, 0);
  return nodes.map(({ x, w }) => ({ x, w: w / sum }));
};
const equalSteps = (reach: number, h: number, density: (x: number) => number): Node[] => {
  const n = Math.ceil((2 * reach) / h);
  return normalised(Array.from({ length: n + 1 }, (_, i) => ({ x: reach * ((2 * i) / n - 1), w: density(reach * ((2 * i) / n - 1)) })));
};

function gaussian(sigma: number, bandwidth: number): Node[] {
  if (sigma === 0) return [{ x: 0, w: 1 }];
  return equalSteps(TAIL * sigma, step(sigma, bandwidth), (x) => Math.exp(-0.5 * (x / sigma) ** 2));
}

/** Box of ±half folded with the Gaussian. Where the blocks are much narrower than the step of the box, a product of two rules is cheaper. */
function swept(half: number, sigma: number, bandwidth: number, range: number): Node[] {
  const box = intervalRule(sweepRule(range, 1, half), half);
  const product = box.nodes.length * gaussian(sigma, bandwidth).length;
  if (sigma > 0 && (2 * (half + TAIL * sigma)) / step(sigma, bandwidth) <= product)
    return equalSteps(half + TAIL * sigma, step(sigma, bandwidth), (x) => normalCdf((x + half) / sigma) - normalCdf((x - half) / sigma));
  return gaussian(sigma, bandwidth).flatMap((g) => Array.from(box.nodes, (x, i) => ({ x: x + g.x, w: g.w * box.weights[i]! })));
}

function directions(list: readonly { readonly kappa: Vec3<"lab">; readonly weight: number }[]): DirectionSet {
  return {
    size: list.length,
    kappa: Float64Array.from(list.flatMap((d) => [...d.kappa])),
    weight: Float64Array.from(list, (d) => d.weight),
  };
}
