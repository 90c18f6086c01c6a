/** What an update costs, part by part. */

/** Parts of an update, in order. `link` is validating and linking inside the engine; `edit` writing in place. */
export const PHASES = ["lock", "readBack", "parse", "plan", "compile", "copy", "link", "publish", "quiesce"] as const;
export type Phase = (typeof PHASES)[number];

export interface UpdateCosts {
  /** Bytes stored in shared memory. */
  bytesWritten: number;
  /** Records (rows, chunks, chain heads, hash tables) made or changed. */
  recordsTouched: number;
  /** Records looked at. */
  recordsWalked: number;
}

export interface UpdateReport extends UpdateCosts {
  /** The generation that the update published. */
  generation: number;
  /** Microseconds by part. */
  phasesUs: Record<Phase, number>;
}

const NOTHING = Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Record<Phase, number>;

/** Adds up the time between calls. */
export class PhaseClock {
  readonly phasesUs = { ...NOTHING };
  private last = performance.now();

  /** Everything since the last call belongs to `phase`. */
  end(phase: Phase): void {
    const now = performance.now();
    this.phasesUs[phase] += (now - this.last) * 1000;
    this.last = now;
  }
}
