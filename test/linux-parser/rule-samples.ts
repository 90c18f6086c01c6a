/** One text for every carried match and target, with fresh values, where the rule's protocol and hook allow it. */
import type { Family } from "../../src/ruleset/row-store.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import type { Random } from "./random.js";

const not = (random: Random): string => (random.chance(0.3) ? "! " : "");

function ports(random: Random): string {
  const first = random.below(60_000);
  return random.pick([`${first}`, `${first}:${first + random.below(5_000)}`, `:${first}`, `${first}:`]);
}

function mark(random: Random): string {
  return random.pick([random.hex(), `${random.below(65_536)}`, `${random.hex()}/${random.hex()}`]);
}

function comment(random: Random): string {
  return random.pick([
    '"a b"',
    "plain_word-1",
    '"quote \\" back \\\\ single \'"',
    '"ünïcödé ✓"',
    '""',
    "it's",
    "ns/svc:port",
  ]);
}

/** `hook` is undefined in a user's chain, which any hook may reach. */
export function matchSamples(random: Random, family: Family, protocol: string, hook: string | undefined): string[] {
  const v4 = family === "ipv4";
  const samples = [
    `-m comment --comment ${comment(random)}`,
    `-m mark ${not(random)}--mark ${mark(random)}`,
    `-m connmark ${not(random)}--mark ${mark(random)}`,
    `-m statistic --mode random ${not(random)}--probability ${random.pick(["0.5", "0.33333333349", `${random.below(1e9) / 1e9}`, "1"])}`,
    `-m statistic --mode nth ${not(random)}--every ${5 + random.below(9)} --packet ${random.below(5)}`,
    `-m conntrack ${not(random)}--ctstate ${random.shuffle(["NEW", "RELATED", "ESTABLISHED", "DNAT"]).slice(0, 2).join(",")}`,
    `-m conntrack --ctproto tcp ${not(random)}--ctorigsrc ${random.address(family)}/${v4 ? 24 : 64} --ctrepldstport ${ports(random)}`,
    `-m conntrack ${not(random)}--ctstatus ${random.pick(["NONE", "ASSURED,EXPECTED"])} --ctexpire ${ports(random)} --ctdir ${random.pick(["ORIGINAL", "REPLY"])}`,
    `-m state ${not(random)}--state ${random.shuffle(["RELATED", "ESTABLISHED", "INVALID", "UNTRACKED"]).slice(0, 2).join(",")}`,
    `-m addrtype ${not(random)}--dst-type ${random.pick(["LOCAL", "UNICAST,MULTICAST"])} ${not(random)}--src-type LOCAL`,
    `-m limit --limit ${1 + random.below(999)}/${random.pick(["second", "minute", "hour", "sec"])} --limit-burst ${1 + random.below(30)}`,
    `-m recent ${not(random)}--rcheck --seconds ${1 + random.below(999)} --hitcount ${1 + random.below(19)} --name L${random.below(9)} ${random.pick(["--rsource", "--rdest"])}`,
    `-m recent --set --name L${random.below(9)} --mask ${v4 ? "255.255.255.0" : "ffff:ffff::"}`,
    `-m iprange ${not(random)}--src-range ${random.address(family)}-${random.address(family)} --dst-range ${random.address(family)}`,
    `-m length ${not(random)}--length ${ports(random)}`,
    `-m physdev ${not(random)}--physdev-in ${random.pick(["vnet+", "eth0"])} --physdev-is-in`,
    v4
      ? `-m ttl ${random.pick(["--ttl-lt 5", "--ttl-gt 64", "! --ttl-eq 1", "--ttl 7"])}`
      : `-m hl ${random.pick(["--hl-lt 5", "! --hl-eq 255", "--hl 9"])}`,
    `-m pkttype ${not(random)}--pkt-type ${random.pick(["unicast", "mcast", "broadcast", "HOST"])}`,
    `-m tos ${not(random)}--tos ${random.pick(["0x10", "8/0x3f", "Minimize-Delay"])}`,
    `-m dscp ${not(random)}${random.pick(["--dscp 0x2e", "--dscp-class AF41", "--dscp 7"])}`,
    `-m connlimit ${not(random)}--connlimit-above ${random.below(99)} --connlimit-mask ${random.below(v4 ? 33 : 129)} ${random.pick(["--connlimit-daddr", "--connlimit-saddr", ""])}`,
    `-m hashlimit --hashlimit-${random.pick(["upto", "above"])} ${1 + random.below(9_999)}/${random.pick(["sec", "min", "hour"])} --hashlimit-burst ${1 + random.below(99)} --hashlimit-mode srcip,dstport --hashlimit-name h${random.below(1e6)} --hashlimit-srcmask 24`,
    `-m hashlimit ${not(random)}--hashlimit-upto ${20 + random.below(900)}${random.pick(["k", "m", ""])}b/s --hashlimit-burst ${1 + random.below(3)}000mb --hashlimit-name h${random.below(1e6)} --hashlimit-htable-expire ${1 + random.below(9)}000`,
    `-m time --timestart 0${random.below(10)}:30 --timestop 23:59:${10 + random.below(50)} ${not(random)}--weekdays ${random.pick(["Mon,Fri", "1,7", "Sa"])} --monthdays 1,${2 + random.below(30)} --datestart 20${10 + random.below(20)}-0${1 + random.below(9)}`,
    `-m string --string ${random.pick(['"a b"', "plain", '"q\\"\\\\x"'])} --algo ${random.pick(["bm", "kmp"])} --from ${random.below(50)} --to ${50 + random.below(500)} --icase`,
    `-m string ${not(random)}--hex-string ${random.pick(['"|0d0a|x"', '"a|00 ff|"'])} --algo bm`,
  ];
  if (!v4)
    samples.push(
      `-m rt ${not(random)}--rt-type ${random.below(4)} --rt-segsleft ${ports(random)}`,
      "-m rt --rt-type 0 --rt-0-res --rt-0-addrs ::1,2001:db8::2 --rt-0-not-strict",
    );
  if (hook === "INPUT" || hook === "PREROUTING")
    samples.push(
      "-m policy --dir in --pol none",
      `-m policy --dir in --pol ipsec --strict ${not(random)}--reqid ${random.below(99)} --proto esp --mode tunnel --tunnel-src ${random.address(family)} --next --spi 0x10`,
    );
  if (protocol === "tcp")
    samples.push(
      `-m tcpmss ${not(random)}--mss ${random.pick(["1460", "500:1460", ":9"])}`,
      `${not(random)}--dport ${ports(random)} ${not(random)}--syn`,
      `-m tcp ${not(random)}--sport ${ports(random)} --tcp-flags ${random.pick(["ALL NONE", "SYN,ack,FIN syn"])} ${not(random)}--tcp-option ${1 + random.below(255)}`,
    );
  if (protocol === "udp")
    samples.push(`${not(random)}--dport ${ports(random)}`, `-m udp --source-port ${ports(random)}`);
  if (protocol === "sctp")
    samples.push(
      `${not(random)}--sport ${ports(random)}`,
      `-m sctp ${not(random)}--chunk-types ${random.pick(["any", "all", "only"])} ${random.pick(["DATA:bE,INIT", "ALL", "NONE", "ABORT:T,DATA"])}`,
    );
  if (["tcp", "udp", "sctp"].includes(protocol))
    samples.push(
      `-m multiport ${not(random)}${random.pick(["--dports", "--sports", "--ports"])} ${random.pick(["80,443", "1:9,11:19,33", "7"])}`,
    );
  if (protocol === "icmp")
    samples.push(
      v4
        ? `--icmp-type ${random.pick(["8", "3/4", "any", "echo-request"])}`
        : `-m icmp6 ${not(random)}--icmpv6-type ${random.pick(["128", "1/4", "router-solicitation"])}`,
    );
  if (hook === "OUTPUT" || hook === "POSTROUTING")
    samples.push(
      `-m owner ${not(random)}--uid-owner ${random.below(9_999)} --gid-owner ${random.below(9)}-${9 + random.below(9)} --suppl-groups`,
      `-m owner ${not(random)}--socket-exists`,
    );
  if (hook === "INPUT" || hook === "FORWARD" || hook === "PREROUTING")
    samples.push(`-m mac ${not(random)}--mac-source 00:1A:2b:3c:4D:${random.pick(["5e", "FF", "07"])}`);
  return samples;
}

export function targetSamples(
  random: Random,
  family: Family,
  table: TableName,
  protocol: string,
  hook: string | undefined,
): string[] {
  const v4 = family === "ipv4";
  const samples = [
    "ACCEPT",
    "RETURN",
    "QUEUE",
    `MARK ${random.pick(["--set-xmark", "--set-mark"])} ${mark(random)}`,
    `MARK ${random.pick(["--and-mark", "--or-mark", "--xor-mark"])} ${random.hex()}`,
    `CONNMARK --set-xmark ${mark(random)}`,
    `CONNMARK --save-mark --nfmask ${random.hex()} --ctmask ${random.hex()}`,
    "CONNMARK --restore-mark --mask 0xff",
    `LOG --log-level ${random.pick(["debug", "4", "7"])} --log-prefix ${random.pick(['"[UFW BLOCK] "', "x:"])} --log-uid --log-tcp-options`,
    `NFLOG --nflog-group ${random.below(9)} --nflog-prefix "p ${random.below(99)}" --nflog-size ${random.below(99)}`,
    `NFQUEUE --queue-num ${random.below(9)} --queue-bypass`,
    "NFQUEUE --queue-balance 1:4 --queue-cpu-fanout",
  ];
  const withPorts = ["tcp", "udp", "sctp"].includes(protocol);
  const port = random.pick([`${random.below(65_536)}`, "1000-2000"]);
  const to =
    withPorts && random.chance(0.6)
      ? v4
        ? `${random.address(family)}:${port}`
        : `[${random.address(family)}]:${port}`
      : random.address(family);
  if (table !== "nat") samples.push("DROP");
  if (table === "filter") {
    samples.push(
      "REJECT",
      `REJECT --reject-with ${v4 ? random.pick(["icmp-host-prohibited", "admin-prohib"]) : random.pick(["icmp6-adm-prohibited", "no-route"])}`,
    );
    if (protocol === "tcp") samples.push("REJECT --reject-with tcp-reset");
  }
  if (table === "mangle") {
    samples.push(
      "CHECKSUM --checksum-fill",
      `TOS ${random.pick(["--set-tos 0x10/0x3f", "--and-tos 3", "--set-tos Maximize-Throughput"])}`,
      `DSCP ${random.pick(["--set-dscp 10", "--set-dscp-class EF"])}`,
    );
    samples.push(v4 ? `TTL ${random.pick(["--ttl-set 64", "--ttl-inc 1", "--ttl-dec 2"])}` : "HL --hl-set 7");
    if (hook === "PREROUTING" && (protocol === "tcp" || protocol === "udp"))
      samples.push(
        `TPROXY --on-port ${random.below(65_536)} --on-ip ${random.address(family)} --tproxy-mark ${mark(random)}`,
      );
  }
  if (hook === "OUTPUT" || hook === "POSTROUTING")
    samples.push(`CLASSIFY --set-class ${random.below(99)}:${random.below(99)}`);
  if (table === "nat" && hook !== undefined) samples.push(`NETMAP --to ${random.address(family)}/${v4 ? 24 : 64}`);
  if (table === "raw") samples.push("TRACE");
  if (table === "raw") samples.push("NOTRACK", "CT --notrack", `CT --zone ${random.below(999)} --ctevents new,destroy`);
  if (table === "nat" && (hook === "PREROUTING" || hook === "OUTPUT"))
    samples.push(
      `DNAT --to-destination ${to}${random.pick(["", " --random", " --persistent"])}`,
      `REDIRECT${withPorts ? ` --to-ports ${port}` : ""}`,
    );
  if (table === "nat" && (hook === "POSTROUTING" || hook === "INPUT"))
    samples.push(`SNAT --to-source ${to} --random-fully`);
  if (table === "nat" && hook === "POSTROUTING")
    samples.push(`MASQUERADE${withPorts ? ` --to-ports ${port}` : ""}`, "MASQUERADE --random-fully");
  return samples;
}
