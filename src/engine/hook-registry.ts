/**
 * The hook registry: what hangs on which hook, by priority (as nf_register_net_hook keeps it). Kept in shared memory as one
 * immutable record; a change writes another and publishes it with a root, so a packet sees one registry from its first hook
 * to its last, and the walk reads nothing of it but one word a hook.
 */
import * as H from "../blob/hooks.js";
import { ROOT_IPV4, ROOT_IPV6 } from "../blob/memory.js";
import type { Family } from "../ruleset/row-store.js";
import { BUILTIN_CHAINS, HOOK_NAMES, type HookName, TABLE_NAMES, type TableName } from "../ruleset/ruleset.js";
import { nameAt } from "./name-text.js";

export interface HookEntry {
  readonly family: Family;
  readonly hook: HookName;
  /** The lower, the earlier: -2^31 to 2^31 - 1. */
  readonly priority: number;
  /** A table, tracking of connections, the end of a connection's beginning, or a table that a user has hung up. */
  readonly kind: TableName | "conntrack" | "confirm" | "registered";
  /** Of a registered table. */
  readonly name?: string;
  /** Its number, 0 to REGISTERED_COUNT - 1. */
  readonly index?: number;
}

/** Priorities of netfilter_ipv4.h and netfilter_ipv6.h. */
export const PRIORITIES = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  destinationNat: -100,
  filter: 0,
  security: 50,
  sourceNat: 100,
  confirm: 0x7fffffff,
} as const;

/** What hangs on each hook before anyone changes it. */
export function usualHooks(): HookEntry[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) => [
    ...TABLE_NAMES.flatMap((kind) =>
      BUILTIN_CHAINS[kind].map((hook) => ({ family, hook, priority: tablePriority(kind, hook), kind })),
    ),
    ...(["PREROUTING", "OUTPUT"] as const).map((hook) => entry(family, hook, "conntrack")),
    ...(["INPUT", "POSTROUTING"] as const).map((hook) => entry(family, hook, "confirm")),
  ]);
}

/** At which priority a table of this kind hangs on this hook. */
export function tablePriority(kind: TableName, hook: HookName): number {
  if (kind !== "nat") return PRIORITIES[kind];
  return hook === "PREROUTING" || hook === "OUTPUT" ? PRIORITIES.destinationNat : PRIORITIES.sourceNat;
}

function entry(family: Family, hook: HookName, kind: "conntrack" | "confirm"): HookEntry {
  return { family, hook, priority: PRIORITIES[kind], kind };
}

/**
 * The record of `entries`, with the tables that users have hung up at their numbers. Of two entries of the same priority the
 * later one goes first, as in nf_hook_entries_grow.
 * @throws RangeError when a hook has more than it can hold.
 */
export function registryRecord(entries: readonly HookEntry[], tables: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(H.HOOKS_ENTRIES + entries.length * H.HOOK_ENTRY_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(H.HOOKS_COUNT, entries.length, true);
  view.setUint32(H.HOOKS_BYTES, bytes.length, true);
  for (let i = 0; i < H.REGISTERED_COUNT; i++) view.setUint32(H.HOOKS_TABLES + 4 * i, tables[i] ?? 0, true);
  for (const [i, one] of entries.entries()) {
    const at = H.HOOKS_ENTRIES + i * H.HOOK_ENTRY_SIZE;
    view.setInt32(at + H.HOOK_ENTRY_PRIORITY, one.priority, true);
    bytes[at + H.HOOK_ENTRY_FAMILY] = familySlot(one.family);
    bytes[at + H.HOOK_ENTRY_HOOK] = HOOK_NAMES.indexOf(one.hook);
    bytes[at + H.HOOK_ENTRY_CODE] = codeOf(one);
    bytes.set(new TextEncoder().encode(one.name ?? "").subarray(0, 32), at + H.HOOK_ENTRY_NAME);
  }
  for (const family of ["ipv4", "ipv6"] as const)
    for (const [number, hook] of HOOK_NAMES.entries())
      view.setBigUint64(
        H.HOOKS_ORDER + 8 * (familySlot(family) * H.HOOKS_EACH + number),
        orderOf(entries.filter((one) => one.family === family && one.hook === hook)),
        true,
      );
  return bytes;
}

/** The entries of the record at `at`, and the tables behind the registered ones. */
export function readRegistry(view: DataView, at: number): { entries: HookEntry[]; tables: number[] } {
  const entries = Array.from({ length: view.getUint32(at + H.HOOKS_COUNT, true) }, (_, i): HookEntry => {
    const one = at + H.HOOKS_ENTRIES + i * H.HOOK_ENTRY_SIZE;
    const code = view.getUint8(one + H.HOOK_ENTRY_CODE);
    return {
      family: view.getUint8(one + H.HOOK_ENTRY_FAMILY) === ROOT_IPV4 ? "ipv4" : "ipv6",
      hook: HOOK_NAMES[view.getUint8(one + H.HOOK_ENTRY_HOOK)] as HookName,
      priority: view.getInt32(one + H.HOOK_ENTRY_PRIORITY, true),
      kind:
        code === H.HOOK_TRACK ? "conntrack" : code === H.HOOK_CONFIRM ? "confirm" : (TABLE_NAMES[code] ?? "registered"),
      ...(code >= H.HOOK_REGISTERED
        ? { name: nameAt(view, one + H.HOOK_ENTRY_NAME, 32), index: code - H.HOOK_REGISTERED }
        : {}),
    };
  });
  const tables = Array.from({ length: H.REGISTERED_COUNT }, (_, i) =>
    view.getUint32(at + H.HOOKS_TABLES + 4 * i, true),
  );
  return { entries, tables };
}

/** What a user called the table that begins at `table`; undefined of the usual ones, for which nothing is read. */
export function registeredName(view: DataView, at: number, table: number): string | undefined {
  for (let index = 0; index < H.REGISTERED_COUNT; index++)
    if (view.getUint32(at + H.HOOKS_TABLES + 4 * index, true) === table)
      return readRegistry(view, at).entries.find((entry) => entry.index === index)?.name;
  return undefined;
}

function orderOf(entries: readonly HookEntry[]): bigint {
  if (entries.length > 15) throw new RangeError(`${entries.length} entries on ${entries[0]?.hook}; a hook holds 15`);
  const order: HookEntry[] = [];
  for (const one of entries) {
    const before = order.findIndex((other) => other.priority >= one.priority);
    order.splice(before < 0 ? order.length : before, 0, one);
  }
  let codes = 0n;
  for (let i = 15; i >= 0; i--) {
    const one = order[i];
    codes = (codes << 4n) | BigInt(one ? codeOf(one) : H.HOOK_END);
  }
  return codes;
}

function codeOf({ kind, index = 0 }: HookEntry): number {
  if (kind === "registered") return H.HOOK_REGISTERED + index;
  if (kind === "conntrack") return H.HOOK_TRACK;
  return kind === "confirm" ? H.HOOK_CONFIRM : TABLE_NAMES.indexOf(kind);
}

function familySlot(family: Family): number {
  return family === "ipv4" ? ROOT_IPV4 : ROOT_IPV6;
}
