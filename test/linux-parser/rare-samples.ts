/** One text for each carried match and target that few rulesets use, with fresh values, where the rule allows it. */
import type { Family } from "../../src/ruleset/row-store.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import type { Random } from "./random.js";

const not = (random: Random): string => (random.chance(0.3) ? "! " : "");

const range = (random: Random, limit: number): string => {
  const first = random.below(limit);
  return random.pick([`${first}`, `${first}:${first + random.below(limit)}`, `${first}:`, `:${first}`]);
};

/** `hook` is undefined in a user's chain, which any hook may reach. */
export function rareMatchSamples(random: Random, family: Family, protocol: string, hook: string | undefined): string[] {
  const v4 = family === "ipv4";
  const samples = [
    `-m helper ${not(random)}--helper ${random.pick(["ftp", '"irc-6667"', "sip"])}`,
    `-m quota ${not(random)}--quota ${random.below(2 ** 40)}`,
    `-m connbytes ${not(random)}--connbytes ${range(random, 2 ** 31)} --connbytes-dir ${random.pick(["original", "reply", "both"])} --connbytes-mode ${random.pick(["packets", "bytes", "avgpkt"])}`,
    `-m cpu ${not(random)}--cpu ${random.below(64)}`,
  ];
  if (hook === "PREROUTING" || hook === "INPUT")
    samples.push(
      `-m socket ${random.pick(["", "--transparent ", "--nowildcard "])}--restore-skmark`,
      `-m devgroup ${not(random)}--src-group ${random.pick(["7", "0x10/0xff", "0x0", "default"])}`,
    );
  if (hook === "POSTROUTING" || hook === "OUTPUT")
    samples.push(`-m devgroup ${not(random)}--dst-group ${random.below(99)}`);
  if (v4 && hook !== "PREROUTING" && hook !== undefined)
    samples.push(`-m realm ${not(random)}--realm ${random.pick(["0x2a", "9/0xf", "0", "cosmos"])}`);
  if (!v4)
    samples.push(
      `-m frag ${not(random)}--fragid ${range(random, 2 ** 31)} ${random.pick(["--fragmore", "--fraglast"])}`,
    );
  if (protocol === "esp") samples.push(`-m esp ${not(random)}--espspi ${range(random, 2 ** 31)}`);
  if (protocol === "ipcomp") samples.push(`-m ipcomp ${not(random)}--ipcompspi ${range(random, 2 ** 31)} --compres`);
  if (v4 && protocol === "ah") samples.push(`-m ah ${not(random)}--ahspi ${range(random, 2 ** 31)}`);
  if (!v4) samples.push(`-m ah ${not(random)}--ahspi ${range(random, 2 ** 31)} ! --ahlen ${random.below(99)} --ahres`);
  if (protocol === "dccp")
    samples.push(
      `-m dccp ${not(random)}--sport ${range(random, 30_000)} ${not(random)}--dccp-types ${random.pick(["REQUEST,RESPONSE", "INVALID", "RESET,SYNC,DATA"])} --dccp-option ${1 + random.below(255)}`,
    );
  if (protocol === "tcp")
    samples.push(`-m ecn ${not(random)}--ecn-tcp-cwr ${not(random)}--ecn-ip-ect ${random.below(4)}`);
  return samples;
}

export function rareTargetSamples(
  random: Random,
  family: Family,
  table: TableName,
  protocol: string,
  hook: string | undefined,
): string[] {
  const samples = [`TEE --gateway ${family === "ipv4" ? "10.0.0.1" : "fe80::1"}${random.pick(["", " --oif eth1"])}`];
  if (table === "mangle" && protocol === "tcp") {
    samples.push(`TCPOPTSTRIP --strip-options ${random.pick(["mss,wscale", "timestamp,md5", "sack", "30,31"])}`);
    if (family === "ipv4") samples.push("ECN --ecn-tcp-remove");
  }
  if (table === "filter" && protocol === "tcp" && (hook === "INPUT" || hook === "FORWARD"))
    samples.push(`SYNPROXY --mss ${random.below(9_000)} --wscale ${random.below(15)} --timestamp --sack-perm`);
  return samples;
}
