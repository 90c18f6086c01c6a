import type { ByteWriter } from "../byte-writer.js";

/** A number of 32 bits in hexadecimal, and its mask where that is not all ones. */
export function printMasked(out: ByteWriter, value: number, mask: number): void {
  out.text("0x");
  out.hexadecimal(value);
  if (mask === 0xffffffff) return;
  out.text("/0x");
  out.hexadecimal(mask);
}
