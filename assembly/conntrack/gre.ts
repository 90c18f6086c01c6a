/** GRE: PPTP's, version 1, carries PPP and is told apart by its calls; of others only the ends count (nf_conntrack_proto_gre.c). */
import { PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import { packet } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";

/** What greCall says of version 1 that carries anything else, which is not tracked. */
export const GRE_FOREIGN: u32 = 0xffffffff;

const CALL_KNOWN: u32 = 8;
const VERSION_MASK: u8 = 7;
const VERSION_PPTP: u8 = 1;
const PPP: u16 = 0x880b;

/** The call of the packet being walked; 0 where it has none, or its bytes do not tell. */
export function greCall(): u32 {
  const at = greOffset();
  if (at == HEADER_CUT || at + CALL_KNOWN > load<u32>(packet, PACKET_PAYLOAD_LENGTH)) return 0;
  const header = payload() + at;
  if ((load<u8>(header, 1) & VERSION_MASK) != VERSION_PPTP) return 0;
  return bswap<u16>(load<u16>(header, 2)) == PPP ? <u32>bswap<u16>(load<u16>(header, 6)) : GRE_FOREIGN;
}

/** Whether NAT can write to the header: it is whole and, where a call's number would be written, of a version that Linux knows. */
export function greRewritable(toDestination: bool): bool {
  const at = greOffset();
  if (at == HEADER_CUT) return true;
  if (at + CALL_KNOWN > load<u32>(packet, PACKET_PAYLOAD_LENGTH)) return false;
  return !toDestination || <u8>(load<u8>(payload() + at, 1) & VERSION_MASK) <= VERSION_PPTP;
}

/** HEADER_CUT where bytes do not tell. */
function greOffset(): u32 {
  const bytes = payload();
  return bytes ? transportOffset(bytes, load<u32>(packet, PACKET_PAYLOAD_LENGTH)) : HEADER_CUT;
}
