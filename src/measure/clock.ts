/** Time that all threads of this process share. */

/** Nanoseconds since an arbitrary moment, the same for every thread; whole and exact for the first 104 days of uptime. */
export function nowNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}

/** What an open loop needs of time, so that tests can bring their own. */
export interface Clock {
  nowNs(): number;
  /** Blocks this thread until the moment has come; returns at once when it is past. */
  waitUntilNs(moment: number): void;
}

/** Asleep a thread wakes up to this late, so the rest of a wait is spun. */
const SPIN_NS = 2_000_000;

export function realClock(): Clock {
  const never = new Int32Array(new SharedArrayBuffer(4));
  return {
    nowNs,
    waitUntilNs(moment) {
      const sleep = moment - nowNs() - SPIN_NS;
      if (sleep > 0) Atomics.wait(never, 0, 0, sleep / 1e6);
      while (nowNs() < moment);
    },
  };
}
