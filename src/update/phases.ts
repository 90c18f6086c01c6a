/** What an update costs, part by part. */
// By its module: the global one is looked up anew by every use.
import { performance } from "node:perf_hooks";

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
  /** Microseconds by part, 0 for what did not happen: to get a lock that nobody had is part of what comes next. */
  phasesUs: Record<Phase, number>;
}

/** Places in PHASES: what a clock adds up lies where every update finds it alike. */
export const LOCK = PHASES.indexOf("lock");
export const READ_BACK = PHASES.indexOf("readBack");
export const PARSE = PHASES.indexOf("parse");
export const PLAN = PHASES.indexOf("plan");
export const COMPILE = PHASES.indexOf("compile");
export const LINK = PHASES.indexOf("link");
export const PUBLISH = PHASES.indexOf("publish");
export const QUIESCE = PHASES.indexOf("quiesce");

/** Adds up the time between calls. */
export class PhaseClock {
  private readonly spentUs = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  private last = performance.now();

  /** Everything since the last call belongs to the phase at this place of PHASES. */
  end(phase: number): void {
    const now = performance.now();
    this.spentUs[phase] = (this.spentUs[phase] as number) + (now - this.last) * 1000;
    this.last = now;
  }

  get phasesUs(): Record<Phase, number> {
    // By their places: taking a list apart asks its iterator.
    const spent = this.spentUs as Spent;
    return {
      lock: spent[0],
      readBack: spent[1],
      parse: spent[2],
      plan: spent[3],
      compile: spent[4],
      copy: spent[5],
      link: spent[6],
      publish: spent[7],
      quiesce: spent[8],
    };
  }
}

type Spent = [number, number, number, number, number, number, number, number, number];
