/** What a walk looked at, counted for traced packets only: tests hold "flat" against it. */
export let counting: bool = false;
/** Tuples whose hash table was asked. */
export let tuplesProbed: u32 = 0;
/** Entries of buckets that were compared. */
export let entriesCompared: u32 = 0;
/** Chunks whose column was compared. */
export let chunksCompared: u32 = 0;
/** Rows that were checked as a whole. */
export let rowsChecked: u32 = 0;

export function effortBegin(): void {
  counting = true;
  tuplesProbed = 0;
  entriesCompared = 0;
  chunksCompared = 0;
  rowsChecked = 0;
}
export function effortEnd(): void {
  counting = false;
}
export function tupleProbed(): void {
  tuplesProbed++;
}
export function entryCompared(): void {
  entriesCompared++;
}
export function chunkCompared(): void {
  chunksCompared++;
}
export function rowChecked(): void {
  rowsChecked++;
}
