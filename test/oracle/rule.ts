/** Rows of a ruleset taken apart for the oracle: everything is looked up once, in the most direct way. */
import {
  INTERFACE_SIZE,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_LINE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../../src/blob/layout.js";
import { rowHeadSize } from "../../src/ruleset/row-store.js";
import type { Chain, Table } from "../../src/ruleset/ruleset.js";

/** One match or target record. */
export interface RecordView {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export interface InterfaceTest {
  readonly name: Uint8Array;
  readonly mask: Uint8Array;
}

export interface Rule {
  readonly chain: string;
  /** From 1. */
  readonly number: number;
  readonly line: number;
  readonly protocol: number;
  /** ROW_FLAG_*. */
  readonly flags: number;
  /** ROW_INVERT_*. */
  readonly invert: number;
  readonly source: Uint8Array;
  readonly sourceMask: Uint8Array;
  readonly destination: Uint8Array;
  readonly destinationMask: Uint8Array;
  readonly input: InterfaceTest | undefined;
  readonly output: InterfaceTest | undefined;
  readonly matches: readonly RecordView[];
  readonly target: RecordView;
  /** Its place in the table's store, where its counters are written back. */
  readonly ordinal: number;
  packets: bigint;
  bytes: bigint;
}

export interface OracleChain {
  readonly name: string;
  readonly policy: "ACCEPT" | "DROP";
  readonly builtIn: boolean;
  readonly rules: readonly Rule[];
  policyPackets: bigint;
  policyBytes: bigint;
}

export function readChain(table: Table, chain: Chain): OracleChain {
  return {
    name: chain.name,
    policy: chain.policy,
    builtIn: chain.hook >= 0,
    rules: chain.rules.map((ordinal, index) => readRule(table, chain, ordinal, index + 1)),
    policyPackets: counter(chain.policyCounters, 0),
    policyBytes: counter(chain.policyCounters, 2),
  };
}

function readRule(table: Table, chain: Chain, ordinal: number, number: number): Rule {
  const row = table.rows.row(ordinal).slice();
  const view = new DataView(row.buffer);
  const width = table.rows.family === "ipv4" ? 4 : 16;
  const address = (index: number): Uint8Array => {
    const at = ROW_SOURCE + index * width;
    return row.subarray(at, at + width);
  };
  let offset = rowHeadSize(table.rows.family);
  const flags = row[ROW_FLAGS] as number;
  const interfaceTest = (present: number): InterfaceTest | undefined => {
    if (!(flags & present)) return undefined;
    const name = row.subarray(offset, offset + INTERFACE_SIZE);
    const mask = row.subarray(offset + INTERFACE_SIZE, offset + 2 * INTERFACE_SIZE);
    offset += 2 * INTERFACE_SIZE;
    return { name, mask };
  };
  const input = interfaceTest(ROW_FLAG_INPUT);
  const output = interfaceTest(ROW_FLAG_OUTPUT);
  const target = view.getUint16(ROW_TARGET, true);
  const matches: RecordView[] = [];
  for (; offset < target; offset += view.getUint16(offset + RECORD_BYTES, true)) matches.push(record(row, offset));
  return {
    chain: chain.name,
    number,
    line: view.getUint32(ROW_LINE, true),
    protocol: row[ROW_PROTOCOL] as number,
    flags,
    invert: row[ROW_INVERT] as number,
    source: address(0),
    sourceMask: address(1),
    destination: address(2),
    destinationMask: address(3),
    input,
    output,
    matches,
    target: record(row, target),
    ordinal,
    packets: counter(table.rows.counters, ordinal * 4),
    bytes: counter(table.rows.counters, ordinal * 4 + 2),
  };
}

function record(row: Uint8Array, offset: number): RecordView {
  const whole = new DataView(row.buffer, row.byteOffset + offset);
  const size = whole.getUint16(RECORD_BYTES, true);
  return {
    type: whole.getUint16(RECORD_TYPE, true),
    bytes: row.subarray(offset, offset + size),
    view: new DataView(row.buffer, row.byteOffset + offset, size),
  };
}

/** Stores what the oracle has counted where the ruleset keeps it. */
export function writeBack(table: Table, chain: Chain, counted: OracleChain): void {
  writeCounter(chain.policyCounters, 0, counted.policyPackets, counted.policyBytes);
  for (const rule of counted.rules) writeCounter(table.rows.counters, rule.ordinal * 4, rule.packets, rule.bytes);
}

function writeCounter(words: Uint32Array, at: number, packets: bigint, bytes: bigint): void {
  words.set(
    [packets, packets >> 32n, bytes, bytes >> 32n].map((word) => Number(word & 0xffffffffn)),
    at,
  );
}

function counter(words: Uint32Array, at: number): bigint {
  return BigInt(words[at] as number) | (BigInt(words[at + 1] as number) << 32n);
}
