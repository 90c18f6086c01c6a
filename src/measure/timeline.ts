/** Matching over time with the updates marked: one reader's milliseconds, put together to as many bins as a plot shows. */
import type { CellRound } from "./cell.js";
import type { PhaseRecord, ReaderRecord } from "./reader-task.js";
import type { MatchTimeline } from "./result.js";

/** A plot has no room for more; neither has a result file. */
const BINS_SHOWN = 240;
const UPDATES_SHOWN = 240;

export function timelineOf({ readers, updater }: CellRound, phase: number): MatchTimeline {
  const [first] = readers as readonly [ReaderRecord];
  const { bins, startNs } = first.phases[phase] as PhaseRecord;
  const binMs = Math.max(1, Math.ceil(bins.length / BINS_SHOWN));
  // The last bin is dropped where it is not whole.
  const packets = Array.from({ length: Math.trunc(bins.length / binMs) }, (_, bin) =>
    bins.subarray(bin * binMs, (bin + 1) * binMs).reduce((sum, count) => sum + count, 0),
  );
  const end = packets.length * binMs;
  const updates = Array.from(updater.begunNs, (begun, nth): [number, number] => {
    const from = (begun - startNs) / 1e6;
    return [milliseconds(from), milliseconds(from + (updater.serviceNs[nth] as number) / 1e6)];
  });
  return { bin_ms: binMs, packets, updates_ms: updates.filter(([begun]) => begun < end).slice(0, UPDATES_SHOWN) };
}

const milliseconds = (value: number): number => Number(value.toFixed(3));
