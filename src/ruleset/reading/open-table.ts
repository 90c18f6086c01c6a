/** The beginning and the end of a table in the reading memory. */
import * as R from "../../blob/reading.js";
import type { Family } from "../row-store.js";
import { TABLE_NUMBERS, type TableName } from "../ruleset.js";
import type { ReadingMemory } from "./reading-memory.js";
import { SLOTS } from "./regions.js";

/** Begins a table, whose parts of the regions begin where the control block says, with its built-in chains. `names`: R.NAMES_*. */
export function openTable(memory: ReadingMemory, family: Family, table: TableName, names: number): void {
  memory.setControl(R.READING_NAMES, names);
  memory.setControl(R.READING_SLOTS, memory.starts[SLOTS] as number);
  memory.setControl(R.READING_ROOT, memory.control(rootOf(family, table)));
  memory.setRoom();
  const hooks = memory.control(R.READING_TABLE_HOOKS + 4 * TABLE_NUMBERS[table]);
  for (;;) {
    const reason = memory.kernel.tableOpen(hooks, memory.firstSlots);
    if (reason === 0) return;
    memory.grow(reason);
  }
}

/** Keeps the order in which the table's shapes were met last. */
export function closeTable(memory: ReadingMemory, family: Family, table: TableName): void {
  memory.setControl(rootOf(family, table), memory.control(R.READING_ROOT));
}

/** The control block's field for the first step of the table's shapes. */
function rootOf(family: Family, table: TableName): number {
  return R.READING_ROOTS + 4 * ((family === "ipv6" ? R.READING_TABLES : 0) + TABLE_NUMBERS[table]);
}
