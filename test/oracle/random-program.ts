/** Random programs of classic BPF, most of which Linux takes. */
import type { Random } from "./random.js";

const ALU = [0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4];
const JUMPS = [0x15, 0x25, 0x35, 0x45];
/** What Linux knows beside the bytes that is the same here: protocol, kind, mark, A ^ X, tag of a VLAN. */
const BESIDE = [0, 4, 20, 40, 44, 48].map((what) => 0xfffff000 + what);
const NETWORK = 0xfff00000;

/** `wild`: one in so many numbers may be anything. */
export function randomProgram(random: Random, wild = 0): string {
  const count = random.between(1, 24);
  const written: number[] = [];
  const lines = Array.from({ length: count }, (_, at) => {
    const line = at === count - 1 ? randomReturn(random) : randomInstruction(random, count - at - 2, written);
    return wild === 0 ? line : line.map((number) => (random.chance(1 / wild) ? random.below(300) : number));
  });
  return `${count},${lines.map((line) => line.join(" ")).join(",")}`;
}

function randomReturn(random: Random): number[] {
  return random.chance(0.5) ? [0x16, 0, 0, 0] : [0x06, 0, 0, random.below(2)];
}

/** `left`: instructions that it may skip. */
function randomInstruction(random: Random, left: number, written: number[]): number[] {
  const kind = random.below(12);
  if (kind < 3) return [random.pick([0x20, 0x28, 0x30]), 0, 0, randomPlace(random)];
  if (kind < 4) return [random.pick([0x40, 0x48, 0x50]), 0, 0, random.pick([0, 1, 16, NETWORK, 0xfffffff0])];
  if (kind < 5) return [random.pick([0x00, 0x01]), 0, 0, random.pick([0, 1, 2, 6, 17, 255, 0xffffffff])];
  if (kind < 6) return [random.pick([0x80, 0x81, 0xb1, 0x07, 0x87]), 0, 0, random.below(24)];
  if (kind < 9) {
    const operation = random.pick(ALU);
    if (random.chance(0.1)) return [0x84, 0, 0, 0];
    if (random.chance(0.4)) return [operation | 8, 0, 0, 0];
    return [operation, 0, 0, random.between(1, 31)];
  }
  if (kind < 11 && left > 0) {
    const code = random.pick(JUMPS) | (random.chance(0.3) ? 8 : 0);
    return [
      code,
      random.below(Math.min(left, 5) + 1),
      random.below(Math.min(left, 5) + 1),
      random.pick([0, 1, 6, 17, 0x45, 64, 1000]),
    ];
  }
  if (random.chance(0.3)) {
    const word = random.below(16);
    written.push(word);
    return [random.pick([0x02, 0x03]), 0, 0, word];
  }
  return written.length > 0 && random.chance(0.5)
    ? [random.pick([0x60, 0x61]), 0, 0, random.pick(written)]
    : [random.pick([0x07, 0x87]), 0, 0, 0];
}

function randomPlace(random: Random): number {
  if (random.chance(0.15)) return random.pick(BESIDE);
  if (random.chance(0.15)) return NETWORK + random.below(48);
  return random.chance(0.05) ? 5000 : random.below(48);
}
