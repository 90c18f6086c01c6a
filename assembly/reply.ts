/**
 * What answers a rejected packet (nf_reject_ipv4.c, nf_reject_ipv6.c, icmp.c): an ICMP error that quotes it, or a TCP reset,
 * which closes its connection. It goes its way like any packet of the machine's own: where NAT had changed the destination,
 * NAT has it come from the end that the packet was sent to, as it leaves.
 */
import {
  INTERFACE_SIZE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_ICMP_ID,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_MSS,
  PACKET_PATH,
  PACKET_PAYLOAD_LENGTH,
  PACKET_PHYSICAL_INPUT,
  PACKET_PRIORITY,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_MAC,
  PACKET_SOURCE_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TCP_OPTIONS,
  PACKET_TIME,
  PACKET_TOS,
  PACKET_TTL,
  PACKET_TYPE,
  PACKET_UID,
  PATH_OUT,
  RESULT_REJECT,
} from "../src/blob/layout";
import { EVENT_ACKNOWLEDGE, EVENT_PACKET, EVENT_REPLY, EVENT_SEQUENCE } from "../src/blob/events";
import { REJECT_ICMP6_NO_ROUTE, REJECT_ICMP6_TCP_RESET, REJECT_TCP_RESET } from "../src/blob/payloads";
import { connections } from "./conntrack/pool";
import { closeByReset } from "./conntrack/protocol";
import { connection } from "./conntrack/track";
import { eventClose, eventOpen } from "./events";
import { isLocal, localFirst, localOn } from "./locals";
import { ownGoesBack, ownPacket, sendAnswer } from "./own";
import { addressBytes, fired, packet, result } from "./packet";
import { payload, transportOffset } from "./payload";
import { FLOW_NONE, lookup, routesKnown } from "./routing/lookup";
import { sourceTowards } from "./routing/source";

const ICMP: u8 = 1;
const TCP: u8 = 6;
const ICMPV6: u8 = 58;
const FLAG_FIN: u8 = 1;
const FLAG_SYN: u8 = 2;
const FLAG_RST: u8 = 4;
const FLAG_ACK: u8 = 16;
const TTL: u8 = 64;
const UNREACHABLE4: u16 = 3;
const UNREACHABLE6: u16 = 1;
/** RFC 1812: precedence of what the network itself says. */
const NETWORK_CONTROL: u8 = 0xc0;
const TOS_MASK: u8 = 0x1e;
/** Most bytes of an error. */
const LONGEST4: u32 = 576;
const LONGEST6: u32 = 1280;
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;
const ICMP_HEADER: u32 = 8;
const TCP_HEADER: u32 = 20;

/** Codes of ICMP by REJECT_*, 255 for none. */
function code4(answer: u8): u16 {
  if (answer < 4) return answer;
  return answer == 5 ? 9 : answer == 6 ? 10 : answer == 8 ? 13 : 255;
}

/** Codes of ICMPv6; those for policy and route lie behind the reset. */
function code6(answer: u8): u16 {
  const code = <u32>answer - REJECT_ICMP6_NO_ROUTE;
  return <u16>(answer < <u8>REJECT_ICMP6_TCP_RESET ? code : code - 2);
}

/** Sends what answers the packet that was just rejected, if anything does, and tells whoever listens when it is on its way. */
export function reply(): void {
  const answer = load<u8>(result, RESULT_REJECT);
  const reset = answer == REJECT_TCP_RESET || answer == REJECT_ICMP6_TCP_RESET;
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET) || (reset ? !mayReset() : !mayComplain())) return;
  const own = ownPacket();
  if (!own) return;
  turnAround(own);
  if (reset) makeReset(own);
  else if (addressBytes == 4) makeError(own, UNREACHABLE4, code4(answer));
  else makeError(own, UNREACHABLE6, code6(answer));
  if (reset && connections() && connection) closeByReset(connection, load<u32>(packet, PACKET_TIME));
  answerWith(own, reset);
}

/** Sends an ICMPv6 error about the packet, as reply does. */
export function complain(type: u16, code: u16): void {
  const own = mayComplain() ? ownPacket() : 0;
  if (!own) return;
  turnAround(own);
  makeError(own, type, code);
  answerWith(own, false);
}

function answerWith(own: usize, reset: bool): void {
  if (!sendAnswer(own)) return;
  const event = eventOpen(EVENT_REPLY, fired);
  if (!event) return;
  memory.copy(event + EVENT_PACKET, own, PACKET_SIZE);
  if (reset) sayNumbers(event);
  eventClose();
}

/** Nothing answers a reset, or what was sent to a group. */
function mayReset(): bool {
  return (
    load<u8>(packet, PACKET_PROTOCOL) == TCP &&
    !(load<u8>(packet, PACKET_TCP_FLAGS) & FLAG_RST) &&
    !isGroup(packet + PACKET_DESTINATION) &&
    !isGroup(packet + PACKET_SOURCE)
  );
}

/** Nothing answers errors, or what was sent to a group, or what came for another machine. */
function mayComplain(): bool {
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  const type = load<u16>(packet, PACKET_SOURCE_PORT);
  if (load<u8>(packet, PACKET_TYPE) || isGroup(packet + PACKET_DESTINATION) || isGroup(packet + PACKET_SOURCE))
    return false;
  if (protocol == ICMP && addressBytes == 4) return !(type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
  return !(protocol == ICMPV6 && addressBytes != 4 && type < 128);
}

function isGroup(address: usize): bool {
  if (addressBytes != 4) return load<u8>(address) == 0xff;
  return (load<u8>(address) & 0xf0) == 0xe0 || load<u32>(address) == 0xffffffff;
}

/** What an answer has in common with any other: it is the machine's own, and goes back. */
export function turnAround(into: usize): void {
  v128.store(into, v128.load(packet, PACKET_SOURCE), PACKET_DESTINATION);
  v128.store(into, v128.load(packet, PACKET_DESTINATION), PACKET_SOURCE);
  memory.fill(into + PACKET_INPUT, 0, INTERFACE_SIZE);
  ownGoesBack(into);
  memory.fill(into + PACKET_PHYSICAL_INPUT, 0, 2 * INTERFACE_SIZE);
  store<u8>(into, PATH_OUT, PACKET_PATH);
  store<u8>(into, 0, PACKET_FLAGS);
  store<u8>(into, 0, PACKET_TOS);
  store<u8>(into, TTL, PACKET_TTL);
  store<u8>(into, 0, PACKET_TYPE);
  store<u32>(into, 0, PACKET_MARK);
  store<u32>(into, 0, PACKET_PRIORITY);
  store<u32>(into, 0, PACKET_UID);
  store<u32>(into, 0, PACKET_TCP_OPTIONS);
  store<u16>(into, 0, PACKET_MSS);
  memory.fill(into + PACKET_SOURCE_MAC, 0, 6);
}

function makeReset(into: usize): void {
  const flags = load<u8>(packet, PACKET_TCP_FLAGS);
  const header = addressBytes == 4 ? IPV4_HEADER : IPV6_HEADER;
  store<u16>(into, load<u16>(packet, PACKET_SOURCE_PORT), PACKET_DESTINATION_PORT);
  store<u16>(into, load<u16>(packet, PACKET_DESTINATION_PORT), PACKET_SOURCE_PORT);
  store<u8>(into, flags & FLAG_ACK ? FLAG_RST : FLAG_RST | FLAG_ACK, PACKET_TCP_FLAGS);
  store<u8>(into, <u8>TCP_HEADER, PACKET_TCP_DATA_OFFSET);
  store<u32>(into, header + TCP_HEADER, PACKET_LENGTH);
}

/** The numbers of the reset, where the packet's are known. */
function sayNumbers(event: usize): void {
  const flags = load<u8>(packet, PACKET_TCP_FLAGS);
  const bytes = payload();
  if (!bytes) return;
  const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const at = transportOffset(bytes, length);
  if (at + TCP_HEADER > length || at > length) return;
  if (flags & FLAG_ACK) {
    store<u32>(event, bswap<u32>(load<u32>(bytes + at, 8)), EVENT_SEQUENCE);
    return;
  }
  // What the packet has used up of the sender's numbers: its data, and one each for SYN and FIN.
  const data = load<u32>(packet, PACKET_LENGTH) - at - <u32>load<u8>(packet, PACKET_TCP_DATA_OFFSET);
  const used = data + (flags & FLAG_SYN ? 1 : 0) + (flags & FLAG_FIN ? 1 : 0);
  store<u32>(event, bswap<u32>(load<u32>(bytes + at, 4)) + used, EVENT_ACKNOWLEDGE);
}

function makeError(into: usize, type: u16, code: u16): void {
  const ipv4 = addressBytes == 4;
  store<u8>(into, ipv4 ? ICMP : ICMPV6, PACKET_PROTOCOL);
  store<u16>(into, type, PACKET_SOURCE_PORT);
  store<u16>(into, code, PACKET_DESTINATION_PORT);
  store<u8>(into, 0, PACKET_TCP_FLAGS);
  store<u16>(into, 0, PACKET_ICMP_ID);
  const header = ICMP_HEADER + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
  const longest = header + load<u32>(packet, PACKET_LENGTH);
  const most = ipv4 ? LONGEST4 : LONGEST6;
  store<u32>(into, longest < most ? longest : most, PACKET_LENGTH);
  if (ipv4) store<u8>(into, (load<u8>(packet, PACKET_TOS) & TOS_MASK) | NETWORK_CONTROL, PACKET_TOS);
  if (isLocal(packet + PACKET_DESTINATION, 0)) return;
  const own = complainer();
  if (own) {
    v128.store(into, v128.splat<u32>(0), PACKET_SOURCE);
    memory.copy(into + PACKET_SOURCE, own, addressBytes);
  }
}

/** The address of this machine that complains about what it does not let through. */
function complainer(): usize {
  if (routesKnown()) {
    const back = lookup(packet + PACKET_SOURCE, 0, 0, 0, 0, FLOW_NONE);
    if (back) return sourceTowards(back);
  }
  const onInput = localOn(packet + PACKET_INPUT);
  return onInput ? onInput : localFirst();
}
