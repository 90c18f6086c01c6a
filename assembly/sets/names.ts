/** Sets by name, and who refers to them. The writer's alone, but for the body that a name has. */
import { CONTROL_ADDRESS, CONTROL_SETS } from "../../src/blob/memory";
import {
  BODY_KIND,
  BODY_LIST,
  BODY_MAXELEM,
  BODY_TABLE,
  IPSET_BODY,
  IPSET_FED,
  IPSET_NAME,
  IPSET_NAME_BYTES,
  IPSET_NEXT,
  IPSET_REFERENCES,
  IPSET_SIZE,
  MEMBER_SET,
  MEMBERS_COUNT,
} from "../../src/blob/sets";
import { arenaAllocate } from "../arena";
import { engineArena } from "../retire";
import { put32 } from "../store";
import { bodyReserve } from "./body";
import { memberAt } from "./list";

/** The set whose name, zero-padded, is at `name`; 0 when there is none. */
export function setFind(name: usize): usize {
  let set: usize = load<u32>(CONTROL_ADDRESS, CONTROL_SETS);
  while (set && memory.compare(set + IPSET_NAME, name, IPSET_NAME_BYTES)) set = load<u32>(set, IPSET_NEXT);
  return set;
}

/** A name for `body`, not linked. 0 without memory. */
export function setMake(name: usize, body: usize): usize {
  const set = arenaAllocate(engineArena(), IPSET_SIZE);
  if (!set) return 0;
  memory.fill(set, 0, IPSET_SIZE);
  memory.copy(set + IPSET_NAME, name, IPSET_NAME_BYTES);
  store<u32>(set, <u32>body, IPSET_BODY);
  return set;
}

/** Links a set behind `after`, 0 the first. */
export function setLink(set: usize, after: usize): void {
  const link = after ? after + IPSET_NEXT : CONTROL_ADDRESS + CONTROL_SETS;
  put32(set + IPSET_NEXT, load<u32>(link));
  put32(link, <u32>set);
}

/** Takes a set out; the one in front of it, 0 when it was the first. */
export function setUnlink(set: usize): usize {
  const before = setBefore(<u32>set);
  put32(before ? before + IPSET_NEXT : CONTROL_ADDRESS + CONTROL_SETS, load<u32>(set, IPSET_NEXT));
  return before;
}

export function setLast(): usize {
  return setBefore(0);
}

function setBefore(next: u32): usize {
  let before: usize = 0;
  let set = load<u32>(CONTROL_ADDRESS, CONTROL_SETS);
  while (set != next) {
    before = set;
    set = load<u32>(before, IPSET_NEXT);
  }
  return before;
}

/** A rule names the set at `name`: its record's word at `word` refers to it. `feeds`: it adds packets. False without memory. */
export function setRefer(name: usize, word: usize, feeds: bool): bool {
  const set = setFind(name);
  if (!set || (feeds && !setFeed(set))) return false;
  put32(set + IPSET_REFERENCES, load<u32>(set, IPSET_REFERENCES) + 1);
  store<u32>(word, <u32>set);
  return true;
}

export function setLeave(set: usize): void {
  put32(set + IPSET_REFERENCES, load<u32>(set, IPSET_REFERENCES) - 1);
}

/** Packets may add to the set, or to a list's sets. False without memory. Before a packet can come to it. */
export function setFeed(set: usize): bool {
  put32(set + IPSET_FED, 1);
  return bodyFeed(load<u32>(set, IPSET_BODY));
}

/** All the room that a body may have, since packets may come to add to it. False without memory. Before one can. */
export function bodyFeed(body: usize): bool {
  if (load<u8>(body, BODY_KIND) != BODY_LIST) return bodyReserve(body, load<u32>(body, BODY_MAXELEM));
  const members: usize = load<u32>(body, BODY_TABLE);
  for (let i: u32 = 0; i < load<u32>(members, MEMBERS_COUNT); i++)
    if (!setFeed(load<u32>(memberAt(members, i), MEMBER_SET))) return false;
  return true;
}
