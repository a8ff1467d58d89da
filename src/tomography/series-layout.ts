import { fail } from "../core/errors.js";
import { reverseAxes } from "./layout.js";

/** Order of the axes of a stack as its file names them. */
export type StackLayout = "view-y-x" | "x-y-view" | "y-x-view";

/** How a reader hands over the axes: images in order, an array of unknown order, or MATLAB's array with its axes reversed. */
export type AxesRead = "images" | "array" | "reversed";

/** Images with rows and columns exchanged, [views, ny, nx] to [views, nx, ny]. */
export function transposeViews<T extends Float32Array | Uint8Array>(data: T, [views, ny, nx]: readonly [number, number, number]): T {
  const out = data.slice() as T;
  for (let p = 0, i = 0; p < views; p++)
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++, i++) out[(p * nx + x) * ny + y] = data[i]!;
  return out;
}

/**
 * [views, y, x] of a stack whose order of axes is stated or follows from the number of angles.
 * @param counts numbers of views that the angle file allows
 * @returns `guessed` where views come last, so that [x, y, view] as published was taken but [y, x, view] is as likely
 */
export function orientStack(
  read: Float32Array,
  shape: readonly number[],
  { axes, layout, counts }: { readonly axes: AxesRead; readonly layout?: StackLayout | undefined; readonly counts: readonly number[] },
): { readonly data: Float32Array; readonly shape: readonly [number, number, number]; readonly guessed: boolean; readonly note?: string } {
  const three = (shape.length === 2 ? [1, ...shape] : shape) as unknown as readonly [number, number, number];
  if (three.length !== 3) fail("bad-shape", { shape }, "projections have three axes: views, rows, columns");
  if (layout !== undefined && !["view-y-x", "x-y-view", "y-x-view"].includes(layout))
    fail("bad-value", { layout }, "the layout of a stack is view-y-x, x-y-view or y-x-view");
  const [first, , last] = three,
    fits = (n: number): boolean => counts.includes(n);
  // Reversed arrays hold MATLAB's last axis first.
  const viewsFirst = axes === "reversed" ? layout !== "view-y-x" : layout === undefined || layout === "view-y-x";
  const turn = axes !== "images" && (layout === undefined ? fits(last) && !fits(first) : !viewsFirst);
  const now = turn ? reverseAxes(read, three) : { data: read, shape: three };
  const inFile = axes === "reversed" ? [...three].reverse() : three;
  const guessed = layout === undefined && axes !== "images" && turn === (axes === "array") && fits(now.shape[0]);
  if (layout === "y-x-view" && axes !== "images")
    return { data: transposeViews(now.data, now.shape), shape: [now.shape[0], now.shape[2], now.shape[1]], guessed };
  const note = `array [${inFile.join(", ")}] read as ${axes === "array" ? "[x, y, view]" : "[view, y, x]"}, since there are ${now.shape[0]} poses`;
  return { ...now, guessed, ...(turn && layout === undefined ? { note } : {}) };
}
