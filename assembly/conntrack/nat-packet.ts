/** Packets as their connection is bound (nf_nat_proto.c): an end of the packet, and of what an ICMP error quotes. */
import {
  CONNECTION_INTERFACE,
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  NODE_TUPLE,
  STATUS_DESTINATION_NAT,
  STATUS_DESTINATION_NAT_DONE,
  STATUS_SOURCE_NAT,
  STATUS_SOURCE_NAT_DONE,
  TUPLE_DESTINATION,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import {
  CT_STATE_RELATED,
  HOOK_POSTROUTING,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_ICMP_ID,
  PACKET_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_SNAT,
  RESULT_FLAGS,
  RESULT_QUOTED_DESTINATION,
  RESULT_QUOTED_DESTINATION_PORT,
  RESULT_QUOTED_SOURCE,
  RESULT_QUOTED_SOURCE_PORT,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout";
import { hook, packet, result } from "../packet";
import { greRewritable } from "./gre";
import { isRedirect, quotedShort, showQuoted } from "./icmp";
import { manipulated, SOURCE } from "./nat";
import { remove } from "./table";
import { connection, direction, scratchTuple } from "./track";
import { GRE, hasPorts, isIcmp, tupleInvert } from "./tuple";

const NAT: u32 = STATUS_SOURCE_NAT | STATUS_DESTINATION_NAT;
const NAT_DONE: u32 = STATUS_SOURCE_NAT_DONE | STATUS_DESTINATION_NAT_DONE;

/** Rewrites the packet as its connection is bound, at this hook's end; a VERDICT_*. */
export function natPacket(): u32 {
  if (!connection) return VERDICT_ACCEPT;
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  const quotes = isIcmp(protocol) && (load<u16>(packet, PACKET_CT_STATE) & CT_STATE_RELATED) != 0;
  const status = load<u32>(connection, CONNECTION_STATUS);
  if (quotes) {
    // Who is redirected would talk past NAT.
    if (isRedirect(protocol) && ((status & NAT_DONE) != NAT_DONE || status & NAT)) return VERDICT_DROP;
  } else if (leavesElsewhere()) {
    // The connection has gone bad.
    remove(connection);
    return VERDICT_DROP;
  }
  const manip = manipulated();
  const source = (manip == SOURCE) == (direction == 0);
  if (!(status & (source ? <u32>STATUS_SOURCE_NAT : <u32>STATUS_DESTINATION_NAT))) return VERDICT_ACCEPT;
  if (protocol == GRE && !greRewritable(manip != SOURCE)) return VERDICT_DROP;
  if (quotes && !rewriteQuoted(manip)) return VERDICT_DROP;
  const target = scratchTuple(2);
  tupleInvert(connection + (direction ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE, target);
  if (manip == SOURCE) {
    v128.store(packet, v128.load(target, TUPLE_SOURCE), PACKET_SOURCE);
    if (hasPorts(protocol)) store<u16>(packet, load<u16>(target, TUPLE_SOURCE_PORT), PACKET_SOURCE_PORT);
  } else {
    v128.store(packet, v128.load(target, TUPLE_DESTINATION), PACKET_DESTINATION);
    if (hasPorts(protocol)) store<u16>(packet, load<u16>(target, TUPLE_DESTINATION_PORT), PACKET_DESTINATION_PORT);
  }
  if (isIcmp(protocol) && !quotes) store<u16>(packet, load<u16>(target, TUPLE_SOURCE_PORT), PACKET_ICMP_ID);
  const flag: u32 = manip == SOURCE ? RESULT_FLAG_SNAT : RESULT_FLAG_DNAT;
  store<u8>(result, <u8>(load<u8>(result, RESULT_FLAGS) | flag), RESULT_FLAGS);
  return VERDICT_ACCEPT;
}

/** A masqueraded connection whose way out has changed is over (nf_nat_oif_changed). */
function leavesElsewhere(): bool {
  if (hook != HOOK_POSTROUTING || direction || !load<u8>(connection, CONNECTION_INTERFACE)) return false;
  const name = v128.load(connection, CONNECTION_INTERFACE);
  return v128.any_true(v128.xor(name, v128.load(packet, PACKET_OUTPUT)));
}

/** The packet that an error quotes went the other way: its other end is rewritten, as the connection sent it. False where it cannot be. */
function rewriteQuoted(manip: u32): bool {
  if (!showQuoted(scratchTuple(4))) return true;
  if (quotedShort) return false;
  const as = connection + (direction ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE;
  const protocol = load<u8>(as, TUPLE_PROTOCOL);
  if (manip == SOURCE) {
    v128.store(result, v128.load(as, TUPLE_DESTINATION), RESULT_QUOTED_DESTINATION);
    if (hasPorts(protocol)) store<u16>(result, load<u16>(as, TUPLE_DESTINATION_PORT), RESULT_QUOTED_DESTINATION_PORT);
  } else {
    v128.store(result, v128.load(as, TUPLE_SOURCE), RESULT_QUOTED_SOURCE);
    if (hasPorts(protocol)) store<u16>(result, load<u16>(as, TUPLE_SOURCE_PORT), RESULT_QUOTED_SOURCE_PORT);
  }
  if (isIcmp(protocol)) store<u16>(result, load<u16>(as, TUPLE_SOURCE_PORT), RESULT_QUOTED_SOURCE_PORT);
  return true;
}
