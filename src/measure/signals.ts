/**
 * What the bench's threads tell each other while their event loops stand still: words of shared memory.
 *
 *  0       4       8       12      16      20      24              32
 * +-------+-------+-------+-------+-------+-------+---------------+
 * | stop  | phase | ready | armed |claimed| seen  | (unused)      | effectNs (f64)
 * +-------+-------+-------+-------+-------+-------+---------------+
 *
 * Written by: stop and phase the main thread; ready, claimed, seen and effectNs readers; armed the updater; ready also
 * writers of which there are several.
 */
import { nowNs, pause, SPIN_NS } from "./clock.js";

const STOP = 0;
const PHASE = 1;
const READY = 2;
const ARMED = 3;
const CLAIMED = 4;
const SEEN = 5;
const EFFECT_BYTES = 32;
const SIZE = 40;

/** What readers record for: nothing yet, matching alone, matching beside updates. */
export const PHASE_NONE = 0;
export const PHASE_IDLE = 1;
export const PHASE_UPDATING = 2;
export const PHASE_COUNT = 3;

/** How long a reader may take to see a change that is in force before the change counts as unseen. */
const PATIENCE_MS = 1000;

export class Signals {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  private readonly effect: Float64Array;

  /** Over `buffer` of another thread's signals, or new ones. */
  constructor(buffer = new SharedArrayBuffer(SIZE)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.effect = new Float64Array(buffer, EFFECT_BYTES, 1);
  }

  stop(): void {
    Atomics.store(this.words, STOP, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.words, STOP) === 1;
  }

  set phase(phase: number) {
    Atomics.store(this.words, PHASE, phase);
    Atomics.notify(this.words, PHASE);
  }

  get phase(): number {
    return Atomics.load(this.words, PHASE);
  }

  /** Blocks this thread while the phase is `phase`. */
  awaitEndOf(phase: number): void {
    while (this.phase === phase) Atomics.wait(this.words, PHASE, phase);
  }

  /** A reader has set up and begins to match, or one of several writers is warm. */
  reportReady(): void {
    Atomics.add(this.words, READY, 1);
  }

  /** How many have reported. */
  get ready(): number {
    return Atomics.load(this.words, READY);
  }

  /** From now on readers look for the effect of change `index`. */
  arm(index: number): void {
    Atomics.store(this.words, ARMED, index + 1);
  }

  disarm(): void {
    Atomics.store(this.words, ARMED, 0);
  }

  /** The change whose effect is still to be seen, -1 none. */
  get wanted(): number {
    const armed = Atomics.load(this.words, ARMED);
    return armed > Atomics.load(this.words, CLAIMED) ? armed - 1 : -1;
  }

  /** A reader has seen the effect of change `index` at `moment`; the first to say so counts. */
  reportEffect(index: number, moment: number): void {
    const claimed = Atomics.load(this.words, CLAIMED);
    if (claimed > index || Atomics.compareExchange(this.words, CLAIMED, claimed, index + 1) !== claimed) return;
    this.effect[0] = moment;
    Atomics.store(this.words, SEEN, index + 1);
    Atomics.notify(this.words, SEEN);
  }

  /** When the effect of change `index`, which is in force, was first seen; undefined when no reader did in time. */
  awaitEffect(index: number): number | undefined {
    // Who sleeps is woken on the core of whoever wakes it, and the two of them share that core for milliseconds.
    const patient = nowNs() + SPIN_NS;
    while (Atomics.load(this.words, SEEN) !== index + 1 && nowNs() < patient) pause(this.words, SEEN);
    for (let seen = Atomics.load(this.words, SEEN); seen !== index + 1; seen = Atomics.load(this.words, SEEN))
      if (Atomics.wait(this.words, SEEN, seen, PATIENCE_MS) === "timed-out") return undefined;
    return this.effect[0];
  }
}
