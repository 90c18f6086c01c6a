/** Rates as limit and hashlimit read and print them: packets a second, minute, hour or day. */
import { type Argument, SLASH } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ["second", 1],
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
];
/** As they print, longest first. */
const PRINTED: readonly (readonly [name: string, seconds: number])[] = [
  ["day", 86_400],
  ["hour", 3600],
  ["min", 60],
  ["sec", 1],
];

/** Ticks of 1/`scale` second a packet, rounded down, and at least 1. The argument's `value` is the unit, in seconds. */
export function readRate(argument: Argument, scale: number): number {
  const expected = "a rate such as 5/second, 10/minute, 3/hour or 1/day";
  const slash = argument.indexOf(SLASH);
  const count = argument.text(argument.start, slash < 0 ? argument.end : slash);
  const unit = slash < 0 ? "second" : argument.text(slash + 1).toLowerCase();
  const seconds = unit === "" ? undefined : UNITS.find(([name]) => name.startsWith(unit))?.[1];
  if (seconds === undefined || !/^\d{1,10}$/.test(count) || Number(count) === 0) argument.fail("bad-number", expected);
  const period = Math.floor((scale * seconds) / Number(count));
  if (period === 0) argument.fail("bad-number", `at most ${scale} packets a second`);
  argument.value = seconds;
  return period;
}

/** The rate of a period in ticks: of the units that lose little by rounding, the one that gives the smallest number. */
export function printRate(out: ByteWriter, period: number, scale: number): void {
  const [name, seconds] = PRINTED[unitOf(period, scale)] as (typeof PRINTED)[number];
  out.number(Math.floor((scale * seconds) / period));
  out.byte(SLASH);
  out.text(name);
}

/** Seconds of the unit in which a period prints. */
export function periodUnit(period: number, scale: number): number {
  return PRINTED[unitOf(period, scale)]?.[1] ?? 0;
}

function unitOf(period: number, scale: number): number {
  let unit = 0;
  for (let next = 1; next < PRINTED.length; next++) {
    const ticks = scale * (PRINTED[next]?.[1] ?? 0);
    if (period > ticks || Math.floor(ticks / period) < ticks % period) break;
    unit = next;
  }
  return unit;
}
