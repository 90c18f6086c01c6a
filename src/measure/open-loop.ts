/**
 * Open loop: changes arrive by a clock that does not care how long the one before took.
 *
 * Problem. A loop that starts the next update when the last one is done never sees two at once: one update of a second
 *   counts as one slow sample, though at ten changes a second it held up nine others ("coordinated omission").
 * Idea. Arrivals are scheduled before the run. Latency counts from the *intended* arrival, so waiting behind a slow update
 *   is part of it. What has not been done when the deadline comes is counted with its age so far, a lower bound.
 * Example. Arrivals at 0, 10, 20 ms; updates take 25, 1, 1 ms. Latencies are 25, 16 and 7 ms, not 25, 1, 1.
 * References. Schroeder, Wierman, Harchol-Balter, "Open Versus Closed: A Cautionary Tale" (NSDI 2006); Gil Tene's wrk2.
 */
import { Random } from "../workload/random.js";
import type { Clock } from "./clock.js";

/** How arrivals are spaced: evenly, as of many independent sources (a Poisson process), or BURST at once and then none. */
export const ARRIVALS = { fixed: fixedGaps, exponential: exponentialGaps, burst: burstGaps } as const;
export type Arrivals = keyof typeof ARRIVALS;

/** Arrivals of one burst; the rate is what it is on average. */
const BURST = 20;

export interface ScheduleOptions {
  readonly arrivals: Arrivals;
  /** Arrivals a second, above 0. */
  readonly rate: number;
  readonly count: number;
  readonly seed: number;
}

/** Nanoseconds from the start of the run to each arrival, ascending from 0. */
export function scheduleNs(options: ScheduleOptions): Float64Array {
  const offsets = new Float64Array(options.count);
  const gaps = ARRIVALS[options.arrivals](1e9 / options.rate, options.seed);
  for (let i = 1; i < options.count; i++) offsets[i] = (offsets[i - 1] as number) + gaps.next().value;
  return offsets;
}

export interface ArrivalOptions {
  readonly clock: Pick<Clock, "nowNs">;
  readonly scheduleNs: Float64Array;
  /** Nanoseconds from the start after which no further arrival is begun, once `least` are done. */
  readonly deadlineNs: number;
  /** Arrivals that are carried out even behind the deadline. */
  readonly least: number;
}

export interface OpenLoopOptions extends ArrivalOptions {
  readonly clock: Clock;
  /** Carries out arrival `index`, which was meant to come at `intendedNs` of the clock. */
  readonly work: (index: number, intendedNs: number) => void;
}

/** An arrival to be carried out, not before the moment it was meant to come. */
export interface Arrival {
  readonly index: number;
  readonly intendedNs: number;
}

/** When the work on an arrival was begun and done. */
export interface Served {
  readonly begunNs: number;
  readonly endedNs: number;
}

export interface OpenLoopResult {
  /** From intended arrival to completion, in the order of arrival; those not done come last, with their age so far. */
  readonly latencyNs: Float64Array;
  /** When the work was begun, by the clock, and how long it took from then. Only those that were done. */
  readonly begunNs: Float64Array;
  readonly serviceNs: Float64Array;
  /** How late the loop, with nothing else to do, woke up for the arrival: the machine's part in the latency. */
  readonly wakeNs: Float64Array;
  readonly done: number;
  /** Arrivals that had come but were not done when the run ended: the last of `latencyNs`. */
  readonly unfinished: number;
  /** When the run started, by the clock, and nanoseconds from then to its end. */
  readonly startNs: number;
  readonly lengthNs: number;
}

/** The loop itself: gives the next arrival, takes when it was served. Whoever drives it waits and works. */
export function* arrivals(options: ArrivalOptions): Generator<Arrival, OpenLoopResult, Served> {
  const { clock, scheduleNs: offsets, deadlineNs, least } = options;
  const latencies: number[] = [];
  const begins: number[] = [];
  const services: number[] = [];
  const wakes: number[] = [];
  const start = clock.nowNs();
  let free = start;
  for (let index = 0; index < offsets.length; index++) {
    const intendedNs = start + (offsets[index] as number);
    if (index >= least && Math.max(clock.nowNs(), intendedNs) - start > deadlineNs) break;
    const { begunNs, endedNs } = yield { index, intendedNs };
    latencies.push(endedNs - intendedNs);
    begins.push(begunNs);
    services.push(endedNs - begunNs);
    wakes.push(begunNs - Math.max(intendedNs, free));
    free = clock.nowNs();
  }
  const end = clock.nowNs();
  const done = services.length;
  for (let index = done; index < offsets.length; index++) {
    const age = end - start - (offsets[index] as number);
    if (age < 0) break;
    latencies.push(age);
  }
  return {
    latencyNs: Float64Array.from(latencies),
    begunNs: Float64Array.from(begins),
    serviceNs: Float64Array.from(services),
    wakeNs: Float64Array.from(wakes),
    done,
    unfinished: latencies.length - done,
    startNs: start,
    lengthNs: end - start,
  };
}

/** Drives the loop in this thread. */
export function runOpenLoop(options: OpenLoopOptions): OpenLoopResult {
  const loop = arrivals(options);
  let step = loop.next();
  while (!step.done) step = serve(loop, step.value, options);
  return step.value;
}

/** One arrival; a function of its own so that it is compiled once, and not in every loop anew. */
function serve(
  loop: ReturnType<typeof arrivals>,
  { index, intendedNs }: Arrival,
  { clock, work }: OpenLoopOptions,
): ReturnType<typeof loop.next> {
  clock.waitUntilNs(intendedNs);
  const begunNs = clock.nowNs();
  work(index, intendedNs);
  return loop.next({ begunNs, endedNs: clock.nowNs() });
}

function* fixedGaps(mean: number): Generator<number, never> {
  for (;;) yield mean;
}

function* exponentialGaps(mean: number, seed: number): Generator<number, never> {
  const random = new Random(seed, 0x6f70);
  for (;;) yield -mean * Math.log(1 - random.next() / 2 ** 32);
}

function* burstGaps(mean: number): Generator<number, never> {
  for (let next = 1; ; next++) yield next % BURST === 0 ? BURST * mean : 0;
}
