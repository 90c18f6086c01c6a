/**
 * The shared heap: runs of 4 KiB pages, first fit in a list of free runs by address, neighbours merged.
 * Used under the writers' lock only. Free run: u32 next, u32 bytes.
 */
import {
  CONTROL_ADDRESS,
  CONTROL_HEAP_FREE,
  CONTROL_HEAP_TOP,
  CONTROL_LIVE_BYTES,
  CONTROL_PEAK_BYTES,
} from "../src/blob/memory";
import { own32, remember, reserveLog } from "./store";

const PAGE: u32 = 4096;
const SLACK: u64 = 64;
/** WebAssembly's pages that memory grows by at the least, while it may: to grow costs as much as to allocate a hundred times. */
const GROWTH: i32 = 32;

/** Bytes that a request of `bytes` really takes. */
export function heapRound(bytes: u32): u32 {
  return (bytes + PAGE - 1) & ~(PAGE - 1);
}

/** The address of a run of at least `bytes`, not zeroed; 0 when memory is at its maximum. */
export function heapAllocate(bytes: u32): usize {
  const size = heapRound(bytes);
  reserveLog(16);
  let link: usize = CONTROL_ADDRESS + CONTROL_HEAP_FREE;
  let run: usize = load<u32>(link);
  while (run) {
    const has = load<u32>(run, 4);
    if (has >= size) {
      remember(run);
      remember(run + 4);
      if (has == size) own32(link, load<u32>(run));
      else {
        const rest = run + size;
        store<u32>(rest, load<u32>(run));
        store<u32>(rest, has - size, 4);
        own32(link, <u32>rest);
      }
      account(size);
      return run;
    }
    link = run;
    run = load<u32>(run);
  }
  const top: usize = load<u32>(CONTROL_ADDRESS, CONTROL_HEAP_TOP);
  const next = <u64>top + size;
  if (next > 0xffff0000) return 0;
  if (!roomTo(next)) return 0;
  own32(CONTROL_ADDRESS + CONTROL_HEAP_TOP, <u32>next);
  account(size);
  return top;
}

/** As heapAllocate, for room that stays untouched until it is needed, and is counted as taken by nobody. */
export function heapReserve(bytes: u32): usize {
  const at = heapAllocate(bytes);
  if (at)
    own32(CONTROL_ADDRESS + CONTROL_LIVE_BYTES, load<u32>(CONTROL_ADDRESS, CONTROL_LIVE_BYTES) - heapRound(bytes));
  return at;
}

/**
 * Makes memory reach `top` and a little further, since texts are hashed and compared by words that may begin with their last
 * byte. False where it is at its maximum.
 */
export function roomTo(top: u64): bool {
  const pages = <i32>((top + SLACK + 65535) >> 16) - memory.size();
  return pages <= 0 || (pages < GROWTH && memory.grow(GROWTH) >= 0) || memory.grow(pages) >= 0;
}

/** Gives back a run that was allocated with `bytes`. */
export function heapFree(address: usize, bytes: u32): void {
  const size = heapRound(bytes);
  own32(CONTROL_ADDRESS + CONTROL_LIVE_BYTES, load<u32>(CONTROL_ADDRESS, CONTROL_LIVE_BYTES) - size);
  heapGive(address, size);
}

/** Makes `size` bytes free that the heap does not count as handed out. */
export function heapGive(address: usize, size: u32): void {
  let link: usize = CONTROL_ADDRESS + CONTROL_HEAP_FREE;
  let before: usize = 0;
  let next: usize = load<u32>(link);
  while (next && next < address) {
    before = next;
    link = next;
    next = load<u32>(next);
  }
  let run = address;
  let total = size;
  if (next && address + size == next) {
    total += load<u32>(next, 4);
    next = load<u32>(next);
  }
  if (before && before + load<u32>(before, 4) == address) {
    total += load<u32>(before, 4);
    run = before;
  } else own32(link, <u32>run);
  own32(run, <u32>next);
  own32(run + 4, total);
}

function account(size: u32): void {
  const live = load<u32>(CONTROL_ADDRESS, CONTROL_LIVE_BYTES) + size;
  own32(CONTROL_ADDRESS + CONTROL_LIVE_BYTES, live);
  if (live > load<u32>(CONTROL_ADDRESS, CONTROL_PEAK_BYTES)) store<u32>(CONTROL_ADDRESS, live, CONTROL_PEAK_BYTES);
}
