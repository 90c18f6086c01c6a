/** Commands of ipset's carried out on sets. */
import { RulesetError } from "../ruleset-error.js";
import type { ErrorCode } from "../../extensions/error-code.js";
import { type SetScope, readSetCommands } from "./commands.js";
import { partText } from "./element-parts.js";
import type { Beside, IpSet, SetCommand, SetEntry, SetHeader } from "./ip-set.js";

/** Sets by name, in the order in which they were made. */
export type IpSets = Map<string, IpSet>;

/**
 * The sets of what `ipset save` prints, or of any text for `ipset restore`.
 * @throws RulesetError with line and column at the first fault.
 */
export function parseSets(text: string, file = "sets"): IpSets {
  const sets: IpSets = new Map();
  applySetText(sets, text, file);
  return sets;
}

/** Carries out a text on sets. When it throws, they are as they were. */
export function applySetText(sets: IpSets, text: string, file = "sets"): void {
  applySetCommands(sets, readSetCommands(text, sets satisfies SetScope, file), file);
}

/** Carries out commands on sets, all of them or, when it throws, none. */
export function applySetCommands(sets: IpSets, commands: readonly SetCommand[], file = "sets"): void {
  const changed: IpSets = new Map();
  for (const [name, set] of sets) changed.set(name, { ...set, entries: new Map(set.entries) });
  for (const command of commands) applyCommand(changed, command, file);
  sets.clear();
  for (const [name, set] of changed) sets.set(name, set);
}

function applyCommand(sets: IpSets, command: SetCommand, file: string): void {
  const refuse = (code: ErrorCode, found: string, expected: string): never => {
    const { line, column } = command;
    throw new RulesetError({ code, file, line, column, found, expected });
  };
  const set = sets.get(command.set);
  if (command.op === "create") {
    if (!set) sets.set(command.set, { ...command.header, entries: new Map() });
    else if (!command.exist) refuse("set-exists", command.set, "a new name");
    else if (!sameHeader(set, command.header)) refuse("set-exists", command.set, "a set of the same type and options");
    return;
  }
  if (!set) return refuse("unknown-set", command.set, "a set that was created");
  const listedIn = [...sets.values()].find((one) => one.type === "list:set" && one.entries.has(command.set));
  switch (command.op) {
    case "add":
      addEntry(sets, set, command, refuse);
      break;
    case "del":
      deleteEntry(set, command, refuse);
      break;
    case "flush":
      set.entries.clear();
      break;
    case "destroy":
      if (listedIn) refuse("set-in-use", command.set, `a set that no list has, as ${listedIn.name} does`);
      sets.delete(command.set);
      break;
    case "rename":
      if (sets.has(command.to)) refuse("set-exists", command.to, "a new name");
      if (listedIn) refuse("set-in-use", command.set, `a set that no list has, as ${listedIn.name} does`);
      renameSet(sets, command.set, command.to);
      break;
    case "swap":
      swapSets(sets, set, command.to, refuse);
  }
}

type Refuse = (code: ErrorCode, found: string, expected: string) => never;

function addEntry(sets: IpSets, set: IpSet, command: SetCommand & { op: "add" }, refuse: Refuse): void {
  const { entry, beside } = command;
  if (set.type === "list:set") {
    const member = sets.get(entry.text);
    if (!member || member === set) return refuse("unknown-set", entry.text, "a set that was created");
    if (member.type === "list:set") return refuse("bad-value", entry.text, "a set that is no list");
  }
  const there = findEntry(set, entry);
  if (beside && there?.key !== beside.name && !set.entries.has(beside.name))
    refuse("no-such-element", beside.name, "a member of the list");
  if (there) return addAgain(set, there, command, refuse);
  // Of a list Linux enforces no size.
  const room = set.type.startsWith("hash") ? set.maxelem : Number.POSITIVE_INFINITY;
  if (set.entries.size >= room) {
    if (!set.forceadd) return refuse("set-full", set.name, `room for more than ${room} elements`);
    // Linux drops any; here it is the oldest.
    const [oldest] = set.entries.keys();
    if (oldest !== undefined) set.entries.delete(oldest);
  }
  if (beside) insertBeside(set, entry, beside);
  else set.entries.set(entry.key, entry);
}

/**
 * The element that Linux takes for the same. Of hash:net,iface one with a wildcard stands for every device whose name
 * begins like it, the oldest first.
 */
export function findEntry(set: IpSet, entry: SetEntry): SetEntry | undefined {
  if (set.type !== "hash:net,iface") return set.entries.get(entry.key);
  const [net, device] = entry.parts;
  for (const one of set.entries.values()) {
    const [otherNet, other] = one.parts;
    if (device?.kind !== "device" || other?.kind !== "device" || device.physical !== other.physical) continue;
    const named = one.wildcard ? device.name.startsWith(other.name) : device.name === other.name;
    if (named && net && otherNet && partText(net) === partText(otherNet)) return one;
  }
  return undefined;
}

/**
 * An element that is there already keeps the counters that are not said, its place, and the MAC address that is not said.
 *
 * Time of an address without a MAC address does not run: it begins when the MAC address comes, unless that says another
 * time than the set's. Until then Linux takes its seconds for a point in time that is long past: unless they are 0, it is
 * as if the address were not there, and one that has a MAC address and is added again without it is gone.
 */
function addAgain(set: IpSet, there: SetEntry, command: SetCommand & { op: "add" }, refuse: Refuse): void {
  const { entry, exist, given } = command;
  const fillsMac = entry.parts.length > there.parts.length;
  if (!exist && !fillsMac && !seemsExpired(set, there))
    refuse("duplicate-element", entry.text, "an element that is not in the set");
  if (entry.timeout && entry.parts.length < there.parts.length) {
    set.entries.delete(there.key);
    return;
  }
  const fuller = fillsMac ? entry : there;
  set.entries.set(there.key, {
    ...entry,
    key: there.key,
    parts: fuller.parts,
    text: fuller.text,
    wildcard: there.wildcard,
    ...(entry.parts.length === there.parts.length &&
      set.type === "bitmap:ip,mac" && { parts: entry.parts, text: entry.text }),
    timeout: fillsMac && entry.timeout === set.timeout ? there.timeout : entry.timeout,
    packets: given.packets ? entry.packets : there.packets,
    bytes: given.bytes ? entry.bytes : there.bytes,
  });
}

/** An address that waits for its MAC address. */
function seemsExpired(set: IpSet, there: SetEntry): boolean {
  return set.type === "bitmap:ip,mac" && there.parts.length === 1 && (there.timeout ?? 0) > 0;
}

function deleteEntry(set: IpSet, command: SetCommand & { op: "del" }, refuse: Refuse): void {
  const { entry, exist, beside } = command;
  const there = findEntry(set, entry);
  if (beside && !(there && stands(set, there, beside)))
    return refuse(
      "no-such-element",
      beside.name,
      `a member ${beside.side === "before" ? "behind" : "in front of"} ${entry.text}`,
    );
  if (there) set.entries.delete(there.key);
  if (!exist && (!there || seemsExpired(set, there)))
    refuse("no-such-element", entry.text, "an element that is in the set");
}

/** Whether a member is the one right before or after the other. */
function stands(set: IpSet, member: SetEntry, { side, name }: Beside): boolean {
  const keys = [...set.entries.keys()];
  return keys[keys.indexOf(member.key) + (side === "before" ? 1 : -1)] === name;
}

function insertBeside(set: IpSet, entry: SetEntry, { side, name }: Beside): void {
  const entries = [...set.entries.values()];
  const at = entries.findIndex(({ key }) => key === name) + (side === "after" ? 1 : 0);
  entries.splice(at, 0, entry);
  set.entries.clear();
  for (const one of entries) set.entries.set(one.key, one);
}

/** Whether two sets were made alike, as far as -exist asks. */
export function sameHeader(a: SetHeader, b: SetHeader): boolean {
  const asked = (header: SetHeader): string =>
    JSON.stringify({ ...header, entries: 0, name: "", hashsize: 0, initval: 0 });
  return asked(a) === asked(b);
}

function renameSet(sets: IpSets, from: string, to: string): void {
  const all = [...sets];
  sets.clear();
  for (const [name, set] of all) sets.set(name === from ? to : name, name === from ? { ...set, name: to } : set);
}

/** Contents change places; who refers to a name meets the other set. */
function swapSets(sets: IpSets, set: IpSet, to: string, refuse: Refuse): void {
  const other = sets.get(to);
  if (!other) return refuse("unknown-set", to, "a set that was created");
  if (other.type !== set.type || other.family !== set.family)
    return refuse("bad-value", to, `a set of type ${set.type} and ${set.family}`);
  sets.set(set.name, { ...other, name: set.name });
  sets.set(to, { ...set, name: to });
}
