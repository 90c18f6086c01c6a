/**
 * One hook: what the registry hangs there, in the order of its priorities.
 *
 * OUTPUT routes a packet again when mangle changes what routing looks at, or NAT its destination. The hook goes on with the
 * interface that it began with, as nf_hook_state does; the new one shows in POSTROUTING.
 */
import {
  BLOB_TABLE,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  HOOK_INPUT,
  HOOK_OUTPUT,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_INPUT,
  PACKET_MARK,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_TOS,
  RESULT_HOOK,
  RESULT_TABLE,
  TABLE_MANGLE,
  TABLE_NAT,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../src/blob/layout";
import {
  HOOK_CONFIRM,
  HOOK_END,
  HOOK_REGISTERED,
  HOOK_TRACK,
  HOOKS_EACH,
  HOOKS_ORDER,
  HOOKS_TABLES,
} from "../src/blob/hooks";
import { help } from "./conntrack/helper-read";
import { natBindNothing, natUndecided } from "./conntrack/nat";
import { natPacket } from "./conntrack/nat-packet";
import { connections } from "./conntrack/pool";
import { trackConfirm, trackIn } from "./conntrack/track";
import { hook, ownNumber, packet, result, setHook } from "./packet";
import { routeAgain } from "./routing/decide";
import { proxyAnswer } from "./targets/synproxy";
import { walk } from "./walk";

/** What hangs on the hooks, of the root in force. */
let hooks: usize = 0;
/** The orders of the packet's family, and its tables. */
let orders: usize = 0;
let tables: usize = 0;
/** Whether routing decides where packets go. */
export let routes: bool = false;
/** Whether it has decided otherwise in OUTPUT. */
export let rerouted: bool = false;
/** Whether the packet has gone round by the loopback interface. */
export let looped: bool = false;

export function setHooks(registry: usize, routed: bool): void {
  hooks = registry;
  routes = routed;
}

/** A packet begins its way; `family` is ROOT_IPV4 or ROOT_IPV6, `tables` the root's of it. */
export function hooksBegin(family: u32, familyTables: usize): void {
  orders = hooks + HOOKS_ORDER + family * 8 * HOOKS_EACH;
  tables = familyTables;
  hooksResume(false, false);
}

/** It begins once more, by the loopback interface. */
export function hooksLoop(): void {
  looped = true;
}

/** It goes on where it was. */
export function hooksResume(wentRound: bool, wasRerouted: bool): void {
  looped = wentRound;
  rerouted = wasRerouted;
}

/** Everything that hangs on hook `number`; the first verdict that is not ACCEPT. */
export function atHook(number: u32): u32 {
  setHook(number);
  store<u8>(result, <u8>number, RESULT_HOOK);
  // Hooks do not know every device: no output before routing, no input of what a process sends.
  if (number <= <u32>HOOK_INPUT) v128.store(packet, v128.splat<u32>(0), PACKET_OUTPUT);
  else if (number == HOOK_OUTPUT) v128.store(packet, v128.splat<u32>(0), PACKET_INPUT);
  for (let order = load<u64>(orders + (number << 3)); (order & 15) != HOOK_END; order >>= 4) {
    const verdict = atEntry(<u32>order & 15);
    if (verdict != VERDICT_ACCEPT) return verdict;
  }
  return VERDICT_ACCEPT;
}

/** What one entry of the registry does. Tables of users are of the kind that they were written as. */
function atEntry(code: u32): u32 {
  let table: usize = 0;
  let kind = code;
  if (code < <u32>HOOK_TRACK) table = load<u32>(tables + (code << 2));
  else if (code >= <u32>HOOK_REGISTERED) {
    table = load<u32>(hooks + ((code - HOOK_REGISTERED) << 2), HOOKS_TABLES);
    kind = load<u8>(table, BLOB_TABLE);
  } else if (code == HOOK_CONFIRM) return connections() ? confirm() : <u32>VERDICT_ACCEPT;
  // What is invalid as it leaves is looked at again as it comes in.
  else return looped && !connections() ? <u32>VERDICT_ACCEPT : trackIn();
  if (kind == TABLE_NAT) return connections() ? atNat(table) : atNatByState(table);
  if (!table) return VERDICT_ACCEPT;
  store<u8>(result, <u8>kind, RESULT_TABLE);
  return routes && kind == TABLE_MANGLE && hook == HOOK_OUTPUT ? mangleOutput(table) : walk(table);
}

/** At the end of the way: what SYNPROXY has to say of a connection that it has opened, what a helper reads, and confirmation. */
function confirm(): u32 {
  let verdict = proxyAnswer();
  if (verdict == VERDICT_ACCEPT) verdict = help();
  return verdict == VERDICT_ACCEPT ? trackConfirm() : verdict;
}

/** What a rule of mangle's OUTPUT changes of how a packet is routed, routes it again (iptable_mangle.c, ip6table_mangle.c). */
function mangleOutput(table: usize): u32 {
  const source = v128.load(packet, PACKET_SOURCE);
  const destination = v128.load(packet, PACKET_DESTINATION);
  const mark = load<u32>(packet, PACKET_MARK);
  const tos = load<u8>(packet, PACKET_TOS);
  const verdict = walk(table);
  if (
    verdict != VERDICT_ACCEPT ||
    (mark == load<u32>(packet, PACKET_MARK) &&
      tos == load<u8>(packet, PACKET_TOS) &&
      !v128.any_true(
        v128.or(
          v128.xor(source, v128.load(packet, PACKET_SOURCE)),
          v128.xor(destination, v128.load(packet, PACKET_DESTINATION)),
        ),
      ))
  )
    return verdict;
  return again();
}

function again(): u32 {
  if (!routeAgain()) return VERDICT_DROP;
  rerouted = true;
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
  if (!routes || hook != HOOK_OUTPUT) return natPacket();
  const destination = v128.load(packet, PACKET_DESTINATION);
  const verdict = natPacket();
  return verdict == VERDICT_ACCEPT ? againIfMoved(destination) : verdict;
}

/** NAT without tracking: the packet's record says whether it begins a connection, which answers do not; targets rewrite the packet itself. */
function atNatByState(table: usize): u32 {
  if (!table || looped || ownNumber || !(load<u16>(packet, PACKET_CT_STATE) & (CT_STATE_NEW | CT_STATE_RELATED)))
    return VERDICT_ACCEPT;
  store<u8>(result, TABLE_NAT, RESULT_TABLE);
  const destination = v128.load(packet, PACKET_DESTINATION);
  const verdict = walk(table);
  if (verdict != VERDICT_ACCEPT || !routes || hook != HOOK_OUTPUT) return verdict;
  return againIfMoved(destination);
}

/** What OUTPUT sends elsewhere is routed again (nf_nat_ipv4_local_fn). */
function againIfMoved(destination: v128): u32 {
  const moved = v128.any_true(v128.xor(destination, v128.load(packet, PACKET_DESTINATION)));
  return moved ? again() : VERDICT_ACCEPT;
}
