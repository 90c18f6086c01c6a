/** An engine's room for a piece of a batch, which is carried out before the next one is read: it stays in the caches. */
import { PIECE_TEXT_BYTES, READING_SPARE, READING_TEXT, TEXT_SLOT_SIZE } from "../src/blob/reading";
import { BATCH_SIZE, COMMAND_SIZE, NAME_SIZE } from "../src/blob/staged-batch";

export const PIECE_SLOTS = READING_TEXT + PIECE_TEXT_BYTES + READING_SPARE;
export const PIECE_SLOTS_MOST: u32 = 2048;
export const PIECE_CHAINS = PIECE_SLOTS + TEXT_SLOT_SIZE * PIECE_SLOTS_MOST;
export const PIECE_CHAINS_MOST: u32 = 1024;
export const PIECE_OFFSETS = PIECE_CHAINS + 4 * PIECE_CHAINS_MOST;
export const PIECE_ROWS_MOST: u32 = 1024;
export const PIECE_OWNERS = PIECE_OFFSETS + 4 * PIECE_ROWS_MOST;
export const PIECE_TEXTS = PIECE_OWNERS + 4 * PIECE_ROWS_MOST;
export const PIECE_TEXTS_BYTES: u32 = 65536;
/** As editBatch takes them (staged-batch.ts): the head of a batch, its names, its edits, its rows. */
export const PIECE_BATCH = PIECE_TEXTS + PIECE_TEXTS_BYTES;
export const PIECE_NAMES = PIECE_BATCH + BATCH_SIZE;
export const PIECE_EDITS = PIECE_NAMES + NAME_SIZE * PIECE_CHAINS_MOST;
export const PIECE_EDITS_MOST: u32 = 1024;
export const PIECE_ROWS = PIECE_EDITS + COMMAND_SIZE * PIECE_EDITS_MOST;
export const PIECE_ROWS_BYTES: u32 = 131072;
/** What an engine hands out begins here, with a page. */
export const HEAP_ADDRESS = (PIECE_ROWS + PIECE_ROWS_BYTES + 4095) & ~4095;
