/** recent: net/netfilter/xt_recent.c with its default parameters, on the packet's clock. */
import { PACKET_FLAG_SOCKET } from "../../src/blob/layout.js";
import {
  RECENT_CHECK,
  RECENT_HITCOUNT,
  RECENT_INVERT,
  RECENT_MASK,
  RECENT_NAME,
  RECENT_NAME_BYTES,
  RECENT_SECONDS,
  RECENT_SIDE,
} from "../../src/blob/payloads.js";
import { addressText } from "./address.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

interface Entry {
  address: string;
  ttl: number;
  stamps: number[];
  /** Where the next stamp goes. */
  index: number;
}

/** Entries run from the least recently touched. */
export interface RecentList {
  /** Of the first rule that names the list, whatever later ones say. */
  readonly mask: Uint8Array;
  /** Stamps an entry keeps: the greatest that a rule needs, a power of two. */
  stampsKept: number;
  entries: Entry[];
}

const ADDRESSES_KEPT = 100;
const CHECK = 1;
const SET = 2;
const UPDATE = 4;
const REMOVE = 8;
const TTL = 16;
const REAP = 32;

function recentListName({ bytes }: RecordView): string {
  const name = bytes.subarray(RECENT_NAME, RECENT_NAME + RECENT_NAME_BYTES);
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}

/** A rule that names a list is loaded: Linux loads chains in libiptc's order. */
export function joinRecentList(record: RecordView, lists: Map<string, RecentList>): void {
  const name = recentListName(record);
  const list = lists.get(name) ?? {
    mask: record.bytes.slice(RECENT_MASK, RECENT_MASK + 16),
    stampsKept: 1,
    entries: [],
  };
  list.stampsKept = Math.max(list.stampsKept, stampsNeeded(record));
  lists.set(name, list);
}

/** What a rule asks its list to keep: powers of two from its hit count, else 32. */
function stampsNeeded({ view }: RecordView): number {
  const hits = view.getUint32(RECENT_HITCOUNT, true);
  if (hits === 0) return 32;
  let kept = 1;
  while (kept < hits) kept *= 2;
  return kept;
}

export function matchRecent(record: RecordView, walk: Walk): boolean {
  const { bytes, view } = record;
  const { packet } = walk;
  const check = bytes[RECENT_CHECK] as number;
  const side = bytes[RECENT_SIDE] === 1 ? packet.destination : packet.source;
  const list = walk.host.recentLists.get(recentListName(record)) as RecentList;
  const address = addressText(side.map((byte, i) => byte & (list.mask[i] as number)));
  const now = packet.time;
  // Linux adds the one that forwarding took off; of what the machine sends without a socket nothing was taken.
  const unforwarded = walk.input === "" && walk.output !== "" && !(packet.flags & PACKET_FLAG_SOCKET);
  const ttl = (packet.ttl + (unforwarded ? 1 : 0)) & 255;
  const wantedTtl = check & TTL ? ttl : 0;
  const entry = list.entries.find(
    (one) => one.address === address && (one.ttl === wantedTtl || wantedTtl === 0 || one.ttl === 0),
  );
  const yes = bytes[RECENT_INVERT] === 0;
  if (!entry) {
    if (!(check & SET)) return !yes;
    if (list.entries.length >= ADDRESSES_KEPT) list.entries.shift();
    list.entries.push({ address, ttl, stamps: [now], index: 1 });
    return yes;
  }
  let result = !yes;
  if (check & SET) result = yes;
  else if (check & REMOVE) {
    list.entries.splice(list.entries.indexOf(entry), 1);
    result = yes;
  } else if (check & (CHECK | UPDATE)) {
    const seconds = view.getUint32(RECENT_SECONDS, true);
    const hitCount = view.getUint32(RECENT_HITCOUNT, true);
    const horizon = now - seconds * 1000;
    const hits = entry.stamps.filter((stamp) => seconds === 0 || stamp >= horizon).length;
    if (hits >= Math.max(hitCount, 1)) result = yes;
    if (check & REAP) reap(list, horizon, check & UPDATE && result ? entry : undefined);
  }
  if (check & SET || (check & UPDATE && result)) touch(list, entry, now, ttl);
  return result;
}

/** Takes the oldest entry away when its last stamp is behind the horizon, unless it is about to be stamped. */
function reap(list: RecentList, horizon: number, spared: Entry | undefined): void {
  const oldest = list.entries[0] as Entry;
  if (oldest !== spared && (oldest.stamps[oldest.index - 1] as number) < horizon) list.entries.shift();
}

function touch(list: RecentList, entry: Entry, now: number, ttl: number): void {
  entry.index %= list.stampsKept;
  entry.stamps[entry.index++] = now;
  entry.ttl = ttl;
  list.entries.splice(list.entries.indexOf(entry), 1);
  list.entries.push(entry);
}
