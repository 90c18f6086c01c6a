/** The sets that an engine has, as `ipset save` would tell of them. The caller holds the writers' lock. */
import * as M from "../blob/memory.js";
import * as S from "../blob/sets.js";
import type { IpSets } from "../ruleset/ipset/apply-sets.js";
import type { SetEntry, SetHeader } from "../ruleset/ipset/ip-set.js";
import type { Engine } from "./engine.js";
import { readElement, readMade, readName } from "./set-records.js";

/** The latest time of the packets' clock at which a reader walked a packet, in milliseconds. */
export function latestTime(engine: Engine): number {
  const view = engine.data();
  const times = Array.from({ length: engine.handle.readers }, (_, n) =>
    view.getUint32(M.READERS_ADDRESS + n * M.READER_SIZE + M.READER_TIME, true),
  );
  return Math.max(...times);
}

/** Addresses of sets by name, in the order in which they were made. */
export function setAddresses(engine: Engine): Map<string, number> {
  const view = engine.data();
  const found = new Map<string, number>();
  for (
    let set = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_SETS, true);
    set !== 0;
    set = view.getUint32(set + S.IPSET_NEXT, true)
  )
    found.set(readName(view, set + S.IPSET_NAME), set);
  return found;
}

/** How the set at `set` was made. */
export function headerAt(engine: Engine, set: number): SetHeader {
  const view = engine.data();
  return readMade(view, view.getUint32(set + S.IPSET_BODY, true), readName(view, set + S.IPSET_NAME));
}

/** All sets with their elements, counters and the seconds that are left of elements at `now`. */
export function readSets(engine: Engine, now = latestTime(engine)): IpSets {
  const sets: IpSets = new Map();
  for (const [name, set] of setAddresses(engine)) {
    const header = headerAt(engine, set);
    const entries = new Map<string, SetEntry>();
    for (const entry of elementsAt(engine, set, header, now))
      entries.set(entry.wildcard ? `${entry.key} wildcard` : entry.key, entry);
    sets.set(name, { ...header, entries });
  }
  return sets;
}

function* elementsAt(engine: Engine, set: number, header: SetHeader, now: number): Generator<SetEntry> {
  const scratch = engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_SCRATCH, true);
  let cursor = 0;
  while (true) {
    cursor = engine.kernel.setsNext(set, cursor, scratch, now) >>> 0;
    if (cursor === 0) return;
    yield readElement(engine.data(), scratch, header);
  }
}
