/**
 * A batch's edits of one table, laid out by the writer's TypeScript for one call of editBatch. Same rules as layout.ts.
 *
 * Rows are those of a RowStore: a jump holds the number of a name, a comment an offset in the batch's text. An edit's row
 * is given its run-time fields where it lies, so that no two edits may share one.
 */

export const BATCH_NAMES = 0; // u32 address of its names, NAME_SIZE each
export const BATCH_ROWS = 4; // u32 address of its rows
export const BATCH_TEXT = 8; // u32 address of its text
export const BATCH_COMMANDS = 12; // u32 address of its edits, COMMAND_SIZE each
export const BATCH_COMMAND_COUNT = 16; // u32
export const BATCH_WANTED = 20; // u32 address of the first of its names that will be looked up, but for built-in chains
export const BATCH_NAMES_END = 24; // u32
export const BATCH_SIZE = 32;
/** A chain's name. */
export const NAME_TEXT = 0; // u32 address of u16 length and bytes
export const NAME_HEAD = 4; // u32 its chain once that was looked up, 0 until then or when there is none
export const NAME_FIRST = 8; // u32 address of the first name that reads the same, which has the head
export const NAME_HASH = 12; // u32 of its text where that is known, else 0
// What editBatch finds out about a name before it carries the edits out; 0 until then.
export const NAME_SINCE = 16; // u32 address of the edit that left the chain without rules, or made it; 0 once another has come than the appends of NAME_RULES
export const NAME_BIRTH = 20; // u32 address of the first edit that makes the chain if there is none
export const NAME_RULES = 24; // u32 rules that are appended right behind the birth
export const NAME_ROOM = 28; // u32 bytes of them
export const NAME_NEXT = 32; // u32 address where the next of them goes, 0 where it has no place yet
export const NAME_SIZE = 36;
/** An edit. */
export const COMMAND_EDIT = 0; // u32 EDIT_*
export const COMMAND_CHAIN = 4; // u32 number of a name
export const COMMAND_ROW = 8; // u32 offset of its row
export const COMMAND_POSITION = 12; // u32 from 1; of a renaming: number of the new name; of a flush, by editBatch: 1 where the chain goes as well
export const COMMAND_COUNTERS = 16; // u32 address of u64 packets and u64 bytes; 0: the policy's stay, a rule's are zero
export const COMMAND_SIZE = 24;
/** Values of COMMAND_EDIT, as in Edit of ruleset/batch.ts; the last is a condition. */
export const EDIT_APPEND = 1;
export const EDIT_INSERT = 2;
export const EDIT_REPLACE = 3;
export const EDIT_DELETE = 4;
export const EDIT_DELETE_AT = 5;
export const EDIT_CHECK = 6;
export const EDIT_NEW_CHAIN = 7;
export const EDIT_DECLARE_CHAIN = 8;
export const EDIT_FLUSH = 9;
export const EDIT_DELETE_CHAIN = 10;
export const EDIT_RENAME_CHAIN = 11;
export const EDIT_POLICY = 12;
export const EDIT_ZERO = 13;
export const EDIT_NO_CHAIN = 14; // there is no chain of this name, as it is taken for a target's
