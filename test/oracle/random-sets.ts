/** Random sets around the addresses of packets, and rules that name them, all in mangle. */
import { setType, SET_TYPE_NAMES, type SetTypeName } from "../../src/ruleset/ipset/set-types.js";
import type { Family } from "../../src/ruleset/row-store.js";
import type { Random } from "./random.js";

/** Whose addresses no machine minds. */
export const SET_ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["198.51.100.1", "198.51.100.2", "198.51.101.1", "203.0.113.200"],
  ipv6: ["2001:db8:9::1", "2001:db8:9::2", "2001:db8:9:1::1", "2001:db9::ff"],
};
export const SET_MACS = ["00:11:22:33:44:55", "00:11:22:33:44:66"];
export const SET_DEVICES = ["eth0", "eth1", "eth10"];
const PREFIXES: Readonly<Record<Family, readonly number[]>> = {
  ipv4: [1, 8, 23, 24, 30, 32],
  ipv6: [1, 32, 47, 64, 127, 128],
};

export interface RandomSets {
  /** For `ipset restore`. */
  readonly text: string;
  readonly rules: readonly string[];
}

export function randomSets(random: Random, family: Family, types: readonly SetTypeName[] = SET_TYPE_NAMES): RandomSets {
  const plain = types.filter((type) => type !== "list:set");
  const lines: string[] = [];
  const names: [name: string, type: SetTypeName][] = [];
  for (let n = 0; n < 4 || names.length === 0; n++) {
    // iptables refuses rules that name a set of the other family; as a member of a list it never matches.
    const type = random.pick(plain);
    const own = random.chance(0.9) ? family : family === "ipv4" ? "ipv6" : "ipv4";
    lines.push(...setLines(random, `s${n}`, type, own));
    if (own === family && !(family === "ipv6" && type.startsWith("bitmap:ip"))) names.push([`s${n}`, type]);
  }
  if (types.includes("list:set")) {
    const counters = random.chance(0.5);
    lines.push(`create l list:set size 8${counters ? " counters" : ""}`);
    for (const name of ["s2", "s0", "s3"]) if (random.chance(0.7)) lines.push(`add l ${name}`);
    names.push(["l", "list:set"]);
  }
  const rules = Array.from({ length: 16 }, () => randomRule(random, names));
  return { text: `${lines.join("\n")}\n`, rules };
}

function setLines(random: Random, name: string, type: SetTypeName, family: Family): string[] {
  const options = setType(type).options as readonly string[];
  const has = (option: string, chance: number): boolean => options.includes(option) && random.chance(chance);
  const create = [`create ${name} ${type}`];
  if (type === "bitmap:port") create.push("range 0-1023");
  else if (type.startsWith("bitmap")) create.push("range 198.51.0.0/16");
  if (options.includes("family")) create.push(`family ${family === "ipv4" ? "inet" : "inet6"}`);
  if (has("markmask", 0.5)) create.push("markmask 0x1");
  if (has("netmask", 0.3)) create.push(`netmask ${type === "bitmap:ip" ? 24 : family === "ipv4" ? 30 : 64}`);
  const timeout = has("timeout", 0.4);
  const counters = has("counters", 0.5);
  const info = has("skbinfo", 0.3);
  if (timeout) create.push("timeout 0");
  if (counters) create.push("counters");
  if (info) create.push("skbinfo");
  const lines = [create.join(" ")];
  for (let n = random.below(6); n > 0; n--) {
    const extras: string[] = [];
    if (timeout && random.chance(0.3)) extras.push("timeout 100000");
    if (setType(type).nomatch && random.chance(0.3)) extras.push("nomatch");
    if (type === "hash:net,iface" && random.chance(0.4)) extras.push("wildcard");
    if (counters && random.chance(0.5)) extras.push(`packets ${random.below(3)} bytes ${random.below(200)}`);
    if (info && random.chance(0.5)) extras.push("skbmark 0x2/0x3");
    const one = element(random, type, family);
    // What is added again may be expired already: see random-sets.ts of ipset.
    if (type === "bitmap:ip,mac" && lines.some((line) => line.includes(`${one.split(",")[0]}`))) continue;
    lines.push(`add ${name} ${one} ${extras.join(" ")} -exist`.replace("  ", " "));
  }
  return lines;
}

function element(random: Random, type: SetTypeName, family: Family): string {
  const addresses = SET_ADDRESSES[type.startsWith("bitmap") ? "ipv4" : family];
  const address = (): string => random.pick(type.startsWith("bitmap") ? addresses.slice(0, 3) : addresses);
  return setType(type)
    .parts.map((part: { kind: string; optional?: boolean }) => {
      switch (part.kind) {
        case "ip":
          return address();
        case "net":
          return `${address()}/${random.pick(PREFIXES[family])}`;
        case "port":
          return `${random.pick(["tcp:0", "tcp:1", "udp:1", "udp:2", "sctp:1", family === "ipv4" ? "icmp:8/0" : "icmpv6:128/0", "gre:0", "esp:0"])}`;
        case "plain-port":
          return `${random.below(3)}`;
        case "device":
          return random.pick(["eth0", "eth1", "eth", "e", "physdev:eth0"]);
        case "mac":
          return part.optional && random.chance(0.4) ? "" : random.pick(SET_MACS);
        default:
          return `${random.below(3)}`;
      }
    })
    .filter((text) => text !== "")
    .join(",");
}

function directions(random: Random, type: SetTypeName): string {
  const least = setType(type).parts.length;
  const most = type === "list:set" ? 3 : least;
  const count = random.chance(0.1) ? random.between(1, 4) : random.between(least, most);
  return Array.from({ length: count }, () => random.pick(["src", "dst"])).join(",");
}

function randomRule(random: Random, names: readonly [string, SetTypeName][]): string {
  const [name, type] = random.pick(names);
  const chain = random.chance(0.7) ? "PREROUTING" : "FORWARD";
  const match = random.chance(0.7) ? ` ${randomMatch(random, name, type)}` : "";
  const chance = random.next() % 10;
  const [other, otherType] = random.pick(names);
  if (chance < 3) return `-A ${chain}${match} -j MARK --set-xmark 0x${random.below(3)}/0xffffffff`;
  if (chance < 5) {
    const timeout = random.chance(0.3) ? ` --timeout ${random.pick([0, 5000])}` : "";
    return `-A ${chain}${match} -j SET --add-set ${other} ${directions(random, otherType)}${random.chance(0.4) ? " --exist" : ""}${timeout}`;
  }
  if (chance < 6) return `-A ${chain}${match} -j SET --del-set ${other} ${directions(random, otherType)}`;
  if (chance < 7 && otherType !== "list:set")
    return `-A ${chain}${match} -j SET --map-set ${other} ${directions(random, otherType)} --map-mark`;
  return `-A ${chain}${match || ` ${randomMatch(random, name, type)}`}`;
}

function randomMatch(random: Random, name: string, type: SetTypeName): string {
  const parts = [`${random.chance(0.2) ? "! " : ""}--match-set ${name} ${directions(random, type)}`];
  if (random.chance(0.2)) parts.push("--return-nomatch");
  if (random.chance(0.2)) parts.push("! --update-counters");
  if (random.chance(0.2)) parts.push("! --update-subcounters");
  if (random.chance(0.2))
    parts.push(random.pick(["--packets-eq 1", "! --packets-eq 2", "--packets-lt 3", "--packets-gt 1"]));
  if (random.chance(0.1)) parts.push(random.pick(["--bytes-eq 100", "--bytes-lt 300", "--bytes-gt 100"]));
  return `-m set ${parts.join(" ")}`;
}
