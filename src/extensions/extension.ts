/**
 * What an extension is: a match or a target in one file that knows its options, its record (blob/payloads.ts) and how
 * it prints. To add one, write the file and name it in matches.ts or targets.ts; the parser, the printer and the checks
 * learn all else from here.
 */
import type { Argument } from "./argument.js";
import type { ByteWriter } from "./byte-writer.js";

/** Where records lie: the parser's scratch, or a RowStore. */
export interface RecordMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The kind of a value, and where in its record it goes. */
export interface ReadValue {
  readonly kind: number;
  readonly at: number;
}

export interface Option {
  /** Without its dashes. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** How many arguments it takes, 1 when not said. */
  readonly arguments?: 0 | 1 | 2;
  /** Its one argument may be left out, and then is empty. */
  readonly optional?: boolean;
  /** A `!` may stand in front. */
  readonly invertible?: boolean;
  readonly mandatory?: boolean;
  readonly repeatable?: boolean;
  /** Names of options that may not stand beside it, of those that must. */
  readonly excludes?: readonly string[];
  readonly requires?: readonly string[];
  /**
   * Says that the (first) argument goes into a field at offset `at` of the record and nowhere else, as VALUE_* of
   * blob/reading.ts tells: such lines are read without this option's `parse`. Nothing else about the rule, whether it is
   * accepted included, may depend on the argument, as long as it is one that the kind knows.
   */
  readonly value?: ReadValue;
  /** Puts the argument into the record that starts at byte `at`. */
  parse(argument: Argument, record: RecordMemory, at: number): void;
}

/** What printing a record may need to know of its rule. */
export interface PrintedRule {
  /** Bytes of an address: 4 or 16. */
  readonly width: 4 | 16;
  /** Text of a text reference. */
  text(reference: number): Uint8Array;
}

export interface Extension {
  readonly name: string;
  /** Other names it goes by in a file. */
  readonly aliases?: readonly string[];
  /** MATCH_* or TARGET_*. */
  readonly type: number;
  /** Bytes of its record, header included, before `finish` cuts it. */
  readonly size: number;
  /** Given when only one family has it. */
  readonly family?: "ipv4" | "ipv6";
  readonly options: readonly Option[];
  /** Only these tables may hold it. */
  readonly tables?: readonly string[];
  /** Only rules reached from these hooks may hold it: bit n for hook n, of this record. */
  hooks?(record: RecordMemory, at: number): number;
  /** Fills in what stands when no option is given. The record is zero but for its header. */
  initialise?(record: RecordMemory, at: number): void;
  /** The last look at a record whose options have all been read. Returns its bytes: `size`, or less. */
  finish?(argument: Argument, record: RecordMemory, at: number): number;
  /** What the kernel asks of the rule, its protocol above all: returns what it expected, or "" when all is well. */
  protocol?(argument: Argument, record: RecordMemory, at: number): string;
  /** What iptables-save prints behind ` -m name` or ` -j name`, each option with a space in front. */
  print(out: ByteWriter, record: RecordMemory, at: number, rule: PrintedRule): void;
}

export interface Target extends Extension {
  /** The name to print when it is not `name`. */
  printedName?(record: RecordMemory, at: number): string;
}

/** Bits of `hooks`. */
export const PREROUTING = 1;
export const INPUT = 2;
export const FORWARD = 4;
export const OUTPUT = 8;
export const POSTROUTING = 16;
export const ALL_HOOKS = 31;
