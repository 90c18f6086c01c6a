/**
 * Two ways to know that no reader is still inside the ruleset that was just replaced, since Linux tried both.
 *
 * seqcount     wait for each reader whose sequence is odd until it moves (x_tables' xt_replace_table since 2021)
 * grace-period wait until every reader that is online has passed a quiescent state (synchronize_rcu, as x_tables did before)
 */
import * as M from "../blob/memory.js";

export const QUIESCE = { seqcount: waitForSequences, "grace-period": waitForQuiescentStates } as const;
export type Quiesce = keyof typeof QUIESCE;

/** Looks before the writer gives up its processor. */
const SPINS = 2000;
const PAUSE_MS = 0.05;

export function waitForSequences(words: Int32Array, readers: number): void {
  for (let i = 0; i < readers; i++) {
    const word = (M.READERS_ADDRESS + i * M.READER_SIZE + M.READER_SEQUENCE) >> 2;
    const seen = Atomics.load(words, word);
    if (seen & 1) waitWhile(words, () => Atomics.load(words, word) === seen);
  }
}

export function waitForQuiescentStates(words: Int32Array, readers: number): void {
  for (let i = 0; i < readers; i++) {
    const line = (M.READERS_ADDRESS + i * M.READER_SIZE) >> 2;
    const seen = Atomics.load(words, line + (M.READER_QUIESCENT >> 2));
    waitWhile(
      words,
      () =>
        Atomics.load(words, line + (M.READER_ONLINE >> 2)) === 1 &&
        Atomics.load(words, line + (M.READER_QUIESCENT >> 2)) === seen,
    );
  }
  waitForSequences(words, readers);
}

function waitWhile(words: Int32Array, waiting: () => boolean): void {
  const lock = (M.CONTROL_ADDRESS + M.CONTROL_LOCK) >> 2;
  for (let spins = 0; waiting(); spins++)
    // Nobody notifies this word with this expected value in time: it is a pause that lets a reader run.
    if (spins > SPINS) Atomics.wait(words, lock, Atomics.load(words, lock), PAUSE_MS);
}
