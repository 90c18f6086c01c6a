/** Which tables a packet meets at a hook, and which hooks it passes. */
import {
  CT_STATE_NEW,
  CT_STATE_RELATED,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  PATH_HOOK,
  PATH_OUT,
} from "../../src/blob/layout.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import type { Packet } from "./packet.js";

/** By the priorities of uapi/linux/netfilter_ipv4.h: source NAT comes behind security, destination NAT in front of filter. */
export const TABLES_OF_HOOK: Readonly<Record<number, readonly TableName[]>> = {
  [HOOK_PREROUTING]: ["raw", "mangle", "nat"],
  [HOOK_INPUT]: ["mangle", "filter", "security", "nat"],
  [HOOK_FORWARD]: ["mangle", "filter", "security"],
  [HOOK_OUTPUT]: ["raw", "mangle", "nat", "filter", "security"],
  [HOOK_POSTROUTING]: ["mangle", "nat"],
};

/** The hook behind `hook`, or undefined at the end of the way. Routing looks at the destination as rewritten so far. */
export function nextHook(hook: number, packet: Packet, isLocal: (address: Uint8Array) => boolean): number | undefined {
  if (packet.path >= PATH_HOOK) return undefined;
  if (hook === HOOK_PREROUTING) return isLocal(packet.destination) ? HOOK_INPUT : HOOK_FORWARD;
  return hook === HOOK_FORWARD || hook === HOOK_OUTPUT ? HOOK_POSTROUTING : undefined;
}

/** ip_forward and ip6_forward, which bridged packets never see: one hop less, and none may be left of one. */
export function takeHop(packet: Packet): boolean {
  if (packet.physicalOutput !== "") return true;
  if (packet.ttl <= 1) return false;
  packet.ttl--;
  return true;
}

export function firstHook(packet: Packet): number {
  if (packet.path >= PATH_HOOK) return packet.path - PATH_HOOK;
  return packet.path === PATH_OUT ? HOOK_OUTPUT : HOOK_PREROUTING;
}

/** nat sees only what may begin a connection. */
export function natApplies(packet: Packet): boolean {
  return (packet.ctState & (CT_STATE_NEW | CT_STATE_RELATED)) !== 0;
}

/** Devices as a hook shows them: before routing there is no way out, and what the machine sends itself came in nowhere. */
export function devicesAt(hook: number, packet: Packet): { input: string; output: string } {
  const hasOutput = hook !== HOOK_PREROUTING && hook !== HOOK_INPUT;
  const hasInput = hook !== HOOK_OUTPUT && packet.path !== PATH_OUT;
  return { input: hasInput ? packet.input : "", output: hasOutput ? packet.output : "" };
}
