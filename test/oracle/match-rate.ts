/** limit and statistic: net/netfilter/xt_limit.c on the packet's clock, xt_statistic.c. */
import {
  LIMIT_AVERAGE,
  LIMIT_BURST,
  STATISTIC_EVERY,
  STATISTIC_INVERT,
  STATISTIC_MODE,
  STATISTIC_PACKET,
  STATISTIC_PROBABILITY,
} from "../../src/blob/payloads.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

/** Credit is counted in 1/10,000 s, the unit of the record; Linux rounds it to its ticks. */
const CREDITS_PER_MS = 10;

export function matchLimit(record: RecordView, walk: Walk): boolean {
  const cost = record.view.getUint32(LIMIT_AVERAGE, true);
  const cap = cost * record.view.getUint32(LIMIT_BURST, true);
  const state = walk.host.limits.get(record) ?? { credit: cap, previous: walk.packet.time };
  walk.host.limits.set(record, state);
  const earned = (walk.packet.time - state.previous) * CREDITS_PER_MS;
  state.previous = walk.packet.time;
  state.credit = Math.min(state.credit + earned, cap);
  if (state.credit < cost) return false;
  state.credit -= cost;
  return true;
}

const CERTAIN = 0x80000000;

export function matchStatistic(record: RecordView, walk: Walk): boolean {
  const { view, bytes } = record;
  const invert = bytes[STATISTIC_INVERT] as number;
  if (bytes[STATISTIC_MODE] === 0) {
    const probability = view.getUint32(STATISTIC_PROBABILITY, true);
    if (probability !== 0 && probability < CERTAIN) throw new Error("the oracle takes no chances");
    return inverted(probability !== 0, invert, 1);
  }
  const every = view.getUint32(STATISTIC_EVERY, true);
  const count = walk.host.nth.get(record) ?? every - view.getUint32(STATISTIC_PACKET, true);
  const next = count === every ? 0 : count + 1;
  walk.host.nth.set(record, next);
  return inverted(next === 0, invert, 1);
}
