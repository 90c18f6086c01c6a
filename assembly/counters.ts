/**
 * Counters by number: one area a reader, written by that reader alone, and a base that the writer keeps. A counter's value
 * is the base plus every reader's part, so setting or reusing one never touches a reader's memory.
 */
import {
  CONTROL_ADDRESS,
  CONTROL_BASE_DIRECTORY,
  CONTROL_COUNTER_FREE,
  CONTROL_COUNTER_SEGMENTS,
  CONTROL_COUNTER_TOP,
  CONTROL_READERS,
  COUNTER_BYTES,
  COUNTER_DIRECTORY_COUNT,
  COUNTER_PACKETS,
  COUNTER_SEGMENT_BITS,
  COUNTER_SEGMENT_SIZE,
  READER_COUNTERS,
  READER_SIZE,
  READERS_ADDRESS,
} from "../src/blob/memory";
import { heapAllocate } from "./heap";
import { own32, put32, put64 } from "./store";

const SLOT_MASK: u32 = (1 << COUNTER_SEGMENT_BITS) - 1;
/** Behind the bases of a segment of the writer's: its piece of the stack of free numbers, u32 each. */
const STACK_BYTES: u32 = 4 << COUNTER_SEGMENT_BITS;

/** The slot of counter `index` in the area that `directory` lists. */
export function counterSlot(directory: usize, index: u32): usize {
  return <usize>load<u32>(directory + ((index >> COUNTER_SEGMENT_BITS) << 2)) + ((index & SLOT_MASK) << 4);
}

/** A counter that reads (packets, bytes); 0 when memory or numbers are used up. */
export function counterTake(packets: u64, bytes: u64): u32 {
  const free = load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_FREE);
  let index: u32;
  if (free) {
    index = load<u32>(stackPlace(free - 1));
    own32(CONTROL_ADDRESS + CONTROL_COUNTER_FREE, free - 1);
  } else {
    index = load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_TOP);
    if (index >> COUNTER_SEGMENT_BITS >= load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_SEGMENTS) && !addSegment())
      return 0;
    own32(CONTROL_ADDRESS + CONTROL_COUNTER_TOP, index + 1);
  }
  if (packets | bytes) counterSet(index, packets, bytes);
  return index;
}

/**
 * Makes the number free. No reader may count on it any more: what they have counted is taken off here, so that a free counter reads
 * (0, 0) and taking one touches neither its base nor what readers write.
 */
export function counterGive(index: u32): void {
  counterSet(index, 0, 0);
  const free = load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_FREE);
  own32(stackPlace(free), index);
  own32(CONTROL_ADDRESS + CONTROL_COUNTER_FREE, free + 1);
}

/** Where number `i` from the bottom of the stack of free counters lies. There are never more of them than counters. */
function stackPlace(i: u32): usize {
  const segment = <usize>(
    load<u32>(<usize>load<u32>(CONTROL_ADDRESS, CONTROL_BASE_DIRECTORY) + ((i >> COUNTER_SEGMENT_BITS) << 2))
  );
  return segment + COUNTER_SEGMENT_SIZE + ((i & SLOT_MASK) << 2);
}

export function counterSet(index: u32, packets: u64, bytes: u64): void {
  const slot = counterSlot(load<u32>(CONTROL_ADDRESS, CONTROL_BASE_DIRECTORY), index);
  put64(slot + COUNTER_PACKETS, packets - readersSum(index, COUNTER_PACKETS));
  put64(slot + COUNTER_BYTES, bytes - readersSum(index, COUNTER_BYTES));
}

export function counterPackets(index: u32): u64 {
  const slot = counterSlot(load<u32>(CONTROL_ADDRESS, CONTROL_BASE_DIRECTORY), index);
  return load<u64>(slot, COUNTER_PACKETS) + readersSum(index, COUNTER_PACKETS);
}

export function counterBytes(index: u32): u64 {
  const slot = counterSlot(load<u32>(CONTROL_ADDRESS, CONTROL_BASE_DIRECTORY), index);
  return load<u64>(slot, COUNTER_BYTES) + readersSum(index, COUNTER_BYTES);
}

function readersSum(index: u32, field: usize): u64 {
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  let sum: u64 = 0;
  for (let i: u32 = 0; i < readers; i++)
    sum += load<u64>(counterSlot(load<u32>(READERS_ADDRESS + i * READER_SIZE, READER_COUNTERS), index) + field);
  return sum;
}

/** One more segment for the bases and for every reader. */
function addSegment(): bool {
  const number = load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_SEGMENTS);
  if (number == COUNTER_DIRECTORY_COUNT) return false;
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  const own: u32 = COUNTER_SEGMENT_SIZE + STACK_BYTES;
  const bytes = own + COUNTER_SEGMENT_SIZE * readers;
  const all = heapAllocate(bytes);
  if (!all) return false;
  memory.fill(all, 0, bytes);
  put32(<usize>load<u32>(CONTROL_ADDRESS, CONTROL_BASE_DIRECTORY) + (number << 2), <u32>all);
  for (let i: u32 = 0; i < readers; i++)
    put32(
      <usize>load<u32>(READERS_ADDRESS + i * READER_SIZE, READER_COUNTERS) + (number << 2),
      <u32>(all + own + i * COUNTER_SEGMENT_SIZE),
    );
  put32(CONTROL_ADDRESS + CONTROL_COUNTER_SEGMENTS, number + 1);
  return true;
}
