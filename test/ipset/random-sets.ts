/** Random texts for ipset, in all the ways in which people write elements. */
import type { Random } from "../oracle/random.js";
import { SET_TYPE_NAMES, type SetTypeName, setType } from "../../src/ruleset/ipset/set-types.js";

/** What `create` needs of each type. */
export const CREATES: Readonly<Record<SetTypeName, string>> = {
  ...(Object.fromEntries(SET_TYPE_NAMES.map((name) => [name, ""])) as Record<SetTypeName, string>),
  "bitmap:ip": "range 10.0.0.0/22",
  "bitmap:ip,mac": "range 10.0.0.0-10.0.3.255",
  "bitmap:port": "range 0-1023",
};

const IPV4 = ["10.0.0.1", "10.0.0.2", "10.0.1.77", "10.0.2.3"];
const IPV6 = ["fd00::1", "fd00::2", "2001:db8::ffff:1", "fe80::1:2"];

type Family = "inet" | "inet6";

function ip(random: Random, family: Family, ranged: boolean): string {
  if (family === "inet6") return random.pick(IPV6);
  if (!ranged || random.chance(0.6)) return random.pick(IPV4);
  return random.pick(["10.0.0.8/29", "10.0.0.13-10.0.0.18", "10.0.3.254-10.0.3.250", "10.0.0.5/32"]);
}

function net(random: Random, family: Family): string {
  if (family === "inet6") return random.pick([...IPV6, "fd00::/8", "2001:db8::/32", "fe80::1/127"]);
  return random.pick([
    ...IPV4,
    "10.0.0.0/8",
    "10.0.0.7/24",
    "10.0.0.0-10.0.3.7",
    "192.168.0.3-192.168.1.0",
    "172.16.0.0/12",
  ]);
}

function port(random: Random, family: Family): string {
  const icmp =
    family === "inet"
      ? ["icmp:echo-request", "icmp:3/4", "icmp:host-unknown", "icmp:9/9"]
      : ["icmpv6:echo-reply", "ipv6-icmp:1/2", "icmpv6:128/0"];
  return random.pick([
    "80",
    "udp:53",
    "tcp:80-83",
    "sctp:9",
    "udplite:7",
    "tcp:http",
    "gre:0",
    "47:0",
    "esp:0",
    "17:100",
    "90-88",
    ...icmp,
  ]);
}

function element(random: Random, type: SetTypeName, family: Family): string {
  return setType(type)
    .parts.map(({ kind, ranged = false, optional = false }, n) => {
      if (optional && random.chance(0.5)) return "";
      if (kind === "ip") return ip(random, family, ranged && type !== "hash:ip,mac");
      if (kind === "net") return net(random, family);
      if (kind === "port") return port(random, family);
      if (kind === "plain-port") return random.pick(["80", "udp:53", "100-110", "http", "1023"]);
      if (kind === "device") return random.pick(["eth0", "eth1", "physdev:vnet0", "e"]);
      if (kind === "mac") return random.pick(["00:11:22:33:44:55", "aA:b:c:d:e:ff"]);
      if (kind === "mark") return random.pick(["0x10", "77", "0xffffffff"]);
      return `member${n}`;
    })
    .filter((text) => text !== "")
    .join(",");
}

/** A set and its elements; none twice, as far as one can see. */
export function randomSet(random: Random, type: SetTypeName, name: string): string {
  const { options, nomatch } = setType(type);
  const has = (option: (typeof options)[number]): boolean => (options as readonly string[]).includes(option);
  const family: Family = has("family") && random.chance(0.4) ? "inet6" : "inet";
  const chosen: string[] = [CREATES[type]];
  const given = (option: (typeof options)[number], value: string, chance = 0.3): boolean => {
    const take = has(option) && random.chance(chance);
    if (take) chosen.push(value === "" ? option : `${option} ${value}`);
    return take;
  };
  if (family === "inet6") chosen.push("family inet6");
  given("hashsize", String(random.pick([1, 64, 100, 4096])));
  given("maxelem", "1000");
  if (type === "hash:ip" || type === "bitmap:ip") given("netmask", family === "inet" ? "28" : "64");
  else if (type === "hash:ip,port" && family === "inet") given("bitmask", "255.255.0.255");
  given("markmask", "0xff");
  const timeout = given("timeout", String(random.pick([0, 5000, 100_000])));
  const counters = given("counters", "");
  const comment = given("comment", "");
  const skbinfo = given("skbinfo", "");
  given("bucketsize", "6");
  given("initval", "0x12345678");
  const lines = [`create ${name} ${type} ${chosen.filter(Boolean).join(" ")}`];
  const used: string[] = [];
  for (let n = random.below(8); n > 0; n--) {
    const extras: string[] = [];
    if (timeout && random.chance(0.5)) extras.push(`timeout ${random.pick([0, 90_000])}`);
    if (nomatch && random.chance(0.3)) extras.push("nomatch");
    if (type === "hash:net,iface" && random.chance(0.3)) extras.push("wildcard");
    if (counters && random.chance(0.5)) extras.push(`packets ${random.below(99)} bytes ${random.below(9999)}`);
    if (comment && random.chance(0.5)) extras.push(`comment ${random.pick(['"two words"', "one", '"# $x \\"'])}`);
    if (skbinfo && random.chance(0.5))
      extras.push(random.pick(["skbmark 0x1/0xff", "skbmark 0xAB skbqueue 3", "skbprio 1:10"]));
    const one = element(random, type, family);
    // What a third adding finds depends on when Linux last cleared away what had expired.
    const address = one.split(",")[0] as string;
    if (type === "bitmap:ip,mac" && used.filter((other) => other === address).length === 2) continue;
    used.push(address);
    lines.push(`add ${name} ${one} ${extras.join(" ")} -exist`.replace(/ +/g, " "));
  }
  return `${lines.join("\n")}\n`;
}
