/**
 * The chains of a table by number, in the order of the table, while it is linked or its calls are followed: what a jump to
 * a chain asks of it, four chains a cache line, where heads lie hundreds of bytes apart.
 *
 * Record: 0 head | 4 twin | 8 references | 12 hook, moved
 */
import { CHAIN_HOOK, CHAIN_USER } from "../src/blob/layout";
import { heapAllocate, heapFree } from "./heap";

const RECORD_HEAD: usize = 0;
const RECORD_TWIN: usize = 4;
const RECORD_REFERENCES: usize = 8;
const RECORD_HOOK: usize = 12;
const RECORD_MOVED: usize = 13;
const RECORD_SIZE: u32 = 16;

/** How many chains have a number. */
export let chainCount: u32 = 0;
let records: usize = 0;
let room: u32 = 0;

/** Room for so many chains; none has a number yet. False without memory. */
export function numbersMake(chains: u32): bool {
  room = chains;
  chainCount = 0;
  records = heapAllocate(chains * RECORD_SIZE);
  return records != 0;
}

export function numbersFree(): void {
  heapFree(records, room * RECORD_SIZE);
}

/** Gives the chain at `head` the next number, which is returned. `twin`: its namesake in a table that is replaced, or 0. */
export function numberTake(head: usize, twin: usize): u32 {
  const record = records + chainCount * RECORD_SIZE;
  store<u32>(record, <u32>head, RECORD_HEAD);
  store<u32>(record, <u32>twin, RECORD_TWIN);
  store<u32>(record, 0, RECORD_REFERENCES);
  store<u32>(record, load<u8>(head, CHAIN_HOOK), RECORD_HOOK);
  return chainCount++;
}

export function numberHead(number: u32): usize {
  return load<u32>(records + number * RECORD_SIZE, RECORD_HEAD);
}

export function numberTwin(number: u32): usize {
  return load<u32>(records + number * RECORD_SIZE, RECORD_TWIN);
}

/** Jumps to the chain that were counted. */
export function numberReferences(number: u32): u32 {
  return load<u32>(records + number * RECORD_SIZE, RECORD_REFERENCES);
}

/** Its hook, CHAIN_USER of a user's. */
export function numberHook(number: u32): u32 {
  return load<u8>(records + number * RECORD_SIZE, RECORD_HOOK);
}

/** Whether a rule may jump to chain `number`: there is one, and it is the user's. */
export function numberCallable(number: u32): bool {
  return number < chainCount && numberHook(number) == CHAIN_USER;
}

/** Counts a jump to the chain; its head. */
export function numberRefer(number: u32): usize {
  const record = records + number * RECORD_SIZE;
  store<u32>(record, load<u32>(record, RECORD_REFERENCES) + 1, RECORD_REFERENCES);
  return load<u32>(record, RECORD_HEAD);
}

/** Says that the chain has taken over all rules of its namesake. */
export function numberMoved(number: u32): void {
  store<u8>(records + number * RECORD_SIZE, 1, RECORD_MOVED);
}

export function numberHasMoved(number: u32): bool {
  return load<u8>(records + number * RECORD_SIZE, RECORD_MOVED) != 0;
}
