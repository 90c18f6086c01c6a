/**
 * What the machine itself sends on the way of a packet: what answers a rejected one, copies for another host, and SYNPROXY's
 * segments to either end. It leaves at once, by OUTPUT and POSTROUTING, before the packet goes on, as Linux sends it from within
 * the target. What the machine sends to itself comes in when the packet has gone its way (own-waiting.ts).
 *
 * An answer belongs to the connection of the packet that it answers, the other way, and is related to it from the first hook
 * on (nf_conntrack_attach); where there is none, it is tracked as any packet. A copy is not tracked, and of it no copies are
 * made (nf_dup_ipv4.c). An answer may be rejected, and then answered, once: nothing answers an error.
 *
 * Each level has a packet, a result and what was put aside of its own behind the reader's scratch packet.
 */
import {
  CT_STATE_DNAT,
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_SNAT,
  INTERFACE_SIZE,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
  PACKET_FLAG_OPTIONS_REWRITTEN,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_INPUT,
  PACKET_KNOWN,
  PACKET_OUTPUT,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
  PACKET_SIZE,
  PACKET_TCP_STRIPPED,
  RESULT_SIZE,
  VERDICT_ACCEPT,
  VERDICT_REJECT,
} from "../src/blob/layout";
import { READER_SCRATCH } from "../src/blob/memory";
import { connections, release } from "./conntrack/pool";
import {
  connection,
  isTemplate,
  trackAnswer,
  trackAside,
  trackBegin,
  trackEnd,
  trackNot,
  trackProxied,
  trackResume,
} from "./conntrack/track";
import { eventsResume, traced } from "./events";
import { hooksResume, looped, rerouted, routes } from "./hook";
import {
  fired,
  firedTop,
  hook,
  hotdrop,
  ownNumber,
  packet,
  reader,
  result,
  setFired,
  setHook,
  setHotdrop,
  setOwnNumber,
  setPacket,
} from "./packet";
import { reply } from "./reply";
import { forgetRoute, route, routeOut, routeResume, routeVia } from "./routing/decide";
import { waitingBegin, WAITING_MOST, WAITING_PACKET, waits } from "./own-waiting";
import { comeIn, depart, goesRound } from "./traverse";
import { framesBegin } from "./walk";

/** A copy, the reset that answers it, the error that answers the reset. Copies that come in again and are copied end here. */
export const OWN_MOST: u32 = 3;
/** "lo" as the first word of a name. */
const LOOPBACK: u32 = 0x6f6c;
export const OWN_RESULT: u32 = PACKET_SIZE;
export const OWN_ASIDE: u32 = OWN_RESULT + RESULT_SIZE;
/** The interface by which what answers the packet goes, where there are no routes. */
const OWN_BACK: u32 = OWN_ASIDE + 16;
export const OWN_BYTES: u32 = OWN_BACK + INTERFACE_SIZE;
/** IPv6's header, TCP's, and the options of both a size, times and a scale. */
const OWN_BYTES_MOST: u32 = 80;
export const OWN_SIZE: u32 = OWN_BYTES + OWN_BYTES_MOST;
/** Behind the packet of each level, those that wait. */
export const WAITING: u32 = PACKET_SIZE + OWN_MOST * OWN_SIZE;
/** Bytes of a reader's scratch. */
export const SCRATCH_BYTES: u32 = WAITING + WAITING_MOST * (WAITING_PACKET + OWN_SIZE);

/** Of packets that the machine sends itself: how many are on their way, one within the other, and how many there were. */
export let level: u32 = 0;
let sent: u32 = 0;
/** Whether one of them is a copy, that has not come in again by the loopback interface. */
export let copying: bool = false;

/** A packet begins its way. */
export function ownBegin(): void {
  level = 0;
  sent = 0;
  waitingBegin();
}

/** One goes on that was sent at `depth`, when no other is on its way. */
export function ownResume(depth: u32): void {
  level = depth;
}

/** Room for a packet to send, filled with the one on its way, but for its bytes and socket; 0 where there are too many already. */
export function ownPacket(): usize {
  if (level == OWN_MOST) return 0;
  const own = <usize>load<u32>(reader, READER_SCRATCH) + PACKET_SIZE + level * OWN_SIZE;
  memory.copy(own, packet, PACKET_SIZE);
  store<u8>(
    own,
    load<u8>(own, PACKET_FLAGS) & ~(<u8>(PACKET_FLAG_SOCKET | PACKET_FLAG_OPTIONS_REWRITTEN)),
    PACKET_FLAGS,
  );
  store<u32>(own, 0, PACKET_TCP_STRIPPED);
  store<u32>(own, 0, PACKET_KNOWN);
  store<u32>(own, 0, PACKET_PAYLOAD);
  store<u32>(own, 0, PACKET_PAYLOAD_LENGTH);
  v128.store(own, wayBack(), OWN_BACK);
  return own;
}

/** Where there are no routes: by which interface the packet on its way is answered. */
function wayBack(): v128 {
  if (!load<u8>(packet, PACKET_INPUT) && ownNumber) return v128.load(packet, OWN_BACK);
  return orLoopback(PACKET_INPUT);
}

/** The packet to send goes back where the one on its way came from, and is answered where that one goes. */
export function ownGoesBack(own: usize): void {
  v128.store(own, wayBack(), PACKET_OUTPUT);
  v128.store(own, orLoopback(PACKET_OUTPUT), OWN_BACK);
}

/** It goes where the one on its way goes. */
export function ownGoesOn(own: usize): void {
  v128.store(own, orLoopback(PACKET_OUTPUT), PACKET_OUTPUT);
  v128.store(own, wayBack(), OWN_BACK);
}

/** An interface of the packet's; where there is none, that is the machine itself. */
function orLoopback(side: u32): v128 {
  if (load<u8>(packet + side)) return v128.load(packet + side);
  return v128.replace_lane<u32>(v128.splat<u32>(0), 0, LOOPBACK);
}

/** Room for the bytes of such a packet. */
export function ownBytes(own: usize): usize {
  return own + OWN_BYTES;
}

/** How a packet of the machine's own is related to the one on its way. */
const ANSWERS: u32 = 0;
const COPIES: u32 = 1;
/** Belongs to its connection as the other end's packets do, or as the packet's own end's. */
const GREETS: u32 = 2;
const FOLLOWS: u32 = 3;
/** Begins a connection that SYNPROXY stands in for; is tracked as any packet. */
const OPENS: u32 = 4;
const JOINS: u32 = 5;

/** Sends what answers the packet on its way. Whether it leaves, as that of the others. */
export function sendAnswer(own: usize): bool {
  return send(own, ANSWERS, 0, 0);
}

/** Sends what the other end would have answered. */
export function sendGreeting(own: usize): bool {
  return send(own, GREETS, 0, 0);
}

/** Sends in place of the packet on its way what its sender would have sent. */
export function sendInstead(own: usize): bool {
  return send(own, FOLLOWS, 0, 0);
}

/** Sends the packet that opens a connection in the name of a client. */
export function sendOpening(own: usize): bool {
  return send(own, OPENS, 0, 0);
}

/** Sends a packet that finds its connection itself. */
export function sendOn(own: usize): bool {
  return send(own, JOINS, 0, 0);
}

/** Sends a copy to the host at `gateway`, by the interface named at `device`, empty for any. */
export function sendTo(gateway: usize, device: usize, own: usize): bool {
  copying = true;
  const gone = send(own, COPIES, gateway, device);
  copying = false;
  return gone;
}

/** What has gone round by the loopback interface is a packet like any other. */
export function ownLoops(): void {
  copying = false;
}

function send(own: usize, how: u32, gateway: usize, device: usize): bool {
  const outer = packet;
  const outerResult = result;
  const outerHook = hook;
  const outerRow = fired;
  const outerTop = firedTop;
  const dropped = hotdrop;
  const outerRoute = route;
  const wentRound = looped;
  const wasRerouted = rerouted;
  const outerNumber = ownNumber;
  const wasTraced = traced;
  const aside = own + OWN_ASIDE;
  // An answer is sent when the walk is over.
  const frames = how == ANSWERS ? <usize>0 : framesBegin(firedTop);
  trackAside(aside);
  level++;
  setOwnNumber(++sent);
  memory.fill(own + OWN_RESULT, 0, RESULT_SIZE);
  setPacket(own, own + OWN_RESULT);
  hooksResume(false, false);
  forgetRoute();
  // A copy is traced as the packet is; an answer is a packet of its own.
  if (how != COPIES) eventsResume(false);
  const attached = begin(how);
  let verdict: u32 = VERDICT_ACCEPT;
  let leaves = true;
  if (routes) leaves = how == COPIES ? routeVia(gateway, device) : routeOut();
  if (leaves) verdict = depart();
  leaves = leaves && verdict == VERDICT_ACCEPT;
  if (!leaves || !goesRound() || !waits(own, attached)) {
    if (leaves && goesRound()) verdict = comeIn();
    ownEnd(own, attached, verdict);
  }
  level--;
  trackResume(aside);
  if (how != ANSWERS) framesBegin(frames);
  eventsResume(wasTraced);
  setOwnNumber(outerNumber);
  routeResume(outerRoute);
  hooksResume(wentRound, wasRerouted);
  setPacket(outer, outerResult);
  if (dropped) setHotdrop();
  setFired(outerRow, outerTop);
  setHook(outerHook);
  return leaves;
}

/** The way of the packet at `own` ends. `attached`: it has had its connection from the one that it was sent on the way of. */
export function ownEnd(own: usize, attached: bool, verdict: u32): void {
  if (verdict == VERDICT_REJECT) reply();
  const state = load<u16>(own, PACKET_CT_STATE);
  if (attached) release(connection);
  else if (connections()) trackEnd();
  store<u16>(own, state & ~(CT_STATE_SNAT | CT_STATE_DNAT), PACKET_CT_STATE);
}

/** Whether the packet has the connection of the one on its way. */
function begin(how: u32): bool {
  if (how == COPIES) return beginCopy();
  if (how == OPENS) {
    trackProxied();
    return false;
  }
  if (!connections()) return beginAnswer();
  if (how != JOINS && connection && !isTemplate()) {
    trackAnswer(how == ANSWERS ? <u16>CT_STATE_RELATED : <u16>CT_STATE_ESTABLISHED, how != FOLLOWS);
    return true;
  }
  trackBegin();
  return false;
}

function beginAnswer(): bool {
  // Without a table the packet's record says whether it has a connection.
  const state = load<u16>(packet, PACKET_CT_STATE);
  const related = (state & (CT_STATE_NEW | CT_STATE_ESTABLISHED | CT_STATE_RELATED)) != 0;
  store<u16>(packet, related ? CT_STATE_RELATED : CT_STATE_INVALID, PACKET_CT_STATE);
  trackBegin();
  if (related) store<u16>(packet, CT_STATE_RELATED, PACKET_CT_STATE);
  else forgetConnection();
  return false;
}

function beginCopy(): bool {
  trackBegin();
  trackNot();
  forgetConnection();
  return false;
}

function forgetConnection(): void {
  store<u16>(packet, 0, PACKET_CT_STATUS);
  store<u32>(packet, 0, PACKET_CT_MARK);
}
