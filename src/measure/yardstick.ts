/**
 * A fixed piece of work, timed beside every measurement: how fast this machine was just then. Two runs whose yardsticks
 * differ were made on machines, or in moments, of different speed; `compare` says so and allows for it.
 *
 * It is what updates are made of: hashing over memory that does not fit a core's nearest caches.
 */
import { nowNs } from "./clock.js";

const WORDS = 1 << 18;
const STEPS = 1 << 18;
const REPEATS = 5;

let memory: Uint32Array | undefined;

/** Nanoseconds that the work takes, a few times; altogether some 5 ms. */
export function measureYardstick(): number[] {
  memory ??= filled();
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const begun = nowNs();
    walk(memory, repeat);
    times.push(nowNs() - begun);
  }
  return times;
}

function filled(): Uint32Array {
  const words = new Uint32Array(WORDS);
  for (let nth = 0; nth < WORDS; nth++) words[nth] = Math.imul(nth, 2654435761);
  return words;
}

function walk(words: Uint32Array, seed: number): void {
  let at = seed;
  for (let step = 0; step < STEPS; step++) {
    const next = Math.imul((words[at & (WORDS - 1)] as number) ^ step, 2246822519);
    words[at & (WORDS - 1)] = next;
    at = next >>> 11;
  }
}
