/** One text for each carried match and target that few rulesets use, with fresh values, where the rule allows it. */
import type { Family } from "../../src/ruleset/row-store.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import type { Random } from "./random.js";

const not = (random: Random): string => (random.chance(0.3) ? "! " : "");

const range = (random: Random, limit: number): string => {
  const first = random.below(limit);
  return random.pick([`${first}`, `${first}:${first + random.below(limit)}`, `${first}:`, `:${first}`]);
};

const u32 = (random: Random): string => {
  const numbers = Array.from({ length: 1 + random.below(3) }, () => random.below(2 ** random.below(33)).toString());
  return `${random.below(99)}${random.pick(["", " >> 22 & 0x3c@4", "&0xff", " << 3"])}=${numbers.join(random.pick([",", ", "]))}`;
};

/** `hook` is undefined in a user's chain, which any hook may reach. */
export function rareMatchSamples(random: Random, family: Family, protocol: string, hook: string | undefined): string[] {
  const v4 = family === "ipv4";
  const samples = [
    `-m helper ${not(random)}--helper ${random.pick(["ftp", '"irc-6667"', "sip"])}`,
    `-m quota ${not(random)}--quota ${random.below(2 ** 40)}`,
    `-m connbytes ${not(random)}--connbytes ${range(random, 2 ** 31)} --connbytes-dir ${random.pick(["original", "reply", "both"])} --connbytes-mode ${random.pick(["packets", "bytes", "avgpkt"])}`,
    `-m bpf --bytecode "${random.pick(["4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", `1,6 0 0 ${random.below(2 ** 32)}`, "1, 6  0 0 1,"])}"`,
    `-m cpu ${not(random)}--cpu ${random.below(64)}`,
    `-m connlabel ${not(random)}--label ${random.below(128)}${random.pick(["", " --set"])}`,
    `-m cluster --cluster-total-nodes ${4 + random.below(28)} ${not(random)}--cluster-local-node ${1 + random.below(4)} --cluster-hash-seed ${random.below(2 ** 31)}`,
    `-m u32 ${not(random)}--u32 "${u32(random)}${random.pick(["", ` && ${u32(random)}`])}"`,
  ];
  if (hook === "INPUT" || hook === "OUTPUT" || hook === "POSTROUTING")
    samples.push(`-m cgroup ${not(random)}--${random.pick([`cgroup ${random.below(2 ** 31)}`, 'path "/"'])}`);
  if (v4 && protocol === "tcp" && (hook === "PREROUTING" || hook === "INPUT" || hook === "FORWARD"))
    samples.push(
      `-m osf ${not(random)}--genre ${random.pick(["Linux", "Windows:XP"])}${random.pick(["", " --ttl 2", " --log 1"])}`,
    );
  if (!v4)
    samples.push(
      `-m srh ${not(random)}--srh-segs-left-gt ${random.below(256)} ${not(random)}--srh-psid fd00::/${random.below(129)} --srh-tag ${random.below(2 ** 16)}`,
      `-m dst ${not(random)}--dst-len ${random.below(99)} --dst-opts ${1 + random.below(255)}:${random.below(256)},${random.below(256)}`,
      `-m hbh ${random.pick(["", `${not(random)}--hbh-len ${random.below(99)}`])}`,
      `-m ipv6header ${not(random)}--header ${random.pick(["hop,route", "none", "esp,auth,frag", "dst,prot"])}${random.pick(["", " --soft"])}`,
    );
  if (!v4 && hook && hook !== "OUTPUT" && hook !== "POSTROUTING") samples.push("-m eui64");
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
  samples.push(
    `AUDIT --type ${random.pick(["accept", "DROP", "reject"])}`,
    `IDLETIMER --timeout ${1 + random.below(2_000_000)} --label t${random.below(2 ** 31)}${random.pick(["", " --alarm"])}`,
    `RATEEST --rateest-name E${random.below(2 ** 31)} --rateest-interval ${random.pick(["250ms", "1s", "3.5s"])} --rateest-ewmalog ${random.pick(["8s", "20s"])}`,
  );
  samples.push(
    `HMARK --hmark-tuple ${random.pick(["src,dst", "SPORT,dp,p", "c,s", "spi"])} --hmark-rnd ${random.below(2 ** 32)} --hmark-mod ${1 + random.below(2 ** 31)}`,
    `HMARK --hmark-src-prefix ${random.below(99)} --hmark-proto-mask ${random.below(2 ** 16)} --hmark-${random.pick(["spi", "dport-mask"])} ${random.below(2 ** 16)} --hmark-rnd 1 --hmark-mod 2 --hmark-offset ${random.below(2 ** 32)}`,
  );
  if (table === "mangle" || table === "security") samples.push(`CONNSECMARK --${random.pick(["save", "restore"])}`);
  if (table === "mangle" && family === "ipv6" && (hook === "PREROUTING" || hook === "POSTROUTING"))
    samples.push(
      `${hook === "PREROUTING" ? "DNPT" : "SNPT"} --src-pfx fd00::/${16 + random.below(49)} --dst-pfx 2001:db8::/${32 + random.below(33)}`,
    );
  if (table === "mangle" && protocol === "tcp") {
    samples.push(`TCPOPTSTRIP --strip-options ${random.pick(["mss,wscale", "timestamp,md5", "sack", "30,31"])}`);
    if (family === "ipv4") samples.push("ECN --ecn-tcp-remove");
  }
  if (table === "filter" && protocol === "tcp" && (hook === "INPUT" || hook === "FORWARD"))
    samples.push(`SYNPROXY --mss ${random.below(9_000)} --wscale ${random.below(15)} --timestamp --sack-perm`);
  return samples;
}
