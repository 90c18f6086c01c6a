/**
 * The names of a batch, by number, and what its edits say of them before any is carried out: chains come and go as a whole, as those
 * of a service do, and such a chain is one piece of memory whose rules nobody marks one by one.
 */
import { ROW_NEXT } from "../src/blob/layout";
import {
  BATCH_NAMES,
  BATCH_NAMES_END,
  BATCH_ROWS,
  BATCH_WANTED,
  COMMAND_CHAIN,
  COMMAND_EDIT,
  COMMAND_POSITION,
  COMMAND_ROW,
  COMMAND_SIZE,
  EDIT_APPEND,
  EDIT_DECLARE_CHAIN,
  EDIT_DELETE_CHAIN,
  EDIT_FLUSH,
  EDIT_NEW_CHAIN,
  EDIT_RENAME_CHAIN,
  NAME_BIRTH,
  NAME_FIRST,
  NAME_HASH,
  NAME_ROOM,
  NAME_RULES,
  NAME_SINCE,
  NAME_SIZE,
  NAME_TEXT,
} from "../src/blob/staged-batch";
import { hashOf, nameFetch } from "./names";

let names: usize = 0;

/** The name of this number, where the first that reads the same lies. */
export function nameAt(number: u32): usize {
  return load<u32>(names + number * NAME_SIZE, NAME_FIRST);
}

/** The hash of a name's text. */
export function nameHash(name: usize): u32 {
  const known = load<u32>(name, NAME_HASH);
  if (known) return known;
  const hash = hashOf(load<u32>(name, NAME_TEXT));
  store<u32>(name, hash, NAME_HASH);
  return hash;
}

/** Keeps the compiler from leaving out loads that nobody uses. */
export let fetched: u32 = 0;

/**
 * Finds out about the names of a batch what lets a chain come and go as a whole: which of its edits bear the chain and the rules
 * appended to it, and which flush it only to delete it.
 */
export function surveyNames(table: usize, batch: usize, commands: usize, count: u32): void {
  names = load<u32>(batch, BATCH_NAMES);
  const namesEnd: usize = load<u32>(batch, BATCH_NAMES_END);
  // Each of these loads waits for memory: they wait together.
  for (let name: usize = load<u32>(batch, BATCH_WANTED); name < namesEnd; name += NAME_SIZE)
    fetched += nameFetch(table, nameHash(name));
  const end = commands + <usize>count * COMMAND_SIZE;
  for (let command = commands; command < end; command += COMMAND_SIZE) {
    const name = nameAt(load<u32>(command, COMMAND_CHAIN));
    const kind = load<u32>(command, COMMAND_EDIT);
    const since: usize = load<u32>(name, NAME_SINCE);
    const birth: usize = load<u32>(name, NAME_BIRTH);
    let next: usize = 0;
    if (kind == EDIT_NEW_CHAIN || kind == EDIT_DECLARE_CHAIN || kind == EDIT_FLUSH) {
      store<u32>(command, 0, COMMAND_POSITION);
      if (!birth && kind != EDIT_FLUSH) store<u32>(name, <u32>command, NAME_BIRTH);
      next = command;
    } else if (kind == EDIT_DELETE_CHAIN) {
      // Had rules been appended since, it would be refused.
      if (since) store<u32>(since, 1, COMMAND_POSITION);
    } else if (kind == EDIT_APPEND && since && since == birth) {
      const row = <usize>load<u32>(batch, BATCH_ROWS) + load<u32>(command, COMMAND_ROW);
      store<u32>(name, load<u32>(name, NAME_RULES) + 1, NAME_RULES);
      store<u32>(name, load<u32>(name, NAME_ROOM) + load<u16>(row, ROW_NEXT), NAME_ROOM);
      next = since;
    }
    store<u32>(name, <u32>next, NAME_SINCE);
    if (kind == EDIT_RENAME_CHAIN) store<u32>(nameAt(load<u32>(command, COMMAND_POSITION)), 0, NAME_SINCE);
  }
}
