/** The beginning and the end of a table in the reading memory. */
import * as R from "../../blob/reading.js";
import type { Family } from "../row-store.js";
import { BUILTIN_CHAINS, HOOK_NAMES, TABLE_NAMES, TABLE_NUMBERS, type TableName } from "../ruleset.js";
import { type ReadingMemory, TABLES_OF_FAMILY } from "./reading-memory.js";
import { SLOTS } from "./regions.js";

/** Begins a table, whose parts of the regions begin where the control block says, with its built-in chains. `names`: R.NAMES_*. */
export function openTable(memory: ReadingMemory, family: Family, table: TableName, names: number): void {
  memory.setControl(R.READING_NAMES, names);
  memory.setControl(R.READING_SLOTS, memory.starts[SLOTS] as number);
  memory.setControl(R.READING_ROOT, memory.roots[rootOf(family, table)] as number);
  memory.setRoom();
  for (;;) {
    const reason = memory.kernel.tableOpen(HOOKS[table], memory.firstSlots);
    if (reason === 0) return;
    memory.grow(reason);
  }
}

/** Keeps the order in which the table's shapes were met last. */
export function closeTable(memory: ReadingMemory, family: Family, table: TableName): void {
  memory.roots[rootOf(family, table)] = memory.control(R.READING_ROOT);
}

/** Of the hooks that a table's built-in chains hang on, bit n of hook n. */
const hooksOf = (table: TableName): number =>
  BUILTIN_CHAINS[table].reduce((mask, hook) => mask | (1 << HOOK_NAMES.indexOf(hook)), 0);
const HOOKS = Object.fromEntries(TABLE_NAMES.map((table) => [table, hooksOf(table)])) as Readonly<
  Record<TableName, number>
>;

function rootOf(family: Family, table: TableName): number {
  return (family === "ipv6" ? TABLES_OF_FAMILY : 0) + TABLE_NUMBERS[table];
}
