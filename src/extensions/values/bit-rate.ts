/** Rates as tc has them: bits a second in text, bytes a second in a record. */
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";

const BYTE = 8;
const MOST = 0xffffffff;
/** Bits of one unit. */
const UNITS: Readonly<Record<string, number>> = Object.fromEntries(
  ["", "k", "m", "g", "t"].flatMap((letter, power) => {
    const binary = letter === "" ? "" : `${letter}i`;
    return [
      [`${letter}bit`, 1000 ** power],
      [`${binary}bit`, 1024 ** power],
      [`${letter}bps`, BYTE * 1000 ** power],
      [`${binary}bps`, BYTE * 1024 ** power],
    ] as [string, number][];
  }),
);

/** Bytes a second, rounded down. A bare number is of bits. */
export function readBitRate(argument: Argument): number {
  const found = /^(\d+(?:\.\d*)?|\.\d+)([a-z]*)$/i.exec(argument.text());
  const unit = found?.[2]?.toLowerCase() || "bit";
  if (!found || !Object.hasOwn(UNITS, unit)) argument.fail("bad-value", "a rate such as 8bit, 5kbit, 2mbit or 100bps");
  const rate = Math.floor((Number(found[1]) * (UNITS[unit] as number)) / BYTE);
  if (rate > MOST) argument.fail("bad-number", `a rate of at most ${MOST} bytes a second`);
  return rate;
}

/** In the largest unit that it fills a thousand of. */
export function printBitRate(out: ByteWriter, bytes: number): void {
  const bits = bytes * BYTE;
  if (bits >= 1e9) out.text(`${roundHalfEven(bits / 1e6)}Mbit`);
  else if (bits >= 1e6) out.text(`${roundHalfEven(bits / 1e3)}Kbit`);
  else out.text(`${bits}bit`);
}

/** As C's %.0f rounds. */
function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
