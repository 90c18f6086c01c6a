/** When changes took effect: what all readers saw, put together. */
import type { SeenEffects } from "./effect-watch.js";
import type { UpdaterRecord } from "./updater-task.js";

export interface Effects {
  /** From the intended arrival to the first packet with the new verdict: of those changes whose effect was seen. */
  readonly effectNs: Float64Array;
  /** Those of them that no reader saw before a later change was in force: they count as seen when a reader saw that. */
  readonly superseded: number;
  /** Changes with a probe whose effect no reader saw in time. */
  readonly unseen: number;
}

/**
 * @param probed which changes have a probe
 * @param scheduleNs nanoseconds from the start to each change's arrival
 * @param readers what each of them saw
 */
export function effectsOf(
  probed: readonly boolean[],
  scheduleNs: Float64Array,
  updater: Pick<UpdaterRecord, "startNs" | "serviceNs" | "failedChanges">,
  readers: readonly SeenEffects[],
): Effects {
  const failed = new Set(updater.failedChanges);
  const effects: number[] = [];
  let [superseded, unseen] = [0, 0];
  for (let index = 0; index < updater.serviceNs.length; index++) {
    if (!probed[index] || failed.has(index)) continue;
    const seen = readers.filter(({ momentNs }) => (momentNs[index] as number) > 0);
    if (seen.length === 0) {
      unseen++;
      continue;
    }
    // A reader that came late to a change does not take away from one that saw it.
    const shown = seen.filter((reader) => reader.superseded[index] === 0);
    if (shown.length === 0) superseded++;
    const counted = shown.length > 0 ? shown : seen;
    const first = Math.min(...counted.map(({ momentNs }) => momentNs[index] as number));
    effects.push(first - updater.startNs - (scheduleNs[index] as number));
  }
  return { effectNs: Float64Array.from(effects), superseded, unseen };
}
