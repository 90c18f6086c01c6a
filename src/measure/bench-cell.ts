/** One cell of a bench's matrix: what is measured in rounds and becomes a record. */
import type { RealTime } from "../linux/real-time.js";
import type { ContentionRecord } from "./contention.js";
import type { Crew } from "./crew.js";
import type { Absence, ResultRecord } from "./result.js";

export interface CellContext {
  readonly crew: Crew;
  /** From 0. */
  readonly round: number;
  readonly signal: AbortSignal;
  /** Where who is measured may go before everybody. */
  readonly realTime: RealTime | undefined;
}

/** A short run of a cell for nothing: what is compiled while one measures would run on the cores of those who are measured. */
export interface Rehearsal {
  /** What the cell has in common with those whose threads run the same code. */
  readonly kind: string;
  run(context: CellContext): Promise<void>;
}

/** A cell and what its rounds brought. Its ruleset is made when it is first needed. */
export interface BenchCell {
  /** "incremental/tuple-space/kube-proxy/5000". */
  readonly label: string;
  /** Expected seconds of a round, roughly and on no machine in particular. */
  readonly weight: number;
  /** Measures another round; when the signal comes first, the round does not count. */
  measure(context: CellContext): Promise<void>;
  /** Of one that runs in the crew's threads. */
  readonly rehearsal?: Rehearsal;
  /** Undefined before the first round has been measured, and where several writers are. */
  record(): ResultRecord | undefined;
  /** Of several writers, once the first round has been measured. */
  contention?(): ContentionRecord | undefined;
  /** Why it cannot be measured. */
  readonly absence?: Absence | undefined;
}
