/**
 * Comparing rules by content: the bytes that say what a rule is, without what the engine wrote into the row. Text is
 * compared as text, jumps as chain heads, and the words that hold run-time addresses are left out.
 */
import {
  BLOB_ADDRESS_BYTES,
  BLOB_LENGTH,
  BLOB_TEXT,
  BLOB_TEXT_LENGTH,
  CHAIN_TABLE,
  CHAIN_TWIN,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_CHAIN,
  ROW_FLAG_GOTO,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_NEXT,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../src/blob/layout";
import {
  COMMENT_TEXT,
  CONNLIMIT_OBJECT,
  CT_POLICY,
  HASHLIMIT_OBJECT,
  IDLETIMER_OBJECT,
  JUMP_CHAIN,
  LIMIT_STATE,
  MATCH_COMMENT,
  MATCH_CONNLIMIT,
  MATCH_HASHLIMIT,
  MATCH_LIMIT,
  MATCH_NFACCT,
  MATCH_QUOTA,
  MATCH_RATEEST,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_STATISTIC,
  NFACCT_OBJECT,
  QUOTA_STATE,
  RATEEST_FIRST_OBJECT,
  RECENT_OBJECT,
  SET_OBJECT,
  SETRATEEST_OBJECT,
  SETTARGET_ADD,
  SETTARGET_PART_OBJECT,
  SETTARGET_PART_SIZE,
  SETTARGET_TIMEOUT,
  STATISTIC_STATE,
  TARGET_CT,
  TARGET_IDLETIMER,
  TARGET_JUMP,
  TARGET_RATEEST,
  TARGET_VERDICT,
  TARGET_SET,
} from "../src/blob/payloads";
import { rowMatches } from "./words";

/** Offset in a match record of the word that linking writes; 0 where there is none. */
export function runtimeWord(type: u32): u32 {
  if (type == MATCH_STATISTIC) return STATISTIC_STATE;
  if (type == MATCH_LIMIT) return LIMIT_STATE;
  if (type == MATCH_RECENT) return RECENT_OBJECT;
  if (type == MATCH_SET) return SET_OBJECT;
  if (type == MATCH_HASHLIMIT) return HASHLIMIT_OBJECT;
  if (type == MATCH_QUOTA) return QUOTA_STATE;
  if (type == MATCH_CONNLIMIT) return CONNLIMIT_OBJECT;
  if (type == MATCH_NFACCT) return NFACCT_OBJECT;
  if (type == MATCH_RATEEST) return RATEEST_FIRST_OBJECT;
  return 0;
}

/** Whether a target of this type may refer to something by name, and holds its address or number. */
export function refersByName(type: u32): bool {
  return type == TARGET_SET || type == TARGET_RATEEST || type == TARGET_IDLETIMER || type == TARGET_CT;
}

/** How many bytes it writes there. */
export function runtimeBytes(type: u32): usize {
  return type == MATCH_RATEEST ? 8 : 4;
}

/** The blob that a linked or staged row belongs to. */
export function rowTable(row: usize): usize {
  return load<u32>(load<u32>(row, ROW_CHAIN), CHAIN_TABLE);
}

/** Whether `address` lies in the blob that the table came as, and not in what edits have added. */
export function inBlob(table: usize, address: usize): bool {
  return address >= table && address < table + load<u32>(table, BLOB_LENGTH);
}

/** Address of a text reference: u16 length, then the bytes. */
export function textAddress(table: usize, reference: u32): usize {
  return table + load<u32>(table, BLOB_TEXT) + reference;
}

/**
 * Whether two rows are the same rule. Both know their chains. `twins`: the second is of a table
 * that will replace the first's, so its jumps are compared by CHAIN_TWIN.
 */
export function sameRule(a: usize, b: usize, twins: bool): bool {
  if (!sameConditions(a, b)) return false;
  const target = <usize>load<u16>(a, ROW_TARGET);
  return sameTarget(a + target, b + target, load<u16>(a, ROW_NEXT) - target, twins);
}

/** Whether the last rule of which sameConditions has seen the whole has a match with state of its own. */
export let remembers = false;

/** Whether two rows are alike in all but their targets, which are of the same size. */
export function sameConditions(a: usize, b: usize): bool {
  remembers = false;
  if (load<u32>(a, ROW_NEXT) != load<u32>(b, ROW_NEXT)) return false;
  if ((load<u32>(a, ROW_PROTOCOL) ^ load<u32>(b, ROW_PROTOCOL)) & 0xffffff) return false;
  const addressBytes = load<u32>(rowTable(a), BLOB_ADDRESS_BYTES);
  const matches = rowMatches(a, addressBytes) - a;
  if (!sameBytes(a + ROW_SOURCE, b + ROW_SOURCE, matches - ROW_SOURCE)) return false;
  const target = <usize>load<u16>(a, ROW_TARGET);
  if (allShared && sameBytes(a + matches, b + matches, target - matches)) return true;
  let at = matches;
  while (at < target) {
    const bytes = <usize>load<u16>(a + at, RECORD_BYTES);
    if (!sameMatch(a, b, at, bytes)) return false;
    at += bytes;
  }
  return true;
}

/** Bytes of text with which both of two tables begin, and whether that is all of their text. */
let sharedText: u32 = 0;
let allShared = false;

/**
 * Until the next call, texts are compared of table `a`, or none (0), and of `b`, which replaces it. Where they begin alike, as
 * they mostly do, equal references are equal texts, and nobody has to look.
 */
export function compareTexts(a: usize, b: usize): void {
  sharedText = 0;
  allShared = false;
  if (!a) return;
  const most = min(load<u32>(a, BLOB_TEXT_LENGTH), load<u32>(b, BLOB_TEXT_LENGTH));
  const first = textAddress(a, 0);
  const second = textAddress(b, 0);
  let equal: u32 = 0;
  while (equal + 16 <= most && !v128.any_true(v128.xor(v128.load(first + equal), v128.load(second + equal))))
    equal += 16;
  while (equal + 8 <= most && load<u64>(first + equal) == load<u64>(second + equal)) equal += 8;
  allShared = equal == load<u32>(a, BLOB_TEXT_LENGTH) && equal == load<u32>(b, BLOB_TEXT_LENGTH);
  if (allShared) {
    sharedText = equal;
    return;
  }
  // Up to the text that differs, or is cut.
  while (sharedText < equal) {
    const next = sharedText + ((<u32>load<u16>(first + sharedText) + 9) & ~7);
    if (next > equal) break;
    sharedText = next;
  }
}

/** Whether the texts of these references of both tables (see compareTexts) are the same. */
export function sameTexts(a: usize, first: u32, b: usize, second: u32): bool {
  if (first == second && first < sharedText) return true;
  return sameText(textAddress(a, first), textAddress(b, second));
}

function sameMatch(a: usize, b: usize, at: usize, bytes: usize): bool {
  const first = a + at;
  const second = b + at;
  if (load<u32>(first) != load<u32>(second)) return false;
  const type = <u32>load<u16>(first, RECORD_TYPE);
  if (type == MATCH_COMMENT)
    return sameTexts(rowTable(a), load<u32>(first, COMMENT_TEXT), rowTable(b), load<u32>(second, COMMENT_TEXT));
  const hole = <usize>runtimeWord(type);
  if (!hole) return sameBytes(first, second, bytes);
  remembers = true;
  const next = hole + runtimeBytes(type);
  return sameBytes(first, second, hole) && sameBytes(first + next, second + next, bytes - next);
}

/** The same of two targets of `bytes` bytes. */
export function sameTarget(a: usize, b: usize, bytes: usize, twins: bool): bool {
  if (load<u32>(a) != load<u32>(b)) return false;
  if (twins && isJump(a)) return jumpTwin(b) == load<u32>(a, 4);
  const type = <u32>load<u16>(a, RECORD_TYPE);
  if (type == TARGET_SET) return sameSetTarget(a, b, bytes);
  if (type == TARGET_RATEEST) return sameBytes(a, b, SETRATEEST_OBJECT);
  if (type == TARGET_IDLETIMER) return sameBytes(a, b, IDLETIMER_OBJECT);
  if (type == TARGET_CT) return sameBytes(a, b, CT_POLICY);
  return sameBytes(a, b, bytes);
}

/** All but the addresses of the sets, which their names stand for. */
function sameSetTarget(a: usize, b: usize, bytes: usize): bool {
  let at: usize = SETTARGET_ADD;
  if (!sameBytes(a, b, at)) return false;
  for (; at < <usize>SETTARGET_TIMEOUT; at += SETTARGET_PART_SIZE)
    if (!sameBytes(a + at, b + at, SETTARGET_PART_OBJECT)) return false;
  return sameBytes(a + at, b + at, bytes - at);
}

/** Whether no packet gets past the row: a verdict, or RETURN, without any condition. */
export function endsChain(row: usize): bool {
  const target = <usize>load<u16>(row, ROW_TARGET);
  if (load<u16>(row + target, RECORD_TYPE) != TARGET_VERDICT) return false;
  if (load<u8>(row, ROW_FLAGS) & ~(<u8>ROW_FLAG_GOTO) || load<u8>(row, ROW_INVERT) || load<u8>(row, ROW_PROTOCOL))
    return false;
  if (target != ROW_SOURCE + 4 * load<u32>(rowTable(row), BLOB_ADDRESS_BYTES)) return false;
  for (let at: usize = ROW_SOURCE; at < target; at += 4) if (load<u32>(row + at)) return false;
  return true;
}

export function isJump(target: usize): bool {
  return load<u16>(target, RECORD_TYPE) == TARGET_JUMP;
}

function jumpTwin(target: usize): u32 {
  return load<u32>(load<u32>(target, JUMP_CHAIN), CHAIN_TWIN);
}

export function sameText(a: usize, b: usize): bool {
  const length = <usize>load<u16>(a);
  if (length != load<u16>(b)) return false;
  if (length < 8) return memory.compare(a + 2, b + 2, length) == 0;
  // Names begin alike, so the last eight bytes come first.
  const last = length - 6;
  if (load<u64>(a + last) != load<u64>(b + last)) return false;
  for (let i: usize = 2; i < last; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  return true;
}

/** Records are multiples of 4. */
function sameBytes(a: usize, b: usize, bytes: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  for (; i < bytes; i += 4) if (load<u32>(a + i) != load<u32>(b + i)) return false;
  return true;
}

/** A hash of bytes, eight at a time: names differ anywhere. Reads up to 7 bytes behind them. */
export function hashBytes(start: usize, length: usize): u32 {
  let h: u64 = length * 0x9e3779b97f4a7c15;
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) {
    h = (h ^ load<u64>(start + i)) * 0x9fb21c651e98df25;
    h ^= h >>> 32;
  }
  const rest = (length - i) << 3;
  if (rest) h = (h ^ (load<u64>(start + i) & (((<u64>1) << rest) - 1))) * 0x9fb21c651e98df25;
  h ^= h >>> 29;
  return <u32>(h ^ (h >>> 32));
}
