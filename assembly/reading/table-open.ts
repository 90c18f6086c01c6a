/** The beginning of a table that is read: nothing was read of it yet, and its built-in chains are there. */
import {
  NAMES_OPEN,
  READING_BUILTINS,
  READING_CHAIN_COUNT,
  READING_EDIT_COUNT,
  READING_NAME_SIZE,
  READING_NAMES,
  READING_HOOK_NAMES,
  READING_HOOKS,
  READING_PLACING,
  READING_ROW_COUNT,
  READING_ROWS_END,
  READING_SLOT_MASK,
  READING_SLOTS,
  READING_SLOTS_USED,
  READING_SORTED,
  READING_TEXTS_END,
  TEXT_SLOT_SIZE,
} from "../../src/blob/reading";
import { nameOpen, nameRefusal, numbersReserve } from "./edits";

/**
 * Opens a table that has the chains of `hooks`, bit n of hook n, with so many slots for texts. 0, or STOPPED_* where there is no room. A
 * batch's has their numbers alone, since most batches name none of them.
 */
export function tableOpen(hooks: u32, slots: u32): u32 {
  store<u32>(READING_CHAIN_COUNT, 0);
  store<u32>(READING_ROW_COUNT, 0);
  store<u32>(READING_TEXTS_END, 0);
  store<u32>(READING_ROWS_END, 0);
  store<u32>(READING_SLOTS_USED, 0);
  store<u32>(READING_EDIT_COUNT, 0);
  store<u32>(READING_SORTED, 1);
  store<u32>(READING_PLACING, 0);
  store<u32>(READING_SLOT_MASK, slots - 1);
  store<u32>(READING_BUILTINS, <u32>popcnt(hooks));
  memory.fill(load<u32>(READING_SLOTS), 0, slots * TEXT_SLOT_SIZE);
  const open = load<u32>(READING_NAMES) == NAMES_OPEN;
  let place: usize = READING_HOOKS;
  for (let left = hooks; left; left &= left - 1) {
    const hook = <u32>ctz(left);
    const name = <usize>READING_HOOK_NAMES + hook * READING_NAME_SIZE;
    store<u8>(place++, <u8>hook);
    if (!open && nameOpen(name + 1, name + 1 + load<u8>(name)) < 0) return nameRefusal;
  }
  if (open) numbersReserve();
  return 0;
}
