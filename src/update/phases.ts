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

/** Where a clock keeps when the last phase ended. */
const LAST = PHASES.length;

/** Adds up the time between calls. One that is used again and again leaves nothing for the collector, and its memory is in the caches. */
export class PhaseClock {
  /** Microseconds by phase, and milliseconds at LAST: each number that is a property is an object of its own. */
  private readonly spentUs = new Float64Array(PHASES.length + 1);

  begin(): void {
    const { spentUs } = this;
    for (let phase = 0; phase < LAST; phase++) spentUs[phase] = 0;
    spentUs[LAST] = performance.now();
  }

  /** Everything since the last call belongs to the phase at this place of PHASES. */
  end(phase: number): void {
    const { spentUs } = this;
    const now = performance.now();
    spentUs[phase] = (spentUs[phase] as number) + (now - (spentUs[LAST] as number)) * 1000;
    spentUs[LAST] = now;
  }

  get phasesUs(): Record<Phase, number> {
    const spent = this.spentUs as unknown as Spent;
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
