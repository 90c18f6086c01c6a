/**
 * The one source of chance: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021),
 * seeded by a splitmix. Integers of 32 bits only, so the same seed gives the same numbers on every machine.
 *
 * Not for secrets. Period 2^128 - 1.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** Numbers of different `stream`s of one seed have nothing to do with each other. Both are taken modulo 2^32. */
  constructor(seed: number, stream = 0) {
    const mixed = mix(seed >>> 0) ^ mix((stream >>> 0) ^ 0x5bf03635);
    this.a = mix(mixed + 0x9e3779b9);
    this.b = mix(mixed + 0x3c6ef372);
    this.c = mix(mixed + 0xdaa66d2b);
    // One word that is not nought keeps the generator off its fixed point.
    this.d = mix(mixed + 0x78dde6e4) | 1;
  }

  /** The generator in a given state, not all noughts. */
  static ofState(a: number, b: number, c: number, d: number): Random {
    const random = new Random(0);
    [random.a, random.b, random.c, random.d] = [a, b, c, d];
    return random;
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.b, 5), 7), 9) >>> 0;
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotate(this.d, 11);
    return scrambled;
  }

  /** 0 to `limit` - 1, each equally likely. `limit` is 1 to 2^32. */
  below(limit: number): number {
    const fair = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const value = this.next();
      if (value < fair) return value % limit;
    }
  }

  /** `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with a probability of `share`, 0 to 1, in steps of 1/65536. */
  chance(share: number): boolean {
    return this.next() >>> 16 < Math.round(share * 65536);
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("nothing to pick from");
    return items[this.below(items.length)] as T;
  }
}

/**
 * A bijection of the numbers of `bits` bits (1 to 32) that looks random: distinct addresses without remembering which
 * were given. Every step can be undone: multiplying by an odd number, and xor with what lies further up.
 */
export function scramble(index: number, bits: number, seed: number): number {
  const mask = bits === 32 ? 0xffffffff : (1 << bits) - 1;
  const shift = (bits + 1) >>> 1;
  let value = (index ^ mix(seed >>> 0)) & mask;
  for (let round = 1; round <= 3; round++) {
    value = Math.imul(value, mix(seed + round) | 1) & mask;
    value ^= value >>> shift;
  }
  return (value & mask) >>> 0;
}

/** Murmur3's finaliser: every bit of the result hangs on every bit given. */
function mix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
