/**
 * What the bench's threads tell each other while their event loops stand still: words of shared memory.
 *
 *  0       4       8       12
 * +-------+-------+-------+-------+
 * | stop  | phase | ready | made  |
 * +-------+-------+-------+-------+
 *
 * Written by: stop and phase the main thread; ready readers, and writers of which there are several; made the updater, who
 * waits for nobody: what readers saw they keep to themselves until the end.
 */
const STOP = 0;
const PHASE = 1;
const READY = 2;
const MADE = 3;
const SIZE = 16;

/** What readers record for: nothing yet, matching alone, matching beside updates. */
export const PHASE_NONE = 0;
export const PHASE_IDLE = 1;
export const PHASE_UPDATING = 2;
export const PHASE_COUNT = 3;

export class Signals {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;

  /** Over `buffer` of another thread's signals, or new ones. */
  constructor(buffer = new SharedArrayBuffer(SIZE)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
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

  /** Changes that are in force, or have failed. The store waits for nobody: the updater's clock is read next, and its next lock is a fence. */
  set made(changes: number) {
    this.words[MADE] = changes;
  }

  get made(): number {
    return Atomics.load(this.words, MADE);
  }
}
