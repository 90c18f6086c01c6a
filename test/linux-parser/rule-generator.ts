/** Seeded rulesets that Linux loads: every carried extension, written in ways that iptables-save would not choose. */
import { BUILTIN_CHAINS, TABLE_NAMES, type TableName } from "../../src/ruleset/ruleset.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { type Random, randomFrom } from "./random.js";
import { rareMatchSamples, rareTargetSamples } from "./rare-samples.js";
import { matchSamples, targetSamples } from "./rule-samples.js";
import { setting } from "../setting.js";

const RULES_A_CHAIN = 12;
const USER_CHAINS = 3;

/** Set RULESWAP_SEED to repeat a run. */
export function seedOf(): number {
  return setting("SEED", 20_260_101);
}

export function randomRuleset(family: Family, seed: number): string {
  const random = randomFrom(seed);
  return TABLE_NAMES.map((table) => randomTable(random, family, table)).join("");
}

function randomTable(random: Random, family: Family, table: TableName): string {
  const builtIn = BUILTIN_CHAINS[table];
  const users = Array.from({ length: USER_CHAINS }, () => randomName(random));
  const lines = [
    `*${table}`,
    "# generated",
    ...builtIn.map((chain) => `:${chain} ACCEPT [${random.below(9)}:${random.below(2 ** 31)}]`),
  ];
  for (const chain of users) lines.push(`:${chain} - [0:0]`);
  for (const [place, chain] of [...builtIn, ...users].entries())
    for (let n = 0; n < RULES_A_CHAIN; n++) {
      const rule = randomRule(
        random,
        family,
        table,
        place < builtIn.length ? chain : undefined,
        users.slice(Math.max(0, place - builtIn.length + 1)),
      );
      lines.push(
        `${random.chance(0.3) ? `[${random.below(2 ** 31)}:${random.below(2 ** 31)}] ` : ""}-A ${chain}${rule}`,
      );
    }
  lines.push("COMMIT", "");
  return lines.join("\n");
}

function randomName(random: Random): string {
  return `${random.pick(["KUBE-SVC-", "cali_", "ufw.", "DOCKER-", "x"])}${random.below(2 ** 31).toString(36)}`;
}

/** A rule for a built-in chain, or for a user's chain that every hook may reach when `hook` is undefined. */
function randomRule(
  random: Random,
  family: Family,
  table: TableName,
  hook: string | undefined,
  jumps: readonly string[],
): string {
  const protocol = random.pick(["", "", "tcp", "udp", "sctp", "icmp", "gre", "esp", "ah", "ipcomp", "dccp", "50"]);
  const named = protocol === "icmp" && family === "ipv6" ? "ipv6-icmp" : protocol;
  const parts: string[] = [];
  if (random.chance(0.4))
    parts.push(
      `${random.chance(0.2) ? "! " : ""}${random.pick(["-s", "--source", "--src"])} ${random.network(family)}`,
    );
  if (random.chance(0.4))
    parts.push(`${random.chance(0.2) ? "! " : ""}${random.pick(["-d", "--dst"])} ${random.network(family)}`);
  if (random.chance(0.2) && hook !== "OUTPUT" && hook !== "POSTROUTING")
    parts.push(`-i ${random.pick(["eth0", "cali+", "br-0123456789ab", "+"])}`);
  if (random.chance(0.2) && hook !== "PREROUTING" && hook !== "INPUT")
    parts.push(`! -o ${random.pick(["eth0", "docker+"])}`);
  if (family === "ipv4" && !protocol && random.chance(0.05)) parts.push("-f");
  const fixed = random.shuffle(parts);
  if (named) fixed.unshift(`-p ${named}`);
  const samples = [
    ...matchSamples(random, family, protocol, hook),
    ...rareMatchSamples(random, family, protocol, hook),
  ];
  const matches: string[] = [];
  // Options that load the protocol's match by themselves come alone: beside others they may be taken for theirs.
  const alone = samples.filter((sample) => !sample.startsWith("-m"));
  if (alone.length > 0 && random.chance(0.3)) matches.push(random.pick(alone));
  else
    for (let n = random.below(3); n > 0; n--)
      matches.push(random.pick(samples.filter((sample) => sample.startsWith("-m"))));
  let target = "";
  if (jumps.length > 0 && random.chance(0.2)) target = `${random.pick(["-j", "-g", "--jump"])} ${random.pick(jumps)}`;
  else if (random.chance(0.95))
    target = `-j ${random.pick([
      ...targetSamples(random, family, table, protocol, hook),
      ...rareTargetSamples(random, family, table, protocol, hook),
    ])}`;
  return [...fixed, ...matches, target].map((part) => (part ? ` ${part}` : "")).join("");
}
