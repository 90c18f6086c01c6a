/** Histories of random commands for a table's chains: rules that come, move and go, and commands that must fail. */
import type { Family } from "../../src/ruleset/row-store.js";
import { BUILTIN_CHAINS, TABLE_NAMES, type TableName } from "../../src/ruleset/ruleset.js";
import type { Random } from "../linux-parser/random.js";
import { matchSamples, targetSamples } from "../linux-parser/rule-samples.js";
import { argumentsOf, type History } from "./iptables.js";

/** Few names, so that commands meet. The last ones are refused, or are names that only look like chains. */
const USER_CHAINS = ["one", "Two", "th-ree", "kube.4"];
const ODD_NAMES = [
  "nowhere",
  "ACCEPT",
  "-x",
  "a-name-of-28-characters-long",
  "a-name-of-29-characters-long!",
  "with space",
];
const COUNTERS = ["-c 5 6", "-c 123456789,98765432101", "-c 0 1"];

export function randomHistory(random: Random, family: Family, length: number): History {
  const table = random.pick(TABLE_NAMES);
  const made: string[] = [];
  const commands = Array.from({ length }, () => randomCommand(random, family, table, made));
  return { text: startingText(random, family, table, made), commands };
}

/** Some chains and rules with counters, as a machine that has been running has them. */
function startingText(random: Random, family: Family, table: TableName, made: readonly string[]): string {
  const lines = [
    `*${table}`,
    ...BUILTIN_CHAINS[table].map((chain) => `:${chain} ACCEPT [${random.below(99)}:${random.below(9999)}]`),
  ];
  const users = USER_CHAINS.filter(() => random.chance(0.5));
  for (const chain of users) lines.push(`:${chain} - [0:0]`);
  const plain = made.filter((rule) => !/-[jg] (?!ACCEPT|RETURN)/.test(rule));
  for (const chain of [...BUILTIN_CHAINS[table], ...users])
    for (let n = random.below(4); n > 0; n--) {
      const rule = random.chance(0.5) && plain.length > 0 ? random.pick(plain) : simpleRule(random, family);
      if (fits(rule, chain)) lines.push(`[${random.below(1000)}:${random.below(1e6)}] -A ${chain} ${rule}`);
    }
  for (const chain of users) if (random.chance(0.6)) lines.push(`-A ${random.pick(BUILTIN_CHAINS[table])} -j ${chain}`);
  return `${[...lines, "COMMIT"].join("\n")}\n`;
}

/** Interfaces only where packets have them. */
function fits(rule: string, chain: string): boolean {
  return (
    !(/ ?-i /.test(rule) && /OUTPUT|POSTROUTING/.test(chain)) && !(/ ?-o /.test(rule) && /INPUT|PREROUTING/.test(chain))
  );
}

function simpleRule(random: Random, family: Family): string {
  const network = (): string => (family === "ipv4" ? `10.0.${random.below(3)}.0/24` : `fd00:${random.below(3)}::/32`);
  return random.pick([
    `-s ${network()} -j ACCEPT`,
    `! -d ${network()}`,
    `-p tcp --dport ${random.below(4)} -j ACCEPT`,
    `-p udp -m udp --sport 5:${5 + random.below(3)} -j RETURN`,
    `-m comment --comment "c ${random.below(3)}"`,
    `-m mark --mark 0x${random.below(3)} -j ACCEPT`,
  ]);
}

/** `made` collects the rules that were written, to be met again. */
function randomCommand(random: Random, family: Family, table: TableName, made: string[]): string[] {
  const builtIn = random.pick(BUILTIN_CHAINS[table]);
  const user = random.pick(USER_CHAINS);
  const chain = random.chance(0.02) ? random.pick(ODD_NAMES) : random.chance(0.6) ? builtIn : user;
  const rule = (): string => {
    const text = made.length > 0 && random.chance(0.5) ? random.pick(made) : randomRule(random, family, table, chain);
    made.push(text);
    return text;
  };
  const counters = (): string => (random.chance(0.2) ? ` ${random.pick(COUNTERS)}` : "");
  const at = (): number => random.below(5);
  const name = (): string => (random.chance(0.1) ? `"${random.pick(ODD_NAMES)}"` : random.pick(USER_CHAINS));
  const choices: (() => string)[] = [
    () => `-A "${chain}" ${rule()}${counters()}`,
    () => `${random.pick(["-A", "--append"])} "${chain}" ${rule()}`,
    () => `-I "${chain}" ${rule()}`,
    () => `${random.pick(["-I", "--insert"])} "${chain}" ${1 + at()} ${rule()}${counters()}`,
    () => `-R "${chain}" ${at()} ${rule()}${counters()}`,
    () => `-D "${chain}" ${rule()}`,
    () => `${random.pick(["-D", "--delete"])} "${chain}" ${rule()}`,
    () => `-D "${chain}" ${at()}`,
    () => `-C "${chain}" ${rule()}`,
    () => `${random.pick(["-N", "--new-chain", "--new"])} ${name()}`,
    () => `-N ${name()}`,
    () => `-X ${random.chance(0.15) ? "" : name()}`,
    // Linux looks at the new name since iptables 1.8.10 alone.
    () => `-E ${random.chance(0.1) ? builtIn : random.pick(USER_CHAINS)} ${random.pick(USER_CHAINS)}`,
    () => `-F ${random.chance(0.2) ? "" : `"${chain}"`}`,
    () =>
      `-P ${random.chance(0.1) ? chain : builtIn} ${random.pick(["ACCEPT", "DROP", "ACCEPT", "REJECT"])}${counters()}`,
    () => `-Z ${random.chance(0.4) ? "" : `"${chain}"`}`,
    () => `-Z "${chain}" ${at()}`,
    () =>
      `${random.pick(["-L", "-S", "-nvL", "-L -x -v --line-numbers -n", "-S -v"])} ${random.chance(0.5) ? `"${chain}" ${at() || ""}` : ""}`,
    () => `-L ${chain} -n -v -Z`,
    () => `-S -Z ${chain}`,
    () => `-Z ${chain} ${1 + at()} -S`,
    () => `-L -n -Z "${chain}" ${1 + at()}`,
    () =>
      random.pick([
        "",
        "-A",
        "-L -S",
        "-S -n",
        "-F -n",
        "-A INPUT -D INPUT",
        "-R INPUT",
        "-N one two",
        "--nonsense",
        "-C one -c 1 2",
        "-P INPUT",
        "! -L",
      ]),
    () => `-A "${chain}" -s ${twoAddresses(family)} -j ACCEPT`,
    () => `-D "${chain}" -s ${twoAddresses(family)} -j ACCEPT`,
    () => `-I "${chain}" 2 -d ${twoAddresses(family)} -j ACCEPT`,
  ];
  const words = argumentsOf(random.pick(choices)());
  const tableWords =
    table === "filter" && random.chance(0.5)
      ? []
      : [random.pick(["-t", "--table"]), random.chance(0.01) ? "filters" : table];
  return random.chance(0.3) ? [...words, ...tableWords] : [...tableWords, ...words];
}

const twoAddresses = (family: Family): string => (family === "ipv4" ? "10.0.0.0/24,10.0.1.1" : "fd00:1::/32,fd00:2::2");

/** A rule of any kind; now and then one that its chain, its table or its protocol does not allow. */
function randomRule(random: Random, family: Family, table: TableName, chain: string): string {
  if (random.chance(0.4)) return simpleRule(random, family);
  const hook = random.chance(0.8) && !USER_CHAINS.includes(chain) ? chain : undefined;
  const protocol = random.pick(["", "tcp", "udp", "sctp", "icmp"]);
  const named = protocol === "icmp" && family === "ipv6" ? "ipv6-icmp" : protocol;
  const parts = named ? [`-p ${named}`] : [];
  const samples = matchSamples(
    random,
    family,
    random.chance(0.05) ? "tcp" : protocol,
    random.chance(0.05) ? "OUTPUT" : hook,
  );
  if (random.chance(0.1)) parts.push(random.pick(["-i eth0", "! -o eth+"]));
  if (random.chance(0.6)) parts.push(random.pick(samples.filter((sample) => sample.startsWith("-m"))));
  const elsewhere = random.chance(0.05) ? random.pick(TABLE_NAMES) : table;
  if (random.chance(0.4)) parts.push(`${random.pick(["-j", "-g"])} ${random.pick([...USER_CHAINS, "nowhere"])}`);
  else if (random.chance(0.9))
    parts.push(`-j ${random.pick(targetSamples(random, family, elsewhere, protocol, hook))}`);
  return parts.join(" ");
}
