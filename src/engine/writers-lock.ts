/**
 * The writers' lock: one word of shared memory, as /run/xtables.lock serialises iptables. 0 free, 1 held, 2 held and
 * waited for (Drepper, "Futexes are tricky", mutex 2). May be waited for on any thread that Node lets block.
 */
import { CONTROL_ADDRESS, CONTROL_LOCK } from "../blob/memory.js";

const WORD = (CONTROL_ADDRESS + CONTROL_LOCK) >> 2;

/** Takes the lock if nobody has it. */
export function tryLockWriters(words: Int32Array): boolean {
  return Atomics.compareExchange(words, WORD, 0, 1) === 0;
}

/** Takes the lock; false when `timeoutMs` passed first. */
export function lockWriters(words: Int32Array, timeoutMs = Number.POSITIVE_INFINITY): boolean {
  if (tryLockWriters(words)) return true;
  const end = performance.now() + timeoutMs;
  while (Atomics.exchange(words, WORD, 2) !== 0) {
    const left = end - performance.now();
    if (left <= 0) return false;
    Atomics.wait(words, WORD, 2, left);
  }
  return true;
}

export function unlockWriters(words: Int32Array): void {
  if (Atomics.exchange(words, WORD, 0) === 2) Atomics.notify(words, WORD, 1);
}
