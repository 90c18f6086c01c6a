/**
 * The conditions of a rule as a box. What is decided exactly becomes a set of a field's values. Any other match becomes
 * a field of its own, whose value is the answer: where the answer hangs on the packet alone, the same match elsewhere in
 * the chain is the same field; where it may change from one rule to the next (limits, lists, sets, chance, the clock), it
 * is not.
 */
import {
  INTERFACE_SIZE,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_FRAGMENT,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAG_PROTOCOL,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_FRAGMENT,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../../blob/layout.js";
import { prefixLength } from "../../extensions/values/address.js";
import { type RowStore, rowHeadSize } from "../row-store.js";
import { addressLimit, bigEndian, invertedIf, prefixSet } from "./addresses.js";
import { type Box, type Field, intersectBoxes } from "./box.js";
import { altersWhenAsked } from "./effects.js";
import { ALTERS_REST, type Fields, type Versions } from "./fields.js";
import type { Bound, IntervalSet } from "./interval-set.js";
import { MATCH_CONDITIONS, STEADY_MATCHES } from "./match-conditions.js";

/** Where conditions are put; each narrows what was there. */
export interface Conditions {
  /** `kinds` are ALTERS_* bits that the field depends on. */
  add(name: string, limit: Bound, kinds: number, values: IntervalSet): void;
}

/** The packets that a rule takes where it stands, undefined where there can be none. Notes what asking alters. */
export function ruleBox(rows: RowStore, ordinal: number, fields: Fields, versions: Versions): Box | undefined {
  let box: Box | undefined = new Map<Field, IntervalSet>();
  const narrow = (field: Field, values: IntervalSet): void => {
    if (values.length === 0) box = undefined;
    box &&= intersectBoxes(box, new Map([[field, values]]));
  };
  const conditions: Conditions = {
    add: (name, limit, kinds, values) => narrow(fields.get(name, limit, kinds, versions.of(kinds)), values),
  };
  addFixedPart(rows, ordinal, conditions);
  const { bytes, view } = rows;
  const at = rows.offsets[ordinal] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  for (
    let record = at + rows.matchesOffset(at);
    record < target;
    record += view.getUint16(record + RECORD_BYTES, true)
  ) {
    const type = view.getUint16(record + RECORD_TYPE, true);
    versions.alter(altersWhenAsked(rows, record));
    if (MATCH_CONDITIONS[type]?.(conditions, rows, record)) continue;
    const kinds = STEADY_MATCHES[type]?.(rows, record);
    if (kinds === undefined) narrow(fields.single(), YES);
    else {
      const said = bytes.subarray(record, record + view.getUint16(record + RECORD_BYTES, true));
      conditions.add(Buffer.from(said).toString("hex"), 2, kinds, YES);
    }
  }
  return box;
}

const YES: IntervalSet = [1, 2];

const PROTOCOLS = 256;

function addFixedPart(rows: RowStore, ordinal: number, conditions: Conditions): void {
  const { bytes } = rows;
  const width = rows.family === "ipv4" ? 4 : 16;
  const at = rows.offsets[ordinal] as number;
  const flags = bytes[at + ROW_FLAGS] as number;
  const inverted = (bit: number): boolean => ((bytes[at + ROW_INVERT] as number) & bit) !== 0;
  addPrefix(conditions, "source", bytes, at + ROW_SOURCE, width, inverted(ROW_INVERT_SOURCE));
  addPrefix(conditions, "destination", bytes, at + ROW_SOURCE + 2 * width, width, inverted(ROW_INVERT_DESTINATION));
  let device = at + rowHeadSize(rows.family);
  for (const [flag, name, invert] of [
    [ROW_FLAG_INPUT, "input", ROW_INVERT_INPUT],
    [ROW_FLAG_OUTPUT, "output", ROW_INVERT_OUTPUT],
  ] as const) {
    if (!(flags & flag)) continue;
    addPrefix(conditions, name, bytes, device, INTERFACE_SIZE, inverted(invert));
    device += 2 * INTERFACE_SIZE;
  }
  // Above all protocols: an IPv6 packet whose transport protocol cannot be found, to which no -p applies.
  const limit = rows.family === "ipv4" ? PROTOCOLS : PROTOCOLS + 1;
  const protocol = bytes[at + ROW_PROTOCOL] as number;
  if (protocol !== 0) {
    const values = invertedIf(inverted(ROW_INVERT_PROTOCOL), [protocol, protocol + 1], PROTOCOLS);
    conditions.add("protocol", limit, ALTERS_REST, values);
  } else if (flags & ROW_FLAG_PROTOCOL && rows.family === "ipv6")
    conditions.add("protocol", limit, ALTERS_REST, [0, PROTOCOLS]);
  if (flags & ROW_FLAG_FRAGMENT)
    conditions.add("fragment", 2, ALTERS_REST, inverted(ROW_INVERT_FRAGMENT) ? [0, 1] : [1, 2]);
}

/** An address or a device's name under a mask. One with gaps is a field of its own: what is left under the mask. */
function addPrefix(
  conditions: Conditions,
  name: string,
  bytes: Uint8Array,
  at: number,
  width: number,
  inverted: boolean,
): void {
  const bits = prefixLength(bytes, at + width, width);
  if (bits === 0 && !inverted) return;
  const limit = addressLimit(width);
  const value = bigEndian(bytes, at, width);
  if (bits >= 0) {
    conditions.add(name, limit, ALTERS_REST, invertedIf(inverted, prefixSet(value, bits, width), limit));
    return;
  }
  const mask = Buffer.from(bytes.subarray(at + width, at + 2 * width)).toString("hex");
  const single = prefixSet(value, 8 * width, width);
  conditions.add(`${name}/${mask}`, limit, ALTERS_REST, invertedIf(inverted, single, limit));
}
