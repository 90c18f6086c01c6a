/** Made-up access list rules from a seed: no two the same, and the more specific in front, as people order them. */
import type { FilterRule } from "./class-bench.js";
import { Random, scramble } from "./random.js";

const ANY_PORT = [0, 65535] as const;
const HIGH_PORTS = [1024, 65535] as const;
const SERVICES = [
  22, 25, 53, 80, 110, 123, 143, 161, 389, 443, 445, 636, 993, 1433, 1521, 3306, 3389, 5432, 8080, 8443,
];

export class FilterSource {
  private readonly random: Random;

  constructor(private readonly seed: number) {
    this.random = new Random(seed, 0x6163);
  }

  rules(count: number): FilterRule[] {
    const seen = new Set<string>();
    const rules: FilterRule[] = [];
    // A site for some fifty rules keeps prefixes shared and combinations plenty.
    const sites = 4 + Math.ceil(count / 50);
    while (rules.length < count) {
      const rule = this.rule(sites);
      const key = JSON.stringify(rule);
      if (seen.has(key)) continue;
      seen.add(key);
      rules.push(rule);
    }
    return rules.sort((a, b) => specificity(b) - specificity(a));
  }

  private rule(sites: number): FilterRule {
    const source = this.prefix(sites, [30, 20, 30]);
    const destination = this.prefix(sites, [3, 12, 35]);
    const chance = this.random.below(20);
    if (chance === 19) return { source, destination, sourcePorts: ANY_PORT, destinationPorts: ANY_PORT };
    if (chance === 18) return { source, destination, sourcePorts: ANY_PORT, destinationPorts: ANY_PORT, protocol: 1 };
    return {
      source,
      destination,
      sourcePorts: this.random.below(12) === 0 ? HIGH_PORTS : ANY_PORT,
      destinationPorts: this.ports(),
      protocol: chance < 12 ? 6 : 17,
    };
  }

  /** Of 100 prefixes, `shares` say how many are any address, a site, a subnet; the rest are hosts. */
  private prefix(sites: number, [any, site, subnet]: readonly [number, number, number]): string {
    const chance = this.random.below(100);
    if (chance < any) return "0.0.0.0/0";
    // The first octet 16 to 143, so neither private nor multicast by design, and the site's number spread over two.
    const place = scramble(this.random.below(sites), 15, this.seed);
    const network = `${16 + (place >>> 8)}.${place & 255}`;
    if (chance < any + site) return `${network}.0.0/16`;
    const third = this.random.below(64);
    if (chance < any + site + subnet) return `${network}.${third}.0/24`;
    return `${network}.${third}.${this.random.between(1, 254)}/32`;
  }

  private ports(): readonly [number, number] {
    const chance = this.random.below(20);
    if (chance < 2) return ANY_PORT;
    if (chance < 4) return HIGH_PORTS;
    if (chance < 16) {
      const port = this.random.pick(SERVICES);
      return [port, port];
    }
    const low = this.random.between(1024, 60000);
    return [low, low + this.random.between(1, 2000)];
  }
}

/** Bits that a rule's prefixes fix, and a little for its ports. */
function specificity({ source, destination, destinationPorts: [low, high] }: FilterRule): number {
  const bits = [source, destination].map((prefix) => Number(prefix.slice(prefix.indexOf("/") + 1)));
  return (bits[0] as number) + (bits[1] as number) + (low === high ? 2 : high - low < 2001 ? 1 : 0);
}
