import { fail } from "./errors.js";
import type { Image, TypedArray } from "./image.js";

/**
 * A view of n-dimensional data: element (i0, i1, …) is data[offset + Σ iₖ·stride[k]]. Structurally what the scijs `ndarray` package
 * makes, so a value of either kind is accepted.
 */
export interface NdView<T extends TypedArray = TypedArray> {
  readonly data: T;
  readonly shape: readonly number[];
  /** Steps in elements, not bytes; may be negative. */
  readonly stride: readonly number[];
  readonly offset: number;
}

/** Strides of contiguous row-major data, last axis fastest. */
export function rowMajorStride(shape: readonly number[]): number[] {
  const stride = new Array<number>(shape.length);
  for (let k = shape.length - 1, step = 1; k >= 0; k--) {
    stride[k] = step;
    step *= shape[k]!;
  }
  return stride;
}

const count = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);

/**
 * A contiguous row-major view of `data`.
 * @throws bad-shape when `data` does not hold exactly the product of `shape`
 */
export function ndView<T extends TypedArray>(data: T, shape: readonly number[]): NdView<T> {
  if (shape.some((s) => !(Number.isInteger(s) && s >= 0)) || data.length !== count(shape))
    fail("bad-shape", { length: data.length, shape }, "shape holds whole sizes whose product is the number of values");
  return { data, shape: [...shape], stride: rowMajorStride(shape), offset: 0 };
}

/** Whether the view's elements lie without gaps in row-major order (axes of size 1 may have any stride). */
export function isContiguous(view: NdView): boolean {
  const want = rowMajorStride(view.shape);
  return count(view.shape) === 0 || view.shape.every((s, k) => s === 1 || view.stride[k] === want[k]);
}

/** The elements in row-major order: a subarray of the storage when they already lie so, else a copy. @throws bad-shape */
export function contiguous<T extends TypedArray>(view: NdView<T>): T {
  const { data, shape, stride, offset } = view;
  const n = count(shape);
  checkBounds(view);
  if (isContiguous(view)) return data.subarray(offset, offset + n) as T;
  const out = data.slice(0, 0).constructor as new (length: number) => T;
  const result = new out(n);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < n; i++) {
    result[i] = data[at]!;
    for (let k = shape.length - 1; k >= 0; k--) {
      at += stride[k]!;
      if (++index[k]! < shape[k]!) break;
      at -= stride[k]! * shape[k]!;
      index[k] = 0;
    }
  }
  return result;
}

/** A 2-D view as an image, sharing storage when it is contiguous. @throws bad-shape unless the view has two axes */
export function imageOf<T extends TypedArray>(view: NdView<T>): Image<T> {
  const [ny, nx] = view.shape;
  if (view.shape.length !== 2 || ny === undefined || nx === undefined)
    return fail("bad-shape", { shape: view.shape }, "an image has two axes, [ny, nx]; take one slice of the stack first");
  return { data: contiguous(view), shape: [ny, nx] };
}

/** One entry of the first axis, e.g. frame `index` of a stack [n, ny, nx]; shares storage. @throws out-of-range */
export function pick<T extends TypedArray>(view: NdView<T>, index: number): NdView<T> {
  const n = view.shape[0] ?? 0;
  if (!(Number.isInteger(index) && index >= 0 && index < n))
    fail("out-of-range", { index, size: n }, "index runs from 0 to the axis length less one");
  return { data: view.data, shape: view.shape.slice(1), stride: view.stride.slice(1), offset: view.offset + index * view.stride[0]! };
}

function checkBounds({ data, shape, stride, offset }: NdView): void {
  let low = offset,
    high = offset;
  for (let k = 0; k < shape.length; k++) {
    const reach = (shape[k]! - 1) * (stride[k] ?? Number.NaN);
    if (reach < 0) low += reach;
    else high += reach;
  }
  if (count(shape) > 0 && !(low >= 0 && high < data.length))
    fail(
      "bad-shape",
      { length: data.length, shape, stride, offset },
      "the view reaches outside its storage; check shape, stride and offset",
    );
}
