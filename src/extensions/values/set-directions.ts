import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";

const MOST_DIMENSIONS = 6;

/** `src` and `dst` with commas, what follows the three letters not mattering: bits in `value`, how many in `mask`. */
export function readDirections(argument: Argument): void {
  const words = argument.text().split(",");
  if (words.length > MOST_DIMENSIONS) argument.fail("bad-value", `at most ${MOST_DIMENSIONS} of src and dst`);
  argument.value = 0;
  argument.mask = words.length;
  for (const [dimension, word] of words.entries())
    if (word.startsWith("src")) argument.value |= 1 << dimension;
    else if (!word.startsWith("dst")) argument.fail("bad-value", "src or dst, or several with commas");
}

/** With a space in front. */
export function printDirections(out: ByteWriter, directions: number, dimensions: number): void {
  for (let i = 0; i < dimensions; i++) {
    out.byte(i === 0 ? 32 : 44);
    out.text((directions >> i) & 1 ? "src" : "dst");
  }
}
