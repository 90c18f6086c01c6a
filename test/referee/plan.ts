/** What the referee sees: random rulesets, and packets that a wire can carry to them. */
import { CT_STATE_NEW, PACKET_FLAG_ODD, PATH_IN } from "../../src/blob/layout.js";
import type { Family } from "../../src/ruleset/row-store.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import { addressText } from "../oracle/address.js";
import { type Packet, PROTOCOL_UDP } from "../oracle/packet.js";
import { Random } from "../oracle/random.js";
import { randomPacket } from "../oracle/random-packet.js";
import { LOCAL_ADDRESSES } from "../oracle/random-pool.js";
import { randomRuleset, USER_CHAINS } from "../oracle/random-ruleset.js";
import { WAY_OUT, WIRES } from "../oracle/traffic.js";
import { wireBytes } from "../oracle/wire.js";

/** A ruleset and the packets that it meets, in order; each packet's `bytes` are what is put on its `input`. */
export interface Case {
  readonly family: Family;
  readonly text: string;
  readonly packets: readonly Packet[];
}

export interface Plan {
  readonly tables: readonly TableName[];
  readonly matches: string;
  readonly targets: string;
  /** Rules that are left out besides. */
  readonly without?: RegExp;
  /** Put behind the random tables. */
  readonly tail: string;
  /** Makes the packet one that the plan allows. */
  fit(packet: Packet, index: number): void;
}

/** What a wire shows: not bridge ports, sockets, hardware addresses, the clock, hops; and nothing that answers. */
const SHOWN_MATCHES =
  "comment tcp udp sctp icmp icmp6 mark statistic addrtype multiport iprange length recent tos dscp policy";
const SHOWN_TARGETS = "ACCEPT DROP RETURN MARK TOS DSCP CLASSIFY SNPT DNPT";
/** A connection table changes what all packets meet, so the first plan has none. */
const CONNECTION_MATCHES = "state conntrack connmark";
const CONNECTION_TARGETS = "CONNMARK DNAT SNAT MASQUERADE REDIRECT NETMAP";
/** This machine's own packets, which answer, are nobody's business here; nor is the clock. */
const OUTSIDE = /^-A OUTPUT |--seconds|--reap/;
/** Destinations that routing throws away. */
const UNROUTABLE = /--to(-destination)? \[?(0|127|22\d|255|ff|fe|::)/;
const SECURITY = "*security\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
/** Linux keeps no connections, and walks no nat table, before some rule asks for them. */
export const ASKS_FOR_CONNECTIONS = "-A OUTPUT -m conntrack --ctstate NEW\n";

export const WITHOUT_CONNECTIONS: Plan = {
  tables: ["raw", "mangle", "filter"],
  matches: SHOWN_MATCHES,
  targets: SHOWN_TARGETS,
  tail: `${SECURITY}COMMIT\n`,
  fit: (packet) => {
    if (packet.family === "ipv4") return;
    packet.fragmentOffset = 0;
    packet.flags &= ~PACKET_FLAG_ODD;
  },
};

/**
 * iptables-nft compares ports by itself, where a header that is cut short fails the rule and drops no packet; it says
 * nothing of a range that holds every port, inverted or not; a rule that drops in its middle never counts; and
 * of two ports that are inverted 1.8.9 compares both at once, so that one of them is enough.
 */
export const UNDER_NFT: Plan = {
  ...WITHOUT_CONNECTIONS,
  without: /! --[sd]port 0:65535|! --chunk-types|! --sport \S+ ! --dport/,
  fit: (packet) => {
    packet.flags &= ~PACKET_FLAG_ODD;
    packet.fragmentOffset = 0;
  },
};

/** Every packet begins a connection of its own. */
export const NEW_CONNECTIONS: Plan = {
  tables: ["mangle", "nat", "filter"],
  matches: `${SHOWN_MATCHES} ${CONNECTION_MATCHES}`,
  targets: `${SHOWN_TARGETS} ${CONNECTION_TARGETS}`,
  tail: `${SECURITY}${ASKS_FOR_CONNECTIONS}COMMIT\n`,
  fit: (packet, index) => {
    Object.assign(packet, {
      protocol: PROTOCOL_UDP,
      sourcePort: 20000 + index,
      ctState: CT_STATE_NEW,
      fragmentOffset: 0,
    });
    packet.flags &= ~PACKET_FLAG_ODD;
  },
};

/** Of packets that routing does not take, as many are thrown away for each that it does, before a case has fewer. */
const PATIENCE = 10;

/** The case of a seed: the same every time. */
export function makeCase(seed: number, plan: Plan, count: number): Case {
  const random = new Random(seed);
  const ruleset = randomRuleset(random, { tables: random.some(plan.tables), longest: random.pick([5, 40, 150]) });
  const kept = ruleset.text.split("\n").filter((line) => fits(plan, line));
  const packets: Packet[] = [];
  for (let i = 0; i < PATIENCE * count && packets.length < count; i++) {
    const packet = randomPacket(random, ruleset, 0);
    Object.assign(packet, { path: PATH_IN, output: WAY_OUT, physicalInput: "", physicalOutput: "", ttl: 64 });
    packet.extensions = [];
    Object.assign(packet, { mark: 0, ctMark: 0, ctStatus: 0, flags: packet.flags & PACKET_FLAG_ODD });
    if (!WIRES.includes(packet.input)) packet.input = random.pick(WIRES);
    plan.fit(packet, packets.length);
    const own = LOCAL_ADDRESSES.includes(addressText(packet.source));
    // Fragments to the machine itself are put together before INPUT.
    const fragment = packet.fragmentOffset !== 0 && LOCAL_ADDRESSES.includes(addressText(packet.destination));
    if (own || fragment || !isOrdinary(packet.source) || !isOrdinary(packet.destination)) continue;
    packet.bytes = wireBytes(packet);
    packets.push(packet);
  }
  return { family: ruleset.family, text: kept.join("\n") + plan.tail, packets };
}

function fits({ matches, targets, without }: Plan, line: string): boolean {
  if (!line.startsWith("-A ")) return true;
  if (without?.test(line)) return false;
  const known = new Set([...matches.split(" "), ...targets.split(" "), ...USER_CHAINS]);
  const words = [...line.matchAll(/ -[mjg] (\S+)/g)].map((word) => word[1] as string);
  return words.every((word) => known.has(word)) && !OUTSIDE.test(line) && !UNROUTABLE.test(line);
}

/** Addresses that Linux takes from a wire and routes as any other. */
function isOrdinary(address: Uint8Array): boolean {
  const text = addressText(address);
  return address.length === 4 ? !/^(127|22[4-9]|2[345]\d|0)\./.test(text) : !/^(f[ef]|::)/.test(text);
}
