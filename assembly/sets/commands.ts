/**
 * What the writer may do to sets, a command a call, under the writers' lock. Each is carried out at once; how it is undone,
 * when a later one of the same batch fails, is the caller's affair: it is told what there was.
 */
import { CONTROL_ADDRESS, CONTROL_SETS, RETIRED_MEMORY } from "../../src/blob/memory";
import {
  BODY_BITMAP,
  BODY_HASH,
  BODY_KIND,
  BODY_LIST,
  ELEMENT_EXIST,
  ELEMENT_FLAGS,
  ELEMENT_KEY,
  IPSET_BODY,
  IPSET_FED,
  IPSET_NAME,
  IPSET_NAME_BYTES,
  IPSET_NEXT,
  IPSET_SIZE,
  SETS_DONE,
  SETS_MEMORY,
} from "../../src/blob/sets";
import { engineArena, retire } from "../retire";
import { logBegin, logCommit, logRollback, put32, touched } from "../store";
import { bitmapAdd, bitmapDelete, bitmapNext, bitmapOfElement } from "./bitmap";
import { bodyMake, bodyReserve, bodyRetire, bodySpread } from "./body";
import { causedByWriter } from "./extensions";
import { hashAdd, hashDelete, hashNext } from "./hash";
import { keyOfElement } from "./key";
import { listAdd, listDelete, listNext, listRefer } from "./list";
import { bodyFeed, setFeed, setFind, setLast, setLink, setMake, setUnlink } from "./names";

/** Makes a set, the last one, as BODY_* at `made` says. Its address; 0 without memory. */
export function setsCreate(name: usize, made: usize): usize {
  logBegin();
  const body = bodyMake(made);
  const set = body ? setMake(name, body) : 0;
  if (!set) {
    logRollback();
    return 0;
  }
  setLink(set, setLast());
  touched(1);
  logCommit();
  return set;
}

/** Takes a set out of the names; the one in front of it, for setsRestore. */
export function setsRemove(set: usize): usize {
  logBegin();
  const body: usize = load<u32>(set, IPSET_BODY);
  if (load<u8>(body, BODY_KIND) == BODY_LIST) listRefer(body, -1);
  const before = setUnlink(set);
  touched(1);
  logCommit();
  return before;
}

/** Puts a removed set back behind `after`. */
export function setsRestore(set: usize, after: usize): void {
  logBegin();
  const body: usize = load<u32>(set, IPSET_BODY);
  if (load<u8>(body, BODY_KIND) == BODY_LIST) listRefer(body, 1);
  setLink(set, after);
  logCommit();
}

/** Frees a removed set once no reader knows it. */
export function setsForget(set: usize): void {
  logBegin();
  bodyRetire(load<u32>(set, IPSET_BODY));
  retire(RETIRED_MEMORY, <u32>set, engineArena(), IPSET_SIZE);
  logCommit();
}

export function setsForgetBody(body: usize): void {
  logBegin();
  bodyRetire(body);
  logCommit();
}

export function setsRename(set: usize, name: usize): void {
  logBegin();
  for (let i: usize = 0; i < <usize>IPSET_NAME_BYTES; i += 4) put32(set + IPSET_NAME + i, load<u32>(name + i));
  touched(1);
  logCommit();
}

/** Swaps what two sets hold; a SETS_*. */
export function setsSwap(set: usize, other: usize): u32 {
  logBegin();
  const body: usize = load<u32>(set, IPSET_BODY);
  const another: usize = load<u32>(other, IPSET_BODY);
  if (!fedAs(set, another) || !fedAs(other, body)) return finish(SETS_MEMORY);
  put32(set + IPSET_BODY, <u32>another);
  put32(other + IPSET_BODY, <u32>body);
  touched(2);
  return finish(SETS_DONE);
}

/** Gives a set an empty body of the same kind; the old one, for setsExchange or setsForgetBody. 0 without memory. */
export function setsFlush(set: usize): usize {
  logBegin();
  const old: usize = load<u32>(set, IPSET_BODY);
  const body = bodyMake(old);
  if (!body || !fedAs(set, body)) {
    logRollback();
    return 0;
  }
  bodySpread(body);
  if (load<u8>(old, BODY_KIND) == BODY_LIST) listRefer(old, -1);
  put32(set + IPSET_BODY, <u32>body);
  touched(1);
  logCommit();
  return old;
}

/** Takes a flush back; the body that the set had meanwhile. */
export function setsExchange(set: usize, body: usize): usize {
  logBegin();
  const old = load<u32>(set, IPSET_BODY);
  if (load<u8>(body, BODY_KIND) == BODY_LIST) listRefer(body, 1);
  put32(set + IPSET_BODY, <u32>body);
  logCommit();
  return old;
}

/** Room for `more` elements, and buckets for as many as there is room for. A SETS_*. */
export function setsReserve(set: usize, more: u32): u32 {
  logBegin();
  const body: usize = load<u32>(set, IPSET_BODY);
  if (!bodyReserve(body, more)) return finish(SETS_MEMORY);
  bodySpread(body);
  return finish(SETS_DONE);
}

/** Adds the element at `element` at `time` ms; a SETS_*. How it was before goes to `before`. */
export function setsAdd(set: usize, element: usize, before: usize, time: u32): u32 {
  logBegin();
  causedByWriter(element, time);
  const body: usize = load<u32>(set, IPSET_BODY);
  const exist = (load<u32>(element, ELEMENT_FLAGS) & ELEMENT_EXIST) != 0;
  touched(1);
  switch (<i32>load<u8>(body, BODY_KIND)) {
    case BODY_HASH:
      keyOfElement(element);
      return finish(hashAdd(body, exist, before));
    case BODY_BITMAP:
      return finish(bitmapAdd(body, bitmapOfElement(body, element), exist, before));
    default: {
      const member = setFind(element + ELEMENT_KEY);
      if (load<u32>(set, IPSET_FED) && !setFeed(member)) return finish(SETS_MEMORY);
      return finish(listAdd(body, member, before));
    }
  }
}

/** Deletes the element at `element`; a SETS_*. How it was goes to `before`. */
export function setsDelete(set: usize, element: usize, before: usize, time: u32): u32 {
  logBegin();
  causedByWriter(element, time);
  const body: usize = load<u32>(set, IPSET_BODY);
  touched(1);
  switch (<i32>load<u8>(body, BODY_KIND)) {
    case BODY_HASH:
      keyOfElement(element);
      return finish(hashDelete(body, before));
    case BODY_BITMAP:
      return finish(bitmapDelete(body, bitmapOfElement(body, element), before));
    default:
      return finish(listDelete(body, setFind(element + ELEMENT_KEY), before));
  }
}

/** Tells of the next element from `cursor` on (0 begins); the cursor behind it, 0 at the end. */
export function setsNext(set: usize, cursor: u32, into: usize, time: u32): u32 {
  causedByWriter(0, time);
  const body: usize = load<u32>(set, IPSET_BODY);
  switch (<i32>load<u8>(body, BODY_KIND)) {
    case BODY_HASH:
      return hashNext(body, cursor, into);
    case BODY_BITMAP:
      return bitmapNext(body, cursor, into);
    default:
      return listNext(body, cursor, into);
  }
}

/** More buckets for the sets that packets have come to add to. After an update, which it cannot fail. */
export function setsSpread(): void {
  for (let set: usize = load<u32>(CONTROL_ADDRESS, CONTROL_SETS); set; set = load<u32>(set, IPSET_NEXT))
    if (load<u32>(set, IPSET_FED)) bodySpread(load<u32>(set, IPSET_BODY));
}

/** A body that a fed set is to hold has all its room before. False without memory. */
function fedAs(set: usize, body: usize): bool {
  return !load<u32>(set, IPSET_FED) || bodyFeed(body);
}

function finish(result: u32): u32 {
  if (result == SETS_MEMORY) logRollback();
  else logCommit();
  return result;
}
