/**
 * Raw (R64) Medipix3 frames: the counters as they leave the chips. Pixels travel in 64-bit words that the file holds byte-reversed, so
 * the first pixel of a word lies in its last byte. Kinds by counter depth: 1 bit (64 pixels a word), 6 bit (8 pixels a word, a byte each),
 * 12 bit (4 pixels, a big-endian u16 each), 24 bit (two 12-bit images, the high bits first).
 */

/** Bytes of `pixels` raw pixels at a counter depth. */
export function rawBytes(pixels: number, depth: number): number {
  return depth === 1 ? pixels / 8 : depth === 6 ? pixels : depth === 12 ? pixels * 2 : pixels * 4;
}

/** Unpack one plane of 1, 6 or 12 bits: pixels in the order of the file rows. `out.length` is a multiple of 64. */
export function unpackRawInto(out: Uint8Array | Uint16Array | Uint32Array, bytes: Uint8Array, depth: number): void {
  const n = out.length;
  if (depth === 1) {
    for (let i = 0; i < n; i += 8) {
      // byte k of a word holds pixels 8·(7−k) …, least significant bit first
      const b = bytes[(i >> 6) * 8 + 7 - ((i >> 3) & 7)]!;
      for (let k = 0; k < 8; k++) out[i + k] = (b >> k) & 1;
    }
  } else if (depth === 6) {
    for (let i = 0; i < n; i++) out[i] = bytes[(i & ~7) + 7 - (i & 7)]!;
  } else {
    for (let i = 0; i < n; i++) {
      const at = 2 * ((i & ~3) + 3 - (i & 3));
      out[i] = (bytes[at]! << 8) | bytes[at + 1]!;
    }
  }
}

/**
 * Put the four chips of a raw quad, which lie side by side in the file as [4 | 3 | 2 | 1], into a 2×2 picture
 * (1 2 over 3 4), chips 3 and 4 turned by 180° as they are mounted.
 * @param rows - rows of one chip (those of the read-out region)
 */
export function assembleQuad<T extends Uint8Array | Uint16Array | Uint32Array>(out: T, strip: T, rows: number): void {
  const w = 256,
    width = 2 * w,
    stride = 4 * w;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < w; x++) {
      out[y * width + x] = strip[y * stride + 3 * w + x]!;
      out[y * width + w + x] = strip[y * stride + 2 * w + x]!;
      const turned = (2 * rows - 1 - y) * width + w - 1 - x;
      out[turned] = strip[y * stride + w + x]!;
      out[turned + w] = strip[y * stride + x]!;
    }
}
