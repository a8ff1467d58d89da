/** Any numeric storage of an image, a volume or a column. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** A picture or a detector frame: row-major, shape [ny, nx]; pixel (x, y) is data[y·nx + x]. */
export interface Image<T extends TypedArray = Float32Array> {
  readonly data: T;
  readonly shape: readonly [ny: number, nx: number];
}
