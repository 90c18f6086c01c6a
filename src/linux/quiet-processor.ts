/**
 * Which processor is interrupted least. They differ by half, and which one has it better changes within minutes: one has the devices'
 * interrupts, one keeps the time for all, and a virtual one shares a real one with whoever its host puts there.
 */
import { readFileSync } from "node:fs";

/** Processors that are tried at most, each for this long at a time, this often: the least of what one lost is not somebody else's doing. */
const TRIED_MOST = 4;
const TURNS = 2;
const LISTENED_MS = 25;
/** Looks at the clock that lie further apart were interrupted. */
const PAUSE_MS = 0.01;

/** As Linux lists those that this process may use: "0-2,5". */
export function allowedProcessors(): string {
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
}

/** The numbers of such a list. */
export function numbersOf(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
  });
}

/**
 * The one of `processors` on which this thread is interrupted for the least time; of many, some are tried.
 * @param stay Keeps this thread on one of them, before others; false where it cannot.
 * @returns undefined where it may not stay on any of them.
 */
export async function quietProcessor(
  processors: readonly number[],
  stay: (processor: number) => Promise<boolean>,
  lostMs: () => number = interruptedMs,
): Promise<number | undefined> {
  const step = Math.max(1, processors.length / TRIED_MOST);
  const tried = Array.from(
    { length: Math.min(TRIED_MOST, processors.length) },
    (_, nth) => processors[Math.floor(nth * step)] as number,
  );
  const least = new Map<number, number>();
  for (let turn = 0; turn < TURNS; turn++)
    for (const processor of tried)
      if (await stay(processor))
        least.set(processor, Math.min(lostMs(), least.get(processor) ?? Number.POSITIVE_INFINITY));
  return [...least].toSorted(([, one], [, other]) => one - other)[0]?.[0];
}

/** Milliseconds that others had of a short while. */
function interruptedMs(): number {
  let lost = 0;
  let last = performance.now();
  for (const end = last + LISTENED_MS; last < end; ) {
    const now = performance.now();
    if (now - last > PAUSE_MS) lost += now - last;
    last = now;
  }
  return lost;
}
