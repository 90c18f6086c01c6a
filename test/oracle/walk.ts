/** What a match or a target of the oracle sees of the walk that it is part of. */
import type { Packet } from "./packet.js";
import type { HashTable } from "./match-hashlimit.js";
import type { RecentList } from "./match-recent.js";
import type { RecordView } from "./rule.js";
import type { ModelSets } from "./set-model.js";

/** What outlives a packet: the machine's addresses, and the state of matches. */
export interface Host {
  isLocal(address: Uint8Array): boolean;
  /** First local address of the packet's family, where REDIRECT sends what came in. */
  readonly redirectAddress: Uint8Array | undefined;
  /** statistic: the counter. limit: the credit and when it was last refilled. */
  readonly nth: Map<RecordView, number>;
  readonly limits: Map<RecordView, { credit: number; previous: number }>;
  /** quota: bytes left. */
  readonly quotas: Map<RecordView, bigint>;
  readonly recentLists: Map<string, RecentList>;
  readonly hashTables: Map<string, HashTable>;
  readonly sets: ModelSets;
  /** Seconds since 1970 when the packets' clock was 0. */
  readonly epoch: number;
}

export interface Walk {
  readonly host: Host;
  /** The working copy: targets write it. */
  readonly packet: Packet;
  readonly hook: number;
  /** Devices as this hook shows them. */
  readonly input: string;
  readonly output: string;
  /** A match that cannot look at the packet says so here: the packet is dropped at once. */
  hotdrop: boolean;
}

export type Match = (record: RecordView, walk: Walk) => boolean;

/** A test whose "not" is a bit of some flags. */
export function inverted(result: boolean, flags: number, bit: number): boolean {
  return result !== ((flags & bit) !== 0);
}

/** ifname_compare: the name under the mask, all 16 bytes. An absent device has the empty name. */
export function nameMatches(device: string, name: Uint8Array, mask: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) {
    const byte = i < device.length ? device.charCodeAt(i) : 0;
    if (((byte ^ (name[i] as number)) & (mask[i] as number)) !== 0) return false;
  }
  return true;
}
