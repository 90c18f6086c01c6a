/** What a namespace's owner and the process inside it say to each other, over Node's channel between processes. */

/** One program, run as a person would run it: a process of its own. */
export interface Command {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** What it reads from standard input, as from a file. */
  readonly input?: string | Uint8Array;
  /** Whether what it prints is wanted. Default false. */
  readonly output?: boolean;
  /** Whether its waits for the lock are looked at, a thousand times a second. Default false. */
  readonly watched?: boolean;
  /** Milliseconds after which it is not slow but stuck, and is ended. Default half an hour. */
  readonly limitMs?: number;
}

/** Commands to get ready: what they read is written down, so that running them takes no time but theirs. */
export interface Stage {
  /** Run one after another; behind one that fails none is begun. */
  readonly commands: readonly Command[];
}

/** Run what was staged. */
export interface Go {
  /** Moment of the monotonic clock (process.hrtime, nanoseconds) before which nothing is begun; 0 at once. */
  readonly notBeforeNs: number;
}

export interface CommandResult {
  /** Exit status, 127 where it could not be started or was ended by a signal. */
  readonly status: number;
  /** Whether it was ended because it did not end by itself. */
  readonly stuck: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Nanoseconds that it waited for the lock, to about a millisecond; 0 of a program that is not watched. */
  readonly waitedNs: number;
}

export interface Outcome {
  /** Moments of the monotonic clock, which all processes share: before the first process was made, after the last ended. */
  readonly begunNs: number;
  readonly endedNs: number;
  /** One a command that was begun. */
  readonly results: readonly CommandResult[];
}

/** The answer to a stage. */
export const STAGED = "staged";

/** What the process inside says first: that it is in a namespace of its own, or why it will not work. */
export type Greeting = { readonly ready: true } | { readonly refused: string };

export const monotonicNs = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
};
