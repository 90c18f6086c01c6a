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

/** Numbers of the phases: named by them, what a clock adds up has places that every update finds alike. */
export const LOCK = 0;
export const READ_BACK = 1;
export const PARSE = 2;
export const PLAN = 3;
export const COMPILE = 4;
export const LINK = 6;
export const PUBLISH = 7;
export const QUIESCE = 8;

/** Adds up the time between calls. */
export class PhaseClock {
  private readonly spentUs = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  private last = performance.now();

  /** Everything since the last call belongs to the phase of this number. */
  end(phase: number): void {
    const now = performance.now();
    this.spentUs[phase] = (this.spentUs[phase] as number) + (now - this.last) * 1000;
    this.last = now;
  }

  get phasesUs(): Record<Phase, number> {
    const [lock, readBack, parse, plan, compile, copy, link, publish, quiesce] = this.spentUs as Spent;
    return { lock, readBack, parse, plan, compile, copy, link, publish, quiesce };
  }
}

type Spent = [number, number, number, number, number, number, number, number, number];
