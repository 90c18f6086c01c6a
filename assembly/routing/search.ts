/** Longest prefix: a binary search for the range of addresses that the address lies in. */
import { SEARCH_COUNT, SEARCH_KEYS } from "../../src/blob/routing";
import { addressBytes } from "../packet";

/** The first route of the longest prefix of `table` that holds `address`; 0 when there is none. */
export function findRoute(table: usize, address: usize): usize {
  if (!table) return 0;
  const count = load<u32>(table, SEARCH_COUNT);
  const keys = table + SEARCH_KEYS;
  const found = addressBytes == 4 ? search4(keys, count, address) : search6(keys, count, address);
  return load<u32>(keys + count * addressBytes + (found << 2));
}

/** The last key that is not greater. The first key is 0. */
function search4(keys: usize, count: u32, address: usize): u32 {
  const wanted = bswap<u32>(load<u32>(address));
  let low: u32 = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<u32>(keys + (middle << 2)) <= wanted) low = middle;
    else high = middle;
  }
  return low;
}

function search6(keys: usize, count: u32, address: usize): u32 {
  const first = bswap<u64>(load<u64>(address));
  const second = bswap<u64>(load<u64>(address, 8));
  let low: u32 = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const key = keys + (middle << 4);
    const head = load<u64>(key);
    if (head < first || (head == first && load<u64>(key, 8) <= second)) low = middle;
    else high = middle;
  }
  return low;
}
