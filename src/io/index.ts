/** Bytes to format-shaped records, and back. */

export type { Cursor } from "./bytes.js";
export { cursor, declaredSizeCheck, fromLatin1, latin1 } from "./bytes.js";
export type { NumberType } from "./bytes-numbers.js";
export { bytesPer, decodeNumbers, littleEndianBytes, moduli, numberTypeOf } from "./bytes-numbers.js";
export type { FrameFacts, FrameSource, Metadata } from "./frames.js";
export { checkFrame, framesOf, naturalCompare, toFloat32 } from "./frames.js";
export type { ByteInput, ByteSource, SizeLimit } from "./source.js";
export { blobSource, bytesSource, DEFAULT_MAX_BYTES, readAll, readUpTo, sliceSource, toSource } from "./source.js";
