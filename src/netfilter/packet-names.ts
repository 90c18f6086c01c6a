/** Names of what a packet's fields hold, as iptables spells them. */
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_UNTRACKED,
  CT_STATUS_ASSURED,
  CT_STATUS_CONFIRMED,
  CT_STATUS_EXPECTED,
  CT_STATUS_SEEN_REPLY,
} from "../blob/layout.js";

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_SCTP = 132;

/** Transport protocols by the name that `-p` prints. */
export const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  icmp: PROTOCOL_ICMP,
  igmp: 2,
  ipip: 4,
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  "ipv6-icmp": PROTOCOL_ICMPV6,
  sctp: PROTOCOL_SCTP,
  udplite: 136,
};

/** Whether its header begins with two ports. */
export function hasPorts(protocol: number): boolean {
  return (
    protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP || protocol === 33 || protocol === 132 || protocol === 136
  );
}

export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
}

export const CT_STATES = {
  NEW: CT_STATE_NEW,
  ESTABLISHED: CT_STATE_ESTABLISHED,
  RELATED: CT_STATE_RELATED,
  INVALID: CT_STATE_INVALID,
  UNTRACKED: CT_STATE_UNTRACKED,
} as const;
export type CtState = keyof typeof CT_STATES;

export const CT_STATUSES = {
  EXPECTED: CT_STATUS_EXPECTED,
  SEEN_REPLY: CT_STATUS_SEEN_REPLY,
  ASSURED: CT_STATUS_ASSURED,
  CONFIRMED: CT_STATUS_CONFIRMED,
} as const;

export const TCP_FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

/** What the link layer said, in the order of its numbers (PACKET_TYPE). */
export const PACKET_TYPES = ["host", "broadcast", "multicast", "otherhost", "outgoing"] as const;
export type PacketType = (typeof PACKET_TYPES)[number];

/** The key of `value` in one of the tables above. */
export function nameOf<Name extends string>(table: Readonly<Record<Name, number>>, value: number): Name | undefined {
  for (const name in table) if (table[name] === value) return name;
  return undefined;
}
