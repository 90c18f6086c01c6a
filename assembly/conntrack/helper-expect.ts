/** What helpers expect of what they read. */
import {
  CONNECTION_ORIGINAL,
  CONNECTION_REPLY,
  CONNECTION_STATUS,
  EXPECTED_EXPIRES,
  EXPECTED_FLAG_FOLLOWS,
  EXPECTED_FLAG_REPLY,
  EXPECTED_FLAGS,
  EXPECTED_MASK_SOURCE,
  EXPECTED_PORT,
  EXPECTED_SIZE,
  EXPECTED_TUPLE,
  NODE_TUPLE,
  STATUS_DESTINATION_NAT,
  STATUS_SOURCE_NAT,
  TUPLE_DESTINATION_PORT,
  TUPLE_PROTOCOL,
  TUPLE_SOURCE,
  TUPLE_SOURCE_PORT,
} from "../../src/blob/connections";
import { PACKET_TIME } from "../../src/blob/layout";
import { addressBytes, packet } from "../packet";
import { random32 } from "../random";
import { BUSY, EXPECTED, note } from "./expect";
import { connection, scratchTuple } from "./track";
import { TCP, tupleCopy, UDP } from "./tuple";

/** As long as most expect a connection, in milliseconds. */
export const EXPECTED_MS: u32 = 300_000;
/** Ports that are tried where the one that was told is expected by another connection. */
const ATTEMPTS: u32 = 128;
const PORT_LAST: u32 = 65535;

/** What `expectAt` answers where nothing can be expected. */
export const NOWHERE: i32 = -1;

/**
 * Expects a connection to whom the packet came from, which went `told` and said `port`: at what port, or NOWHERE. Where NAT
 * rewrites, another port stands for one that is expected already (nf_nat_exp_find_port). From `anyone`, or whom it went to; no more
 * than `most` at a time, for `lifetime` ms.
 */
export function expectAt(told: u32, port: u16, most: u32, anyone: bool, lifetime: u32): i32 {
  let chosen = port;
  let outcome = noteData(told, chosen, port, most, anyone, lifetime);
  if (rewrites()) {
    if (!port) return NOWHERE;
    const range = PORT_LAST - <u32>port;
    for (let left = min(range, ATTEMPTS); left && outcome == BUSY; left--) {
      chosen = port + <u16>(random32() % range);
      outcome = noteData(told, chosen, port, most, anyone, lifetime);
    }
  }
  return outcome == EXPECTED ? <i32>chosen : NOWHERE;
}

function noteData(told: u32, port: u16, own: u16, most: u32, anyone: bool, lifetime: u32): u32 {
  const from = towards(told, TCP, port, lifetime);
  if (anyone) {
    memory.fill(from + EXPECTED_TUPLE + TUPLE_SOURCE, 0, 16);
    memory.fill(from + EXPECTED_MASK_SOURCE, 0, 16);
  }
  follow(from, told, own);
  return note(connection, from, load<u32>(packet, PACKET_TIME), most);
}

/** Expects an answer, to port `port`, which NAT takes to the one that asked from `own`. Whether there is room. */
export function expectAnswer(port: u16, own: u16): bool {
  const from = towards(0, UDP, port, EXPECTED_MS);
  follow(from, 0, own);
  return note(connection, from, load<u32>(packet, PACKET_TIME), 1) == EXPECTED;
}

/** Expects a connection to port `port` of whom the packet came from, of which NAT knows nothing; as expectAt. Whether there is room. */
export function expectUnchanged(told: u32, port: u16, most: u32): bool {
  return note(connection, towards(told, TCP, port, EXPECTED_MS), load<u32>(packet, PACKET_TIME), most) == EXPECTED;
}

/** What is expected as the other direction's packets are, but for the protocol, and from any port. */
function towards(told: u32, protocol: u8, port: u16, lifetime: u32): usize {
  const from = scratchTuple(8);
  memory.fill(from, 0, EXPECTED_SIZE);
  tupleCopy(from + EXPECTED_TUPLE, connection + (told ? CONNECTION_ORIGINAL : CONNECTION_REPLY) + NODE_TUPLE);
  store<u8>(from + EXPECTED_TUPLE, protocol, TUPLE_PROTOCOL);
  store<u16>(from + EXPECTED_TUPLE, 0, TUPLE_SOURCE_PORT);
  store<u16>(from + EXPECTED_TUPLE, port, TUPLE_DESTINATION_PORT);
  memory.fill(from + EXPECTED_MASK_SOURCE, 255, addressBytes);
  store<u32>(from, load<u32>(packet, PACKET_TIME) + lifetime, EXPECTED_EXPIRES);
  return from;
}

/** Where NAT rewrites the connection, it takes what is expected to port `own` of who told of it (nf_nat_follow_master). */
function follow(from: usize, told: u32, own: u16): void {
  if (!rewrites()) return;
  store<u32>(from, EXPECTED_FLAG_FOLLOWS | (told ? EXPECTED_FLAG_REPLY : 0), EXPECTED_FLAGS);
  store<u16>(from, own, EXPECTED_PORT);
}

/** Whether NAT rewrites the connection of the packet in hand. */
export function rewrites(): bool {
  return (load<u32>(connection, CONNECTION_STATUS) & (STATUS_SOURCE_NAT | STATUS_DESTINATION_NAT)) != 0;
}

/** How many digits NAT's helpers write a number with. */
export function digits(number: u32): u32 {
  let length: u32 = 1;
  for (; number > 9; number /= 10) length++;
  return length;
}
