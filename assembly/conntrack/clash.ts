/**
 * Two packets on two threads may begin the same connection; the one that comes to the end of its way later finds the other's
 * in the table (nf_ct_resolve_clash). Protocols whose packets stand alone need not lose one to it.
 */
import {
  CONNECTION_ACCOUNTED,
  CONNECTION_COUNTS_SIZE,
  CONNECTION_EXPIRES,
  CONNECTION_ORIGINAL,
  CONNECTION_PACKETS,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  NODE_TUPLE,
  STATUS_DESTINATION_NAT_DONE,
  STATUS_DYING,
  STATUS_SOURCE_NAT_DONE,
  TUPLE_PROTOCOL,
} from "../../src/blob/connections";
import { PACKET_TIME } from "../../src/blob/layout";
import { packet } from "../packet";
import { directionOf, recordOf, release } from "./pool";
import { insertReply } from "./table";
import { tupleEqual, UDP, UDPLITE } from "./tuple";

/** Milliseconds that a connection stays whose packets nobody else will send by its tuple. */
const CLASHED: u32 = 1000;
const NAT_DONE: u32 = STATUS_SOURCE_NAT_DONE | STATUS_DESTINATION_NAT_DONE;

/**
 * Whose the packet is from now on, its reference held: the winner's, of which `clash` is the node that was in the way; its
 * own, by its reply alone; nobody's, 0.
 */
export function resolveClash(own: usize, clash: usize): usize {
  const winner = recordOf(clash);
  const protocol = load<u8>(own + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_PROTOCOL);
  if (protocol == UDP || protocol == UDPLITE) {
    const status = load<u32>(winner, CONNECTION_STATUS);
    if (!(status & STATUS_DYING) && (!(status & NAT_DONE) || sameTuples(own, winner))) {
      mergeCounts(winner, own);
      return winner;
    }
    // Another endpoint was chosen for the same packet: both answers are let through.
    if (directionOf(clash) == 0) {
      store<u32>(own, load<u32>(packet, PACKET_TIME) + CLASHED, CONNECTION_EXPIRES);
      if (insertReply(own)) {
        release(winner);
        return own;
      }
    }
  }
  release(winner);
  return 0;
}

function sameTuples(a: usize, b: usize): bool {
  const original = CONNECTION_ORIGINAL + NODE_TUPLE;
  const reply = CONNECTION_REPLY + NODE_TUPLE;
  return tupleEqual(a + original, b + original) && tupleEqual(a + reply, b + reply);
}

function mergeCounts(into: usize, from: usize): void {
  if (!load<u8>(into, CONNECTION_ACCOUNTED)) return;
  for (let at: usize = 0; at < 2 * <usize>CONNECTION_COUNTS_SIZE; at += 8)
    atomic.add<u64>(into + CONNECTION_PACKETS + at, load<u64>(from + CONNECTION_PACKETS + at));
}
