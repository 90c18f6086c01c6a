/**
 * What `iptables -L` and `iptables -S` print of a table. Names of hosts, networks and users are not looked up: without
 * `-n` an address shows as the real program shows one that has no name.
 */
import {
  INTERFACE_SIZE,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_FRAGMENT,
  ROW_FLAG_GOTO,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
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
} from "../blob/layout.js";
import { JUMP_CHAIN, TARGET_JUMP, TARGET_NONE, TARGET_NOTRACK } from "../blob/payloads.js";
import { ByteWriter } from "../extensions/byte-writer.js";
import type { Extension, PrintedRule, Target } from "../extensions/extension.js";
import { headed, type Lister, printedOptions } from "../extensions/listing/listed.js";
import { MATCH_LISTINGS } from "../extensions/listing/match-listings.js";
import { TARGET_LISTINGS } from "../extensions/listing/target-listings.js";
import { prefixLength, printAddress, printMaskUnlessFull } from "../extensions/values/address.js";
import { protocolName } from "../extensions/values/protocols.js";
import { matchByType, targetByType } from "./extension-index.js";
import { chainsInPrintOrder } from "./arrangement.js";
import { writeRule } from "./print-rule.js";
import { jumpsOf } from "./references.js";
import { rowHeadSize } from "./row-store.js";
import type { Chain, Table } from "./ruleset.js";

export interface ListOptions {
  /** `-n`: numbers, not names of protocols and services. */
  readonly numeric: boolean;
  /** `-v`: counters and interfaces. */
  readonly verbose: boolean;
  /** `-x`: counters in full. */
  readonly exact: boolean;
  /** `--line-numbers`. */
  readonly lineNumbers: boolean;
}

/** Of one chain, or of all; of one rule, or of all where `position` is 0. */
export interface ListScope {
  readonly chain: Chain | undefined;
  readonly position: number;
}

export function chainsOf(table: Table, { chain }: ListScope): Chain[] {
  return chain ? [chain] : chainsInPrintOrder(table);
}

/** `-L`. */
export function listTable(out: ByteWriter, table: Table, options: ListOptions, scope: ListScope): void {
  const { position } = scope;
  const references = countReferences(table);
  for (const [index, one] of chainsOf(table, scope).entries()) {
    if (index > 0) out.byte(NEWLINE);
    if (position === 0) writeHeader(out, one, references[one.id] ?? 0, options);
    for (const [place, ordinal] of one.rules.entries())
      if (position === 0 || position === place + 1) writeListedRule(out, table, ordinal, place + 1, options);
  }
}

/** `-S`, with counters where `verbose`. */
export function listRules(out: ByteWriter, table: Table, verbose: boolean, scope: ListScope): void {
  const { position } = scope;
  const chains = chainsOf(table, scope);
  if (position === 0)
    for (const one of chains) {
      out.text(one.hook < 0 ? "-N " : "-P ");
      out.unicode(one.name);
      if (one.hook >= 0) out.text(` ${one.policy}`);
      if (one.hook >= 0 && verbose) out.text(` -c ${wide(one.policyCounters, 0)} ${wide(one.policyCounters, 2)}`);
      out.byte(NEWLINE);
    }
  for (const one of chains)
    for (const [place, ordinal] of one.rules.entries()) {
      if (position !== 0 && position !== place + 1) continue;
      writeRule(out, table, one.name, ordinal, verbose);
      out.byte(NEWLINE);
    }
}

const NEWLINE = 10;

function countReferences(table: Table): number[] {
  const counts: number[] = [];
  for (const chain of table.chains.values())
    for (const callee of jumpsOf(table, chain)) counts[callee] = (counts[callee] ?? 0) + 1;
  return counts;
}

function writeHeader(out: ByteWriter, chain: Chain, references: number, options: ListOptions): void {
  out.text("Chain ");
  out.unicode(chain.name);
  if (chain.hook < 0) out.text(` (${references} references)\n`);
  else {
    out.text(` (policy ${chain.policy}`);
    if (options.verbose) {
      const [packets, bytes] = [0, 2].map((at) => counter(wide(chain.policyCounters, at), options.exact));
      out.text(` ${packets} packets, ${bytes} bytes`);
    }
    out.text(")\n");
  }
  if (options.lineNumbers) out.text("num  ");
  if (options.verbose) out.text(options.exact ? "    pkts      bytes " : " pkts bytes ");
  out.text("target     prot opt");
  if (options.verbose) out.text(" in     out    ");
  out.text(" source               destination         \n");
}

function writeListedRule(out: ByteWriter, table: Table, ordinal: number, place: number, options: ListOptions): void {
  const { rows } = table;
  const { bytes, view } = rows;
  const width = rows.family === "ipv4" ? 4 : 16;
  const at = rows.offsets[ordinal] as number;
  const target = at + view.getUint16(at + ROW_TARGET, true);
  const flags = bytes[at + ROW_FLAGS] as number;
  const inverted = (bit: number): boolean => ((bytes[at + ROW_INVERT] as number) & bit) !== 0;
  if (options.lineNumbers) out.text(`${`${place}`.padEnd(4)} `);
  if (options.verbose)
    for (const field of [0, 2]) {
      const text = counter(wide(rows.counters, 4 * ordinal + field), options.exact);
      out.text(`${text.padStart(options.exact ? 8 : 5)} `);
    }
  out.unicode(`${targetName(table, target).padEnd(9)} `);
  const protocol = bytes[at + ROW_PROTOCOL] as number;
  const name = options.numeric ? undefined : protocolName(protocol);
  out.text(`${inverted(ROW_INVERT_PROTOCOL) ? "!" : " "}${(name ?? `${protocol}`).padEnd(4)} `);
  out.text(`${inverted(ROW_INVERT_FRAGMENT) ? "!" : "-"}${flags & ROW_FLAG_FRAGMENT ? "f" : "-"} `);
  const head = at + rowHeadSize(rows.family);
  const output = flags & ROW_FLAG_INPUT ? head + 2 * INTERFACE_SIZE : head;
  if (options.verbose) {
    const any = options.numeric ? "*" : "any";
    const device = (given: boolean, field: number, bit: number): string =>
      `${inverted(bit) ? "!" : ""}${(given && paddedText(bytes, field)) || any}`.padEnd(6);
    out.unicode(` ${device((flags & ROW_FLAG_INPUT) !== 0, head, ROW_INVERT_INPUT)} `);
    out.unicode(`${device((flags & ROW_FLAG_OUTPUT) !== 0, output, ROW_INVERT_OUTPUT)} `);
  }
  for (const [field, bit] of [
    [at + ROW_SOURCE, ROW_INVERT_SOURCE],
    [at + ROW_SOURCE + 2 * width, ROW_INVERT_DESTINATION],
  ] as const)
    out.text(`${inverted(bit) ? "!" : " "}${addressText(bytes, field, width, options.numeric).padEnd(19)} `);
  if (flags & ROW_FLAG_GOTO) out.text("[goto] ");
  const rule: PrintedRule = { width, text: (reference) => rows.text.bytesAt(reference) };
  const list = (lister: Lister | undefined, extension: Extension | undefined, record: number): void => {
    const printed = extension ? printedOptions(extension, rows, record, rule) : [];
    const show = lister ?? headed(` ${extension?.name}`);
    show({ out, record: rows, at: record, rule, numeric: options.numeric, protocol, options: printed });
  };
  for (let match = at + rows.matchesOffset(at); match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const type = view.getUint16(match + RECORD_TYPE, true);
    list(MATCH_LISTINGS[type], matchByType[type], match);
  }
  const type = view.getUint16(target + RECORD_TYPE, true);
  if (type !== TARGET_JUMP) list(TARGET_LISTINGS[type], targetByType[type], target);
  out.byte(NEWLINE);
}

function targetName({ rows, chainsById }: Table, at: number): string {
  const type = rows.view.getUint16(at + RECORD_TYPE, true);
  if (type === TARGET_NONE) return "";
  // The kernel has no target of this name.
  if (type === TARGET_NOTRACK) return "CT";
  if (type === TARGET_JUMP) return chainsById[rows.view.getUint32(at + JUMP_CHAIN, true)]?.name ?? "";
  const extension: Target | undefined = targetByType[type];
  return extension?.printedName?.(rows, at) ?? extension?.name ?? "";
}

/** `anywhere` is an IPv4 mask of nothing, but in IPv6 the address of nothing. */
function addressText(bytes: Uint8Array, at: number, width: 4 | 16, numeric: boolean): string {
  const any = prefixLength(bytes, width === 4 ? at + width : at, width) === 0;
  if (any && !numeric) return "anywhere";
  const out = new ByteWriter();
  printAddress(out, bytes, at, width);
  printMaskUnlessFull(out, bytes, at + width, width);
  return out.toString();
}

function paddedText(bytes: Uint8Array, at: number): string {
  const out = new ByteWriter();
  out.padded(bytes, at, INTERFACE_SIZE);
  return out.toString();
}

function wide(words: Uint32Array, at: number): bigint {
  return (BigInt(words[at + 1] as number) << 32n) | BigInt(words[at] as number);
}

/** In thousands, millions and so on where more than five digits would be needed. */
function counter(value: bigint, exact: boolean): string {
  if (exact || value <= 99_999n) return `${value}`;
  let rest = value;
  for (const unit of ["K", "M", "G"]) {
    rest = (rest + 500n) / 1000n;
    if (rest <= 9999n) return `${rest}${unit}`;
  }
  return `${(rest + 500n) / 1000n}T`;
}
