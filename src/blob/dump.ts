/**
 * A compiled blob, readable: header, then every record with its offset and size, chains by name and rules as
 * iptables-save prints them, and where each jump leads.
 */
import { printRule } from "../ruleset/print.js";
import { HOOK_NAMES, type Table } from "../ruleset/ruleset.js";
import * as L from "./layout.js";
import { JUMP_CHAIN, TARGET_JUMP } from "./payloads.js";

/** Lines of text about the blob that `compile` made of `table`. */
export function* dump(table: Table, blob: Uint8Array): Generator<string> {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const word = (at: number) => view.getUint32(at, true);
  yield `table ${table.name}, ${table.rows.family}: ${blob.length} bytes, layout ${view.getUint8(L.BLOB_VERSION)}`;
  yield `  seal      0x${word(L.BLOB_CHECKSUM).toString(16).padStart(8, "0")}`;
  yield `  records   ${L.BLOB_HEADER_SIZE} to ${word(L.BLOB_RECORDS_END)}: ${word(L.BLOB_CHAIN_COUNT)} chains, ${word(L.BLOB_ROW_COUNT)} rows`;
  if (word(L.BLOB_COUNTERS)) yield `  counters  ${word(L.BLOB_COUNTERS)} to ${word(L.BLOB_TEXT)}`;
  yield `  text      ${word(L.BLOB_TEXT)} to ${blob.length}`;
  for (const [hook, name] of HOOK_NAMES.entries())
    if ((word(L.BLOB_VALID_HOOKS) >> hook) & 1)
      yield `  ${name.padEnd(12)} entry ${word(L.BLOB_HOOK_ENTRY + 4 * hook)}, underflow ${word(L.BLOB_UNDERFLOW + 4 * hook)}`;
  yield "";
  yield "  offset  bytes  record";
  const decoder = new TextDecoder();
  const heads: number[] = [];
  for (let head = L.BLOB_HEADER_SIZE; head < word(L.BLOB_RECORDS_END); head = word(head + L.CHAIN_ROWS_END))
    heads.push(head);
  for (const head of heads) {
    const text = word(L.BLOB_TEXT) + word(head + L.CHAIN_NAME);
    const name = decoder.decode(blob.subarray(text + 2, text + 2 + view.getUint16(text, true)));
    const chain = table.chains.get(name);
    if (!chain) throw new RangeError(`the blob has a chain ${name}, the table has not`);
    yield line(head, L.CHAIN_SIZE, `chain ${name}${chain.hook >= 0 ? ` (hook ${HOOK_NAMES[chain.hook]})` : ""}`);
    let row = head + L.CHAIN_SIZE;
    for (const rule of chain.rules) {
      const target = row + view.getUint16(row + L.ROW_TARGET, true);
      const jump =
        view.getUint16(target + L.RECORD_TYPE, true) === TARGET_JUMP
          ? `  (to ${heads[word(target + JUMP_CHAIN)]})`
          : "";
      yield line(row, view.getUint16(row, true), `  ${printRule(table, chain, rule).replace(/^-A \S+ ?/, "")}${jump}`);
      row += view.getUint16(row, true);
    }
    if (chain.hook >= 0) yield line(row, view.getUint16(row, true), `  policy ${chain.policy}`);
  }
}

function line(at: number, bytes: number, text: string): string {
  return `${String(at).padStart(8)} ${String(bytes).padStart(6)}  ${text}`;
}
