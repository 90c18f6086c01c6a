/**
 * How long a program waits for the lock of iptables. It does so in one system call and tells nobody, but the kernel lists who
 * waits (proc_locks(5)): "2: -> FLOCK  ADVISORY  WRITE 2319 fe:00:2417282 0 EOF". Looked at each millisecond, which costs the
 * processor a few hundredths of its time.
 */
import { readFileSync } from "node:fs";
import { monotonicNs } from "./resident-protocol.js";

const EVERY_MS = 1;

/** Watches from now on; what is returned ends it and tells the nanoseconds. */
export function watchLock(pid: number): () => number {
  const waiting = new RegExp(`-> FLOCK +ADVISORY +WRITE ${pid} `);
  let waited = 0;
  let before = monotonicNs();
  const timer = setInterval(() => {
    const now = monotonicNs();
    if (waiting.test(readFileSync("/proc/locks", "latin1"))) waited += now - before;
    before = now;
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    return waited;
  };
}
