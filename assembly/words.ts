/**
 * What a row demands of the packet's 32-bit words: for a word, a mask and the value that the masked word must have.
 *
 * A demand is a necessary condition of the whole rule, so columns and tuples may skip rows that fail it. It may come only
 * from parts that are evaluated before any match with a side effect: skipping the row then also skips nothing that
 * remembers. A range of ports demands the first bits that all its ports share, an inversion nothing.
 */
import {
  BLOB_ADDRESS_BYTES,
  CHAIN_TABLE,
  INTERFACE_SIZE,
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_INPUT,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_CHAIN,
  ROW_FLAG_FRAGMENT,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../src/blob/layout";
import {
  ICMP_CODE_MAX,
  ICMP_CODE_MIN,
  ICMP_INVERT,
  ICMP_TYPE,
  MATCH_AH,
  MATCH_BPF,
  MATCH_CLUSTER,
  MATCH_COMMENT,
  MATCH_CONNLABEL,
  MATCH_CONNLIMIT,
  MATCH_DCCP,
  MATCH_DST,
  MATCH_ESP,
  MATCH_FRAG,
  MATCH_HASHLIMIT,
  MATCH_HBH,
  MATCH_ICMP,
  MATCH_ICMP6,
  MATCH_IPCOMP,
  MATCH_LIMIT,
  MATCH_MH,
  MATCH_MULTIPORT,
  MATCH_NFACCT,
  MATCH_OSF,
  MATCH_QUOTA,
  MATCH_RECENT,
  MATCH_RT,
  MATCH_SCTP,
  MATCH_SET,
  MATCH_SOCKET,
  MATCH_STATISTIC,
  MATCH_TCP,
  MATCH_TCPMSS,
  MATCH_UDP,
  MULTIPORT_COUNT,
  MULTIPORT_INVERT,
  MULTIPORT_KIND,
  MULTIPORT_PORTS,
  PORTS_DESTINATION_MAX,
  PORTS_DESTINATION_MIN,
  PORTS_INVERT,
  PORTS_INVERT_DESTINATION,
  PORTS_INVERT_SOURCE,
  PORTS_SOURCE_MAX,
  PORTS_SOURCE_MIN,
  SCTP_CHUNK_MATCH,
  TCP_OPTION,
} from "../src/blob/payloads";

/** How many words there are; word n's offset in the packet is wordOffset(n). */
export const WORD_COUNT: u32 = 18;

/** The answer of rowWord: demand of one word; mask 0 where there is none. */
export let wordMask: u32 = 0;
export let wordValue: u32 = 0;
/** The answer of rowWord for the ports: the least and most that match, as the packet has its ports, source in the low half. */
export let portsLeast: u32 = 0;
export let portsMost: u32 = 0;

/** Destination first, then ports, protocol, source, interfaces. */
export function wordOffset(word: u32): u32 {
  if (word < 4) return PACKET_DESTINATION + (word << 2);
  if (word == 4) return PACKET_SOURCE_PORT;
  if (word == 5) return PACKET_FAMILY;
  if (word < 10) return PACKET_SOURCE + ((word - 6) << 2);
  if (word < 14) return PACKET_INPUT + ((word - 10) << 2);
  return PACKET_OUTPUT + ((word - 14) << 2);
}

/** Sets wordMask and wordValue to what `row` demands of the packet word at `offset`. */
export function rowWord(row: usize, offset: u32): void {
  wordMask = 0;
  wordValue = 0;
  const invert = load<u8>(row, ROW_INVERT);
  if (offset == PACKET_FAMILY) {
    const protocol = <u32>load<u8>(row, ROW_PROTOCOL);
    if (protocol && !(invert & ROW_INVERT_PROTOCOL)) {
      wordMask = 0xff00;
      wordValue = protocol << 8;
    }
    return;
  }
  if (offset == PACKET_SOURCE_PORT) return portsWord(row);
  const bytes = load<u32>(load<u32>(load<u32>(row, ROW_CHAIN), CHAIN_TABLE), BLOB_ADDRESS_BYTES);
  if (offset >= <u32>PACKET_INPUT) return interfaceWord(row, offset, bytes);
  const destination = offset >= <u32>PACKET_DESTINATION;
  if (invert & <u8>(destination ? ROW_INVERT_DESTINATION : ROW_INVERT_SOURCE)) return;
  const part = offset - (destination ? PACKET_DESTINATION : PACKET_SOURCE);
  if (part >= bytes) return;
  const address = row + ROW_SOURCE + (destination ? 2 * bytes : 0) + part;
  wordValue = load<u32>(address);
  wordMask = load<u32>(address + bytes);
}

/** Whether evaluating a match of this type can change anything, or drop the packet, and so ends what may be skipped. */
export function hasSideEffect(type: u32): bool {
  switch (type) {
    case MATCH_STATISTIC:
    case MATCH_LIMIT:
    case MATCH_RECENT:
    case MATCH_SET:
    case MATCH_HASHLIMIT:
    case MATCH_QUOTA:
    case MATCH_NFACCT:
    case MATCH_CONNLIMIT:
    // It may tell something.
    case MATCH_OSF:
    // It may draw a number.
    case MATCH_BPF:
    // It may mark the packet.
    case MATCH_SOCKET:
    case MATCH_CONNLABEL:
    case MATCH_CLUSTER:
    // These may drop.
    case MATCH_TCPMSS:
    case MATCH_RT:
    case MATCH_ESP:
    case MATCH_AH:
    case MATCH_IPCOMP:
    case MATCH_DCCP:
    case MATCH_FRAG:
    case MATCH_HBH:
    case MATCH_DST:
    case MATCH_MH:
      return true;
    default:
      return false;
  }
}

/** The first match record of `row`. */
export function rowMatches(row: usize, addressBytes: u32): usize {
  const flags = load<u8>(row, ROW_FLAGS);
  let at = row + ROW_SOURCE + 4 * addressBytes;
  if (flags & ROW_FLAG_INPUT) at += 2 * INTERFACE_SIZE;
  if (flags & ROW_FLAG_OUTPUT) at += 2 * INTERFACE_SIZE;
  return at;
}

function interfaceWord(row: usize, offset: u32, addressBytes: u32): void {
  const flags = load<u8>(row, ROW_FLAGS);
  const invert = load<u8>(row, ROW_INVERT);
  let at = row + ROW_SOURCE + 4 * addressBytes;
  if (offset < <u32>PACKET_OUTPUT) {
    if (!(flags & ROW_FLAG_INPUT) || invert & ROW_INVERT_INPUT) return;
    at += offset - PACKET_INPUT;
  } else {
    if (!(flags & ROW_FLAG_OUTPUT) || invert & ROW_INVERT_OUTPUT) return;
    if (flags & ROW_FLAG_INPUT) at += 2 * INTERFACE_SIZE;
    at += offset - PACKET_OUTPUT;
  }
  wordMask = load<u32>(at + INTERFACE_SIZE);
  wordValue = load<u32>(at) & wordMask;
}

function portsWord(row: usize): void {
  portsLeast = 0;
  portsMost = 0xffffffff;
  const bytes = load<u32>(load<u32>(load<u32>(row, ROW_CHAIN), CHAIN_TABLE), BLOB_ADDRESS_BYTES);
  const end = row + load<u16>(row, ROW_TARGET);
  for (let match = rowMatches(row, bytes); match < end; match += load<u16>(match, RECORD_BYTES)) {
    const type = <u32>load<u16>(match, RECORD_TYPE);
    // A chunk that is cut short drops the packet.
    if (hasSideEffect(type) || (type == MATCH_SCTP && load<u8>(match, SCTP_CHUNK_MATCH))) return;
    if (type == MATCH_TCP || type == MATCH_UDP) {
      const invert = load<u8>(match, PORTS_INVERT);
      if (!(invert & PORTS_INVERT_SOURCE))
        between(load<u16>(match, PORTS_SOURCE_MIN), load<u16>(match, PORTS_SOURCE_MAX), 0);
      if (!(invert & PORTS_INVERT_DESTINATION))
        between(load<u16>(match, PORTS_DESTINATION_MIN), load<u16>(match, PORTS_DESTINATION_MAX), 16);
      if (portsLeast | ~portsMost) return;
    } else if (type == MATCH_MULTIPORT) {
      const kind = load<u8>(match, MULTIPORT_KIND);
      const count = <u32>load<u8>(match, MULTIPORT_COUNT);
      if (load<u8>(match, MULTIPORT_INVERT) || kind == 2 || !count) continue;
      let least: u32 = 0xffff;
      let most: u32 = 0;
      for (let i: u32 = 0; i < count; i++) {
        const port = <u32>load<u16>(match + (i << 1), MULTIPORT_PORTS);
        least = min(least, port);
        most = max(most, port);
      }
      between(least, most, kind ? 16 : 0);
      return;
    } else if (type == MATCH_ICMP || type == MATCH_ICMP6) {
      const kind = <u32>load<u8>(match, ICMP_TYPE);
      if (load<u8>(match, ICMP_INVERT) || (type == MATCH_ICMP && kind == 255)) continue;
      const code = <u32>load<u8>(match, ICMP_CODE_MIN);
      between(kind, kind, 0);
      if (code == load<u8>(match, ICMP_CODE_MAX)) between(code, code, 16);
      return;
    }
  }
}

/** Demands a port from `least` to `most` in the half word at bit `shift`. */
function between(least: u32, most: u32, shift: u32): void {
  if (least > most) return;
  const shared = ~(((<u32>1) << (32 - clz(least ^ most))) - 1) & 0xffff;
  wordMask |= shared << shift;
  wordValue |= (least & shared) << shift;
  portsLeast |= least << shift;
  portsMost = (portsMost & ~((<u32>0xffff) << shift)) | (most << shift);
}

/** Whether addresses, protocol and the ports of one tcp or udp match are all that an IPv4 row asks. */
export function rowIsPlain(row: usize, addressBytes: u32): bool {
  const flags = load<u8>(row, ROW_FLAGS) & (ROW_FLAG_FRAGMENT | ROW_FLAG_INPUT | ROW_FLAG_OUTPUT);
  if (flags || load<u8>(row, ROW_INVERT)) return false;
  const end = row + load<u16>(row, ROW_TARGET);
  let ports = false;
  for (let match = rowMatches(row, addressBytes); match < end; match += load<u16>(match, RECORD_BYTES)) {
    const type = <u32>load<u16>(match, RECORD_TYPE);
    if (type == MATCH_COMMENT) continue;
    if ((type != MATCH_TCP && type != MATCH_UDP) || ports || load<u8>(match, PORTS_INVERT)) return false;
    // A range that ends before it begins matches nothing, which bounds in order cannot say.
    if (load<u16>(match, PORTS_SOURCE_MIN) > load<u16>(match, PORTS_SOURCE_MAX)) return false;
    if (load<u16>(match, PORTS_DESTINATION_MIN) > load<u16>(match, PORTS_DESTINATION_MAX)) return false;
    if (type != MATCH_TCP) ports = true;
    else if (!(load<u32>(match, TCP_OPTION) & 0xffffff)) ports = true;
    else return false;
  }
  return true;
}
