/**
 * From a table of the ruleset to its portable blob: chain heads and rows in one contiguous run, then text. Rows are copied
 * as they are, a run of neighbours at a time; only jumps are rewritten, from chain numbers to offsets.
 */
import { chainsInPrintOrder } from "../ruleset/print.js";
import type { Chain, Table } from "../ruleset/ruleset.js";
import { TABLE_NUMBERS } from "../ruleset/ruleset.js";
import { familyNumber, rowHeadSize } from "../ruleset/row-store.js";
import * as L from "./layout.js";
import { JUMP_CHAIN, TARGET_JUMP, TARGET_VERDICT, VERDICT_SIZE, VERDICT_VALUE } from "./payloads.js";

export interface CompileOptions {
  /** Take the table's counters along, as `iptables-restore --counters` does. */
  counters?: boolean;
}

/** The sealed blob of `table`. Its runtime fields are zero, but for the counters that rows read back from an engine name. */
export function compile(table: Table, options: CompileOptions = {}): Uint8Array {
  const store = table.rows;
  const chains = chainsInPrintOrder(table);
  const policySize = rowHeadSize(store.family) + VERDICT_SIZE;
  const offsets = new Uint32Array(table.chainsById.length);
  let at = L.BLOB_HEADER_SIZE;
  let rowCount = 0;
  const names = chains.map((chain) => store.text.intern(encoder.encode(chain.name)));
  for (const chain of chains) {
    offsets[chain.id] = at;
    at += L.CHAIN_SIZE;
    for (const rule of chain.rules) at += store.size(rule);
    rowCount += chain.rules.length;
    if (chain.hook >= 0) {
      at += policySize;
      rowCount++;
    }
  }
  const recordsEnd = at;
  const countersBytes = options.counters ? rowCount * 16 : 0;
  const text = recordsEnd + countersBytes;
  const length = text + store.text.end;
  const buffer = new ArrayBuffer(length);
  const bytes = new Uint8Array(buffer);
  const words = new Uint32Array(buffer);
  const view = new DataView(buffer);
  const counters = options.counters ? new Uint32Array(buffer, recordsEnd, rowCount * 4) : undefined;
  let counted = 0;
  at = L.BLOB_HEADER_SIZE;
  for (const [i, chain] of chains.entries()) {
    const head = at;
    view.setUint16(head + L.CHAIN_BYTES, L.CHAIN_SIZE, true);
    view.setUint32(head + L.CHAIN_NAME, names[i] as number, true);
    view.setUint32(head + L.CHAIN_ROW_COUNT, chain.rules.length + (chain.hook >= 0 ? 1 : 0), true);
    bytes[head + L.CHAIN_HOOK] = chain.hook >= 0 ? chain.hook : L.CHAIN_USER;
    bytes[head + L.CHAIN_KIND] = L.RECORD_CHAIN;
    at = copyRules(table, chain, bytes, head + L.CHAIN_SIZE);
    linkJumps(view, head + L.CHAIN_SIZE, at, offsets);
    if (counters)
      for (const rule of chain.rules) {
        counters.set(store.counters.subarray(rule * 4, rule * 4 + 4), counted * 4);
        counted++;
      }
    if (chain.hook >= 0) {
      view.setUint32(L.BLOB_HOOK_ENTRY + 4 * chain.hook, head, true);
      view.setUint32(L.BLOB_UNDERFLOW + 4 * chain.hook, at, true);
      writePolicyRow(view, at, rowHeadSize(store.family), chain);
      if (counters) counters.set(chain.policyCounters, counted++ * 4);
      at += policySize;
    }
    view.setUint32(head + L.CHAIN_ROWS_END, at, true);
  }
  bytes.set(store.text.bytes.subarray(0, store.text.end), text);
  view.setUint32(L.BLOB_MAGIC, L.BLOB_MAGIC_VALUE, true);
  view.setUint16(L.BLOB_VERSION, L.BLOB_LAYOUT_VERSION, true);
  bytes[L.BLOB_FAMILY] = familyNumber(store.family);
  bytes[L.BLOB_TABLE] = TABLE_NUMBERS[table.name];
  view.setUint32(L.BLOB_LENGTH, length, true);
  view.setUint32(L.BLOB_ADDRESS_BYTES, store.family === "ipv4" ? 4 : 16, true);
  view.setUint32(L.BLOB_CHAIN_COUNT, chains.length, true);
  view.setUint32(L.BLOB_ROW_COUNT, rowCount, true);
  view.setUint32(L.BLOB_RECORDS_END, recordsEnd, true);
  view.setUint32(L.BLOB_COUNTERS, options.counters ? recordsEnd : 0, true);
  view.setUint32(L.BLOB_TEXT, text, true);
  view.setUint32(L.BLOB_TEXT_LENGTH, store.text.end, true);
  view.setUint32(L.BLOB_VALID_HOOKS, validHooks(chains), true);
  view.setUint32(L.BLOB_CHECKSUM, seal(words), true);
  return bytes;
}

/** What BLOB_CHECKSUM must hold: sums over the blob's words in order, that field itself taken as zero. */
export function seal(words: Uint32Array): number {
  const field = L.BLOB_CHECKSUM >> 2;
  let a = 1;
  let b = 0;
  for (let i = 0; i < words.length; i++) {
    if (i !== field) a = (a + (words[i] as number)) | 0;
    b = (b + a) | 0;
  }
  return ((b << 7) ^ (b >>> 9) ^ a) >>> 0;
}

/** A policy row at `at`, `headSize` bytes of fixed part in front of its verdict. */
export function writePolicyRow(
  view: DataView,
  at: number,
  headSize: number,
  chain: Pick<Chain, "policy" | "policyCounter">,
): number {
  view.setUint16(at + L.ROW_NEXT, headSize + VERDICT_SIZE, true);
  view.setUint16(at + L.ROW_TARGET, headSize, true);
  view.setUint32(at + L.ROW_COUNTER, chain.policyCounter, true);
  view.setUint8(at + L.ROW_FLAGS, L.ROW_FLAG_POLICY);
  view.setUint8(at + L.ROW_KIND, L.RECORD_ROW);
  view.setUint16(at + headSize + L.RECORD_BYTES, VERDICT_SIZE, true);
  view.setUint16(at + headSize + L.RECORD_TYPE, TARGET_VERDICT, true);
  view.setUint32(at + headSize + VERDICT_VALUE, chain.policy === "ACCEPT" ? L.VERDICT_ACCEPT : L.VERDICT_DROP, true);
  return headSize + VERDICT_SIZE;
}

const encoder = new TextEncoder();

/** Copies a chain's rows to `to`, runs of rows that are neighbours in the store at once; the end. */
function copyRules(table: Table, chain: Chain, bytes: Uint8Array, to: number): number {
  const { offsets, bytes: source } = table.rows;
  const rules = chain.rules;
  let at = to;
  for (let i = 0; i < rules.length; ) {
    const first = rules[i] as number;
    let last = first;
    while (++i < rules.length && rules[i] === last + 1) last++;
    const from = offsets[first] as number;
    const end = (offsets[last] as number) + table.rows.size(last);
    bytes.set(source.subarray(from, end), at);
    at += end - from;
  }
  return at;
}

function linkJumps(view: DataView, from: number, end: number, offsets: Uint32Array): void {
  for (let row = from; row < end; row += view.getUint16(row, true)) {
    const target = row + view.getUint16(row + L.ROW_TARGET, true);
    if (view.getUint16(target + L.RECORD_TYPE, true) === TARGET_JUMP)
      view.setUint32(target + JUMP_CHAIN, offsets[view.getUint32(target + JUMP_CHAIN, true)] as number, true);
  }
}

function validHooks(chains: Chain[]): number {
  let hooks = 0;
  for (const chain of chains) if (chain.hook >= 0) hooks |= 1 << chain.hook;
  return hooks;
}
