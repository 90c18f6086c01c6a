/**
 * The validator: a blob that is not well formed is refused with the offset of the fault, before anything walks it.
 *
 * The header comes first, then every chain's head, then, chain by chain, every row, right before it is linked (table.ts). A
 * jump names a chain by its number, and so the heads tell whether there is such a chain. After a row was checked, every
 * loop over it ends, and every offset in it stays inside. Loops between chains are found when levels are computed. After
 * x_tables' translate_table and xt_check_entry_offsets.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_CHAIN_COUNT,
  BLOB_CHECKSUM,
  BLOB_COUNTERS,
  BLOB_FAMILY,
  BLOB_HEADER_SIZE,
  BLOB_HOOK_ENTRY,
  BLOB_LAYOUT_VERSION,
  BLOB_LENGTH,
  BLOB_MAGIC,
  BLOB_MAGIC_VALUE,
  BLOB_MOVES,
  BLOB_RECORDS_END,
  BLOB_ROW_COUNT,
  BLOB_TABLE,
  BLOB_TEXT,
  BLOB_TEXT_LENGTH,
  BLOB_UNDERFLOW,
  BLOB_VALID_HOOKS,
  BLOB_VERSION,
  CHAIN_BYTES,
  CHAIN_CHUNKS,
  CHAIN_HOOK,
  CHAIN_KIND,
  CHAIN_LEVEL,
  CHAIN_LIVE_ROWS,
  CHAIN_MOVED,
  CHAIN_NAME,
  CHAIN_ROW_COUNT,
  CHAIN_ROWS_END,
  CHAIN_SIZE,
  CHAIN_USER,
  FAMILY_IPV4,
  FAMILY_IPV6,
  HOOK_COUNT,
  RECORD_BYTES,
  RECORD_CHAIN,
  RECORD_ROW,
  RECORD_TYPE,
  ROW_BORN,
  ROW_FLAG_POLICY,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_KIND,
  ROW_MOVED,
  ROW_NEXT,
  ROW_PROTOCOL,
  ROW_TARGET,
  TABLE_SECURITY,
} from "../src/blob/layout";
import {
  COUNTER_SIZE,
  FAULT_CHAIN,
  FAULT_CHECKSUM,
  FAULT_COUNTERS,
  FAULT_HEADER,
  FAULT_HOOK,
  FAULT_JUMP,
  FAULT_LENGTH,
  FAULT_MAGIC,
  FAULT_MATCH,
  FAULT_NONE,
  FAULT_ROW,
  FAULT_SET,
  FAULT_TARGET,
  FAULT_TEXT,
  FAULT_UNSUPPORTED_MATCH,
  FAULT_UNSUPPORTED_TARGET,
  FAULT_UNTRACKED,
  FAULT_VERSION,
} from "../src/blob/memory";
import {
  COMMENT_SIZE,
  COMMENT_TEXT,
  JUMP_CHAIN,
  JUMP_SIZE,
  MATCH_COMMENT,
  TARGET_JUMP,
  TARGET_VERDICT,
  VERDICT_VALUE,
} from "../src/blob/payloads";
import { numberCallable } from "./chain-numbers";
import { checksum } from "./checksum";
import { missingHelper } from "./conntrack/helper-name";
import { missingPolicy } from "./conntrack/policies";
import { wantedConnections } from "./conntrack/pool";
import { checkMatch, matchSize, missingName } from "./match-record";
import { isJump } from "./content";
import { knowsSets, rulesWith } from "./sets/known";
import { checkTarget, targetSize } from "./target-check";
import { rowMatches } from "./words";

/** All bits that flags and inversions may have. */
const ROW_FLAGS_KNOWN: u8 = 63;
const ROW_INVERT_KNOWN: u8 = 0x7f & ~4;

/** Offset in the blob of what was found wrong last. */
export let faultOffset: u32 = 0;

/** Notes where the fault is; the code. */
export function refuse(code: u32, offset: usize): u32 {
  faultOffset = <u32>offset;
  return code;
}

/** Checks the header of `length` bytes at `blob`; a FAULT_*. `sealed`: they have been elsewhere, so their checksum is compared as well. */
export function checkHeader(blob: usize, length: u32, sealed: bool): u32 {
  if (length < <u32>BLOB_HEADER_SIZE || length & 7) return refuse(FAULT_LENGTH, BLOB_LENGTH);
  if (load<u32>(blob, BLOB_MAGIC) != BLOB_MAGIC_VALUE) return refuse(FAULT_MAGIC, BLOB_MAGIC);
  if (load<u8>(blob, BLOB_VERSION) != BLOB_LAYOUT_VERSION) return refuse(FAULT_VERSION, BLOB_VERSION);
  if (load<u8>(blob, BLOB_MOVES)) return refuse(FAULT_HEADER, BLOB_MOVES);
  if (load<u32>(blob, BLOB_LENGTH) != length) return refuse(FAULT_LENGTH, BLOB_LENGTH);
  if (sealed && load<u32>(blob, BLOB_CHECKSUM) != checksum(blob, length)) return refuse(FAULT_CHECKSUM, BLOB_CHECKSUM);
  const family = load<u8>(blob, BLOB_FAMILY);
  if (family != FAMILY_IPV4 && family != FAMILY_IPV6) return refuse(FAULT_HEADER, BLOB_FAMILY);
  if (<i32>load<u8>(blob, BLOB_TABLE) > TABLE_SECURITY) return refuse(FAULT_HEADER, BLOB_TABLE);
  if (load<u32>(blob, BLOB_ADDRESS_BYTES) != <u32>(family == FAMILY_IPV4 ? 4 : 16))
    return refuse(FAULT_HEADER, BLOB_ADDRESS_BYTES);
  const records = load<u32>(blob, BLOB_RECORDS_END);
  if (records < <u32>BLOB_HEADER_SIZE || records > length || records & 7) return refuse(FAULT_HEADER, BLOB_RECORDS_END);
  const counters = load<u32>(blob, BLOB_COUNTERS);
  const rows = load<u32>(blob, BLOB_ROW_COUNT);
  if (rows > length / 8) return refuse(FAULT_HEADER, BLOB_ROW_COUNT);
  if (load<u32>(blob, BLOB_CHAIN_COUNT) > length / CHAIN_SIZE) return refuse(FAULT_HEADER, BLOB_CHAIN_COUNT);
  let next = records;
  if (counters) {
    if (counters != records || rows * COUNTER_SIZE > length - records) return refuse(FAULT_COUNTERS, BLOB_COUNTERS);
    next += rows * COUNTER_SIZE;
  }
  if (load<u32>(blob, BLOB_TEXT) != next) return refuse(FAULT_HEADER, BLOB_TEXT);
  if (load<u32>(blob, BLOB_TEXT_LENGTH) != length - next) return refuse(FAULT_HEADER, BLOB_TEXT_LENGTH);
  for (let at: u32 = BLOB_UNDERFLOW + 4 * HOOK_COUNT; at < <u32>BLOB_HEADER_SIZE; at += 4)
    if (load<u32>(blob + at)) return refuse(FAULT_HEADER, at);
  builtin = 0;
  rulesWith(load<u32>(blob, BLOB_ADDRESS_BYTES));
  return FAULT_NONE;
}

/** Bit n: the records have a built-in chain of hook n, which the header names as its entry, and its policy as the underflow. */
let builtin: u32 = 0;

/** Checks the head at offset `at` of the blob, whose records end at `end`; a FAULT_*. */
export function checkHead(blob: usize, at: u32, end: u32): u32 {
  const head = blob + at;
  if (end - at < <u32>CHAIN_SIZE || load<u8>(head, CHAIN_KIND) != RECORD_CHAIN) return refuse(FAULT_CHAIN, at);
  if (load<u32>(head, CHAIN_BYTES) != CHAIN_SIZE) return refuse(FAULT_CHAIN, at);
  const hook = <i32>load<u8>(head, CHAIN_HOOK);
  if (hook != CHAIN_USER && hook >= HOOK_COUNT) return refuse(FAULT_HOOK, at + CHAIN_HOOK);
  if (!textFits(blob, load<u32>(head, CHAIN_NAME))) return refuse(FAULT_TEXT, at + CHAIN_NAME);
  if (load<u32>(head, CHAIN_LEVEL) || v128.any_true(v128.load(head, CHAIN_LIVE_ROWS)))
    return refuse(FAULT_CHAIN, at + firstWord(head, CHAIN_LIVE_ROWS, CHAIN_HOOK));
  if (v128.any_true(v128.or(v128.load(head, CHAIN_CHUNKS), v128.load(head, CHAIN_SIZE - 16))))
    return refuse(FAULT_CHAIN, at + firstWord(head, CHAIN_CHUNKS, CHAIN_SIZE));
  // Two bytes: CHAIN_RUN stands behind it.
  if (load<u16>(head, CHAIN_MOVED)) return refuse(FAULT_CHAIN, at + CHAIN_MOVED);
  const rowsEnd = load<u32>(head, CHAIN_ROWS_END);
  if (rowsEnd > end || rowsEnd < at + <u32>CHAIN_SIZE) return refuse(FAULT_CHAIN, at + CHAIN_ROWS_END);
  if (hook == CHAIN_USER) return FAULT_NONE;
  if (!load<u32>(head, CHAIN_ROW_COUNT)) return refuse(FAULT_CHAIN, at + CHAIN_ROW_COUNT);
  if (builtin & (1 << hook) || load<u32>(blob + BLOB_HOOK_ENTRY + (hook << 2)) != at)
    return refuse(FAULT_HOOK, at + CHAIN_HOOK);
  builtin |= 1 << hook;
  return FAULT_NONE;
}

/** Checks that the policy of the built-in chain of `hook` is where the header says; a FAULT_*. */
export function checkUnderflow(blob: usize, hook: u32, policy: u32): u32 {
  const at = BLOB_UNDERFLOW + (hook << 2);
  return load<u32>(blob + at) == policy ? FAULT_NONE : refuse(FAULT_HOOK, at);
}

/** Checks the row at offset `at` of the blob, whose chain's rows end at `end`, a policy or a rule; a FAULT_*. All heads have their numbers. */
export function checkRow(blob: usize, at: u32, end: u32, addressBytes: u32, policy: bool): u32 {
  const row = blob + at;
  if (end - at < 64 || load<u8>(row, ROW_KIND) != RECORD_ROW) return refuse(FAULT_ROW, at);
  const size = <u32>load<u16>(row, ROW_NEXT);
  const target = <u32>load<u16>(row, ROW_TARGET);
  if (size & 7 || size > end - at || target & 7 || target + 8 > size) return refuse(FAULT_ROW, at);
  if (load<u8>(row, ROW_FLAGS) & ~ROW_FLAGS_KNOWN) return refuse(FAULT_ROW, at + ROW_FLAGS);
  if (load<u8>(row, ROW_INVERT) & ~ROW_INVERT_KNOWN) return refuse(FAULT_ROW, at + ROW_INVERT);
  if (v128.any_true(v128.or(v128.load(row, ROW_BORN), v128.load(row, ROW_PROTOCOL - 16))))
    return refuse(FAULT_ROW, at + firstWord(row, ROW_BORN, ROW_PROTOCOL));
  if (load<u16>(row, ROW_MOVED)) return refuse(FAULT_ROW, at + ROW_MOVED);
  const first = <u32>(rowMatches(row, addressBytes) - row);
  if (first > target) return refuse(FAULT_ROW, at + ROW_TARGET);
  if (((load<u8>(row, ROW_FLAGS) & ROW_FLAG_POLICY) != 0) != policy) return refuse(FAULT_ROW, at + ROW_FLAGS);
  const matches = checkMatches(blob, at, first, target, true);
  if (matches) return matches;
  const action = checkAction(row, at, addressBytes);
  if (action) return action;
  if (!policy)
    return isJump(row + target) && !numberCallable(load<u32>(row + target, JUMP_CHAIN))
      ? refuse(FAULT_JUMP, at + target + JUMP_CHAIN)
      : FAULT_NONE;
  const type = <u32>load<u16>(row + target, RECORD_TYPE);
  return type != TARGET_VERDICT || load<u32>(row + target, VERDICT_VALUE) > 1
    ? refuse(FAULT_TARGET, at + target)
    : FAULT_NONE;
}

/** Checks the matches and the target of a staged row, whose sizes its encoder vouches for; a FAULT_*. */
export function validateStaged(row: usize, addressBytes: u32): u32 {
  const target = <u32>load<u16>(row, ROW_TARGET);
  rulesWith(addressBytes);
  const matches = checkMatches(row, 0, <u32>(rowMatches(row, addressBytes) - row), target, false);
  return matches ? matches : checkAction(row, 0, addressBytes);
}

function checkMatches(blob: usize, at: u32, first: u32, target: u32, text: bool): u32 {
  const row = blob + at;
  let match = first;
  while (match < target) {
    const bytes = <u32>load<u16>(row + match, RECORD_BYTES);
    if (bytes < 8 || bytes & 7 || bytes > target - match) return refuse(FAULT_MATCH, at + match);
    const type = <u32>load<u16>(row + match, RECORD_TYPE);
    // Every second match is a comment, of which nothing else can be wrong.
    if (type == MATCH_COMMENT && bytes == <u32>COMMENT_SIZE) {
      if (text && !textFits(blob, load<u32>(row + match, COMMENT_TEXT))) return refuse(FAULT_TEXT, at + match);
      match += bytes;
      continue;
    }
    if (!matchSize(type, bytes)) return refuse(lacking(FAULT_UNSUPPORTED_MATCH), at + match);
    if (!checkMatch(type, row + match)) return refuse(lacking(FAULT_MATCH), at + match);
    const missing = missingName(type, row + match);
    if (missing) return refuse(missing, at + match);
    match += bytes;
  }
  return FAULT_NONE;
}

/** The target of the row, which stands at offset `rowAt`. */
function checkAction(row: usize, rowAt: u32, addressBytes: u32): u32 {
  const target = <u32>load<u16>(row, ROW_TARGET);
  const record = row + target;
  const at = rowAt + target;
  const bytes = <u32>load<u16>(record, RECORD_BYTES);
  if (bytes != <u32>load<u16>(row, ROW_NEXT) - target) return refuse(FAULT_TARGET, at);
  const type = <u32>load<u16>(record, RECORD_TYPE);
  if (type == TARGET_JUMP && bytes == <u32>JUMP_SIZE) return FAULT_NONE;
  if (!targetSize(type, bytes)) return refuse(lacking(FAULT_UNSUPPORTED_TARGET), at);
  if (!checkTarget(type, record)) return refuse(lacking(FAULT_TARGET), at);
  if (!knowsSets(type, record)) return refuse(FAULT_SET, at);
  let missing = missingHelper(row, type, record, addressBytes);
  if (!missing) missing = missingPolicy(row, type, record, addressBytes);
  return missing ? refuse(missing, at) : FAULT_NONE;
}

/** `fault`, or that connections are not tracked where that is all. */
function lacking(fault: u32): u32 {
  return wantedConnections() ? FAULT_UNTRACKED : fault;
}

/** The hooks of the blob are those that its built-in chains have, and no other is told an entry or an underflow. */
export function checkHooks(blob: usize): u32 {
  const hooks = load<u32>(blob, BLOB_VALID_HOOKS);
  if (!hooks || hooks >> HOOK_COUNT) return refuse(FAULT_HOOK, BLOB_VALID_HOOKS);
  for (let hook: u32 = 0; hook < <u32>HOOK_COUNT; hook++) {
    if (builtin & (1 << hook)) continue;
    if (load<u32>(blob + BLOB_HOOK_ENTRY + (hook << 2))) return refuse(FAULT_HOOK, BLOB_HOOK_ENTRY + (hook << 2));
    if (load<u32>(blob + BLOB_UNDERFLOW + (hook << 2))) return refuse(FAULT_HOOK, BLOB_UNDERFLOW + (hook << 2));
  }
  return builtin == hooks ? FAULT_NONE : refuse(FAULT_HOOK, BLOB_VALID_HOOKS);
}

/** Offset of the first word of a record that is not zero, from offset `from` to `to`. */
function firstWord(record: usize, from: u32, to: u32): u32 {
  let at = from;
  while (at < to && !load<u32>(record + at)) at += 4;
  return at;
}

function textFits(blob: usize, reference: u32): bool {
  const length = load<u32>(blob, BLOB_TEXT_LENGTH);
  if (reference & 7 || reference >= length) return false;
  return <u32>load<u16>(blob + load<u32>(blob, BLOB_TEXT) + reference) + 2 <= length - reference;
}
