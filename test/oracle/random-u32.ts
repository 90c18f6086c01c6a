/** Random u32 expressions: real ones, and any arithmetic on any word, so that places come to lie behind the packet. */
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, together } from "./random-condition.js";

const NUMBERS = [0, 1, 4, 6, 8, 12, 16, 20, 32, 40, 44, 56, 60, 0xfffffff0];
const MASKS = [0xff, 0xffff, 0x3c, 0xf, 0xff0000, 0x1fff, 0xffffffff];

/** Behind the last of a packet's headers, by family. */
const KNOWN = {
  ipv4: ["0>>22&0x3c@0", "0>>22&0x3c@12>>26&0x3c@0", "6&0xff", "0>>24", "4&0x1fff", "12"],
  ipv6: ["4>>8&0xff", "8", "40", "4>>16", "40>>16&0xff@44"],
} as const;

function randomLocation(random: Random, { family }: Place): string {
  if (random.chance(0.4)) return random.pick(KNOWN[family]);
  let text = `${random.pick(NUMBERS)}`;
  for (let steps = random.below(6); steps > 0; steps--)
    text += random.pick([
      () => `&${random.pick(MASKS)}`,
      () => `>>${random.below(32)}`,
      () => `<<${random.below(32)}`,
      () => `@${random.pick(NUMBERS)}`,
      () => `>>${random.pick([24, 26, 28])}@${random.pick(NUMBERS)}`,
    ])();
  return text;
}

function randomRange(random: Random): string {
  const ends = [random.pick([0, 1, 6, 17, 50]), random.pick([6, 64, 255, 0xffff, 0x45000000, 0xffffffff])];
  const [least, most] = ends.sort((a, b) => a - b) as [number, number];
  return random.chance(0.3) ? `${most}` : `${least}:${most}`;
}

export function randomU32(random: Random, place: Place): Condition {
  const tests = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => {
    const ranges = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => randomRange(random));
    return `${randomLocation(random, place)}=${ranges.join(",")}`;
  });
  return together("-m u32", [maybeNot(random, { text: `--u32 "${tests.join("&&")}"`, aim: () => undefined })]);
}
