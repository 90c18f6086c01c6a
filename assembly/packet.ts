/**
 * The packet being walked: this thread's scratch copy and what the walk needs to know beside it. Set once a batch or a
 * packet; every match and target reads it here.
 */
import { RESULT_FLAGS } from "../src/blob/layout";

export let packet: usize = 0;
export let result: usize = 0;
export let generationSeen: u32 = 0;
/** Bytes of an address in the table being walked. */
export let addressBytes: u32 = 4;
/** The hook being walked. */
export let hook: u32 = 0;
/** This reader's line. */
export let reader: usize = 0;
/** The row whose target acts, and the first frame that its walk does not need. */
export let fired: usize = 0;
export let firedTop: usize = 0;
/** Set when a match finds a header cut short: the packet is dropped at once. */
export let hotdrop: bool = false;
/** 0, or which of the packets it is that the machine has sent on the way of another. */
export let ownNumber: u32 = 0;

export function setPacket(scratch: usize, into: usize): void {
  packet = scratch;
  result = into;
  hotdrop = false;
}
export function setGeneration(generation: u32): void {
  generationSeen = generation;
}
export function setAddressBytes(bytes: u32): void {
  addressBytes = bytes;
}
export function setHook(number: u32): void {
  hook = number;
}
export function setReader(line: usize): void {
  reader = line;
}
export function setFired(row: usize, top: usize): void {
  fired = row;
  firedTop = top;
}
export function setHotdrop(): void {
  hotdrop = true;
}
export function setOwnNumber(number: u32): void {
  ownNumber = number;
}

/** Adds to what the result says of the packet; a RESULT_FLAG_*. */
export function flagResult(bit: u32): void {
  store<u8>(result, <u8>(load<u8>(result, RESULT_FLAGS) | bit), RESULT_FLAGS);
}
