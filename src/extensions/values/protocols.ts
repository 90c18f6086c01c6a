/**
 * Names of IP protocols, for reading and for printing: first those that iptables knows itself, then IANA's as in
 * Debian's /etc/protocols (number, name, alias).
 */
import { wholeNumber } from "./number.js";

/** iptables' own, in its order: of several names of a number the first is printed. */
const OWN: readonly (readonly [number, string])[] = [
  [6, "tcp"],
  [132, "sctp"],
  [17, "udp"],
  [136, "udplite"],
  [1, "icmp"],
  [58, "ipv6-icmp"],
  [58, "icmpv6"],
  [50, "esp"],
  [51, "ah"],
  [135, "mobility-header"],
  [135, "ipv6-mh"],
  [135, "mh"],
  [0, "all"],
];

const ASSIGNED: readonly (readonly [number, ...string[]])[] = [
  [0, "ip", "IP"],
  [0, "hopopt", "HOPOPT"],
  [1, "icmp", "ICMP"],
  [2, "igmp", "IGMP"],
  [3, "ggp", "GGP"],
  [4, "ipencap", "IP-ENCAP"],
  [5, "st", "ST"],
  [6, "tcp", "TCP"],
  [8, "egp", "EGP"],
  [9, "igp", "IGP"],
  [12, "pup", "PUP"],
  [17, "udp", "UDP"],
  [20, "hmp", "HMP"],
  [22, "xns-idp", "XNS-IDP"],
  [27, "rdp", "RDP"],
  [29, "iso-tp4", "ISO-TP4"],
  [33, "dccp", "DCCP"],
  [36, "xtp", "XTP"],
  [37, "ddp", "DDP"],
  [38, "idpr-cmtp", "IDPR-CMTP"],
  [41, "ipv6", "IPv6"],
  [43, "ipv6-route", "IPv6-Route"],
  [44, "ipv6-frag", "IPv6-Frag"],
  [45, "idrp", "IDRP"],
  [46, "rsvp", "RSVP"],
  [47, "gre", "GRE"],
  [50, "esp", "IPSEC-ESP"],
  [51, "ah", "IPSEC-AH"],
  [57, "skip", "SKIP"],
  [58, "ipv6-icmp", "IPv6-ICMP"],
  [59, "ipv6-nonxt", "IPv6-NoNxt"],
  [60, "ipv6-opts", "IPv6-Opts"],
  [73, "rspf", "RSPF", "CPHB"],
  [81, "vmtp", "VMTP"],
  [88, "eigrp", "EIGRP"],
  [89, "ospf", "OSPFIGP"],
  [93, "ax.25", "AX.25"],
  [94, "ipip", "IPIP"],
  [97, "etherip", "ETHERIP"],
  [98, "encap", "ENCAP"],
  [103, "pim", "PIM"],
  [108, "ipcomp", "IPCOMP"],
  [112, "vrrp", "VRRP"],
  [115, "l2tp", "L2TP"],
  [124, "isis", "ISIS"],
  [132, "sctp", "SCTP"],
  [133, "fc", "FC"],
  [135, "mobility-header", "Mobility-Header"],
  [136, "udplite", "UDPLite"],
  [137, "mpls-in-ip", "MPLS-in-IP"],
  [138, "manet"],
  [139, "hip", "HIP"],
  [140, "shim6", "Shim6"],
  [141, "wesp", "WESP"],
  [142, "rohc", "ROHC"],
  [143, "ethernet", "Ethernet"],
];

const numbers = new Map<string, number>();
const names: (string | undefined)[] = [];
for (const [number, ...aliases] of [...OWN, ...ASSIGNED]) {
  names[number] ??= aliases[0];
  for (const name of aliases) if (!numbers.has(name)) numbers.set(name, number);
}

/** The number of the protocol that bytes `start` to `end` name, in number or lower-case name, or -1. */
export function readProtocol(bytes: Uint8Array, start: number, end: number): number {
  if (end - start === 3) {
    // The two that nearly every rule names.
    if (bytes[start] === 116 && bytes[start + 1] === 99 && bytes[start + 2] === 112) return 6;
    if (bytes[start] === 117 && bytes[start + 1] === 100 && bytes[start + 2] === 112) return 17;
  }
  const number = wholeNumber(bytes, start, end, 0, 255);
  if (number >= 0) return number;
  return numbers.get(String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 32)))) ?? -1;
}

/** The name that iptables-save prints, or undefined where it prints the number. */
export function protocolName(number: number): string | undefined {
  return names[number];
}

/** The number of a name in lower case, or -1. */
export function protocolNumber(name: string): number {
  return numbers.get(name) ?? -1;
}

export const protocolNames = (): string[] => [...numbers.keys()];
