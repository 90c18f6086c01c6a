/**
 * What the machine sends to itself on the way of a packet, an answer to one of its own processes or a copy for one of its own
 * addresses, lies in the loopback interface until the packet has gone its way (netif_rx), and then comes in, in order. By then
 * more may be known of its connection than when it was sent: SYNPROXY's acknowledgement finds numbers shifted.
 *
 * Packets that wait lie behind those of each level. Where there is no room for another one it comes in at once.
 *
 *  0        1        2        3        4        5        6        7
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |             route                 |      number     | level  | flags  |
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |                                   0                                   |
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |  as on its way, OWN_SIZE bytes; what is known of its connection lies aside   ...
 */
import { PACKET_PAYLOAD } from "../src/blob/layout";
import { READER_SCRATCH } from "../src/blob/memory";
import { trackAside, trackResume } from "./conntrack/track";
import { eventsResume, traced } from "./events";
import { hooksResume } from "./hook";
import { level, OWN_ASIDE, OWN_BYTES, OWN_RESULT, OWN_SIZE, ownEnd, ownResume, WAITING } from "./own";
import { ownNumber, reader, setOwnNumber, setPacket } from "./packet";
import { route, routeResume } from "./routing/decide";
import { comeIn } from "./traverse";
import { framesBegin } from "./walk";

export const WAITING_MOST: u32 = 4;
const WAITING_ROUTE: u32 = 0;
const WAITING_NUMBER: u32 = WAITING_ROUTE + 4;
const WAITING_LEVEL: u32 = WAITING_NUMBER + 2;
const WAITING_FLAGS: u32 = WAITING_LEVEL + 1;
/** Where the packet lies: aligned as a packet is. */
export const WAITING_PACKET: u32 = 16;

const ATTACHED: u8 = 1;
const TRACED: u8 = 2;

/** Numbers of the first that waits and of the next one to come. */
let first: u32 = 0;
let next: u32 = 0;

/** A packet begins its way. */
export function waitingBegin(): void {
  first = next = 0;
}

/** The packet at `own`, which has left, is to wait. False where there is no room. */
export function waits(own: usize, attached: bool): bool {
  if (next - first == WAITING_MOST) return false;
  const at = slot(next++);
  const copy = at + WAITING_PACKET;
  memory.copy(copy, own, OWN_SIZE);
  if (load<u32>(copy, PACKET_PAYLOAD)) store<u32>(copy, <u32>(copy + OWN_BYTES), PACKET_PAYLOAD);
  trackAside(copy + OWN_ASIDE);
  store<u32>(at, <u32>route, WAITING_ROUTE);
  store<u16>(at, <u16>ownNumber, WAITING_NUMBER);
  store<u8>(at, <u8>level, WAITING_LEVEL);
  store<u8>(at, (attached ? ATTACHED : 0) | (traced ? TRACED : 0), WAITING_FLAGS);
  return true;
}

/** The packet on its way has gone: what waits comes in, and what is sent meanwhile behind it. */
export function waitingArrive(): void {
  for (; first != next; first++) {
    const at = slot(first);
    const own = at + WAITING_PACKET;
    const flags = load<u8>(at, WAITING_FLAGS);
    setPacket(own, own + OWN_RESULT);
    setOwnNumber(load<u16>(at, WAITING_NUMBER));
    ownResume(load<u8>(at, WAITING_LEVEL));
    trackResume(own + OWN_ASIDE);
    routeResume(load<u32>(at, WAITING_ROUTE));
    eventsResume((flags & TRACED) != 0);
    hooksResume(false, false);
    framesBegin(0);
    ownEnd(own, (flags & ATTACHED) != 0, comeIn());
  }
}

function slot(number: u32): usize {
  return <usize>load<u32>(reader, READER_SCRATCH) + WAITING + (number % WAITING_MOST) * (WAITING_PACKET + OWN_SIZE);
}
