/**
 * Rates of bytes as hashlimit has them: the kernel keeps what a unit of 16 bytes costs, 2^32 parts being a second, so
 * that a rate comes back rounded.
 */
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";

const MOST = 0xffffffffn;
const UNIT_SHIFT = 4n;
const UNITS: readonly (readonly [letter: string, factor: bigint])[] = [
  ["m", 1n << 20n],
  ["k", 1n << 10n],
  ["", 1n],
];

/** Bytes a second, of text such as 512kb/s, or undefined when the text is no rate of bytes. */
export function readByteRate(argument: Argument): bigint | undefined {
  const found = /^(\d{1,18})([km]?)b\/s$/.exec(argument.text());
  if (!found || Number(found[1]) === 0) return undefined;
  const rate = BigInt(found[1] as string) * factorOf(found[2] as string);
  if (rate >> UNIT_SHIFT >= MOST) argument.fail("bad-number", "a smaller rate of bytes");
  return rate;
}

/** A number, of packets or with a k or m and perhaps a b of bytes. A bare one is at most `largest`. */
export function readBurst(argument: Argument, largest: number): bigint {
  const found = /^(\d{1,18})([km]?)b?$/.exec(argument.text());
  const number = BigInt(found?.[1] ?? 0);
  if (!found || number === 0n || (/^\d+$/.test(found[0]) && number > largest))
    argument.fail("bad-number", `a number from 1 to ${largest}, or bytes as in 512kb`);
  return number * factorOf(found[2] as string);
}

export function bytesToCost(bytes: bigint): bigint {
  return MOST / ((bytes >> UNIT_SHIFT) + 1n);
}

export function costToBytes(cost: bigint): bigint {
  return ((cost === 0n ? MOST : MOST / cost) - 1n) << UNIT_SHIFT;
}

/** The rate in the largest unit that loses nothing, and the burst, in multiples of the rate, in the largest that it fills. */
export function printByteRate(out: ByteWriter, cost: bigint, burst: bigint): void {
  const rate = costToBytes(cost);
  const exact = UNITS.find(
    ([, factor]) => factor === 1n || (rate >= factor && bytesToCost(rate & ~(factor - 1n)) === cost),
  );
  const [letter, factor] = exact as (typeof UNITS)[number];
  out.text(`${rate / factor}${letter}b/s`);
  if (burst === 0n) return;
  const [burstLetter, burstFactor] = UNITS.find(
    ([, one]) => one === 1n || rate * burst >= one,
  ) as (typeof UNITS)[number];
  out.text(` --hashlimit-burst ${(rate * burst) / burstFactor}${burstLetter}b`);
}

function factorOf(letter: string): bigint {
  return UNITS.find(([known]) => known === letter)?.[1] ?? 1n;
}
