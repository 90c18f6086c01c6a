/**
 * From a table of the ruleset to its portable blob: chain heads and rows in one contiguous run, then text. Rows are copied
 * as they are; only jumps are rewritten, from the chains' numbers in the table to those in the blob. Where text was read
 * in the order of a blob the reader has laid rows out as one, and they are copied in one piece.
 */
import { type Arrangement, arrange } from "../ruleset/arrangement.js";
import type { Chain, Table } from "../ruleset/ruleset.js";
import { TABLE_NUMBERS } from "../ruleset/ruleset.js";
import { familyNumber, type RowStore, rowHeadSize } from "../ruleset/row-store.js";
import * as L from "./layout.js";
import { JUMP_CHAIN, TARGET_JUMP, TARGET_VERDICT, VERDICT_SIZE, VERDICT_VALUE } from "./payloads.js";

export interface CompileOptions {
  /** Take the table's counters along, if any has counted, as `iptables-restore --counters` does. */
  counters?: boolean;
}

/** The sealed blob of `table`. Its runtime fields are zero, but for the counters that rows read back from an engine name. */
export function compile(table: Table, options: CompileOptions = {}): Uint8Array {
  const blob = compileInto(table, options, (bytes) => new Uint8Array(bytes));
  const words = new Uint32Array(blob.buffer, blob.byteOffset, blob.length >>> 2);
  words[L.BLOB_CHECKSUM >> 2] = seal(words);
  return blob;
}

/**
 * The blob of `table`, not yet sealed, in memory that `allocate` gives for it: every byte of it is written. The memory is
 * aligned to eight bytes.
 */
export function compileInto(
  table: Table,
  options: CompileOptions,
  allocate: (bytes: number) => Uint8Array,
): Uint8Array {
  const counters = options.counters === true && hasCounted(table);
  if (table.columns?.placed && table.columns.sorted && !counters)
    return compilePlaced(table, table.columns.count, allocate);
  const plan = planBlob(table, counters);
  const { arrangement, offsets, recordsEnd, rowCount, text, length } = plan;
  const store = table.rows;
  const bytes = allocate(length);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  words.fill(0, 0, L.BLOB_HEADER_SIZE >> 2);
  const copier = new RowCopier(store, words, plan.numbers);
  const builtIn = table.builtIn;
  for (const id of arrangement.order) {
    const head = offsets[id] as number;
    const from = arrangement.starts[id] as number;
    const to = arrangement.starts[id + 1] as number;
    let end = copier.copy(arrangement.rules, from, to, head + L.CHAIN_SIZE);
    const chain = builtIn[id];
    if (chain) {
      const headSize = rowHeadSize(store.family);
      words.fill(0, end >> 2, (end + headSize + VERDICT_SIZE) >> 2);
      end += writeBuiltIn(view, head, end, headSize, chain);
    }
    const word = head >> 2;
    for (let i = 1; i < L.CHAIN_SIZE >> 2; i++) words[word + i] = 0;
    words[word] = L.CHAIN_SIZE;
    words[word + (L.CHAIN_NAME >> 2)] = plan.names[id] as number;
    words[word + (L.CHAIN_ROW_COUNT >> 2)] = to - from + (chain ? 1 : 0);
    words[word + (L.CHAIN_ROWS_END >> 2)] = end;
    bytes[head + L.CHAIN_HOOK] = chain ? chain.hook : L.CHAIN_USER;
    bytes[head + L.CHAIN_KIND] = L.RECORD_CHAIN;
  }
  if (counters) copyCounters(table, arrangement, words.subarray(recordsEnd >> 2, text >> 2));
  bytes.set(store.text.bytes.subarray(0, store.text.end), text);
  writeHeader(view, table, { chains: arrangement.order.length, rows: rowCount, recordsEnd, text });
  return bytes;
}

/** The blob of a table whose rows lie as in one: copied as they are, and what text in front of the rows does not say written to it. */
function compilePlaced(table: Table, chains: number, allocate: (bytes: number) => Uint8Array): Uint8Array {
  const { rows: store, builtIn } = table;
  const bytes = allocate(store.end + store.text.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  bytes.fill(0, 0, L.BLOB_HEADER_SIZE);
  bytes.set(store.bytes.subarray(L.BLOB_HEADER_SIZE, store.end), L.BLOB_HEADER_SIZE);
  bytes.set(store.text.bytes.subarray(0, store.text.end), store.end);
  const headSize = rowHeadSize(store.family);
  let head = L.BLOB_HEADER_SIZE;
  for (const chain of builtIn) {
    const end = view.getUint32(head + L.CHAIN_ROWS_END, true);
    writeBuiltIn(view, head, end - headSize - VERDICT_SIZE, headSize, chain);
    head = end;
  }
  writeHeader(view, table, { chains, rows: store.count + builtIn.length, recordsEnd: store.end, text: store.end });
  return bytes;
}

interface Extent {
  readonly chains: number;
  readonly rows: number;
  readonly recordsEnd: number;
  /** Where text begins; counters lie between it and the records' end. */
  readonly text: number;
}

/** The header, but for what built-in chains say. */
function writeHeader(view: DataView, table: Table, { chains, rows, recordsEnd, text }: Extent): void {
  const { family } = table.rows;
  view.setUint32(L.BLOB_MAGIC, L.BLOB_MAGIC_VALUE, true);
  view.setUint8(L.BLOB_VERSION, L.BLOB_LAYOUT_VERSION);
  view.setUint8(L.BLOB_FAMILY, familyNumber(family));
  view.setUint8(L.BLOB_TABLE, TABLE_NUMBERS[table.name]);
  view.setUint32(L.BLOB_LENGTH, view.byteLength, true);
  view.setUint32(L.BLOB_ADDRESS_BYTES, family === "ipv4" ? 4 : 16, true);
  view.setUint32(L.BLOB_CHAIN_COUNT, chains, true);
  view.setUint32(L.BLOB_ROW_COUNT, rows, true);
  view.setUint32(L.BLOB_RECORDS_END, recordsEnd, true);
  view.setUint32(L.BLOB_COUNTERS, text > recordsEnd ? recordsEnd : 0, true);
  view.setUint32(L.BLOB_TEXT, text, true);
  view.setUint32(L.BLOB_TEXT_LENGTH, view.byteLength - text, true);
  view.setUint32(L.BLOB_VALID_HOOKS, validHooks(table.builtIn), true);
}

/** The policy of a built-in chain at `at`, and in the header where it and the chain's head are; the policy's bytes. */
function writeBuiltIn(view: DataView, head: number, at: number, headSize: number, chain: Chain): number {
  view.setUint32(L.BLOB_HOOK_ENTRY + 4 * chain.hook, head, true);
  view.setUint32(L.BLOB_UNDERFLOW + 4 * chain.hook, at, true);
  return writePolicyRow(view, at, headSize, chain);
}

/** Where everything of a blob goes. */
interface Plan {
  readonly arrangement: Arrangement;
  /** By chain number in the table: the head's offset, and its name's text reference. */
  readonly offsets: Uint32Array;
  readonly names: Uint32Array;
  /** By chain number: its number in the blob. */
  readonly numbers: Uint32Array;
  readonly recordsEnd: number;
  readonly rowCount: number;
  readonly text: number;
  readonly length: number;
}

function planBlob(table: Table, counters: boolean): Plan {
  const store = table.rows;
  const arrangement = arrange(table);
  const { order, starts, rules } = arrangement;
  const names = table.columns?.names ?? internNames(table);
  const offsets = new Uint32Array(starts.length - 1);
  const numbers = new Uint32Array(starts.length - 1);
  const policySize = rowHeadSize(store.family) + VERDICT_SIZE;
  const builtIn = table.builtIn.length;
  const { offsets: rows } = store;
  let at = L.BLOB_HEADER_SIZE;
  for (const [number, id] of order.entries()) {
    numbers[id] = number;
    offsets[id] = at;
    at += L.CHAIN_SIZE;
    const end = starts[id + 1] as number;
    for (let n = starts[id] as number; n < end; n++)
      at += (store.words[(rows[rules[n] as number] as number) >>> 2] as number) & 0xffff;
    if (id < builtIn) at += policySize;
  }
  const rowCount = rules.length + builtIn;
  const text = at + (counters ? rowCount * 16 : 0);
  return { arrangement, offsets, numbers, names, recordsEnd: at, rowCount, text, length: text + store.text.end };
}

function internNames({ chainsById, rows: { text } }: Table): Uint32Array {
  const names = new Uint32Array(chainsById.length);
  // Longer than a name may be in UTF-8.
  const bytes = new Uint8Array(256);
  for (let id = 0; id < names.length; id++) {
    const chain = chainsById[id];
    if (chain) names[id] = text.intern(bytes, 0, encoder.encodeInto(chain.name, bytes).written);
  }
  return names;
}

/** Whether any rule or policy has counted; without counters in the blob they begin at zero. */
function hasCounted({ rows, builtIn }: Table): boolean {
  const { counters } = rows;
  const end = Math.min(4 * rows.count, counters.length);
  for (let i = 0; i < end; i++) if (counters[i] !== 0) return true;
  return builtIn.some(({ policyCounters }) => policyCounters.some((word) => word !== 0));
}

/** The counters of all rows in the order of their records. */
function copyCounters(table: Table, { order, starts, rules }: Arrangement, into: Uint32Array): void {
  const { counters } = table.rows;
  const builtIn = table.builtIn;
  let at = 0;
  for (const id of order) {
    for (let n = starts[id] as number; n < (starts[id + 1] as number); n++) {
      const from = 4 * (rules[n] as number);
      for (let i = 0; i < 4; i++) into[at++] = counters[from + i] as number;
    }
    const chain = builtIn[id];
    if (chain) for (let i = 0; i < 4; i++) into[at++] = chain.policyCounters[i] as number;
  }
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

/** Copies rows into a blob, and lets their jumps name chains by their numbers there. */
class RowCopier {
  private readonly source: Uint32Array;
  private readonly rows: Uint32Array;

  constructor(
    store: RowStore,
    private readonly words: Uint32Array,
    private readonly numbers: Uint32Array,
  ) {
    this.source = store.words;
    this.rows = store.offsets;
  }

  /** Copies rules `from` to `to` of a list of ordinals to byte `at`; the byte behind them. */
  copy(rules: Uint32Array, from: number, to: number, at: number): number {
    const { source, rows, words, numbers } = this;
    let word = at >>> 2;
    for (let n = from; n < to; n++) {
      const row = (rows[rules[n] as number] as number) >>> 2;
      const first = source[row] as number;
      const size = (first & 0xffff) >>> 2;
      for (let i = 0; i < size; i++) words[word + i] = source[row + i] as number;
      const target = word + (first >>> 18);
      if ((words[target] as number) >>> 16 === TARGET_JUMP) {
        const jump = target + (JUMP_CHAIN >> 2);
        words[jump] = numbers[words[jump] as number] as number;
      }
      word += size;
    }
    return 4 * word;
  }
}

function validHooks(chains: readonly Chain[]): number {
  let hooks = 0;
  for (const chain of chains) hooks |= 1 << chain.hook;
  return hooks;
}
