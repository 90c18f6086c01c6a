import type { Argument } from "./argument.js";

/** What the kernel expected of `-p` for an extension that serves these protocols alone, or "" when `-p` is one of them. */
export function onlyProtocols(argument: Argument, names: string, ...numbers: number[]): string {
  return !argument.protocolInverted && numbers.includes(argument.protocol) ? "" : `-p ${names} in the same rule`;
}

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_DCCP = 33;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_SCTP = 132;
export const PROTOCOL_MOBILITY = 135;
export const PROTOCOL_UDPLITE = 136;
