/**
 * Rows laid out as a blob has them while they are read, so that compiling is copying one run of bytes.
 *
 * A file as iptables-save prints it declares chains in the order in which a blob has them, and gives their rules in that
 * order. As long as a table's text does, each chain's head is put in front of its first row, with room behind the last one
 * for the policy of a built-in chain; what else the heads say is known when the next one begins. The first row that comes
 * late ends it (READING_PLACING), and the table is compiled row by row.
 */
import { CHAIN_BYTES, CHAIN_HOOK, CHAIN_KIND, CHAIN_NAME, CHAIN_ROW_COUNT } from "../../src/blob/layout";
import { CHAIN_ROWS_END, CHAIN_SIZE, CHAIN_USER, RECORD_CHAIN } from "../../src/blob/layout";
import {
  READING_BUILTINS,
  READING_CHAIN_COUNT,
  READING_CHAINS,
  READING_HEAD,
  READING_HEAD_ROWS,
  READING_HOOKS,
  READING_PLACED,
  READING_PLACING,
  READING_POLICY_SIZE,
  READING_ROW_COUNT,
  READING_ROWS,
  READING_ROWS_BYTES,
  READING_ROWS_END,
} from "../../src/blob/reading";

/** Lays heads out up to that of `chain`, whose next row comes, of `bytes` bytes. False when there is no room. */
export function placeChain(chain: u32, bytes: u32): bool {
  let placed = load<u32>(READING_PLACED);
  if (chain + 1 == placed) return true;
  if (chain < placed) {
    store<u32>(READING_PLACING, 0);
    return true;
  }
  const builtIns = load<u32>(READING_BUILTINS);
  const policy = load<u32>(READING_POLICY_SIZE);
  const heads = <u64>(chain + 1 - placed) * CHAIN_SIZE + builtIns * policy;
  if (heads + load<u32>(READING_ROWS_END) + bytes + 16 > <u64>load<u32>(READING_ROWS_BYTES)) return false;
  const chains: usize = load<u32>(READING_CHAINS);
  const rows: usize = load<u32>(READING_ROWS);
  const count = load<u32>(READING_ROW_COUNT);
  let at = load<u32>(READING_ROWS_END);
  for (; placed <= chain; placed++) {
    if (placed) at = closeChain(placed - 1, at, count);
    const head = rows + at;
    for (let i: usize = 0; i < <usize>CHAIN_SIZE; i += 8) store<u64>(head + i, 0);
    store<u16>(head, CHAIN_SIZE, CHAIN_BYTES);
    store<u32>(head, load<u32>(chains + (placed << 2)), CHAIN_NAME);
    store<u8>(head, placed < builtIns ? load<u8>(READING_HOOKS + placed) : <u8>CHAIN_USER, CHAIN_HOOK);
    store<u8>(head, RECORD_CHAIN, CHAIN_KIND);
    store<u32>(READING_HEAD, at);
    store<u32>(READING_HEAD_ROWS, count);
    at += CHAIN_SIZE;
  }
  store<u32>(READING_PLACED, placed);
  store<u32>(READING_ROWS_END, at);
  return true;
}

/** The table is whole: lays out the heads that are left and closes the last. False when there is no room. */
export function placeRest(): bool {
  const count = load<u32>(READING_CHAIN_COUNT);
  if (!load<u32>(READING_PLACING)) return true;
  if (!placeChain(count - 1, load<u32>(READING_POLICY_SIZE))) return false;
  store<u32>(READING_ROWS_END, closeChain(count - 1, load<u32>(READING_ROWS_END), load<u32>(READING_ROW_COUNT)));
  return true;
}

/** Ends the chain whose head was laid out last, `rows` rows into the table; the byte behind it, `at` being the one behind its rows. */
function closeChain(chain: u32, at: u32, rows: u32): u32 {
  const base: usize = load<u32>(READING_ROWS);
  const head = base + load<u32>(READING_HEAD);
  let count = rows - load<u32>(READING_HEAD_ROWS);
  let end = at;
  if (chain < load<u32>(READING_BUILTINS)) {
    const policy = load<u32>(READING_POLICY_SIZE);
    for (let i: u32 = 0; i < policy; i += 8) store<u64>(base + at + i, 0);
    end += policy;
    count++;
  }
  store<u32>(head, count, CHAIN_ROW_COUNT);
  store<u32>(head, end, CHAIN_ROWS_END);
  return end;
}
