/** Time that others had of this machine. */
import { readFileSync } from "node:fs";

/** Columns of /proc/stat's first line are hundredths of a second on every Linux; the eighth is "steal" (man proc_stat). */
const STEAL = 8;
const TICKS_PER_SECOND = 100;

/**
 * Seconds that the host has kept from the virtual machine's processors while they had work, since it started; null where the system does
 * not say, as everywhere but on Linux.
 */
export function stolenSeconds(stat = "/proc/stat"): number | null {
  try {
    const ticks = Number(readFileSync(stat, "utf8").split("\n", 1)[0]?.split(/\s+/)[STEAL]);
    return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
  } catch {
    return null;
  }
}
