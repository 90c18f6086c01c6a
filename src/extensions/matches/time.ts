/** -m time: when the packet arrives. */
import {
  MATCH_TIME,
  TIME_DATE_START,
  TIME_DATE_STOP,
  TIME_DAY_START,
  TIME_DAY_STOP,
  TIME_FLAGS,
  TIME_MONTHDAYS,
  TIME_SIZE,
  TIME_WEEKDAYS,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";

const KERNEL_ZONE = 1;
const CONTIGUOUS = 2;
const LAST_SECOND = 86_399;
const LAST_DATE = 0x7fffffff;
const ALL_MONTHDAYS = 0xfffffffe;
const ALL_WEEKDAYS = 0xfe;
const WEEKDAYS = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DATE = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:T(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?)?)?)?$/;
const DAYTIME = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/;

export const time: Extension = {
  name: "time",
  type: MATCH_TIME,
  size: TIME_SIZE,
  options: [
    dateOption("datestart", TIME_DATE_START),
    dateOption("datestop", TIME_DATE_STOP),
    daytimeOption("timestart", TIME_DAY_START),
    daytimeOption("timestop", TIME_DAY_STOP),
    { name: "contiguous", arguments: 0, parse: (_, record, at) => flag(record, at, CONTIGUOUS) },
    {
      name: "weekdays",
      invertible: true,
      parse(argument, record, at) {
        const days = readDays(argument, 7);
        record.bytes[at + TIME_WEEKDAYS] = argument.inverted ? days ^ ALL_WEEKDAYS : days;
      },
    },
    {
      name: "monthdays",
      invertible: true,
      parse(argument, record, at) {
        const days = readDays(argument, 31);
        record.view.setUint32(at + TIME_MONTHDAYS, argument.inverted ? days ^ ALL_MONTHDAYS : days, true);
      },
    },
    { name: "localtz", arguments: 0, excludes: ["utc"], parse: (_, record, at) => flag(record, at, KERNEL_ZONE) },
    { name: "utc", arguments: 0, excludes: ["kerneltz"], parse() {} },
    { name: "kerneltz", arguments: 0, parse: (_, record, at) => flag(record, at, KERNEL_ZONE) },
  ],

  initialise(record, at) {
    record.view.setUint32(at + TIME_DATE_STOP, LAST_DATE, true);
    record.view.setUint32(at + TIME_DAY_STOP, LAST_SECOND, true);
    record.view.setUint32(at + TIME_MONTHDAYS, ALL_MONTHDAYS, true);
    record.bytes[at + TIME_WEEKDAYS] = ALL_WEEKDAYS;
  },

  finish(argument, record, at) {
    const start = record.view.getUint32(at + TIME_DAY_START, true);
    if (argument.has("contiguous") && start < record.view.getUint32(at + TIME_DAY_STOP, true))
      argument.fail("bad-value", "--timestop before --timestart with --contiguous");
    return TIME_SIZE;
  },

  print(out, record, at) {
    const { view } = record;
    const start = view.getUint32(at + TIME_DAY_START, true);
    const stop = view.getUint32(at + TIME_DAY_STOP, true);
    const monthdays = view.getUint32(at + TIME_MONTHDAYS, true);
    const weekdays = record.bytes[at + TIME_WEEKDAYS] as number;
    if (start !== 0 || stop !== LAST_SECOND) out.text(` --timestart ${daytime(start)} --timestop ${daytime(stop)}`);
    if (monthdays !== ALL_MONTHDAYS) out.text(` --monthdays ${daysOf(monthdays, 31).join(",")}`);
    if (weekdays !== ALL_WEEKDAYS)
      out.text(
        ` --weekdays ${daysOf(weekdays, 7)
          .map((day) => WEEKDAYS[day])
          .join(",")}`,
      );
    printDate(out, " --datestart ", view.getUint32(at + TIME_DATE_START, true));
    printDate(out, " --datestop ", view.getUint32(at + TIME_DATE_STOP, true));
    if ((record.bytes[at + TIME_FLAGS] as number) & KERNEL_ZONE) out.text(" --kerneltz");
    if ((record.bytes[at + TIME_FLAGS] as number) & CONTIGUOUS) out.text(" --contiguous");
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + TIME_FLAGS] = (record.bytes[at + TIME_FLAGS] as number) | bit;
}

/** `YYYY[-MM[-DD[Thh[:mm[:ss]]]]]`, in UTC. A month or day 0 is the one before the first. */
function dateOption(name: string, field: number): Option {
  return {
    name,
    parse(argument, record, at) {
      const found = DATE.exec(argument.text());
      const [year, month, day, hour, minute, second] = [0, 1, 1, 0, 0, 0].map((preset, n) =>
        Number(found?.[n + 1] ?? preset),
      ) as [number, number, number, number, number, number];
      if (!found || year < 1970 || year > 2038 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59)
        argument.fail("bad-value", "a date from 1970 to 2038 as YYYY[-MM[-DD[Thh[:mm[:ss]]]]]");
      record.view.setUint32(at + field, Date.UTC(year, month - 1, day, hour, minute, second) / 1000, true);
    },
  };
}

function daytimeOption(name: string, field: number): Option {
  return {
    name,
    parse(argument, record, at) {
      const found = DAYTIME.exec(argument.text());
      const [hour, minute, second] = [1, 2, 3].map((n) => Number(found?.[n] ?? 0)) as [number, number, number];
      if (!found || hour > 23 || minute > 59 || second > 59) argument.fail("bad-value", "a time of day as hh:mm[:ss]");
      record.view.setUint32(at + field, 3600 * hour + 60 * minute + second, true);
    },
  };
}

/** A comma list of numbers up to `last`, and of names of weekdays where that is 7. */
function readDays(argument: Argument, last: number): number {
  let days = 0;
  for (const word of argument.text().split(",")) {
    const named =
      last === 7 && word.length >= 2 ? WEEKDAYS.findIndex((day) => day !== "" && word.startsWith(day.slice(0, 2))) : -1;
    const day = named > 0 ? named : /^\d+$/.test(word) ? Number(word) : 0;
    if (day < 1 || day > last)
      argument.fail("bad-value", last === 7 ? "days as Mon,Tue,Wed,Thu,Fri,Sat,Sun or 1 to 7" : "days from 1 to 31");
    days |= 1 << day;
  }
  return days;
}

function daysOf(mask: number, last: number): number[] {
  return Array.from({ length: last }, (_, n) => n + 1).filter((day) => (mask >>> day) & 1);
}

const two = (number: number): string => String(number).padStart(2, "0");

function daytime(seconds: number): string {
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** The last date of all prints as well. */
function printDate(out: { text(text: string): void }, option: string, seconds: number): void {
  if (seconds !== 0) out.text(option + new Date(seconds * 1000).toISOString().slice(0, 19));
}
