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
  /** Arrivals that can be carried out, the first ones. Default all. */
  readonly most?: number;
}

export interface OpenLoopOptions extends ArrivalOptions {
  readonly clock: Clock;
  readonly work: OpenLoopWork;
}

/** An object and no function: what is optimised of a function that is made for one run ends with it. */
export interface OpenLoopWork {
  /** Carries out arrival `index`, which was meant to come at `intendedNs` of the clock. */
  carryOut(index: number, intendedNs: number): void;
  /** What can wait until an arrival has been carried out; it is no part of the latency but of what delays the next. */
  tidy?(): void;
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

/**
 * The loop itself, arrival by arrival; whoever drives it waits and works. What it notes has its place from the start, and numbers
 * that differ from run to run are no properties of their own: nothing is left for the collector, and code that was optimised in one
 * run fits the next.
 */
export class OpenLoop {
  private readonly clock: ArrivalOptions["clock"];
  private readonly scheduleNs: Float64Array;
  /** The deadline, the start, and when the loop became free. */
  private readonly moments: Float64Array;
  private readonly least: number;
  private readonly most: number;
  private readonly latencyNs: Float64Array;
  private readonly begunNs: Float64Array;
  private readonly serviceNs: Float64Array;
  private readonly wakeNs: Float64Array;
  private done = 0;

  constructor({ clock, scheduleNs: offsets, deadlineNs, least, most = offsets.length }: ArrivalOptions) {
    this.clock = clock;
    this.scheduleNs = offsets;
    this.least = least;
    this.most = most;
    this.latencyNs = new Float64Array(offsets.length);
    this.begunNs = new Float64Array(offsets.length);
    this.serviceNs = new Float64Array(offsets.length);
    this.wakeNs = new Float64Array(offsets.length);
    const start = clock.nowNs();
    this.moments = Float64Array.of(deadlineNs, start, start);
  }

  /** The arrival to carry out next, -1 when no further is to be begun. */
  next(): number {
    const { done } = this;
    if (done === this.most) return -1;
    if (done < this.least) return done;
    const [deadlineNs, startNs] = [this.moments[0] as number, this.moments[1] as number];
    return Math.max(this.clock.nowNs(), this.intendedNs(done)) - startNs > deadlineNs ? -1 : done;
  }

  /** When it is meant to come, by the clock: it is not to be begun before. */
  intendedNs(index: number): number {
    return (this.moments[1] as number) + (this.scheduleNs[index] as number);
  }

  /** It was begun and done at these moments. */
  served(begunNs: number, endedNs: number): void {
    const index = this.done++;
    const intendedNs = this.intendedNs(index);
    this.latencyNs[index] = endedNs - intendedNs;
    this.begunNs[index] = begunNs;
    this.serviceNs[index] = endedNs - begunNs;
    this.wakeNs[index] = begunNs - Math.max(intendedNs, this.moments[2] as number);
    this.moments[2] = this.clock.nowNs();
  }

  /** Ends the run. */
  end(): OpenLoopResult {
    const { done, latencyNs } = this;
    const startNs = this.moments[1] as number;
    const endNs = this.clock.nowNs();
    let come = done;
    for (; come < latencyNs.length && this.intendedNs(come) <= endNs; come++)
      latencyNs[come] = endNs - this.intendedNs(come);
    return {
      latencyNs: latencyNs.slice(0, come),
      begunNs: this.begunNs.slice(0, done),
      serviceNs: this.serviceNs.slice(0, done),
      wakeNs: this.wakeNs.slice(0, done),
      done,
      unfinished: come - done,
      startNs,
      lengthNs: endNs - startNs,
    };
  }
}

/** Drives the loop in this thread. */
export function runOpenLoop(options: OpenLoopOptions): OpenLoopResult {
  const { clock, work } = options;
  const loop = new OpenLoop(options);
  for (let index = loop.next(); index >= 0; index = loop.next()) serve(loop, index, clock, work);
  return loop.end();
}

/** One arrival; a function of its own so that it is compiled once, and not in every loop anew. */
function serve(loop: OpenLoop, index: number, clock: Clock, work: OpenLoopWork): void {
  const intendedNs = loop.intendedNs(index);
  // To ask the clock once more would be part of the latency.
  const begunNs = clock.waitUntilNs(intendedNs);
  work.carryOut(index, intendedNs);
  const endedNs = clock.nowNs();
  work.tidy?.();
  loop.served(begunNs, endedNs);
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
