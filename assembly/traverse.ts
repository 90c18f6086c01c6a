/**
 * The way of a packet: hooks in order, at each hook what the registry hangs there by priority, one root from the first hook
 * to the last. Between hooks the packet is routed; without routes its record says where it goes.
 *
 * A packet that the machine sends to itself comes in again by the loopback interface, with its connection and its mark.
 */
import {
  FAMILY_IPV4,
  FRAGMENTS_KEPT,
  FRAGMENTS_WHOLE,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_INPUT,
  PACKET_MARK,
  PACKET_MSS,
  PACKET_OUTPUT,
  PACKET_PATH,
  PACKET_PHYSICAL_OUTPUT,
  PACKET_PRIORITY,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TIME,
  PACKET_TOS,
  PACKET_TTL,
  PATH_HOOK,
  PATH_IN,
  RESULT_CT_MARK,
  RESULT_CT_STATE,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_FLAG_EXPIRED,
  RESULT_FLAGS,
  RESULT_FRAGMENTS,
  RESULT_GENERATION,
  RESULT_HOOK,
  RESULT_MARK,
  RESULT_MSS,
  RESULT_OUTPUT,
  RESULT_PRIORITY,
  RESULT_ROW,
  RESULT_SIZE,
  RESULT_SOURCE,
  RESULT_SOURCE_PORT,
  RESULT_TOS,
  RESULT_TTL,
  RESULT_VERDICT,
  TABLE_COUNT,
  VERDICT_ACCEPT,
  VERDICT_DROP,
  VERDICT_REJECT,
  VERDICT_STOLEN,
} from "../src/blob/layout";
import {
  CONTROL_ADDRESS,
  CONTROL_ROOT,
  READER_GENERATION,
  READER_QUIESCENT,
  READER_SCRATCH,
  READER_SEQUENCE,
  READER_TIME,
  ROOT_GENERATION,
  ROOT_HOOKS,
  ROOT_IPV4,
  ROOT_IPV6,
  ROOT_ROUTING,
  ROOT_TABLES,
} from "../src/blob/memory";
import { connections } from "./conntrack/pool";
import { ROUTE_TYPE, RTN_BROADCAST, RTN_LOCAL, RTN_UNICAST } from "../src/blob/routing";
import { connection, publishState, trackBegin, trackConfirm, trackEnd, trackIn } from "./conntrack/track";
import { atHook, hooksBegin, hooksLoop, looped, rerouted, routes, setHooks } from "./hook";
import { walkedBegin } from "./chain-index";
import { eventsBegin, traced } from "./events";
import { gather } from "./fragments/gather";
import { hitsBegin, hitsCount } from "./hits";
import { isLocal } from "./locals";
import { ownBegin, ownLoops } from "./own";
import { waitingArrive } from "./own-waiting";
import {
  addressBytes,
  generationSeen,
  packet,
  reader,
  result,
  setAddressBytes,
  setGeneration,
  setPacket,
} from "./packet";
import { randomBegin } from "./random";
import { reply } from "./reply";
import { forgetRoute, leaveBy, route, routeIn, routeOut } from "./routing/decide";
import { routesKnown, setRouting } from "./routing/lookup";
import { traceOff } from "./trace";

/** Enters a read-side section: the root that is in force, for as long as the section lasts. */
export function readBegin(): usize {
  atomic.store<u32>(reader, atomic.load<u32>(reader, READER_SEQUENCE) + 1, READER_SEQUENCE);
  const root: usize = atomic.load<u32>(CONTROL_ADDRESS, CONTROL_ROOT);
  const generation = load<u32>(root, ROOT_GENERATION);
  atomic.store<u32>(reader, generation, READER_GENERATION);
  setGeneration(generation);
  walkedBegin();
  setRouting(load<u32>(root, ROOT_ROUTING));
  setHooks(load<u32>(root, ROOT_HOOKS), routesKnown());
  hitsBegin();
  return root;
}

export function readEnd(): void {
  hitsCount();
  atomic.store<u32>(reader, load<u32>(reader, READER_SEQUENCE) + 1, READER_SEQUENCE);
  atomic.store<u32>(reader, load<u32>(reader, READER_QUIESCENT) + 1, READER_QUIESCENT);
}

/** One packet's whole way under `root`; fills the result record. */
export function traverse(root: usize, from: usize, into: usize): void {
  const scratch: usize = load<u32>(reader, READER_SCRATCH);
  // Bulk instructions leave the module; these few words do not pay for that.
  for (let at: usize = 0; at < <usize>PACKET_SIZE; at += 16) v128.store(scratch + at, v128.load(from + at));
  for (let at: usize = 0; at < <usize>RESULT_SIZE; at += 16) v128.store(into + at, v128.splat<u32>(0));
  setPacket(scratch, into);
  store<u32>(reader, load<u32>(scratch, PACKET_TIME), READER_TIME);
  const family: u32 = load<u8>(scratch, PACKET_FAMILY) == FAMILY_IPV4 ? ROOT_IPV4 : ROOT_IPV6;
  setAddressBytes(family == ROOT_IPV4 ? 4 : 16);
  hooksBegin(family, root + ROOT_TABLES + family * 4 * TABLE_COUNT);
  ownBegin();
  randomBegin();
  forgetRoute();
  eventsBegin(from);
  const tracking = connections() != 0;
  const fragments = tracking ? gather() : 0;
  trackBegin();
  let verdict: u32 = fragments ? assembled(fragments) : VERDICT_ACCEPT;
  if (verdict == VERDICT_ACCEPT) verdict = way();
  store<u8>(into, <u8>verdict, RESULT_VERDICT);
  if (verdict == VERDICT_REJECT) reply();
  if (traced) traceOff();
  store<u32>(into, load<u32>(scratch, PACKET_MARK), RESULT_MARK);
  store<u32>(into, load<u32>(scratch, PACKET_CT_MARK), RESULT_CT_MARK);
  v128.store(into, v128.load(scratch, PACKET_SOURCE), RESULT_SOURCE);
  v128.store(into, v128.load(scratch, PACKET_DESTINATION), RESULT_DESTINATION);
  store<u16>(into, load<u16>(scratch, PACKET_SOURCE_PORT), RESULT_SOURCE_PORT);
  store<u16>(into, load<u16>(scratch, PACKET_DESTINATION_PORT), RESULT_DESTINATION_PORT);
  store<u32>(into, generationSeen, RESULT_GENERATION);
  store<u16>(into, load<u16>(scratch, PACKET_MSS), RESULT_MSS);
  store<u16>(into, load<u16>(scratch, PACKET_CT_STATE), RESULT_CT_STATE);
  if (tracking) trackEnd();
  store<u8>(into, load<u8>(scratch, PACKET_TTL), RESULT_TTL);
  store<u8>(into, load<u8>(scratch, PACKET_TOS), RESULT_TOS);
  store<u32>(into, load<u32>(scratch, PACKET_PRIORITY), RESULT_PRIORITY);
  v128.store(into, v128.load(scratch, PACKET_OUTPUT), RESULT_OUTPUT);
  waitingArrive();
}

/** Whether what gather has put together goes on, if it has put anything together. */
function assembled(fragments: u32): u32 {
  store<u8>(result, <u8>fragments, RESULT_FRAGMENTS);
  if (fragments == FRAGMENTS_WHOLE) return VERDICT_ACCEPT;
  store<u16>(packet, 0, PACKET_CT_STATE);
  return fragments == FRAGMENTS_KEPT ? VERDICT_STOLEN : VERDICT_DROP;
}

function way(): u32 {
  const path = <u32>load<u8>(packet, PACKET_PATH);
  return path >= <u32>PATH_HOOK ? alone(path - PATH_HOOK) : path == PATH_IN ? inward() : outward();
}

/** One hook alone; a packet that does not come in there is tracked first all the same, and its way ends here. */
function alone(number: u32): u32 {
  if (number != HOOK_PREROUTING && number != HOOK_OUTPUT) {
    const verdict = trackIn();
    if (verdict != VERDICT_ACCEPT) return verdict;
  }
  const verdict = atHook(number);
  if (!connections() || verdict != VERDICT_ACCEPT || number == HOOK_INPUT || number == HOOK_POSTROUTING) return verdict;
  return trackConfirm();
}

function inward(): u32 {
  const output = v128.load(packet, PACKET_OUTPUT);
  const before = v128.load(packet, PACKET_DESTINATION);
  const verdict = atHook(HOOK_PREROUTING);
  if (verdict != VERDICT_ACCEPT) return verdict;
  if (!routes) {
    if (isLocal(packet + PACKET_DESTINATION, 0)) return deliver();
    v128.store(packet, output, PACKET_OUTPUT);
  } else {
    // What has gone round keeps the route it was sent by, unless its destination changes.
    const settled = looped && !v128.any_true(v128.xor(before, v128.load(packet, PACKET_DESTINATION)));
    const type: u32 = settled ? RTN_LOCAL : routeIn();
    if (type == RTN_LOCAL || type == RTN_BROADCAST) return deliver();
    if (type != RTN_UNICAST) return VERDICT_DROP;
    leaveBy();
  }
  if (!takeHop()) return VERDICT_DROP;
  const forward = atHook(HOOK_FORWARD);
  return forward == VERDICT_ACCEPT ? atHook(HOOK_POSTROUTING) : forward;
}

/** What is for this machine: IPv4's fragments are put together first, where nobody has done so. */
function deliver(): u32 {
  const fragments = addressBytes == 4 ? gather() : 0;
  const verdict = fragments ? assembled(fragments) : VERDICT_ACCEPT;
  return verdict == VERDICT_ACCEPT ? atHook(HOOK_INPUT) : verdict;
}

/** Routing takes a hop off what it forwards, a bridge does not (ip_forward.c, ip6_output.c). False when none is left. */
function takeHop(): bool {
  if (load<u8>(packet, PACKET_PHYSICAL_OUTPUT)) return true;
  const left = load<u8>(packet, PACKET_TTL);
  if (left > 1) {
    store<u8>(packet, left - 1, PACKET_TTL);
    return true;
  }
  store<u8>(result, <u8>(load<u8>(result, RESULT_FLAGS) | RESULT_FLAG_EXPIRED), RESULT_FLAGS);
  store<u32>(result, 0, RESULT_ROW);
  return false;
}

function outward(): u32 {
  if (routes && !routeOut()) {
    store<u8>(result, HOOK_OUTPUT, RESULT_HOOK);
    return VERDICT_DROP;
  }
  const verdict = depart();
  return verdict == VERDICT_ACCEPT && goesRound() ? comeIn() : verdict;
}

/** What the machine sends, its way being known: through OUTPUT and POSTROUTING. */
export function depart(): u32 {
  v128.store(packet, v128.splat<u32>(0), PACKET_INPUT);
  const verdict = atHook(HOOK_OUTPUT);
  if (verdict != VERDICT_ACCEPT) return verdict;
  if (rerouted) leaveBy();
  return atHook(HOOK_POSTROUTING);
}

/** Whether what has left is for this machine, and comes in by the loopback interface. */
export function goesRound(): bool {
  return routes && load<u8>(route, ROUTE_TYPE) == RTN_LOCAL;
}

export function comeIn(): u32 {
  hooksLoop();
  ownLoops();
  // Its connection is confirmed by now.
  if (connection) publishState();
  v128.store(packet, v128.load(packet, PACKET_OUTPUT), PACKET_INPUT);
  return inward();
}
