/**
 * The way of a packet: hooks in order, at each hook its tables by priority, one root from the first hook to the last.
 *
 * Priorities of netfilter_ipv4.h: raw -300, mangle -150, destination NAT -100, filter 0, security 50, source NAT 100.
 */
import {
  CT_STATE_NEW,
  CT_STATE_RELATED,
  FAMILY_IPV4,
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
  RESULT_GENERATION,
  RESULT_HOOK,
  RESULT_MARK,
  RESULT_MSS,
  RESULT_PRIORITY,
  RESULT_ROW,
  RESULT_SIZE,
  RESULT_SOURCE,
  RESULT_SOURCE_PORT,
  RESULT_TABLE,
  RESULT_TOS,
  RESULT_TTL,
  RESULT_VERDICT,
  TABLE_COUNT,
  TABLE_NAT,
  TABLE_RAW,
  VERDICT_ACCEPT,
  VERDICT_DROP,
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
  ROOT_IPV4,
  ROOT_IPV6,
  ROOT_TABLES,
} from "../src/blob/memory";
import { natBindNothing, natUndecided } from "./conntrack/nat";
import { natPacket } from "./conntrack/nat-packet";
import { connections } from "./conntrack/pool";
import { trackBegin, trackConfirm, trackEnd, trackIn } from "./conntrack/track";
import { isLocal } from "./locals";
import { generationSeen, packet, reader, result, setAddressBytes, setGeneration, setHook, setPacket } from "./packet";
import { walk } from "./walk";

/** Tables of each hook in order of priority, four bits each from the lowest, 15 ends. raw 0, mangle 1, nat 2, filter 3, security 4. */
const AT_PREROUTING: u32 = 0xf210;
const AT_INPUT: u32 = 0xf2431;
const AT_FORWARD: u32 = 0xf431;
const AT_OUTPUT: u32 = 0xf43210;
const AT_POSTROUTING: u32 = 0xf21;

/** Enters a read-side section: the root that is in force, for as long as the section lasts. */
export function readBegin(): usize {
  atomic.store<u32>(reader, atomic.load<u32>(reader, READER_SEQUENCE) + 1, READER_SEQUENCE);
  const root: usize = atomic.load<u32>(CONTROL_ADDRESS, CONTROL_ROOT);
  const generation = load<u32>(root, ROOT_GENERATION);
  atomic.store<u32>(reader, generation, READER_GENERATION);
  setGeneration(generation);
  return root;
}

export function readEnd(): void {
  atomic.store<u32>(reader, load<u32>(reader, READER_SEQUENCE) + 1, READER_SEQUENCE);
  atomic.store<u32>(reader, load<u32>(reader, READER_QUIESCENT) + 1, READER_QUIESCENT);
}

/** One packet's whole way under `root`; fills the result record. */
export function traverse(root: usize, from: usize, into: usize): void {
  const scratch: usize = load<u32>(reader, READER_SCRATCH);
  memory.copy(scratch, from, PACKET_SIZE);
  memory.fill(into, 0, RESULT_SIZE);
  setPacket(scratch, into);
  store<u32>(reader, load<u32>(scratch, PACKET_TIME), READER_TIME);
  const ipv4 = load<u8>(scratch, PACKET_FAMILY) == FAMILY_IPV4;
  setAddressBytes(ipv4 ? 4 : 16);
  const tables = root + ROOT_TABLES + (ipv4 ? ROOT_IPV4 : ROOT_IPV6) * 4 * TABLE_COUNT;
  const path = <u32>load<u8>(scratch, PACKET_PATH);
  const tracking = connections() != 0;
  trackBegin();
  let verdict =
    path >= <u32>PATH_HOOK ? alone(tables, path - PATH_HOOK) : path == PATH_IN ? inward(tables) : outward(tables);
  if (tracking && verdict == VERDICT_ACCEPT) verdict = trackConfirm();
  store<u8>(into, <u8>verdict, RESULT_VERDICT);
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
}

/** One hook alone; a packet that does not come in there is tracked first all the same. */
function alone(tables: usize, number: u32): u32 {
  if (number != HOOK_PREROUTING && number != HOOK_OUTPUT) {
    const verdict = trackIn();
    if (verdict != VERDICT_ACCEPT) return verdict;
  }
  return atHook(tables, number);
}

function inward(tables: usize): u32 {
  const output = v128.load(packet, PACKET_OUTPUT);
  const verdict = atHook(tables, HOOK_PREROUTING);
  if (verdict != VERDICT_ACCEPT) return verdict;
  if (isLocal(packet + PACKET_DESTINATION, 0)) return atHook(tables, HOOK_INPUT);
  v128.store(packet, output, PACKET_OUTPUT);
  if (!takeHop()) return VERDICT_DROP;
  const forward = atHook(tables, HOOK_FORWARD);
  return forward == VERDICT_ACCEPT ? atHook(tables, HOOK_POSTROUTING) : forward;
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

function outward(tables: usize): u32 {
  v128.store(packet, v128.splat<u32>(0), PACKET_INPUT);
  const verdict = atHook(tables, HOOK_OUTPUT);
  return verdict == VERDICT_ACCEPT ? atHook(tables, HOOK_POSTROUTING) : verdict;
}

function atHook(tables: usize, number: u32): u32 {
  setHook(number);
  store<u8>(result, <u8>number, RESULT_HOOK);
  // Hooks do not know every device: no output before routing, no input of what a process sends.
  if (number <= <u32>HOOK_INPUT) v128.store(packet, v128.splat<u32>(0), PACKET_OUTPUT);
  else if (number == HOOK_OUTPUT) v128.store(packet, v128.splat<u32>(0), PACKET_INPUT);
  const tracking = connections() != 0;
  for (let list = tablesAt(number); (list & 15) != 15; list >>= 4) {
    const kind = list & 15;
    const table: usize = load<u32>(tables + (kind << 2));
    let verdict: u32 = VERDICT_ACCEPT;
    if (kind == TABLE_NAT) verdict = tracking ? atNat(table) : atNatByState(table);
    else if (table) {
      store<u8>(result, <u8>kind, RESULT_TABLE);
      verdict = walk(table);
    }
    // Tracking comes right behind raw, which both hooks that packets enter by begin with.
    if (kind == TABLE_RAW && verdict == VERDICT_ACCEPT) verdict = trackIn();
    if (verdict != VERDICT_ACCEPT) return verdict;
  }
  return VERDICT_ACCEPT;
}

/** NAT of tracked packets: rules decide for the first packet of a connection, every packet is rewritten as decided. */
function atNat(table: usize): u32 {
  if (table && natUndecided()) {
    store<u8>(result, TABLE_NAT, RESULT_TABLE);
    const verdict = walk(table);
    if (verdict != VERDICT_ACCEPT) return verdict;
    if (natUndecided()) natBindNothing();
  }
  return natPacket();
}

/** NAT without tracking: the packet's record says whether it begins a connection; targets rewrite the packet itself. */
function atNatByState(table: usize): u32 {
  if (!table || !(load<u16>(packet, PACKET_CT_STATE) & (CT_STATE_NEW | CT_STATE_RELATED))) return VERDICT_ACCEPT;
  store<u8>(result, TABLE_NAT, RESULT_TABLE);
  return walk(table);
}

function tablesAt(number: u32): u32 {
  if (number == HOOK_PREROUTING) return AT_PREROUTING;
  if (number == HOOK_INPUT) return AT_INPUT;
  if (number == HOOK_FORWARD) return AT_FORWARD;
  return number == HOOK_OUTPUT ? AT_OUTPUT : AT_POSTROUTING;
}
