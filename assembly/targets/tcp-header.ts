/** ECN and TCPOPTSTRIP: targets that write TCP's header (ipt_ECN.c, xt_TCPOPTSTRIP.c). */
import {
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAG_OPTIONS_REWRITTEN,
  PACKET_FLAGS_DROPPED,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_MSS,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PROTOCOL,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
  PACKET_TCP_STRIPPED,
  PACKET_TOS,
  VERDICT_CONTINUE,
  VERDICT_DROP,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";
import { HEADER_CUT, optionSize, payload, placeHas, transportHas, transportOffset } from "../payload";

const ECT: u8 = 1;
const ECE: u8 = 16;
const CWR: u8 = 32;
const ECT_MASK: u8 = 3;
const FLAG_ECE: u8 = 64;
const FLAG_CWR: u8 = 128;
const TCP: u8 = 6;
const HEADER: u32 = 20;
const NO_OPERATION: u32 = 2;
const SEGMENT_SIZE: u32 = 4;
const ALL: u32 = 0xffffffff;

/** Beside what `withinReach` says. */
let beyond: u32 = 0;

/** A header that is cut short is dropped; of a later fragment Linux takes for one what lies in its place. */
export function setEcn(record: usize): u32 {
  const operation = load<u8>(record, P.SETECN_OPERATION);
  if (operation & ECT)
    store<u8>(packet, (load<u8>(packet, PACKET_TOS) & ~ECT_MASK) | load<u8>(record, P.SETECN_ECT), PACKET_TOS);
  if (!(operation & (ECE | CWR)) || load<u8>(packet, PACKET_PROTOCOL) != TCP) return VERDICT_CONTINUE;
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET) ? !placeHas(HEADER) : !transportHas(HEADER)) return VERDICT_DROP;
  let flags = load<u8>(packet, PACKET_TCP_FLAGS);
  if (operation & ECE) flags = load<u8>(record, P.SETECN_ECE) ? flags | FLAG_ECE : flags & ~FLAG_ECE;
  if (operation & CWR) flags = load<u8>(record, P.SETECN_CWR) ? flags | FLAG_CWR : flags & ~FLAG_CWR;
  store<u8>(packet, flags, PACKET_TCP_FLAGS);
  return VERDICT_CONTINUE;
}

export function checkEcn(record: usize): bool {
  return !(load<u8>(record, P.SETECN_OPERATION) & ~(ECT | ECE | CWR)) && load<u8>(record, P.SETECN_ECT) <= ECT_MASK;
}

/**
 * Kinds of options that stripping comes to and, in `beyond`, that it does not: of the header's last byte, and behind one that reaches
 * out of it. All of them where bytes do not tell.
 */
function withinReach(): u32 {
  beyond = 0;
  const bytes = payload();
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const place = bytes ? transportOffset(bytes, length) : HEADER_CUT;
  if (place == HEADER_CUT || place + HEADER > length) return ALL;
  const header = bytes + place;
  const size = (<u32>load<u8>(header, 12) >> 4) << 2;
  if (place + size > length) return ALL;
  // What TCPMSS has put in front is not in the bytes.
  let within: u32 = <u32>load<u8>(packet, PACKET_TCP_DATA_OFFSET) > size ? SEGMENT_SIZE : 0;
  let reached = true;
  for (let at = HEADER; at < size; ) {
    const kind = load<u8>(header + at);
    const step = optionSize(header + at, header + size);
    reached = reached && at + 1 < size && at + step <= size;
    if (kind < 32 && reached) within |= 1 << kind;
    else if (kind < 32) beyond |= 1 << kind;
    at += step;
  }
  return within;
}

/** No-operations take the place of the options. Kinds above 31 are not in the packet's record. */
export function stripOptions(record: usize): u32 {
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET)) return VERDICT_CONTINUE;
  const flags = load<u8>(packet, PACKET_FLAGS);
  if (flags & PACKET_FLAGS_DROPPED) return VERDICT_DROP;
  const options = load<u32>(packet, PACKET_TCP_OPTIONS);
  const named = options & load<u32>(record, P.TCPOPTSTRIP_MAP);
  const stripped = named ? named & withinReach() : 0;
  if (!stripped) return VERDICT_CONTINUE;
  const left = (options & ~stripped) | (stripped & beyond);
  store<u32>(packet, left | NO_OPERATION, PACKET_TCP_OPTIONS);
  store<u32>(packet, load<u32>(packet, PACKET_TCP_STRIPPED) | stripped, PACKET_TCP_STRIPPED);
  const sized = (stripped & SEGMENT_SIZE) == 0;
  if (!sized) store<u16>(packet, 0, PACKET_MSS);
  store<u8>(
    packet,
    (sized ? flags : flags & ~(<u8>PACKET_FLAG_MSS_ZERO)) | PACKET_FLAG_OPTIONS_REWRITTEN,
    PACKET_FLAGS,
  );
  return VERDICT_CONTINUE;
}
