/** Type of service, as a byte under a mask or by the names of RFC 1349; and DiffServ classes. */
import { type Argument, SLASH } from "../argument.js";

const SYMBOLS: Readonly<Record<string, number>> = {
  "minimize-delay": 0x10,
  "maximize-throughput": 0x08,
  "maximize-reliability": 0x04,
  "minimize-cost": 0x02,
  "normal-service": 0x00,
};
/** A symbol leaves the two lowest bits of the old precedence alone. */
const SYMBOL_MASK = 0x3f;

/** `value[/mask]` or a symbol, into the argument's `value` and `mask`. */
export function readTos(argument: Argument): void {
  const name = argument.text().toLowerCase();
  if (Object.hasOwn(SYMBOLS, name)) {
    argument.value = SYMBOLS[name] as number;
    argument.mask = SYMBOL_MASK;
    return;
  }
  const first = name.charCodeAt(0);
  if (!(first >= 48 && first <= 57))
    argument.fail("bad-value", `a byte, value/mask, or one of ${Object.keys(SYMBOLS).join(", ")}`);
  const slash = argument.indexOf(SLASH);
  argument.value = argument.unsigned(0, 255, argument.start, slash < 0 ? argument.end : slash);
  argument.mask = slash < 0 ? 255 : argument.unsigned(0, 255, slash + 1);
}

/** The symbol of a value under its mask, as people write it; undefined where there is none. */
export function tosSymbol(value: number, mask: number): string | undefined {
  const found = mask === SYMBOL_MASK ? Object.entries(SYMBOLS).find(([, known]) => known === value)?.[0] : undefined;
  return found?.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

const CLASSES: readonly (readonly [name: string, dscp: number])[] = [
  ...Array.from({ length: 8 }, (_, n) => [`CS${n}`, 8 * n] as const),
  ["BE", 0],
  ...[1, 2, 3, 4].flatMap((queue) => [1, 2, 3].map((drop) => [`AF${queue}${drop}`, 8 * queue + 2 * drop] as const)),
  ["EF", 0x2e],
];

/** The code point of a DiffServ class. */
export function readDscpClass(argument: Argument): number {
  const name = argument.text().toUpperCase();
  const known = CLASSES.find(([one]) => one === name);
  if (!known) argument.fail("bad-value", "a class such as EF, BE, CS0 to CS7 or AF11 to AF43");
  return known[1];
}
