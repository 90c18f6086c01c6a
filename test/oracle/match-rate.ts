/** limit and statistic: net/netfilter/xt_limit.c at 1,000 ticks a second of the packet's clock, xt_statistic.c. */
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

const TICKS_PER_SECOND = 1000;
/** The greatest power of two that keeps a day's credits in 32 bits. */
const CREDITS_PER_TICK = 32;
const LIMIT_SCALE = 10000;

function credits(units: number): number {
  const scale = TICKS_PER_SECOND * CREDITS_PER_TICK;
  if (units > Math.floor(0xffffffff / scale)) return (Math.floor(units / LIMIT_SCALE) * scale) >>> 0;
  return Math.floor((units * scale) / LIMIT_SCALE);
}

export function matchLimit(record: RecordView, walk: Walk): boolean {
  const average = record.view.getUint32(LIMIT_AVERAGE, true);
  const cap = credits((average * record.view.getUint32(LIMIT_BURST, true)) >>> 0);
  const state = walk.host.limits.get(record) ?? { credit: cap, previous: walk.packet.time };
  walk.host.limits.set(record, state);
  const earned = (walk.packet.time - state.previous) * CREDITS_PER_TICK;
  state.previous = walk.packet.time;
  state.credit = Math.min(state.credit + earned, cap);
  if (state.credit < credits(average)) return false;
  state.credit -= credits(average);
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
