/** What the updater is handed for a change. */
import type { Strategy, UpdateRequest } from "../update/updater.js";
import type { Change } from "../workload/workload.js";

/**
 * What a program of this kind hands over: the whole ruleset, the chains that may differ, or the edits. As bytes, which is
 * how it comes through a pipe or from a file.
 */
export function requestOf(change: Change, strategy: Strategy): UpdateRequest {
  const encoder = new TextEncoder();
  const sets = change.sets === undefined ? {} : { sets: change.sets };
  if (strategy === "full") return { ruleset: encoder.encode(change.whole()), ...sets };
  return { batch: encoder.encode(strategy === "partial" ? change.restated() : change.batch), ...sets };
}

/** Bytes of what `requestOf` makes. */
export function bytesOf(request: UpdateRequest): number {
  return ("batch" in request ? request.batch : request.ruleset).length;
}

/** Edits of a change's batch: its lines but for tables and their ends. */
export function editsOf(change: Change): number {
  return change.batch.split("\n").filter((line) => /^[:-]/.test(line)).length;
}

/** The first `count` of what may be endless. */
export function take<T>(items: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = items.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}
