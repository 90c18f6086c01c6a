/**
 * Who is measured goes before whoever else has work on the machine: else what a change of 20 us costs is, once in a hundred, the 3 to 5
 * ms that a scheduler lets others run. The engine's writer and Linux's own programs are measured with the same priority, readers with
 * one between theirs and everybody's: where there are fewer cores than threads, a change does not wait for them.
 */
import { constants, getPriority, setPriority } from "node:os";

const { PRIORITY_HIGH, PRIORITY_HIGHEST } = constants.priority;

/** Puts the calling thread (on Linux; elsewhere its process) in front of others. Without the right to do so nothing changes. */
export function goFirst(): void {
  prioritise(PRIORITY_HIGHEST);
}

/** In front of all but those. */
export function goSecond(): void {
  prioritise(PRIORITY_HIGH);
}

/** Whether this process has that right. */
export function mayGoFirst(): boolean {
  const usual = getPriority();
  return prioritise(PRIORITY_HIGHEST) && prioritise(usual);
}

function prioritise(priority: number): boolean {
  try {
    setPriority(priority);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_SYSTEM_ERROR") return false;
    throw error;
  }
}
