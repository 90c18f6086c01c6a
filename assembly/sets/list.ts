/**
 * list:set: members in order, the first that answers counts. Only the writer changes a list: it replaces the array of
 * members, and the old one goes when no reader can be in it any more. What packets add and delete goes to a member.
 */
import { RETIRED_MEMORY } from "../../src/blob/memory";
import {
  BODY_NODE_SIZE,
  BODY_TABLE,
  ELEMENT_AFTER,
  ELEMENT_BEFORE,
  ELEMENT_BESIDE,
  ELEMENT_EXIST,
  ELEMENT_FLAGS,
  ELEMENT_KEY,
  ELEMENT_RESTORE,
  IPSET_NAME,
  IPSET_NAME_BYTES,
  IPSET_REFERENCES,
  MEMBER_SET,
  MEMBERS_COUNT,
  MEMBERS_FIRST,
  SETS_BESIDE_MISSING,
  SETS_CHANGED,
  SETS_DONE,
  SETS_ELEMENT_EXISTS,
  SETS_ELEMENT_MISSING,
  SETS_MEMORY,
} from "../../src/blob/sets";
import { arenaAllocate, arenaFree } from "../arena";
import { engineArena, retire } from "../retire";
import { put32, wrote } from "../store";
import { expired, extensionsRead, extensionsWrite, given } from "./extensions";

export function memberCount(body: usize): u32 {
  return load<u32>(atomic.load<u32>(body, BODY_TABLE), MEMBERS_COUNT);
}

/** Member `i`, from 0, of a body whose array is `members`. */
export function memberAt(members: usize, i: u32): usize {
  return load<u32>(members + MEMBERS_FIRST + (i << 2));
}

/** An array of members, none or some. False without memory. */
export function listMake(body: usize): bool {
  const members = makeArray(0);
  store<u32>(body, <u32>members, BODY_TABLE);
  return members != 0;
}

/** Adds `set`, or changes it where it is a member; a SETS_*. How it was goes to `before`, unless that is 0. */
export function listAdd(body: usize, set: usize, before: usize): u32 {
  if (!dropExpired(body)) return SETS_MEMORY;
  const members: usize = load<u32>(body, BODY_TABLE);
  const flags = load<u32>(given, ELEMENT_FLAGS);
  const beside = placeBeside(members, flags);
  const there = placeOf(members, set);
  if (beside < 0 && flags & (ELEMENT_BEFORE | ELEMENT_AFTER)) return SETS_BESIDE_MISSING;
  if (there >= 0) {
    if (!(flags & ELEMENT_EXIST)) return SETS_ELEMENT_EXISTS;
    const member = memberAt(members, there);
    if (before) tell(body, member, before);
    extensionsWrite(body, member, false);
    return SETS_CHANGED;
  }
  const count = load<u32>(members, MEMBERS_COUNT);
  const at = flags & ELEMENT_BEFORE ? <u32>beside : flags & ELEMENT_AFTER ? <u32>beside + 1 : count;
  const fresh = makeArray(count + 1);
  const member = arenaAllocate(engineArena(), load<u32>(body, BODY_NODE_SIZE));
  if (!fresh || !member) return SETS_MEMORY;
  store<u32>(member, <u32>set, MEMBER_SET);
  extensionsWrite(body, member, true);
  for (let i: u32 = 0; i <= count; i++) setMember(fresh, i, i == at ? member : memberAt(members, i < at ? i : i - 1));
  if (!replaceArray(body, fresh)) return SETS_MEMORY;
  put32(set + IPSET_REFERENCES, load<u32>(set, IPSET_REFERENCES) + 1);
  return SETS_DONE;
}

/** Takes `set` out; a SETS_*. How it was goes to `before`, with the member that came behind it. */
export function listDelete(body: usize, set: usize, before: usize): u32 {
  if (!dropExpired(body)) return SETS_MEMORY;
  const members: usize = load<u32>(body, BODY_TABLE);
  const flags = load<u32>(given, ELEMENT_FLAGS);
  const at = placeOf(members, set);
  if (flags & (ELEMENT_BEFORE | ELEMENT_AFTER)) {
    const beside = placeBeside(members, flags);
    if (at < 0 || beside < 0 || beside != (flags & ELEMENT_BEFORE ? at + 1 : at - 1)) return SETS_BESIDE_MISSING;
  }
  if (at < 0) return SETS_ELEMENT_MISSING;
  if (before) {
    tell(body, memberAt(members, at), before);
    if (<u32>at + 1 < load<u32>(members, MEMBERS_COUNT)) {
      const next: usize = load<u32>(memberAt(members, at + 1), MEMBER_SET);
      memory.copy(before + ELEMENT_BESIDE, next + IPSET_NAME, IPSET_NAME_BYTES);
      store<u32>(before, load<u32>(before, ELEMENT_FLAGS) | ELEMENT_BEFORE, ELEMENT_FLAGS);
    }
  }
  return remove(body, at) ? SETS_DONE : SETS_MEMORY;
}

/** Tells of the next member from `cursor` on; the cursor behind it, 0 at the end. */
export function listNext(body: usize, cursor: u32, into: usize): u32 {
  const members: usize = load<u32>(body, BODY_TABLE);
  for (let i = cursor; i < load<u32>(members, MEMBERS_COUNT); i++) {
    const member = memberAt(members, i);
    if (expired(body, member)) continue;
    tell(body, member, into);
    return i + 1;
  }
  return 0;
}

/** Frees array and members, of which no reader knows any more. */
export function listRelease(body: usize): void {
  const members: usize = load<u32>(body, BODY_TABLE);
  const count = load<u32>(members, MEMBERS_COUNT);
  for (let i: u32 = 0; i < count; i++) arenaFree(engineArena(), memberAt(members, i), load<u32>(body, BODY_NODE_SIZE));
  arenaFree(engineArena(), members, arrayBytes(count));
}

/** Members refer to the list's sets, or, with `by` -1, no longer. */
export function listRefer(body: usize, by: i32): void {
  const members: usize = load<u32>(body, BODY_TABLE);
  for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++) {
    const set: usize = load<u32>(memberAt(members, i), MEMBER_SET);
    put32(set + IPSET_REFERENCES, load<u32>(set, IPSET_REFERENCES) + by);
  }
}

function dropExpired(body: usize): bool {
  for (let i: u32 = 0; i < memberCount(body); )
    if (!expired(body, memberAt(load<u32>(body, BODY_TABLE), i))) i++;
    else if (!remove(body, i)) return false;
  return true;
}

function remove(body: usize, at: u32): bool {
  const members: usize = load<u32>(body, BODY_TABLE);
  const count = load<u32>(members, MEMBERS_COUNT) - 1;
  const fresh = makeArray(count);
  if (!fresh) return false;
  for (let i: u32 = 0; i < count; i++) setMember(fresh, i, memberAt(members, i < at ? i : i + 1));
  const member = memberAt(members, at);
  const set: usize = load<u32>(member, MEMBER_SET);
  put32(set + IPSET_REFERENCES, load<u32>(set, IPSET_REFERENCES) - 1);
  return (
    replaceArray(body, fresh) && retire(RETIRED_MEMORY, <u32>member, engineArena(), load<u32>(body, BODY_NODE_SIZE))
  );
}

function replaceArray(body: usize, fresh: usize): bool {
  const old: usize = load<u32>(body, BODY_TABLE);
  put32(body + BODY_TABLE, <u32>fresh);
  return retire(RETIRED_MEMORY, <u32>old, engineArena(), arrayBytes(load<u32>(old, MEMBERS_COUNT)));
}

function makeArray(count: u32): usize {
  const members = arenaAllocate(engineArena(), arrayBytes(count));
  if (members) store<u32>(members, count, MEMBERS_COUNT);
  wrote(arrayBytes(count));
  return members;
}

function arrayBytes(count: u32): u32 {
  return MEMBERS_FIRST + 4 * count;
}

function setMember(members: usize, i: u32, member: usize): void {
  store<u32>(members + MEMBERS_FIRST + (i << 2), <u32>member);
}

/** Place of the member that is `set`; -1 when there is none. */
function placeOf(members: usize, set: usize): i32 {
  for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++)
    if (load<u32>(memberAt(members, i), MEMBER_SET) == <u32>set) return i;
  return -1;
}

function placeBeside(members: usize, flags: u32): i32 {
  if (!(flags & (ELEMENT_BEFORE | ELEMENT_AFTER))) return -1;
  for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++) {
    const name = <usize>load<u32>(memberAt(members, i), MEMBER_SET) + IPSET_NAME;
    if (!memory.compare(name, given + ELEMENT_BESIDE, IPSET_NAME_BYTES)) return i;
  }
  return -1;
}

function tell(body: usize, member: usize, into: usize): void {
  memory.fill(into, 0, ELEMENT_FLAGS);
  memory.copy(into + ELEMENT_KEY, <usize>load<u32>(member, MEMBER_SET) + IPSET_NAME, IPSET_NAME_BYTES);
  extensionsRead(body, member, into);
  store<u32>(into, ELEMENT_RESTORE | ELEMENT_EXIST, ELEMENT_FLAGS);
}
