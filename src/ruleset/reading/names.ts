/** What reading in wasm has to know of tables and hooks (see blob/reading.ts). */
import * as R from "../../blob/reading.js";
import { BUILTIN_CHAINS, HOOK_NAMES, TABLE_NAMES, TABLE_NUMBERS } from "../ruleset.js";

/** Writes the names of tables and hooks, and which hooks a table has, to a reading memory given as bytes and as words. */
export function writeNames(bytes: Uint8Array, words: Uint32Array): void {
  const write = (name: string, at: number): void => {
    bytes[at] = encoder.encodeInto(name, bytes.subarray(at + 2)).written;
  };
  for (const [hook, name] of HOOK_NAMES.entries()) write(name, R.READING_HOOK_NAMES + hook * R.READING_NAME_SIZE);
  for (const table of TABLE_NAMES) {
    const number = TABLE_NUMBERS[table];
    write(table, R.READING_TABLE_NAMES + number * R.READING_NAME_SIZE);
    words[(R.READING_TABLE_HOOKS + 4 * number) >> 2] = BUILTIN_CHAINS[table].reduce(
      (mask, hook) => mask | (1 << HOOK_NAMES.indexOf(hook)),
      0,
    );
  }
}

const encoder = new TextEncoder();
