/** set and SET: net/netfilter/xt_set.c. */
import { VERDICT_CONTINUE } from "../../src/blob/layout.js";
import * as P from "../../src/blob/payloads.js";
import type { RecordView } from "./rule.js";
import { addPacket, deletePacket, type ModelSet, type Naming, testPacket } from "./set-model.js";
import type { Walk } from "./walk.js";

const COMPARE: readonly ((value: bigint, wanted: bigint) => boolean)[] = [
  () => true,
  (value, wanted) => value === wanted,
  (value, wanted) => value !== wanted,
  (value, wanted) => value < wanted,
  (value, wanted) => value > wanted,
];

function setOf({ bytes }: RecordView, name: number, { host }: Walk): ModelSet {
  const text = new TextDecoder().decode(bytes.subarray(name, name + P.SET_NAME_BYTES));
  return host.sets.get(text.slice(0, text.indexOf("\0"))) as ModelSet;
}

export function matchSet(record: RecordView, walk: Walk): boolean {
  const { bytes, view } = record;
  const flags = bytes[P.SET_FLAGS] as number;
  const [packetsOperation, bytesOperation] = [
    bytes[P.SET_PACKETS_OPERATION] as number,
    bytes[P.SET_BYTES_OPERATION] as number,
  ];
  const comparePackets = COMPARE[packetsOperation];
  const compareBytes = COMPARE[bytesOperation];
  const asks = (packets: bigint, octets: bigint): boolean =>
    comparePackets?.(packets, view.getBigUint64(P.SET_PACKETS, true)) === true &&
    compareBytes?.(octets, view.getBigUint64(P.SET_BYTES, true)) === true;
  const naming: Naming = {
    directions: bytes[P.SET_DIRECTIONS] as number,
    dimensions: bytes[P.SET_DIMENSIONS] as number,
    returnNomatch: (flags & P.SET_RETURN_NOMATCH) !== 0,
    skipsCounters: (flags & P.SET_NO_UPDATE_COUNTERS) !== 0,
    skipsSubcounters: (flags & P.SET_NO_UPDATE_SUBCOUNTERS) !== 0,
    asks: packetsOperation || bytesOperation ? asks : undefined,
  };
  const found = testPacket(walk.host.sets, setOf(record, P.SET_NAME, walk), naming, walk) !== undefined;
  return found !== ((flags & P.SET_INVERT) !== 0);
}

export function changeSets(record: RecordView, walk: Walk): number {
  const { bytes, view } = record;
  const flags = bytes[P.SETTARGET_FLAGS] as number;
  const { sets } = walk.host;
  const part = (at: number): { set: ModelSet; naming: Naming } | undefined => {
    const dimensions = bytes[at + P.SETTARGET_PART_DIMENSIONS] as number;
    if (dimensions === 0) return undefined;
    const directions = bytes[at + P.SETTARGET_PART_DIRECTIONS] as number;
    return { set: setOf(record, at + P.SETTARGET_PART_NAME, walk), naming: { directions, dimensions } };
  };
  const add = part(P.SETTARGET_ADD);
  const timeout = flags & 1 ? view.getUint32(P.SETTARGET_TIMEOUT, true) : undefined;
  if (add) addPacket(sets, add.set, { ...add.naming, exist: (flags & 2) !== 0, timeout }, walk);
  const del = part(P.SETTARGET_DELETE);
  if (del) deletePacket(sets, del.set, del.naming, walk);
  const map = part(P.SETTARGET_MAP);
  const found = map && testPacket(sets, map.set, map.naming, walk);
  if (map && found) {
    const { mark, markMask, priority } = map.set.header.skbinfo ? found.entry : { mark: 0, markMask: 0, priority: 0 };
    if (flags & 4) walk.packet.mark = ((walk.packet.mark & ~markMask) ^ mark) >>> 0;
    if (flags & 8) walk.packet.priority = priority;
  }
  return VERDICT_CONTINUE;
}
