/** One row as iptables-save prints it. */
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
import { JUMP_CHAIN, TARGET_JUMP, TARGET_NONE } from "../blob/payloads.js";
import type { ByteWriter } from "../extensions/byte-writer.js";
import type { PrintedRule } from "../extensions/extension.js";
import { prefixLength, printAddress, printMask } from "../extensions/values/address.js";
import { printInterface } from "../extensions/values/interface.js";
import { protocolName } from "../extensions/values/protocols.js";
import { matchByType, targetByType } from "./extension-index.js";
import { type RowStore, rowHeadSize } from "./row-store.js";
import type { Table } from "./ruleset.js";

/** `-A CHAIN ...`; counted, with `-c packets bytes` in front of the target. */
export function writeRule(out: ByteWriter, table: Table, chain: string, ordinal: number, counted = false): void {
  out.text("-A ");
  out.unicode(chain);
  writeSpecification(out, table.rows, ordinal, (id) => table.chainsById[id]?.name ?? "", counted);
}

/** Everything behind the chain's name, with a space in front. `chainName` names the chain that the rule jumps to. */
export function writeSpecification(
  out: ByteWriter,
  rows: RowStore,
  ordinal: number,
  chainName: (chain: number) => string,
  counted = false,
): void {
  const { bytes, view } = rows;
  const width = rows.family === "ipv4" ? 4 : 16;
  const at = rows.offsets[ordinal] as number;
  const flags = bytes[at + ROW_FLAGS] as number;
  const invert = bytes[at + ROW_INVERT] as number;
  writeAddress(out, bytes, at + ROW_SOURCE, width, "s", (invert & ROW_INVERT_SOURCE) !== 0);
  writeAddress(out, bytes, at + ROW_SOURCE + 2 * width, width, "d", (invert & ROW_INVERT_DESTINATION) !== 0);
  let field = at + rowHeadSize(rows.family);
  if (flags & ROW_FLAG_INPUT) {
    writeInterface(out, bytes, field, "i", (invert & ROW_INVERT_INPUT) !== 0);
    field += 2 * INTERFACE_SIZE;
  }
  if (flags & ROW_FLAG_OUTPUT) {
    writeInterface(out, bytes, field, "o", (invert & ROW_INVERT_OUTPUT) !== 0);
    field += 2 * INTERFACE_SIZE;
  }
  const protocol = bytes[at + ROW_PROTOCOL] as number;
  if (protocol > 0) {
    out.text(invert & ROW_INVERT_PROTOCOL ? " ! -p " : " -p ");
    const name = protocolName(protocol);
    if (name === undefined) out.number(protocol);
    else out.text(name);
  }
  if (flags & ROW_FLAG_FRAGMENT) out.text(invert & ROW_INVERT_FRAGMENT ? " ! -f" : " -f");
  const rule: PrintedRule = { width, text: (reference) => rows.text.bytesAt(reference) };
  const target = at + view.getUint16(at + ROW_TARGET, true);
  for (let match = field; match < target; match += view.getUint16(match + RECORD_BYTES, true)) {
    const extension = matchByType[view.getUint16(match + RECORD_TYPE, true)];
    if (!extension) throw new RangeError(`match record of unknown type at byte ${match}`);
    out.text(" -m ");
    out.text(extension.name);
    extension.print(out, rows, match, rule);
  }
  if (counted) {
    out.text(" -c ");
    out.wide(rows.counters[4 * ordinal] as number, rows.counters[4 * ordinal + 1] as number);
    out.byte(32);
    out.wide(rows.counters[4 * ordinal + 2] as number, rows.counters[4 * ordinal + 3] as number);
  }
  writeTarget(out, rows, target, (flags & ROW_FLAG_GOTO) !== 0, rule, chainName);
}

function writeTarget(
  out: ByteWriter,
  rows: RowStore,
  at: number,
  goto: boolean,
  rule: PrintedRule,
  chainName: (chain: number) => string,
): void {
  const type = rows.view.getUint16(at + RECORD_TYPE, true);
  if (type === TARGET_NONE) return;
  if (type === TARGET_JUMP) {
    out.text(goto ? " -g " : " -j ");
    out.unicode(chainName(rows.view.getUint32(at + JUMP_CHAIN, true)));
    return;
  }
  const extension = targetByType[type];
  if (!extension) throw new RangeError(`target record of unknown type at byte ${at}`);
  out.text(" -j ");
  out.text(extension.printedName?.(rows, at) ?? extension.name);
  extension.print(out, rows, at, rule);
}

/** Nothing for an address that every packet has. IPv4 prints one whose mask is zero but whose bits are not; IPv6 does not. */
function writeAddress(
  out: ByteWriter,
  bytes: Uint8Array,
  at: number,
  width: 4 | 16,
  option: string,
  inverted: boolean,
): void {
  if (!inverted && prefixLength(bytes, at + width, width) === 0) return;
  out.text(inverted ? ` ! -${option} ` : ` -${option} `);
  printAddress(out, bytes, at, width);
  printMask(out, bytes, at + width, width);
}

function writeInterface(out: ByteWriter, bytes: Uint8Array, at: number, option: string, inverted: boolean): void {
  if (bytes[at + INTERFACE_SIZE] === 0) return;
  out.text(inverted ? ` ! -${option} ` : ` -${option} `);
  printInterface(out, bytes, at);
}
