const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 (RFC 4648, padded) of bytes; no limit on the length and no need of btoa or Buffer. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i,
      v = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += DIGITS[v >> 18]! + DIGITS[(v >> 12) & 63]! + (left > 1 ? DIGITS[(v >> 6) & 63]! : "=") + (left > 2 ? DIGITS[v & 63]! : "=");
    if (text.length > 8192) {
      parts.push(text);
      text = "";
    }
  }
  parts.push(text);
  return parts.join("");
}

/** data: URI of bytes. */
export function dataUri(bytes: Uint8Array, type = "image/png"): string {
  return `data:${type};base64,${encodeBase64(bytes)}`;
}
