/** Bytes to format-shaped records, and back. */

export type { Cursor } from "./bytes.js";
export { cursor, declaredSizeCheck, fromLatin1, latin1 } from "./bytes.js";
export type { NumberType } from "./bytes-numbers.js";
export { bytesPer, decodeNumbers, littleEndianBytes, moduli, numberTypeOf } from "./bytes-numbers.js";
export type { CbfWriteOptions } from "./cbf.js";
export { cbfFrames, decodeByteOffsetInto, encodeByteOffset, parseMiniCbf, writeCbf } from "./cbf.js";
export type {
  CifBlock,
  CifComment,
  CifDocument,
  CifEntry,
  CifFrame,
  CifItem,
  CifList,
  CifLoop,
  CifMissing,
  CifTable,
  CifValue,
} from "./cif.js";
export { cifComment, cifInapplicable, cifItem, cifLoop, cifUnknown, isCifMissing, isCifTable } from "./cif.js";
export {
  cifBlock,
  cifColumn,
  cifFrames,
  cifIntegers,
  cifLoopOf,
  cifMeasured,
  cifMeasuredColumn,
  cifNumber,
  cifNumbers,
  cifText,
  cifTexts,
  cifValue,
  hasCifValue,
  withCifItem,
} from "./cif-access.js";
export type { CifParseOptions } from "./cif-parse.js";
export { parseCif } from "./cif-parse.js";
export type { CifWriteOptions } from "./cif-write.js";
export { cifValueText, writeCif } from "./cif-write.js";
export type { FrameFacts, FrameSource, Metadata } from "./frames.js";
export { checkFrame, framesOf, naturalCompare, toFloat32 } from "./frames.js";
export type { Measured } from "./number.js";
export { formatSu, parseInteger, parseNumber, parseSu } from "./number.js";
export type { RawOptions } from "./raw.js";
export { rawFrames } from "./raw.js";
export type { SmvHeader, SmvWriteOptions } from "./smv.js";
export { parseSmvHeader, smvFrames, writeSmv } from "./smv.js";
export type { ByteInput, ByteSource, SizeLimit } from "./source.js";
export { blobSource, bytesSource, DEFAULT_MAX_BYTES, readAll, readUpTo, siblings, sliceSource, toSource } from "./source.js";
export type { Parsed, TextInput } from "./text.js";
export { decodeText } from "./text.js";
