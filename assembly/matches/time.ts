/** time (xt_time.c): the packets' virtual clock as a date, in UTC, which is also taken to be the kernel's time zone. */
import { PACKET_TIME } from "../../src/blob/layout";
import { CONTROL_ADDRESS, CONTROL_EPOCH } from "../../src/blob/memory";
import * as P from "../../src/blob/payloads";
import { packet } from "../packet";

const CONTIGUOUS: u8 = 2;
const FLAGS_KNOWN: u8 = 3;
const DAY: u64 = 86400;
const LAST_SECOND: u32 = 86399;
const EVERY_DAY: u32 = 0xfffffffe;
/** Days from 0000-03-01 to 1970-01-01, in the Gregorian calendar. */
const DAYS_BEFORE_1970: i32 = 719468;
const DAYS_OF_400_YEARS: u32 = 146097;

export function matchTime(record: usize): bool {
  const now = <u64>load<u32>(CONTROL_ADDRESS, CONTROL_EPOCH) + <u64>(load<u32>(packet, PACKET_TIME) / 1000);
  if (now < <u64>load<u32>(record, P.TIME_DATE_START) || now > <u64>load<u32>(record, P.TIME_DATE_STOP)) return false;
  const second = <u32>(now % DAY);
  let day = <i32>(now / DAY);
  const start = load<u32>(record, P.TIME_DAY_START);
  const stop = load<u32>(record, P.TIME_DAY_STOP);
  if (start < stop) {
    if (second < start || second > stop) return false;
  } else {
    if (second < start && second > stop) return false;
    // A span over midnight belongs to the day that it began on.
    if (load<u8>(record, P.TIME_FLAGS) & CONTIGUOUS && second <= stop) day--;
  }
  if (!((<u32>load<u8>(record, P.TIME_WEEKDAYS) >> weekday(day)) & 1)) return false;
  const days = load<u32>(record, P.TIME_MONTHDAYS);
  return days == EVERY_DAY || ((days >> monthday(day)) & 1) != 0;
}

export function checkTime(record: usize): bool {
  const start = load<u32>(record, P.TIME_DAY_START);
  const stop = load<u32>(record, P.TIME_DAY_STOP);
  const flags = load<u8>(record, P.TIME_FLAGS);
  return (
    start <= LAST_SECOND && stop <= LAST_SECOND && !(flags & ~FLAGS_KNOWN) && (!(flags & CONTIGUOUS) || start >= stop)
  );
}

/** 1 is Monday; day 0 was a Thursday. */
function weekday(day: i32): u32 {
  return <u32>((day + 10) % 7) + 1;
}

/** Day of the month, by years that begin in March (Hinnant, "chrono-compatible low-level date algorithms"). */
function monthday(day: i32): u32 {
  const era = <u32>(day + DAYS_BEFORE_1970) % DAYS_OF_400_YEARS;
  const year = (era - era / 1460 + era / 36524 - era / 146096) / 365;
  const ofYear = era - (365 * year + year / 4 - year / 100);
  const month = (5 * ofYear + 2) / 153;
  return ofYear - (153 * month + 2) / 5 + 1;
}
