/**
 * Which rules of a new table are untouched ones of the table it replaces: they keep counter and state.
 *
 * Chain by chain, by content and in order: the equal rows at both ends first, then, for the rows between, each new row
 * takes the first old row behind the last one taken that says the same, looking at most LOOK_AHEAD rows ahead. Every
 * strategy that restates rules (full, partial, a declared chain in incremental) uses this one rule.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_LIVE_CHAINS,
  BLOB_MOVED,
  CHAIN_LIVE_ROWS,
  CHAIN_MOVED,
  CHAIN_POLICY,
  GENERATION_NEVER,
  ROW_COUNTER,
  ROW_DIED,
  ROW_MOVED,
  ROW_TARGET,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAGS,
  ROW_NEXT,
  CHAIN_NEXT,
  CHAIN_ROW_COUNT,
  CHAIN_SIZE,
  BLOB_FIRST_CHAIN,
} from "../src/blob/layout";
import { CONTROL_ADDRESS, CONTROL_COUNTER_TOP } from "../src/blob/memory";
import { JUMP_CHAIN } from "../src/blob/payloads";
import { chainCount, numberHasMoved, numberMoved, numberTwin } from "./chain-numbers";
import { nextRule, rulesOf } from "./chain-rules";
import { heapAllocate, heapFree } from "./heap";
import {
  isJump,
  refersByName,
  remembers,
  rowTable,
  runtimeBytes,
  runtimeWord,
  sameConditions,
  sameRule,
  sameTarget,
} from "./content";
import { stateMove, targetGive } from "./state";
import { own32, put16, put8, walked } from "./store";
import { rowMatches } from "./words";

const LOOK_AHEAD: u32 = 64;

/** The chain whose rows are being compared, and whether all were alike so far. */
let from: usize = 0;
let alike = false;
/** Rules that both chains begin with. */
let first: u32 = 0;
/** Bytes of an address. */
let width: u32 = 0;

/** Chains of the replaced table of which no rule is left that has not been taken over. */
let movedChains: u32 = 0;

/** The chains of a table come next. */
export function carryTable(): void {
  movedChains = 0;
}

/** All chains have been carried from the table `replaced`: notes there what was taken over whole. */
export function carryDone(replaced: usize): void {
  if (movedChains == load<u32>(replaced, BLOB_LIVE_CHAINS)) return own32(replaced + BLOB_MOVED, 1);
  for (let number: u32 = 0; number < chainCount; number++)
    if (numberHasMoved(number)) put8(numberTwin(number) + CHAIN_MOVED, 1);
}

/** The rows of the chain that takes the place of `twin` (0: of none) come next, one by one. */
export function carryBegin(twin: usize, address: u32): void {
  from = twin;
  width = address;
  first = 0;
  alike = twin != 0;
  if (alike) rulesOf(twin);
}

/**
 * Moves counter and state to the next row, which is linked and has none, if all rows of both chains have been the same so far.
 * `calleeTwin`: the namesake of the chain that it jumps to. Whether that is so.
 */
export function carryNext(row: usize, calleeTwin: usize): bool {
  while (alike) {
    const old = nextRule();
    if (old && load<u32>(old, ROW_DIED) != GENERATION_NEVER) continue;
    alike = old != 0 && continues(old, row, calleeTwin);
    if (!alike) break;
    store<u32>(row, load<u32>(old, ROW_COUNTER), ROW_COUNTER);
    adoptState(old, row);
    first++;
    return true;
  }
  return false;
}

/**
 * All rows of chain `number`, at `to`, have been asked about; carries what there is behind those that both chains begin with, and
 * takes it from the old rows. `room` holds a word for each row of both.
 */
export function carryEnd(number: u32, to: usize, room: usize): void {
  if (!from) return;
  const oldPolicy: usize = load<u32>(from, CHAIN_POLICY);
  const newPolicy: usize = load<u32>(to, CHAIN_POLICY);
  const kept = !oldPolicy || (newPolicy != 0 && takeCounter(oldPolicy, newPolicy));
  const oldCount = load<u32>(from, CHAIN_LIVE_ROWS);
  const newCount = load<u32>(to, CHAIN_LIVE_ROWS);
  if (first == oldCount && kept) {
    movedChains++;
    numberMoved(number);
  }
  if (!oldCount || !newCount) return;
  walked(oldCount + newCount);
  if (first == oldCount) return;
  const old = room;
  list(from, old);
  for (let i: u32 = 0; i < first; i++) put16(<usize>load<u32>(old + (i << 2)) + ROW_MOVED, 1);
  if (first == newCount) return;
  const fresh = old + oldCount * 4;
  list(to, fresh);
  let oldEnd = oldCount;
  let newEnd = newCount;
  while (oldEnd > first && newEnd > first && same(old, fresh, oldEnd - 1, newEnd - 1)) {
    oldEnd--;
    newEnd--;
  }
  let at = first;
  for (let i = first; i < newEnd; i++) {
    const limit = at + LOOK_AHEAD < oldEnd ? at + LOOK_AHEAD : oldEnd;
    for (let k = at; k < limit; k++)
      if (same(old, fresh, k, i)) {
        at = k + 1;
        break;
      }
  }
}

/** Whether the rows are the same rule, and the old one still has its counter. */
function continues(old: usize, row: usize, calleeTwin: usize): bool {
  if (load<u16>(old, ROW_MOVED) || !sameConditions(old, row)) return false;
  const target = <usize>load<u16>(row, ROW_TARGET);
  if (!isJump(row + target)) return sameTarget(old + target, row + target, load<u16>(row, ROW_NEXT) - target, false);
  return load<u32>(old + target) == load<u32>(row + target) && load<u32>(old + target, JUMP_CHAIN) == <u32>calleeTwin;
}

function same(old: usize, fresh: usize, i: u32, k: u32): bool {
  const a: usize = load<u32>(old + (i << 2));
  const b: usize = load<u32>(fresh + (k << 2));
  if (!sameRule(a, b, true)) return false;
  if (takeCounter(a, b)) adoptState(a, b);
  return true;
}

/** The rows in force of a chain, in order. */
function list(head: usize, into: usize): void {
  let to = into;
  rulesOf(head);
  for (let row = nextRule(); row; row = nextRule()) {
    if (load<u32>(row, ROW_DIED) != GENERATION_NEVER) continue;
    store<u32>(to, <u32>row);
    to += 4;
  }
}

/** The counter goes over, once; whether it did. */
function takeCounter(old: usize, fresh: usize): bool {
  if (load<u16>(old, ROW_MOVED)) return false;
  store<u32>(fresh, load<u32>(old, ROW_COUNTER), ROW_COUNTER);
  put16(old + ROW_MOVED, 1);
  return true;
}

/** State goes over to the row that sameConditions has just found to say the same, and which has none. */
function adoptState(old: usize, fresh: usize): void {
  const target = old + load<u16>(old, ROW_TARGET);
  const offset = fresh - old;
  if (remembers)
    for (let match = rowMatches(old, width); match < target; match += load<u16>(match, RECORD_BYTES)) {
      const type = <u32>load<u16>(match, RECORD_TYPE);
      const word = runtimeWord(type);
      if (word) memory.copy(match + offset + word, match + word, runtimeBytes(type));
    }
  // What it refers to by name has an address.
  if (refersByName(load<u16>(target, RECORD_TYPE)))
    memory.copy(target + offset, target, load<u16>(target, RECORD_BYTES));
}

/** Counter and state go over to a row that has state of its own, perhaps with other values. */
function move(old: usize, fresh: usize): void {
  if (!takeCounter(old, fresh)) return;
  const addressBytes = load<u32>(rowTable(old), BLOB_ADDRESS_BYTES);
  const target = old + load<u16>(old, ROW_TARGET);
  const offset = fresh - old;
  for (let match = rowMatches(old, addressBytes); match < target; match += load<u16>(match, RECORD_BYTES))
    stateMove(match, match + offset);
  // Both refer to the same; the old row will not give back what it holds.
  targetGive(target + offset);
}

/** Rows that name a counter of a rule in force of the replaced table take it over, with its state. */
export function carryNamed(table: usize, replaced: usize): bool {
  const top = load<u32>(CONTROL_ADDRESS, CONTROL_COUNTER_TOP);
  const rows = heapAllocate(top * 4);
  if (!rows) return false;
  memory.fill(rows, 0, top * 4);
  if (replaced)
    for (let head: usize = load<u32>(replaced, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
      const policy: usize = load<u32>(head, CHAIN_POLICY);
      if (policy) store<u32>(rows + (load<u32>(policy, ROW_COUNTER) << 2), <u32>policy);
      rulesOf(head);
      for (let row = nextRule(); row; row = nextRule())
        if (load<u32>(row, ROW_DIED) == GENERATION_NEVER)
          store<u32>(rows + (load<u32>(row, ROW_COUNTER) << 2), <u32>row);
    }
  for (let head: usize = load<u32>(table, BLOB_FIRST_CHAIN); head; head = load<u32>(head, CHAIN_NEXT)) {
    let row = head + CHAIN_SIZE;
    for (let left = load<u32>(head, CHAIN_ROW_COUNT); left; left--) {
      const counter = load<u32>(row, ROW_COUNTER);
      const old: usize = counter && counter < top ? <usize>load<u32>(rows + (counter << 2)) : 0;
      store<u32>(row, 0, ROW_COUNTER);
      if (old && sameShape(old, row)) move(old, row);
      row += load<u16>(row, ROW_NEXT);
    }
  }
  heapFree(rows, top * 4);
  return true;
}

/** Whether both rows have the same records, so that state can go from one to the other. */
function sameShape(old: usize, row: usize): bool {
  const target = <usize>load<u16>(row, ROW_TARGET);
  if (load<u16>(old, ROW_TARGET) != target || load<u8>(old, ROW_FLAGS) != load<u8>(row, ROW_FLAGS)) return false;
  const first = rowMatches(row, load<u32>(rowTable(row), BLOB_ADDRESS_BYTES)) - row;
  for (let at = first; at < target; at += load<u16>(row + at, RECORD_BYTES))
    if (load<u32>(row + at) != load<u32>(old + at)) return false;
  return true;
}
