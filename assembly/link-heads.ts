/** The first pass of linking: the heads of a table, their names and numbers, and their namesakes in the table that is replaced. */
import {
  BLOB_CHAIN_COUNT,
  BLOB_FIRST_CHAIN,
  BLOB_HEADER_SIZE,
  BLOB_LAST_CHAIN,
  BLOB_LIVE_CHAINS,
  BLOB_NAMES,
  BLOB_RECORDS_END,
  CHAIN_LIVE_ROWS,
  CHAIN_NAME,
  CHAIN_NEXT,
  CHAIN_PREVIOUS,
  CHAIN_ROW_COUNT,
  CHAIN_ROWS_END,
  CHAIN_TABLE,
  CHAIN_TWIN,
} from "../src/blob/layout";
import { FAULT_CHAIN, FAULT_HEADER, FAULT_MEMORY, FAULT_NONE } from "../src/blob/memory";
import { chainCount, numberTake } from "./chain-numbers";
import { sameTexts, textAddress } from "./content";
import { chainFind, namesEnter, namesMake } from "./names";
import { checkHead, refuse } from "./validate";

/** The most rules that a chain has which has a namesake, or one of those. */
export let twinsLongest: u32 = 1;

/** Checks and links heads in order, enters their names, and finds each one's namesake in the table that is replaced (0: none); a FAULT_*. */
export function linkHeads(table: usize, replaced: usize): u32 {
  twinsLongest = 1;
  // Both tables mostly have the same chains in the same order.
  let likely: usize = 0;
  if (replaced) likely = load<u32>(replaced, BLOB_FIRST_CHAIN);
  const chains = load<u32>(table, BLOB_CHAIN_COUNT);
  const names = namesMake(table, chains);
  if (!names) return FAULT_MEMORY;
  store<u32>(table, <u32>names, BLOB_NAMES);
  const end = load<u32>(table, BLOB_RECORDS_END);
  let previous: usize = 0;
  let at: u32 = BLOB_HEADER_SIZE;
  store<u32>(table, <u32>(table + at), BLOB_FIRST_CHAIN);
  while (at < end) {
    const fault = checkHead(table, at, end);
    if (fault) return fault;
    if (chainCount == chains) return refuse(FAULT_HEADER, BLOB_CHAIN_COUNT);
    const head = table + at;
    store<u32>(head, <u32>table, CHAIN_TABLE);
    store<u32>(head, <u32>previous, CHAIN_PREVIOUS);
    if (previous) store<u32>(previous, <u32>head, CHAIN_NEXT);
    previous = head;
    if (!namesEnter(table, head)) return refuse(FAULT_CHAIN, at);
    if (replaced) likely = findTwin(table, head, replaced, likely);
    numberTake(head, load<u32>(head, CHAIN_TWIN));
    at = load<u32>(head, CHAIN_ROWS_END);
  }
  if (!chains || chainCount != chains) return refuse(FAULT_HEADER, BLOB_CHAIN_COUNT);
  store<u32>(table, <u32>previous, BLOB_LAST_CHAIN);
  store<u32>(table, chains, BLOB_LIVE_CHAINS);
  return FAULT_NONE;
}

/** Finds a chain's namesake in the replaced table, perhaps `likely`; the chain behind that. */
function findTwin(table: usize, head: usize, replaced: usize, likely: usize): usize {
  const name = load<u32>(head, CHAIN_NAME);
  let twin = likely;
  if (!twin || !sameTexts(replaced, load<u32>(twin, CHAIN_NAME), table, name))
    twin = chainFind(replaced, textAddress(table, name));
  store<u32>(head, <u32>twin, CHAIN_TWIN);
  if (!twin) return likely;
  const rows = load<u32>(head, CHAIN_ROW_COUNT);
  const rules = load<u32>(twin, CHAIN_LIVE_ROWS);
  if (rows > twinsLongest) twinsLongest = rows;
  if (rules > twinsLongest) twinsLongest = rules;
  return load<u32>(twin, CHAIN_NEXT);
}
