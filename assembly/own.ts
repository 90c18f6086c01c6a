/**
 * What the machine itself sends on the way of a packet: what answers a rejected one, and copies for another host. It leaves at
 * once, by OUTPUT and POSTROUTING, before the packet goes on, as Linux sends it from within the target.
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
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_CT_STATUS,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_KNOWN,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_LENGTH,
  PACKET_SIZE,
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
import { depart } from "./traverse";
import { framesBegin } from "./walk";

/** A copy, the reset that answers it, the error that answers the reset. Copies that come in again and are copied end here. */
export const OWN_MOST: u32 = 3;
const OWN_RESULT: u32 = PACKET_SIZE;
const OWN_ASIDE: u32 = OWN_RESULT + RESULT_SIZE;
const OWN_SIZE: u32 = OWN_ASIDE + 16;
/** Bytes of a reader's scratch. */
export const SCRATCH_BYTES: u32 = PACKET_SIZE + OWN_MOST * OWN_SIZE;

/** Of packets that the machine sends itself: how many are on their way, one within the other, and how many there were. */
let level: u32 = 0;
let sent: u32 = 0;
/** Whether one of them is a copy, that has not come in again by the loopback interface. */
export let copying: bool = false;

/** A packet begins its way. */
export function ownBegin(): void {
  level = 0;
  sent = 0;
}

/** Room for a packet to send, filled with the one on its way, but for its bytes and socket; 0 where there are too many already. */
export function ownPacket(): usize {
  if (level == OWN_MOST) return 0;
  const own = <usize>load<u32>(reader, READER_SCRATCH) + PACKET_SIZE + level * OWN_SIZE;
  memory.copy(own, packet, PACKET_SIZE);
  store<u8>(own, load<u8>(own, PACKET_FLAGS) & ~(<u8>PACKET_FLAG_SOCKET), PACKET_FLAGS);
  store<u32>(own, 0, PACKET_KNOWN);
  store<u32>(own, 0, PACKET_PAYLOAD);
  store<u32>(own, 0, PACKET_PAYLOAD_LENGTH);
  return own;
}

/** Sends what answers the packet on its way. Whether it gets to the wire, or to the process of this machine that it is for. */
export function sendAnswer(own: usize): bool {
  return send(own, true, 0, 0);
}

/** Sends a copy to the host at `gateway`, by the interface named at `device`, empty for any. */
export function sendTo(gateway: usize, device: usize, own: usize): bool {
  copying = true;
  const gone = send(own, false, gateway, device);
  copying = false;
  return gone;
}

/** What has gone round by the loopback interface is a packet like any other. */
export function ownLoops(): void {
  copying = false;
}

function send(own: usize, answers: bool, gateway: usize, device: usize): bool {
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
  const frames = answers ? <usize>0 : framesBegin(firedTop);
  trackAside(aside);
  level++;
  setOwnNumber(++sent);
  memory.fill(own + OWN_RESULT, 0, RESULT_SIZE);
  setPacket(own, own + OWN_RESULT);
  hooksResume(false, false);
  forgetRoute();
  // A copy is traced as the packet is; an answer is a packet of its own.
  if (answers) eventsResume(false);
  const attached = answers ? beginAnswer() : beginCopy();
  let verdict: u32 = VERDICT_ACCEPT;
  let leaves = true;
  if (routes) leaves = answers ? routeOut() : routeVia(gateway, device);
  if (leaves) verdict = depart();
  if (verdict == VERDICT_REJECT) reply();
  const state = load<u16>(own, PACKET_CT_STATE);
  if (attached) release(connection);
  else if (connections()) trackEnd();
  store<u16>(own, state & ~(CT_STATE_SNAT | CT_STATE_DNAT), PACKET_CT_STATE);
  level--;
  trackResume(aside);
  if (!answers) framesBegin(frames);
  eventsResume(wasTraced);
  setOwnNumber(outerNumber);
  routeResume(outerRoute);
  hooksResume(wentRound, wasRerouted);
  setPacket(outer, outerResult);
  if (dropped) setHotdrop();
  setFired(outerRow, outerTop);
  setHook(outerHook);
  return leaves && verdict == VERDICT_ACCEPT;
}

/** Whether the answer has the connection of what it answers. */
function beginAnswer(): bool {
  if (connections()) {
    if (connection && !isTemplate()) {
      trackAnswer();
      return true;
    }
    trackBegin();
    return false;
  }
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
