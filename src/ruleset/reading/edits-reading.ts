/**
 * A batch read as it stands, in wasm alone: text in, edits out as editBatch takes them, no object a line. Only where every
 * line has a shape that is known; what chains there are is left to the engine to find out (see assembly/reading/edits.ts).
 */
import * as R from "../../blob/reading.js";
import { sameText } from "../../extensions/argument.js";
import type { Family } from "../row-store.js";
import { TABLE_NAMES, type TableName } from "../ruleset.js";
import { closeTable, openTable } from "./open-table.js";
import { ReadingMemory } from "./reading-memory.js";

/** Gets each table while its edits lie in the memory, and says whether it could carry them out. */
export interface EditsTarget {
  carryOut(table: TableName, memory: ReadingMemory): boolean;
}

/**
 * Reads tables one after another, and hands each to `target`.
 * False where a line needs the parser, or a table was not carried out: the rest of the text has not been read then.
 */
export function readEdits(text: string | Uint8Array, family: Family, target: EditsTarget): boolean {
  const memory = ReadingMemory.take(text);
  try {
    let line = 0;
    for (let at = memory.textStart; at < memory.textEnd; line++) {
      const first = memory.bytes[at];
      const next = lineEnd(memory, at) + 1;
      if (first === STAR) {
        const table = tableAt(memory, at + 1, next - 1);
        if (table === undefined || !readTable(memory, family, table, next, line + 1)) return false;
        at = memory.control(R.READING_AT) + COMMIT.length + 1;
        line = memory.control(R.READING_LINE);
        if (!target.carryOut(table, memory)) return false;
        memory.restart();
      } else if (first === NEWLINE || first === HASH) at = next;
      else return false;
    }
    return true;
  } finally {
    memory.giveBack();
  }
}

/** Reads up to the table's COMMIT; false when a line in front of it needs the parser. */
function readTable(memory: ReadingMemory, family: Family, table: TableName, at: number, line: number): boolean {
  openTable(memory, family, table, R.NAMES_OPEN);
  memory.setControl(R.READING_AT, at);
  memory.setControl(R.READING_LINE, line);
  for (;;) {
    const stopped = memory.kernel.readLines();
    if (stopped === R.STOPPED_LINE) break;
    memory.grow(stopped);
  }
  memory.linesRead += memory.control(R.READING_LINE) - line;
  closeTable(memory, family, table);
  const end = memory.control(R.READING_AT);
  return sameText(memory.bytes, end, lineEnd(memory, end), COMMIT);
}

/** Where the line at `at` ends: at its newline, or with the text. These lines are short: a call would take longer. */
function lineEnd({ bytes, textEnd }: ReadingMemory, at: number): number {
  let end = at;
  while (end < textEnd && bytes[end] !== NEWLINE) end++;
  return end;
}

function tableAt(memory: ReadingMemory, start: number, end: number): TableName | undefined {
  for (const name of TABLE_NAMES) if (sameText(memory.bytes, start, end, name)) return name;
  return undefined;
}

const NEWLINE = 10;
const HASH = 35;
const STAR = 42;
const COMMIT = "COMMIT";
