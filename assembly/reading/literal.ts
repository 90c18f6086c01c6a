/** Literal bytes of a step. */

/** Whether the text at `at` begins with the literal, which is padded to 16. */
export function sameLiteral(at: usize, literal: usize, length: usize): bool {
  while (length > 16) {
    if (v128.bitmask<i8>(v128.eq<u8>(v128.load(at), v128.load(literal))) != 0xffff) return false;
    at += 16;
    literal += 16;
    length -= 16;
  }
  const wanted: i32 = (1 << (<i32>length)) - 1;
  return (v128.bitmask<i8>(v128.eq<u8>(v128.load(at), v128.load(literal))) & wanted) == wanted;
}
