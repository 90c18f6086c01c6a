/** Interface names with their masks, 16 bytes each, as ipt_entry has them. */
import { INTERFACE_SIZE } from "../../blob/layout.js";
import type { ByteWriter } from "../byte-writer.js";
import { Fault } from "../fault.js";

const PLUS = 43;

/** Writes a name and a mask that covers it with its zero byte, or up to a `+` at its end. */
export function readInterface(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): void {
  const length = end - start;
  if (length === 0 || length >= INTERFACE_SIZE)
    throw new Fault("bad-interface", start, end, `a name of 1 to ${INTERFACE_SIZE - 1} bytes`);
  const covered = bytes[end - 1] === PLUS ? length - 1 : length + 1;
  for (let i = 0; i < INTERFACE_SIZE; i++) {
    out[at + i] = i < length ? (bytes[start + i] as number) : 0;
    out[at + INTERFACE_SIZE + i] = i < covered ? 255 : 0;
  }
}

/** A name as far as its mask covers it, with a `+` where that is not to its end. */
export function printInterface(out: ByteWriter, bytes: Uint8Array, at: number): void {
  let i = 0;
  for (; i < INTERFACE_SIZE && bytes[at + INTERFACE_SIZE + i] !== 0; i++)
    if (bytes[at + i] !== 0) out.byte(bytes[at + i] as number);
  if (i > 0 && i < INTERFACE_SIZE && bytes[at + i - 1] !== 0) out.byte(PLUS);
}
