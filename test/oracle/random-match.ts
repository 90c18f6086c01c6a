/** Random matches that need no protocol, as far as Linux accepts them in the place. */
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_UNTRACKED,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  PACKET_FLAG_MAC,
  PACKET_FLAG_SOCKET,
} from "../../src/blob/layout.js";
import { addressBytes, compareAddresses } from "./address.js";
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, randomPhysdev, together } from "./random-condition.js";
import { hasRoutingHeaders, randomRoutingHeader, randomString } from "./random-bytes.js";
import { randomHashlimit, randomTime } from "./random-clock.js";
import {
  hasDevgroup,
  hasRealm,
  randomAh6,
  randomCpu,
  randomDevgroup,
  randomEcn,
  randomFragmentHeader,
  randomHelper,
  randomQuota,
  randomRealm,
} from "./random-rare.js";
import { randomDst, randomHbh, randomIpv6header, randomSrh } from "./random-extension-headers.js";
import { hasPolicyDirection, randomDscp, randomPkttype, randomPolicy, randomTos, randomTtl } from "./random-header.js";
import { randomU32 } from "./random-u32.js";
import { hex, LENGTHS, MACS, MARKS, randomAddress } from "./random-pool.js";

type Maker = (random: Random, place: Place) => Condition;

const FORWARDED_HOOKS = [0, 1, 2];

/** A weight, a maker, and where it may stand. Rules with memory are rare, so that most packets find the rules idle. */
const MATCHES: readonly (readonly [number, Maker, (place: Place) => boolean])[] = [
  [4, comment, () => true],
  [4, mark, () => true],
  [3, connmark, () => true],
  [5, state, () => true],
  [4, conntrack, () => true],
  [3, addrtype, () => true],
  [2, mac, ({ hooks }) => [...hooks].every((hook) => FORWARDED_HOOKS.includes(hook))],
  [2, iprange, () => true],
  [2, owner, ({ hooks }) => [...hooks].every((hook) => hook === HOOK_OUTPUT || hook === HOOK_POSTROUTING)],
  [2, length, () => true],
  [2, statistic, ({ forgetful }) => !forgetful],
  [1, limit, ({ forgetful }) => !forgetful],
  [1, recent, ({ forgetful }) => !forgetful],
  [2, randomPhysdev, () => true],
  [2, randomTtl, () => true],
  [2, randomTos, () => true],
  [1, randomDscp, () => true],
  [1, randomPkttype, () => true],
  [1, randomPolicy, hasPolicyDirection],
  [2, randomString, () => true],
  [1, (random) => randomEcn(random, false), () => true],
  [1, randomHelper, () => true],
  [1, randomCpu, () => true],
  [1, randomDevgroup, hasDevgroup],
  [1, randomRealm, hasRealm],
  [1, randomQuota, ({ forgetful }) => !forgetful],
  [1, randomAh6, hasRoutingHeaders],
  [1, randomFragmentHeader, hasRoutingHeaders],
  [1, randomRoutingHeader, hasRoutingHeaders],
  [1, randomIpv6header, hasRoutingHeaders],
  [1, randomHbh, hasRoutingHeaders],
  [1, randomDst, hasRoutingHeaders],
  [1, randomSrh, hasRoutingHeaders],
  [1, randomU32, () => true],
  [1, randomTime, () => true],
  [1, randomHashlimit, ({ forgetful }) => !forgetful],
];

export function randomMatch(random: Random, place: Place): Condition {
  return random.weighted(
    MATCHES.filter(([, , allowed]) => allowed(place)).map(([weight, maker]) => [weight, maker] as const),
  )(random, place);
}

function comment(random: Random): Condition {
  return { text: `-m comment --comment "${random.pick(["a", "to b", "it's c", "100% d"])}"`, aim: () => undefined };
}

function mark(random: Random): Condition {
  const mask = random.pick([0xffffffff, 0xff, 0x4000, 0xff00]);
  const value = (random.pick(MARKS) & mask) >>> 0;
  const inner = maybeNot(random, {
    text: `--mark ${hex(value)}/${hex(mask)}`,
    aim: (packet) => {
      packet.mark = ((packet.mark & ~mask) | value) >>> 0;
    },
  });
  return together("-m mark", [inner]);
}

function connmark(random: Random): Condition {
  const mask = random.pick([0xffffffff, 0xff, 0x4000, 0xff00]);
  const value = (random.pick(MARKS) & mask) >>> 0;
  const inner = maybeNot(random, {
    text: `--mark ${hex(value)}/${hex(mask)}`,
    aim: (packet) => {
      packet.ctMark = ((packet.ctMark & ~mask) | value) >>> 0;
    },
  });
  return together("-m connmark", [inner]);
}

const STATES = [
  ["INVALID", CT_STATE_INVALID],
  ["NEW", CT_STATE_NEW],
  ["RELATED", CT_STATE_RELATED],
  ["ESTABLISHED", CT_STATE_ESTABLISHED],
  ["UNTRACKED", CT_STATE_UNTRACKED],
] as const;

function states(random: Random, option: string, more: readonly string[]): Condition {
  const chosen = random.some(STATES);
  return maybeNot(random, {
    text: `${option} ${[...chosen.map(([name]) => name), ...more].join(",")}`,
    aim: (packet) => {
      packet.ctState = random.pick(chosen)[1];
    },
  });
}

function state(random: Random): Condition {
  return together("-m state", [states(random, "--state", [])]);
}

const STATUSES = ["EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"];

function conntrack(random: Random): Condition {
  const parts: Condition[] = [];
  if (random.chance(0.8))
    parts.push(states(random, "--ctstate", random.chance(0.3) ? [random.pick(["DNAT", "SNAT"])] : []));
  if (random.chance(0.3) || parts.length === 0) {
    const chosen = random.some(STATUSES);
    const aim: Condition["aim"] = (packet) => {
      packet.ctStatus |= 1 << STATUSES.indexOf(random.pick(chosen));
    };
    parts.push(maybeNot(random, { text: `--ctstatus ${chosen.join(",")}`, aim }));
  }
  return together("-m conntrack", parts);
}

function addrtype(random: Random, { family }: Place): Condition {
  const types = family === "ipv4" ? ["LOCAL", "BROADCAST", "MULTICAST", "UNICAST"] : ["LOCAL", "MULTICAST", "UNICAST"];
  const option = (name: string): Condition =>
    maybeNot(random, { text: `${name} ${random.some(types).join(",")}`, aim: () => undefined });
  const parts = random.chance(0.6) ? [option("--dst-type")] : [option("--src-type")];
  if (random.chance(0.2)) parts.push(option(parts[0]?.text.includes("--src-type") ? "--dst-type" : "--src-type"));
  return together("-m addrtype", parts);
}

function mac(random: Random): Condition {
  const address = random.pick(MACS);
  const inner = maybeNot(random, {
    text: `--mac-source ${address}`,
    aim: (packet) => {
      packet.flags |= PACKET_FLAG_MAC;
      packet.mac = Uint8Array.from(address.split(":").map((byte) => Number.parseInt(byte, 16)));
    },
  });
  return together("-m mac", [inner]);
}

function iprange(random: Random, { family }: Place): Condition {
  const range = (option: string, field: "source" | "destination"): Condition => {
    const ends = [randomAddress(random, family), randomAddress(random, family)];
    ends.sort((a, b) => compareAddresses(addressBytes(a), addressBytes(b)));
    const aim: Condition["aim"] = (packet) => {
      packet[field] = addressBytes(random.pick(ends));
    };
    return maybeNot(random, { text: `${option} ${ends.join("-")}`, aim });
  };
  const parts = [range("--src-range", "source"), range("--dst-range", "destination")];
  return together("-m iprange", random.some(parts));
}

function owner(random: Random): Condition {
  const parts: Condition[] = [];
  const id = (option: string, field: "uid" | "gid"): Condition => {
    const min = random.pick([0, 1000, 1001]);
    const max = min + random.pick([0, 0, 5]);
    const aim: Condition["aim"] = (packet) => {
      packet.flags |= PACKET_FLAG_SOCKET;
      packet[field] = random.between(min, max);
    };
    return maybeNot(random, { text: `${option} ${min === max ? min : `${min}-${max}`}`, aim });
  };
  if (random.chance(0.6)) parts.push(id("--uid-owner", "uid"));
  if (random.chance(0.4)) parts.push(id("--gid-owner", "gid"));
  if (random.chance(0.2) || parts.length === 0) {
    const aim: Condition["aim"] = (packet) => {
      packet.flags |= PACKET_FLAG_SOCKET;
    };
    parts.push(maybeNot(random, { text: "--socket-exists", aim }));
  }
  return together("-m owner", parts);
}

function length(random: Random): Condition {
  const ends = [random.pick(LENGTHS), random.pick(LENGTHS)].sort((a, b) => a - b) as [number, number];
  const inner = maybeNot(random, {
    text: `--length ${random.chance(0.3) ? ends[0] : ends.join(":")}`,
    aim: (packet) => {
      packet.length = ends[0];
    },
  });
  return together("-m length", [inner]);
}

function statistic(random: Random): Condition {
  if (random.chance(0.3))
    return { text: `-m statistic --mode random --probability ${random.below(2)}`, aim: () => undefined };
  const every = random.between(1, 4);
  const inner = maybeNot(random, { text: `--every ${every} --packet ${random.below(every)}`, aim: () => undefined });
  return together("-m statistic --mode nth", [inner]);
}

function limit(random: Random): Condition {
  const rate = `${random.pick([1, 3, 10])}/${random.pick(["sec", "min", "hour"])}`;
  return { text: `-m limit --limit ${rate} --limit-burst ${random.pick([1, 2, 5])}`, aim: () => undefined };
}

function recent(random: Random, { family }: Place): Condition {
  const words = [`--name ${random.pick(["DEFAULT", "seen", "port_scan"])}`];
  const side = random.pick(["--rsource", "--rdest"]);
  if (random.chance(0.3)) words.push(`--mask ${family === "ipv4" ? "255.255.0.0" : "ffff:ffff::"}`);
  const action = random.pick(["--set", "--rcheck", "--update", "--remove"]);
  const timed = action === "--rcheck" || action === "--update";
  const seconds = timed && random.chance(0.6);
  if (seconds) words.push(`--seconds ${random.pick([1, 5, 60])}`);
  if (seconds && random.chance(0.3)) words.push("--reap");
  if (timed && random.chance(0.5)) words.push(`--hitcount ${random.pick([1, 2, 4])}`);
  if (timed && random.chance(0.2)) words.push("--rttl");
  const not = random.chance(0.125) ? "! " : "";
  return { text: `-m recent ${not}${action} ${words.join(" ")} ${side}`, aim: () => undefined };
}
