/** Which arguments of a line are values that its shape may leave open, noted while the line is parsed. */
import { VALUE_ADDRESS, VALUE_CHAIN, VALUE_INTERFACE, VALUE_JUMP } from "../../blob/reading.js";

/** By letter: the kind of the value behind an option of iptables' own, 0 for one that is part of a line's shape. */
export const COMMAND_VALUES = new Uint8Array(256);
for (const letter of "ACDFIRX") COMMAND_VALUES[letter.charCodeAt(0)] = VALUE_CHAIN;
for (const letter of "sd") COMMAND_VALUES[letter.charCodeAt(0)] = VALUE_ADDRESS;
for (const letter of "io") COMMAND_VALUES[letter.charCodeAt(0)] = VALUE_INTERFACE;
for (const letter of "jg") COMMAND_VALUES[letter.charCodeAt(0)] = VALUE_JUMP;

/** In place of a record's number: the value belongs to the rule itself. */
export const FIXED_PART = -1;

/** Values that are noted at most; a line with more has no shape. */
const PLACES = 256;

export class ValuePlaces {
  count = 0;
  /** The argument's number in the line. */
  readonly tokens = new Int32Array(PLACES);
  /** VALUE_* (blob/reading.ts). */
  readonly kinds = new Uint8Array(PLACES);
  /** The record that holds the value, by its number in the draft, and the offset in it; of the rule itself: the option's letter. */
  readonly records = new Int32Array(PLACES);
  readonly fields = new Int32Array(PLACES);

  clear(): void {
    this.count = 0;
  }

  note(token: number, kind: number, record: number, field: number): void {
    if (kind === 0) return;
    const n = this.count++;
    this.tokens[n] = token;
    this.kinds[n] = kind;
    this.records[n] = record;
    this.fields[n] = field;
  }
}
