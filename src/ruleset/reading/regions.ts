/** Regions of the reading memory (see blob/reading.ts), and what the control block says of them. */
import * as R from "../../blob/reading.js";

/** Regions in the order in which they lie. */
export const TEXT = 0;
export const SLOTS = 1;
export const CHAINS = 2;
export const OFFSETS = 3;
export const OWNERS = 4;
export const TEXTS = 5;
export const ROWS = 6;
export const REGION_COUNT = 7;

/** The region that is full, by the reason for which reading stopped. */
export const FULL: Readonly<Record<number, number>> = {
  [R.STOPPED_SLOTS]: SLOTS,
  [R.STOPPED_CHAINS]: CHAINS,
  [R.STOPPED_COLUMNS]: OFFSETS,
  [R.STOPPED_TEXTS]: TEXTS,
  [R.STOPPED_ROWS]: ROWS,
};

/** The control block's field that says where a region, or the current table's part of it, begins. */
export const ADDRESSES: readonly number[] = [
  0,
  R.READING_SLOTS,
  R.READING_CHAINS,
  R.READING_OFFSETS,
  R.READING_OWNERS,
  R.READING_TEXTS,
  R.READING_ROWS,
];

/** What is counted of a table, from 0. */
export const COUNTS: readonly number[] = [
  R.READING_CHAIN_COUNT,
  R.READING_ROW_COUNT,
  R.READING_TEXTS_END,
  R.READING_ROWS_END,
  R.READING_SLOTS_USED,
];
