import { fail } from "../core/errors.js";
import type { Axis } from "./detectors.js";
import type { WaveGrid } from "./grid.js";
import type { ScanSteps } from "./measurements.js";

type Vec2 = readonly [number, number];
/** Where the probe stands, Å on the axes of the box. Positions outside the box count modulo its periods. */
export type Scan =
  | {
      /** Positions origin + (ix/sx)·a + (iy/sy)·b: the far edges are left out, so a scan over periods tiles. */
      readonly kind: "grid";
      readonly shape: readonly [sy: number, sx: number];
      readonly origin?: Vec2 | undefined;
      /** Edges of the scanned area; default those of the box. */
      readonly a?: Vec2 | undefined;
      readonly b?: Vec2 | undefined;
    }
  | {
      /** `count` positions from one point to another, both ends included. */
      readonly kind: "line";
      readonly from: Vec2;
      readonly to: Vec2;
      readonly count: number;
    }
  | {
      readonly kind: "list";
      /** Shape [n, 2]. */
      readonly positions: ArrayLike<number>;
    };

/** Positions of a scan, [n, 2], their shape and what it means. */
export interface ScanPositions {
  readonly positions: Float64Array;
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** Step vectors of a grid. */
  readonly steps?: ScanSteps | undefined;
}

/** Most probes of one scan. */
const MAX_PROBES = 2 ** 24;

/** @throws bad-value */
export function scanPositions(scan: Scan, grid: WaveGrid): ScanPositions {
  const finite = (name: string, v: ArrayLike<number>): void => {
    if (!Array.from(v).every(Number.isFinite))
      fail("bad-value", { [name]: Array.from(v).slice(0, 4) }, `${name} of the scan are finite numbers in Å`);
  };
  const whole = (n: number): boolean => Number.isInteger(n) && n >= 1;
  switch (scan.kind) {
    case "grid": {
      const { shape, origin = [0, 0], a = grid.a, b = grid.b } = scan,
        [sy, sx] = shape;
      if (!(whole(sy) && whole(sx) && sy * sx <= MAX_PROBES))
        fail(
          "bad-value",
          { shape, most: MAX_PROBES },
          "a grid scan has whole numbers of rows and columns [sy, sx], and no more than 16.7 million probes",
        );
      for (const [name, v] of Object.entries({ origin, a, b })) finite(name, v);
      const positions = new Float64Array(2 * sy * sx);
      for (let iy = 0, p = 0; iy < sy; iy++)
        for (let ix = 0; ix < sx; ix++) for (let k = 0; k < 2; k++) positions[p++] = origin[k]! + (ix / sx) * a[k]! + (iy / sy) * b[k]!;
      const steps: ScanSteps = { x: [a[0] / sx, a[1] / sx], y: [b[0] / sy, b[1] / sy] };
      const axis = (name: string, step: Vec2): Axis => ({ name, unit: "Å", origin: 0, step: Math.hypot(...step) });
      return { positions, shape: [sy, sx], axes: [axis("y", steps.y), axis("x", steps.x)], steps };
    }
    case "line": {
      const { from, to, count } = scan;
      if (!whole(count) || count > MAX_PROBES) fail("bad-value", { count }, "a line scan has a whole number of positions");
      finite("from", from);
      finite("to", to);
      const positions = Float64Array.from({ length: 2 * count }, (_, i) => {
        const t = count === 1 ? 0 : (i >> 1) / (count - 1);
        return from[(i % 2) as 0] + t * (to[(i % 2) as 0] - from[(i % 2) as 0]);
      });
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
      return { positions, shape: [count], axes: [{ name: "distance", unit: "Å", origin: 0, step: count > 1 ? length / (count - 1) : 0 }] };
    }
    case "list": {
      const positions = Float64Array.from(scan.positions),
        n = positions.length / 2;
      if (!whole(n) || n > MAX_PROBES) fail("bad-shape", { length: positions.length }, "a list of positions is [n, 2], at least one");
      finite("positions", positions);
      return { positions, shape: [n], axes: [{ name: "position", unit: "", origin: 0, step: 1 }] };
    }
    default:
      return fail("bad-value", { kind: (scan as { kind?: unknown }).kind }, "a scan is a grid, a line or a list");
  }
}

/**
 * A grid over an area with steps no longer than `step`. Without `step`: λ/4α, twice the Nyquist rate of an incoherent image made by a probe of semi-angle α.
 */
export function gridScan(
  area: { readonly a: Vec2; readonly b: Vec2; readonly origin?: Vec2 | undefined },
  sampling: { readonly step: number } | { readonly semiangleMrad: number; readonly wavelength: number },
): Scan {
  const step = "step" in sampling ? sampling.step : sampling.wavelength / (4 * (sampling.semiangleMrad / 1e3));
  if (!(step > 0 && Number.isFinite(step))) fail("bad-value", { step, ...sampling }, "the step of a scan is a length in Å");
  const count = (v: Vec2): number => Math.max(1, Math.ceil(Math.hypot(...v) / step - 1e-9));
  return { kind: "grid", shape: [count(area.b), count(area.a)], a: area.a, b: area.b, origin: area.origin };
}
