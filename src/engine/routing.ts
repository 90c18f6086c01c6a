/**
 * What an engine knows of its machine: interfaces, addresses, routes and rules. `netfilter/routing` reads them from what
 * `ip` prints.
 */
import ipaddr from "ipaddr.js";
import * as R from "../blob/routing.js";
import type { Family } from "../ruleset/row-store.js";

export interface Interface {
  readonly name: string;
  /** Default 0. */
  readonly group?: number;
  /** Bytes; default 1500. */
  readonly mtu?: number;
  readonly loopback?: boolean;
}

export interface InterfaceAddress {
  readonly address: string;
  /** Length; default all bits. */
  readonly prefix?: number;
  /** Default all interfaces. */
  readonly interface?: string;
  readonly broadcast?: string;
  readonly secondary?: boolean;
  readonly deprecated?: boolean;
  /** Of scope host or link. */
  readonly narrow?: boolean;
}

export const ROUTE_TYPES = {
  unicast: R.RTN_UNICAST,
  local: R.RTN_LOCAL,
  broadcast: R.RTN_BROADCAST,
  anycast: R.RTN_ANYCAST,
  multicast: R.RTN_MULTICAST,
  blackhole: R.RTN_BLACKHOLE,
  unreachable: R.RTN_UNREACHABLE,
  prohibit: R.RTN_PROHIBIT,
  throw: R.RTN_THROW,
} as const;
export type RouteType = keyof typeof ROUTE_TYPES;

export interface NextHop {
  readonly device: string;
  readonly gateway?: string;
  /** Share of the traffic among the route's hops; default 1. */
  readonly weight?: number;
  /** Never taken. */
  readonly dead?: boolean;
}

export interface Route {
  readonly family: Family;
  /** Default unicast. */
  readonly type?: RouteType;
  /** Address and length, or all of the family. */
  readonly destination: { readonly address: string; readonly prefix: number } | "default";
  /** None for a type that sends nowhere. */
  readonly hops: readonly NextHop[];
  readonly source?: string;
  readonly metric?: number;
  readonly tos?: number;
  readonly realm?: number;
  readonly mtu?: number;
  /** Name or number; default main. */
  readonly table?: string;
}

export interface RoutingRule {
  readonly family: Family;
  readonly priority: number;
  readonly not?: boolean;
  readonly from?: { readonly address: string; readonly prefix: number };
  readonly to?: { readonly address: string; readonly prefix: number };
  readonly input?: string;
  readonly output?: string;
  readonly mark?: number;
  readonly markMask?: number;
  readonly tos?: number;
  readonly protocol?: number;
  readonly sourcePorts?: readonly [number, number];
  readonly destinationPorts?: readonly [number, number];
  readonly users?: readonly [number, number];
  /** Where it looks, or what it answers. */
  readonly table?: string;
  readonly answer?: "blackhole" | "unreachable" | "prohibit";
  /** Routes of a prefix this long or shorter are passed over. */
  readonly suppressPrefix?: number;
}

export interface Routing {
  readonly interfaces?: readonly Interface[];
  readonly addresses?: readonly InterfaceAddress[];
  /**
   * Given, they alone say where a packet goes and by which interface. Left out, the packet's record says it: local
   * addresses to INPUT, all else to FORWARD and out by the record's interface.
   */
  readonly routes?: readonly Route[];
  /** Default: local, main. */
  readonly rules?: readonly RoutingRule[];
  /** rp_filter of IPv4 on every interface. Default off. */
  readonly reversePath?: keyof typeof REVERSE_PATHS;
  /** Whether it forwards (ip_forward). Default true. */
  readonly forwards?: boolean;
}

export const REVERSE_PATHS = { off: 0, strict: 1, loose: 2 } as const;
/** "10.0.0.1" or "10.0.0.1 eth0". @throws RangeError when it is neither. */
export function localAddress(text: string): InterfaceAddress {
  const [address = "", name = "", ...more] = text.trim().split(/\s+/);
  if (!ipaddr.isValid(address) || Buffer.byteLength(name) > 15 || more.length > 0)
    throw new RangeError(`not a local address: ${JSON.stringify(text)}; expected "ADDRESS" or "ADDRESS INTERFACE"`);
  return { address, narrow: /^fe[89ab]/i.test(address), ...(name === "" ? {} : { interface: name }) };
}
