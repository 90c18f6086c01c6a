/** Names in records: a field of fixed size, zeros behind the text where that is shorter. */
const decoder = new TextDecoder();

/** The text at offset `at` of `view`, up to its first zero or of `most` bytes. */
export function nameAt(view: DataView, at: number, most: number): string {
  // A copy: memory that threads share is not decoded.
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, most).slice();
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
