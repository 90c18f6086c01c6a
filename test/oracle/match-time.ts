/** time: net/netfilter/xt_time.c, in UTC, on the packet's clock. */
import {
  TIME_DATE_START,
  TIME_DATE_STOP,
  TIME_DAY_START,
  TIME_DAY_STOP,
  TIME_FLAGS,
  TIME_MONTHDAYS,
  TIME_WEEKDAYS,
} from "../../src/blob/payloads.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

const CONTIGUOUS = 2;
const DAY = 86_400;

export function matchTime(record: RecordView, walk: Walk): boolean {
  return timeMatches(record, walk.host.epoch + Math.floor(walk.packet.time / 1000));
}

/** `now`: seconds since 1970. */
export function timeMatches({ view, bytes }: RecordView, now: number): boolean {
  if (now < view.getUint32(TIME_DATE_START, true) || now > view.getUint32(TIME_DATE_STOP, true)) return false;
  const second = now % DAY;
  const start = view.getUint32(TIME_DAY_START, true);
  const stop = view.getUint32(TIME_DAY_STOP, true);
  const overMidnight = start >= stop;
  const within = overMidnight ? second >= start || second <= stop : second >= start && second <= stop;
  if (!within) return false;
  // The part behind midnight belongs to the day before.
  const belongsToDayBefore = overMidnight && ((bytes[TIME_FLAGS] as number) & CONTIGUOUS) !== 0 && second <= stop;
  const date = new Date(1000 * (belongsToDayBefore ? now - DAY : now));
  const weekday = date.getUTCDay() === 0 ? 7 : date.getUTCDay();
  const isWeekday = ((bytes[TIME_WEEKDAYS] as number) >> weekday) & 1;
  const isMonthday = (view.getUint32(TIME_MONTHDAYS, true) >>> date.getUTCDate()) & 1;
  return isWeekday === 1 && isMonthday === 1;
}
