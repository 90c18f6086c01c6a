/** What the machine is or remembers: xt_cpu.c, xt_devgroup.c, xt_realm.c, xt_helper.c with nothing set up, xt_quota.c. */
import {
  CPU_INVERT,
  CPU_NUMBER,
  DEVGROUP_DESTINATION,
  DEVGROUP_DESTINATION_MASK,
  DEVGROUP_FLAGS,
  DEVGROUP_SOURCE,
  DEVGROUP_SOURCE_MASK,
  HELPER_INVERT,
  MARK_INVERT,
  MARK_MASK,
  MARK_VALUE,
  QUOTA_BYTES,
  QUOTA_INVERT,
} from "../../src/blob/payloads.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

/** The tests' one reader is processor 0. */
export function matchCpu({ view, bytes }: RecordView): boolean {
  return inverted(view.getUint32(CPU_NUMBER, true) === 0, bytes[CPU_INVERT] as number, 1);
}

const GROUP = 0;

export function matchDevgroup({ view, bytes }: RecordView): boolean {
  const flags = bytes[DEVGROUP_FLAGS] as number;
  const isOf = (group: number, mask: number): boolean =>
    ((view.getUint32(group, true) ^ GROUP) & view.getUint32(mask, true)) === 0;
  if (flags & 1 && !inverted(isOf(DEVGROUP_SOURCE, DEVGROUP_SOURCE_MASK), flags, 2)) return false;
  return !(flags & 4) || inverted(isOf(DEVGROUP_DESTINATION, DEVGROUP_DESTINATION_MASK), flags, 8);
}

const REALM = 0;

export function matchRealm({ view, bytes }: RecordView): boolean {
  const same = (REALM & view.getUint32(MARK_MASK, true)) === view.getUint32(MARK_VALUE, true);
  return inverted(same, bytes[MARK_INVERT] as number, 1);
}

/** No connection was expected. */
export function matchHelper({ bytes }: RecordView): boolean {
  return bytes[HELPER_INVERT] !== 0;
}

/** The first packet that is longer than what is left takes all of it. */
export function matchQuota(record: RecordView, walk: Walk): boolean {
  const left = walk.host.quotas.get(record) ?? record.view.getBigUint64(QUOTA_BYTES, true);
  const length = BigInt(walk.packet.length);
  walk.host.quotas.set(record, left >= length ? left - length : 0n);
  return inverted(left >= length, record.bytes[QUOTA_INVERT] as number, 1);
}
