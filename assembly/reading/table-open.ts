/** The beginning of a table that is read, when nothing was read of it yet and its built-in chains are there, and its end. */
import { FAMILY_IPV4 } from "../../src/blob/layout";
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
  READING_ROOT,
  READING_ROOTS,
  READING_ROW_COUNT,
  READING_ROWS_END,
  READING_SLOT_MASK,
  READING_SLOTS,
  READING_SLOTS_USED,
  READING_SORTED,
  READING_TABLE_HOOKS,
  READING_TABLES,
  READING_TEXTS_END,
  TEXT_SLOT_SIZE,
} from "../../src/blob/reading";
import { nameOpen, nameRefusal, numbersReserve } from "./edits";

/**
 * Opens a table of a family with so many slots for texts: its shapes, and its built-in chains. 0, or STOPPED_* where there is no room. A
 * batch's has the chains' numbers alone, since most batches name none of them.
 */
export function tableOpen(family: u32, table: u32, slots: u32): u32 {
  const hooks = load<u32>(READING_TABLE_HOOKS + (table << 2));
  store<u32>(READING_ROOT, load<u32>(rootOf(family, table)));
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
    if (!open && nameOpen(name + 2, name + 2 + load<u16>(name)) < 0) return nameRefusal;
  }
  if (open) numbersReserve();
  return 0;
}

/** Keeps the order in which the table's shapes were met last. */
export function tableClose(family: u32, table: u32): void {
  store<u32>(rootOf(family, table), load<u32>(READING_ROOT));
}

/** Where the first step of a table's shapes is kept. */
function rootOf(family: u32, table: u32): usize {
  return <usize>READING_ROOTS + (((family == FAMILY_IPV4 ? 0 : READING_TABLES) + table) << 2);
}
