/** The beginning and the end of a table in the reading memory. */
import * as R from "../../blob/reading.js";
import { type Family, familyNumber } from "../row-store.js";
import { TABLE_NUMBERS, type TableName } from "../ruleset.js";
import type { ReadingMemory } from "./reading-memory.js";
import { SLOTS } from "./regions.js";

/** Begins a table, whose parts of the regions begin where the control block says, with its built-in chains. `names`: R.NAMES_*. */
export function openTable(memory: ReadingMemory, family: Family, table: TableName, names: number): void {
  memory.setControl(R.READING_NAMES, names);
  memory.setControl(R.READING_SLOTS, memory.starts[SLOTS] as number);
  memory.setRoom();
  for (;;) {
    const reason = memory.kernel.tableOpen(familyNumber(family), TABLE_NUMBERS[table], memory.firstSlots);
    if (reason === 0) return;
    memory.grow(reason);
  }
}

/** Keeps the order in which the table's shapes were met last. */
export function closeTable(memory: ReadingMemory, family: Family, table: TableName): void {
  memory.kernel.tableClose(familyNumber(family), TABLE_NUMBERS[table]);
}
