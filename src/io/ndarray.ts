import type { NdArray } from "ndarray";
import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { type NdView, rowMajorStride } from "../core/ndview.js";

/**
 * A view as an object of the scijs `ndarray` package, sharing its storage. The package is loaded on the first call: it makes its classes
 * with `new Function`, which a strict content-security policy forbids, so nothing else here depends on it.
 * @throws unsupported where the package is not installed or may not run
 */
export async function toNdarray<T extends TypedArray>(view: NdView<T>): Promise<NdArray<T>> {
  let make: (data: T, shape: number[], stride: number[], offset: number) => NdArray<T>;
  try {
    const loaded = (await import("ndarray")) as unknown as { default: typeof make };
    make = loaded.default;
    return make(view.data, [...view.shape], [...view.stride], view.offset);
  } catch (cause) {
    return fail(
      "unsupported",
      {},
      "ndarray could not be used: install it, and allow 'unsafe-eval' where a content-security policy holds",
      cause,
    );
  }
}

/** What an ndarray must have to be taken: any object of that form will do, no package needed. */
export interface NdarrayLike {
  readonly data: unknown;
  readonly shape: readonly number[];
  readonly stride?: readonly number[];
  readonly offset?: number;
}

/** An ndarray (or anything of its form) as a view, sharing its storage. @throws unsupported for storage that is no typed array */
export function fromNdarray(array: NdarrayLike): NdView {
  const { data } = array;
  if (!ArrayBuffer.isView(data) || data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array)
    fail(
      "unsupported",
      { storage: Object.prototype.toString.call(data) },
      "ndarrays over plain arrays or 64-bit integers are not taken: copy the values into a Float64Array",
    );
  const shape = [...array.shape],
    stride = array.stride ? [...array.stride] : rowMajorStride(shape);
  if (stride.length !== shape.length) fail("bad-shape", { shape, stride }, "shape and stride have one entry per axis");
  return { data: data as TypedArray, shape, stride, offset: array.offset ?? 0 };
}
