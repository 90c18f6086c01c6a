/** A small seeded generator (mulberry32) with what rules are made of. */
import type { Family } from "../../src/ruleset/row-store.js";

export interface Random {
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  address(family: Family): string;
  network(family: Family): string;
  hex(): string;
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const random: Random = {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick: (choices) => choices[Math.floor(next() * choices.length)] as (typeof choices)[number],
    shuffle(items) {
      const mixed = [...items];
      for (let i = mixed.length - 1; i > 0; i--) {
        const j = Math.floor(next() * (i + 1));
        [mixed[i], mixed[j]] = [mixed[j] as (typeof mixed)[number], mixed[i] as (typeof mixed)[number]];
      }
      return mixed;
    },
    address(family) {
      if (family === "ipv4") return Array.from({ length: 4 }, () => random.below(256)).join(".");
      const groups = Array.from({ length: 8 }, () => (random.chance(0.5) ? 0 : random.below(65_536)));
      return groups.map((group) => group.toString(16)).join(":");
    },
    network(family) {
      const width = family === "ipv4" ? 32 : 128;
      const mask = random.pick([
        `/${random.below(width + 1)}`,
        `/${width}`,
        "",
        family === "ipv4" ? "/255.255.0.0" : "/ffff:ffff::",
        family === "ipv4" ? "/255.0.255.0" : "/ffff:0:ffff::",
      ]);
      return random.address(family) + mask;
    },
    hex: () => `0x${random.below(2 ** 32).toString(16)}`,
  };
  return random;
}
