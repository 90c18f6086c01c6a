/** The beginning and the end of a table in the reading memory. */
import * as R from "../../blob/reading.js";
import type { Family } from "../row-store.js";
import { BUILTIN_CHAINS, HOOK_NAMES, type HookName, TABLE_NUMBERS, type TableName } from "../ruleset.js";
import { type ReadingMemory, TABLES_OF_FAMILY } from "./reading-memory.js";
import { COUNTS, SLOTS } from "./regions.js";

/** Begins a table, whose parts of the regions begin where the control block says, with its built-in chains. `names`: R.NAMES_*. */
export function openTable(memory: ReadingMemory, family: Family, table: TableName, names: number): void {
  const { words, kernel, firstSlots } = memory;
  const builtIn = BUILTIN_CHAINS[table];
  for (const field of COUNTS) words[field >> 2] = 0;
  words[R.READING_SORTED >> 2] = 1;
  words[R.READING_PLACING >> 2] = 0;
  words[R.READING_NAMES >> 2] = names;
  words[R.READING_SLOT_MASK >> 2] = firstSlots - 1;
  words[R.READING_SLOTS >> 2] = memory.starts[SLOTS] as number;
  words[R.READING_ROOT >> 2] = memory.roots[rootOf(family, table)] as number;
  words[R.READING_BUILTINS >> 2] = builtIn.length;
  kernel.textsClear(firstSlots);
  memory.setRoom();
  for (let n = 0; n < builtIn.length; n++) {
    const name = builtIn[n] as HookName;
    memory.bytes[R.READING_HOOKS + n] = HOOK_NAMES.indexOf(name);
    while (kernel.nameOpen(R.READING_VALUES, memory.stage(name)) < 0) memory.grow(kernel.nameRefusal.value as number);
  }
}

/** Keeps the order in which the table's shapes were met last. */
export function closeTable(memory: ReadingMemory, family: Family, table: TableName): void {
  memory.roots[rootOf(family, table)] = memory.control(R.READING_ROOT);
}

function rootOf(family: Family, table: TableName): number {
  return (family === "ipv6" ? TABLES_OF_FAMILY : 0) + TABLE_NUMBERS[table];
}
