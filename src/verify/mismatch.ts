/** Where two that must be equal are not. */

export type MismatchKind =
  /** Rules, policies or their counters, as printed. */
  | "ruleset"
  /** What became of a packet, rewrites included. */
  | "result"
  /** The rules that matched it. */
  | "trace"
  /** A batch that one takes and the other refuses, or refuses for another reason. */
  | "refusal"
  /** The live kernel's ruleset. */
  | "kernel";

export interface Mismatch {
  readonly kind: MismatchKind;
  /** "incremental, tuple-space", or the kernel's program. */
  readonly who: string;
  /** Of the batches made, from 1. */
  readonly batch: number;
  /** Where: a table and chain, or a packet in a line. */
  readonly where: string;
  readonly wanted: string;
  readonly got: string;
  /** The packet's record, where it is one's. */
  readonly packet?: Uint8Array;
}

/** The first lines in which two texts differ, "" for none. */
export function firstLines(wanted: string, got: string): { wanted: string; got: string; line: number } | undefined {
  if (wanted === got) return undefined;
  const [a, b] = [wanted.split("\n"), got.split("\n")];
  const line = a.findIndex((text, at) => text !== b[at]);
  const at = line < 0 ? a.length : line;
  return { wanted: a[at] ?? "(nothing)", got: b[at] ?? "(nothing)", line: at + 1 };
}
