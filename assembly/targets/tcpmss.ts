/** TCPMSS (xt_TCPMSS.c): the largest segment that a SYN asks for. */
import {
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAG_OPTIONS_REWRITTEN,
  PACKET_FLAGS,
  PACKET_FLAGS_DROPPED,
  PACKET_FRAGMENT_OFFSET,
  PACKET_LENGTH,
  PACKET_MSS,
  PACKET_PAYLOAD_LENGTH,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_OPTIONS,
  VERDICT_CONTINUE,
  VERDICT_DROP,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { addressBytes, packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";
import { pathMtu } from "../routing/mtu";

/** The size a SYN without the option is taken to have (RFC 1122, RFC 8200). */
const MSS_IPV4: u16 = 536;
const MSS_IPV6: u16 = 1220;
const MSS_OPTION: u32 = 2;
const TCP_HEADER_MIN: u8 = 20;
/** Of TCPMSS_VALUE: what the path allows. */
const CLAMP: u16 = 0xffff;
const TCP_HEADER_MAX: u32 = 60;
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;

/**
 * Lowers the size that the SYN announces, never raises it; a SYN that announces none grows by an option of 4 bytes where
 * that needs no data moved (xt_TCPMSS.c).
 */
export function clampMss(record: usize): u32 {
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET)) return VERDICT_CONTINUE;
  const flags = load<u8>(packet, PACKET_FLAGS);
  if (flags & PACKET_FLAGS_DROPPED) return VERDICT_DROP;
  const headers = (addressBytes == 4 ? IPV4_HEADER : IPV6_HEADER) + TCP_HEADER_MIN;
  let limit = load<u16>(record, P.TCPMSS_VALUE);
  if (limit == CLAMP) {
    const mtu = pathMtu();
    if (mtu <= headers) return VERDICT_DROP;
    limit = <u16>(mtu - headers < CLAMP ? mtu - headers : CLAMP);
  }
  const old = load<u16>(packet, PACKET_MSS);
  const assumed: u16 = addressBytes == 4 ? MSS_IPV4 : MSS_IPV6;
  if (old == 0 && !(flags & PACKET_FLAG_MSS_ZERO)) {
    const header = <u32>load<u8>(packet, PACKET_TCP_DATA_OFFSET);
    const length = load<u32>(packet, PACKET_LENGTH);
    if (header >= TCP_HEADER_MAX || length > header + headersInFront()) return VERDICT_CONTINUE;
    rewriteSize(flags, limit < assumed ? limit : assumed);
    store<u32>(packet, load<u32>(packet, PACKET_TCP_OPTIONS) | (1 << MSS_OPTION), PACKET_TCP_OPTIONS);
    store<u8>(packet, <u8>(header + 4), PACKET_TCP_DATA_OFFSET);
    store<u32>(packet, length + 4, PACKET_LENGTH);
  } else if (old > limit) rewriteSize(flags, limit);
  return VERDICT_CONTINUE;
}

function rewriteSize(flags: u8, size: u16): void {
  store<u16>(packet, size, PACKET_MSS);
  store<u8>(packet, flags | PACKET_FLAG_OPTIONS_REWRITTEN, PACKET_FLAGS);
}

/** Bytes in front of TCP's header. */
function headersInFront(): u32 {
  const bytes = payload();
  const at = bytes ? transportOffset(bytes, load<u32>(packet, PACKET_PAYLOAD_LENGTH)) : HEADER_CUT;
  return at != HEADER_CUT ? at : addressBytes == 4 ? IPV4_HEADER : IPV6_HEADER;
}
