/** Young objects of the thread that asks, collected when nobody is measured. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: ((options: { type: "minor" }) => void) | undefined;

/** Bytes that a round leaves behind at most, more or less: some two kilobytes a change. */
const ROUND_BYTES = 8 << 20;
/** Elements of an array that is left behind, and its bytes. */
const PIECE = 1000;
const PIECE_BYTES = 8 * PIECE;

/**
 * Collects what has been left behind so far, else some change to come waits 0.4 to 0.9 ms for that. Twice, since each collection
 * goes on in the other half of the space; and each half is filled first as far as a round will fill it: pages that it does not have yet
 * it gets one fault after another, each of which would be part of a change.
 */
export function collectYoung(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as NonNullable<typeof collect>;
  }
  for (let half = 0; half < 2; half++) {
    for (let bytes = 0; bytes < ROUND_BYTES; bytes += PIECE_BYTES) left[0] = new Array<number>(PIECE).fill(0);
    left.length = 0;
    collect({ type: "minor" });
  }
}

/** What was made last: the compiler must not leave it out. */
const left: number[][] = [];
