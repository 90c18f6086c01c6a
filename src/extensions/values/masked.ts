/** Groups and realms: 32 bits under a mask. The name of 0 is what iproute2's own tables of names have it to be. */
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";

const ALL_ONES = 0xffffffff;

/** Into `argument.value` and `.mask`. */
export function readMasked(argument: Argument, nameOfZero: string): void {
  if (!argument.equals(nameOfZero)) return argument.maskedMark();
  argument.value = 0;
  argument.mask = ALL_ONES;
}

/** In hexadecimal, with the mask where that is not all ones. */
export function printMasked(out: ByteWriter, value: number, mask: number, nameOfZero: string): void {
  if (value === 0 && mask === ALL_ONES) return out.text(nameOfZero);
  out.text("0x");
  out.hexadecimal(value);
  if (mask === ALL_ONES) return;
  out.text("/0x");
  out.hexadecimal(mask);
}
