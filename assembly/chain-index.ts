/**
 * Whose a chain's index is. `tuple-space` has packets walk by it. `linear` does not, but the writer looks there for a rule that
 * is named by what it says: else a service is found the slower the more there are.
 */
import { CHAIN_INDEX } from "../src/blob/layout";
import { CHUNK_ROWS, CLASSIFIER_TUPLE_SPACE, CONTROL_ADDRESS, CONTROL_CLASSIFIER } from "../src/blob/memory";
import { INDEX_THRESHOLD } from "../src/blob/tuple-space";
import { WALKED_CHUNKS } from "./directory";

/** Whether packets walk by indexes, as of the section that this reader is in. */
let walked: bool = false;

export function walkedBegin(): void {
  walked = classifier() == CLASSIFIER_TUPLE_SPACE;
}

/** The index that packets walk the chain by, 0 where they go from rule to rule. */
export function walkedIndex(head: usize): usize {
  return walked ? <usize>load<u32>(head, CHAIN_INDEX) : 0;
}

/** Whether a chain of so many rules has an index. */
export function isIndexed(rules: u32): bool {
  return classifier() == CLASSIFIER_TUPLE_SPACE
    ? rules >= <u32>INDEX_THRESHOLD
    : rules > <u32>CHUNK_ROWS * WALKED_CHUNKS;
}

function classifier(): u32 {
  return load<u32>(CONTROL_ADDRESS, CONTROL_CLASSIFIER);
}
