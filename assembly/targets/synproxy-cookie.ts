/**
 * Cookies of SYNPROXY (net/ipv4/syncookies.c): the number that a SYN is answered with tells of the SYN all that is needed when
 * its acknowledgement comes, and nothing is kept meanwhile. Ends, the client's number and a minute are hashed with the
 * engine's seed; a segment size out of four lies in the hash.
 */
import { CONNECTIONS_SEED } from "../../src/blob/connections";
import { PACKET_TIME } from "../../src/blob/layout";
import { connections } from "../conntrack/pool";
import { scratchTuple } from "../conntrack/track";
import { tupleHash, tupleOfPacket } from "../conntrack/tuple";
import { addressBytes, packet } from "../packet";

const PERIOD: u32 = 60_000;
/** A cookie is good in its own minute and the next. */
const MOST_AGE: u32 = 2;
const COUNT_SHIFT: u32 = 24;
const DATA_MASK: u32 = 0xffffff;
const SIZES: u32 = 4;

/** The number to answer the SYN in hand with, whose own number is `sequence`. */
export function cookieOf(sequence: u32, size: u32): u32 {
  let index: u32 = SIZES - 1;
  while (index && size < sizeOf(index)) index--;
  const minute = load<u32>(packet, PACKET_TIME) / PERIOD;
  return hash(0) + sequence + (minute << COUNT_SHIFT) + ((hash(minute + 1) + index) & DATA_MASK);
}

/** The segment size that a cookie tells, 0 where it is none of ours. `sequence` is the SYN's. */
export function cookieSize(cookie: u32, sequence: u32): u16 {
  const minute = load<u32>(packet, PACKET_TIME) / PERIOD;
  const rest = cookie - hash(0) - sequence;
  const age = (minute - (rest >>> COUNT_SHIFT)) & (0xffffffff >>> COUNT_SHIFT);
  if (age >= MOST_AGE) return 0;
  const index = (rest - hash(minute - age + 1)) & DATA_MASK;
  return index < SIZES ? <u16>sizeOf(index) : 0;
}

/** Segment sizes that are told apart; IPv6's are those of usual links. */
function sizeOf(index: u32): u32 {
  if (addressBytes == 4) return index == 0 ? 536 : index == 1 ? 1300 : index == 2 ? 1440 : 1460;
  return index == 0 ? 1220 : index == 1 ? 1420 : index == 2 ? 1440 : 8940;
}

function hash(count: u32): u32 {
  const tuple = scratchTuple(0);
  tupleOfPacket(tuple, 0);
  return tupleHash(tuple, load<u32>(connections(), CONNECTIONS_SEED) + count * 0x9e3779b9);
}
