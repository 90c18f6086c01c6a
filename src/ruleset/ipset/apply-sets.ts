/** Commands of ipset's carried out on sets. */
import { RulesetError } from "../ruleset-error.js";
import type { ErrorCode } from "../../extensions/error-code.js";
import { type SetScope, readSetCommands } from "./commands.js";
import type { IpSet, SetCommand, SetEntry } from "./ip-set.js";

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
      if (!set.entries.delete(command.entry.key) && !command.exist)
        refuse("no-such-element", command.entry.text, "an element that is in the set");
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
  const { entry, exist, beside, given } = command;
  if (set.type === "list:set") {
    const member = sets.get(entry.text);
    if (!member || member === set) return refuse("unknown-set", entry.text, "a set that was created");
    if (member.type === "list:set") return refuse("bad-value", entry.text, "a set that is no list");
  }
  const there = set.entries.get(entry.key);
  if (there && !exist) return refuse("duplicate-element", entry.text, "an element that is not in the set");
  const room =
    set.type === "list:set" ? set.size : set.type.startsWith("bitmap") ? Number.POSITIVE_INFINITY : set.maxelem;
  if (!there && set.entries.size >= room) {
    if (!set.forceadd) return refuse("set-full", set.name, `room for more than ${room} elements`);
    // Linux drops any; here it is the oldest.
    const [oldest] = set.entries.keys();
    if (oldest !== undefined) set.entries.delete(oldest);
  }
  if (beside) insertBeside(set, entry, beside, refuse);
  else set.entries.set(entry.key, there ? merged(there, entry, given) : entry);
}

/** An element that is added again keeps the counters that are not said, and an address the MAC address it had. */
function merged(there: SetEntry, entry: SetEntry, given: { packets: boolean; bytes: boolean }): SetEntry {
  const fuller = entry.parts.length < there.parts.length ? there : entry;
  return {
    ...entry,
    parts: fuller.parts,
    text: fuller.text,
    packets: given.packets ? entry.packets : there.packets,
    bytes: given.bytes ? entry.bytes : there.bytes,
  };
}

function insertBeside(
  set: IpSet,
  entry: SetEntry,
  { side, name }: { side: string; name: string },
  refuse: Refuse,
): void {
  if (!set.entries.has(name)) refuse("no-such-element", name, "a member of the list");
  set.entries.delete(entry.key);
  const entries = [...set.entries.values()];
  const at = entries.findIndex(({ key }) => key === name) + (side === "after" ? 1 : 0);
  entries.splice(at, 0, entry);
  set.entries.clear();
  for (const one of entries) set.entries.set(one.key, one);
}

function sameHeader(a: IpSet, b: Omit<IpSet, "entries">): boolean {
  const { entries: _, ...header } = a;
  return JSON.stringify({ ...header, hashsize: 0, initval: 0 }) === JSON.stringify({ ...b, hashsize: 0, initval: 0 });
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
