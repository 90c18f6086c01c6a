/** Time that all threads of this process share. */

/** When this thread's `performance.now()` was 0, by the clock that all threads share, which hands out an array a call. */
const originNs = findOrigin();

/** Nanoseconds since an arbitrary moment, the same for every thread to a microsecond. */
export function nowNs(): number {
  return originNs + performance.now() * 1e6;
}

/** Of several looks at both clocks the one that took the least time. */
function findOrigin(): number {
  let [origin, least] = [0, Number.POSITIVE_INFINITY];
  for (let look = 0; look < 20; look++) {
    const before = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const after = performance.now();
    if (after - before >= least) continue;
    least = after - before;
    origin = seconds * 1e9 + nanoseconds - ((before + after) / 2) * 1e6;
  }
  return origin;
}

/** What an open loop needs of time, so that tests can bring their own. */
export interface Clock {
  nowNs(): number;
  /** Blocks this thread until the moment has come, not at all when it is past; the time it is then. */
  waitUntilNs(moment: number): number;
}

/** Asleep a thread wakes up to this late, so the rest of a wait is spun. */
const SPIN_NS = 2_000_000;

/** How often a word of memory is looked at in a microsecond, at most. */
const LOOKS_PER_US = 100;
/** The share of what is left that one pause takes; before it is optimised it takes some five times as long. */
const PAUSE_SHARE = 1 / 8;
/** What a pause takes at least, in microseconds: by half of it a wait ends late, which the latency of what begins then counts. */
const LEAST_PAUSE_US = 0.05;

/**
 * Keeps a thread that spins from asking the time at once again: each answer is a number on the heap, and a collection has the
 * collector's threads run on the cores of those who are measured.
 */
function pause(word: Int32Array, leftNs: number): void {
  const looks = Math.max(LEAST_PAUSE_US, (leftNs / 1000) * PAUSE_SHARE) * LOOKS_PER_US;
  for (let look = 0; look < looks && Atomics.load(word, 0) === 0; look++);
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** The one that passes by itself. There is one in a thread: what was optimised for it stays. */
export const REAL_CLOCK: Clock = Object.freeze({
  nowNs,
  waitUntilNs(moment: number): number {
    let now = nowNs();
    const sleep = moment - now - SPIN_NS;
    if (sleep > 0) {
      Atomics.wait(never, 0, 0, sleep / 1e6);
      now = nowNs();
    }
    for (; now < moment; now = nowNs()) pause(never, moment - now);
    return now;
  },
});
