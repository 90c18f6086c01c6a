/**
 * How traffic spreads over what it goes to: services, published ports, rules.
 *
 * `zipf`: the one of rank k gets a share in proportion to 1/k (exponent 1, as requests for web pages have it). Who has
 * which rank is drawn by lot, so that the place in a chain tells nothing. Sums of quotients only, which IEEE 754 rounds
 * the same everywhere: the same seed gives the same packets on every machine.
 *
 * Reference. Breslau, Cao, Fan, Phillips, Shenker, "Web Caching and Zipf-like Distributions" (INFOCOM 1999).
 */
import type { Random } from "./random.js";

export const SPREADS = { uniform, zipf } as const;
export type Spread = keyof typeof SPREADS;

export function isSpread(name: string): name is Spread {
  return Object.hasOwn(SPREADS, name);
}

/** Draws numbers 0 to `count` - 1. `count` is 1 or more. */
export type Draw = () => number;

function uniform(count: number, random: Random): Draw {
  return () => random.below(count);
}

function zipf(count: number, random: Random): Draw {
  const ranked = Uint32Array.from({ length: count }, (_, nth) => nth);
  const sums = new Float64Array(count);
  let total = 0;
  for (let nth = 0; nth < count; nth++) {
    total += 1 / (nth + 1);
    sums[nth] = total;
    const other = random.between(nth, count - 1);
    [ranked[nth], ranked[other]] = [ranked[other] as number, ranked[nth] as number];
  }
  return () => {
    const at = (random.next() / 2 ** 32) * total;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    return ranked[low] as number;
  };
}
