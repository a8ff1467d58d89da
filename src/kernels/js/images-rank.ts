import { edgeRule, type ImageKernels } from "../images.js";
import { edgeIndex, padded } from "./images-pad.js";

/** Extremes by direct search along rows, then columns. */
export const extreme: ImageKernels["extreme"] = (data, ny, nx, ry, rx, high) => {
  const pick = high ? Math.max : Math.min,
    start = high ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const rows = new Float32Array(data.length),
    out = new Float32Array(data.length);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      let v = start;
      for (let i = Math.max(0, x - rx); i <= Math.min(nx - 1, x + rx); i++) v = pick(v, data[y * nx + i]!);
      rows[y * nx + x] = v;
    }
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      let v = start;
      for (let j = Math.max(0, y - ry); j <= Math.min(ny - 1, y + ry); j++) v = pick(v, rows[j * nx + x]!);
      out[y * nx + x] = v;
    }
  return out;
};

/** Median by sorting each window. NaN anywhere in a window gives NaN, as the forgetful selection with min and max does. */
export const median: ImageKernels["median"] = (data, ny, nx, ry, rx, edge) => {
  const p = padded(data, ny, nx, ry, rx, edgeRule[edge], 0),
    px = nx + 2 * rx,
    n = (2 * ry + 1) * (2 * rx + 1);
  const window = new Float32Array(n),
    out = new Float32Array(data.length);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      let nan = false;
      for (let j = 0, k = 0; j <= 2 * ry; j++)
        for (let i = 0; i <= 2 * rx; i++) {
          const v = p[(y + j) * px + x + i]!;
          nan ||= Number.isNaN(v);
          window[k++] = v;
        }
      out[y * nx + x] = nan ? Number.NaN : window.sort()[n >> 1]!;
    }
  return out;
};

/** Lower median by sorting each clipped window. */
export const medianU16: ImageKernels["medianU16"] = (data, ny, nx, ry, rx) => {
  const window = new Uint16Array((2 * ry + 1) * (2 * rx + 1)),
    out = new Uint16Array(data.length);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      let k = 0;
      for (let j = -ry; j <= ry; j++)
        for (let i = -rx; i <= rx; i++) {
          const s = edgeIndex(y + j, ny, 0),
            c = edgeIndex(x + i, nx, 0);
          if (s >= 0 && c >= 0) window[k++] = data[s * nx + c]!;
        }
      out[y * nx + x] = window.subarray(0, k).sort()[(k - 1) >> 1]!;
    }
  return out;
};
