/** TCP's states and what leads from one to another: a finite machine over six kinds of packets. */
import { PACKET_TCP_FLAGS } from "../../src/blob/layout";
import { packet } from "../packet";

export const FIN: u32 = 1;
export const SYN: u32 = 2;
export const RST: u32 = 4;
export const ACK: u32 = 16;
export const URG: u32 = 32;

/** Kinds of packets, and rows of the transition tables. */
export const INDEX_SYN: u32 = 0;
export const INDEX_SYNACK: u32 = 1;
export const INDEX_FIN: u32 = 2;
export const INDEX_ACK: u32 = 3;
export const INDEX_RST: u32 = 4;
export const INDEX_NONE: u32 = 5;

/** Beside the states: the packet is invalid here; the packet changes nothing. */
export const INVALID: u32 = 10;
export const IGNORE: u32 = 11;
/** The kind of the packet in hand. */
export function indexOf(): u32 {
  const flags = <u32>load<u8>(packet, PACKET_TCP_FLAGS);
  if (flags & RST) return INDEX_RST;
  if (flags & SYN) return flags & ACK ? INDEX_SYNACK : INDEX_SYN;
  if (flags & FIN) return INDEX_FIN;
  return flags & ACK ? INDEX_ACK : INDEX_NONE;
}

/**
 * The next state, four bits each from the lowest, columns by the present one: none, SYN_SENT, SYN_RECV, ESTABLISHED,
 * FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2. a is invalid, b ignored.
 */
export function transition(direction: u32, index: u32, state: u32): u32 {
  let row: u64 = 0xaaaaaaaaaa;
  if (direction == 0) {
    if (index == INDEX_SYN) row = 0x911bbbbb11;
    else if (index == INDEX_SYNACK) row = 0x2aaaaaa2aa;
    else if (index == INDEX_FIN) row = 0xa8766644aa;
    else if (index == INDEX_ACK) row = 0xa8775533a3;
    else if (index == INDEX_RST) row = 0x888888888a;
  } else {
    if (index == INDEX_SYN) row = 0x9a1aaaaa9a;
    else if (index == INDEX_SYNACK) row = 0x2bbbbbbb2a;
    else if (index == INDEX_FIN) row = 0xa8766644aa;
    else if (index == INDEX_ACK) row = 0xb8775532ba;
    else if (index == INDEX_RST) row = 0x888888888a;
  }
  return <u32>(row >> (state << 2)) & 15;
}
