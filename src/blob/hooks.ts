/**
 * The hook registry: what hangs on which hook. Same rules as layout.ts. It is immutable once a root names it: the user side
 * writes another to change it, and this one is freed after a grace period.
 *
 *  0        8                                   88
 * +--------+-----------------------------------+-----------------+------------------+
 * | count  | order: u64 a family and hook       | table: u32 x 8  | entries          |
 * +--------+-----------------------------------+-----------------+------------------+
 *
 * An order is what the walk reads: codes of four bits in the order of priority, from the lowest bits on, HOOK_END behind
 * the last. Codes 0 to 4 are the tables of that number.
 */
export const HOOKS_COUNT = 0; // u32 entries
export const HOOKS_BYTES = 4; // u32
export const HOOKS_ORDER = 8; // u64 x HOOKS_FAMILIES x HOOKS_EACH
export const HOOKS_FAMILIES = 2; // by ROOT_IPV4 ...
export const HOOKS_EACH = 5;
export const HOOKS_TABLES = HOOKS_ORDER + 8 * HOOKS_FAMILIES * HOOKS_EACH; // u32 x REGISTERED_COUNT: blobs of users' tables
/** Value: tables that users may hang up. */
export const REGISTERED_COUNT = 8;
export const HOOKS_ENTRIES = HOOKS_TABLES + 4 * REGISTERED_COUNT;
/** Values of a code: tracking of what begins or goes on, the end of its beginning, users' tables, the end of the list. */
export const HOOK_TRACK = 5;
export const HOOK_CONFIRM = 6;
export const HOOK_REGISTERED = 7;
export const HOOK_END = 15;
/** An entry: one code on one hook. */
export const HOOK_ENTRY_PRIORITY = 0; // i32
export const HOOK_ENTRY_FAMILY = 4; // u8 ROOT_IPV4 or ROOT_IPV6
export const HOOK_ENTRY_HOOK = 5; // u8
export const HOOK_ENTRY_CODE = 6; // u8
export const HOOK_ENTRY_NAME = 8; // 32 of a user's table
export const HOOK_ENTRY_SIZE = 40;
