/**
 * Which packets get to a chain: at a built-in chain all that have the devices of its hook, at a user's what the rules
 * that jump there take. The sets may be too large, never too small.
 */
import { HOOK_INPUT, HOOK_OUTPUT, HOOK_PREROUTING, INTERFACE_SIZE } from "../../blob/layout.js";
import type { Chain } from "../ruleset.js";
import { addressLimit, prefixSet } from "./addresses.js";
import { type Box, EVERYTHING, type Field, hullOf } from "./box.js";
import { ALTERS_REST, type Fields, type PacketField, type Versions } from "./fields.js";
import type { RulePlace } from "./finding.js";
import type { IntervalSet } from "./interval-set.js";

/** More boxes than these are put into one around them, with at most so many intervals of a field. */
const MOST_BOXES = 16;
const MOST_INTERVALS = 64;

export interface Context {
  boxes: Box[];
  /** The rules that jump here and may match, and those that keep packets from them. */
  readonly callers: RulePlace[];
}

/** Of a chain that may lead back to itself nothing is known. */
export const ANY_CONTEXT: Context = { boxes: [EVERYTHING], callers: [] };

/** A packet has no device to leave by before it is routed, and none that it came by when it comes from here. */
export function hookContext(chain: Chain, fields: Fields): Context {
  const absent = (name: string): Box =>
    new Map([
      [fields.get(name, addressLimit(INTERFACE_SIZE), ALTERS_REST), prefixSet(0n, 8 * INTERFACE_SIZE, INTERFACE_SIZE)],
    ]);
  if (chain.hook === HOOK_PREROUTING || chain.hook === HOOK_INPUT) return { boxes: [absent("output")], callers: [] };
  if (chain.hook === HOOK_OUTPUT) return { boxes: [absent("input")], callers: [] };
  return ANY_CONTEXT;
}

/** With the packets that one more rule sends; `callers` is that rule, and others that decide which these are. */
export function widened(context: Context | undefined, boxes: readonly Box[], callers: readonly RulePlace[]): Context {
  if (context === ANY_CONTEXT) return context;
  const wider = context ?? { boxes: [], callers: [] };
  wider.callers.push(...callers);
  wider.boxes.push(...boxes);
  const [first, ...rest] = wider.boxes;
  if (first && rest.length >= MOST_BOXES)
    wider.boxes = [rest.reduce((hull, box) => hullOf(hull, box, MOST_INTERVALS), first)];
  return wider;
}

/** What is true of a packet as it leaves the caller, in fields of a chain that begins: all else is forgotten. */
export function atEntry(box: Box, versions: Versions, fields: Fields): Box {
  const entry = new Map<Field, IntervalSet>();
  for (const [field, values] of box as ReadonlyMap<PacketField, IntervalSet>) {
    if (field.version !== versions.of(field.kinds)) continue;
    entry.set(field.version === "" ? field : fields.get(field.name, field.limit, field.kinds), values);
  }
  return entry;
}
