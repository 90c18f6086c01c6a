/**
 * The table in which the walk finds the longest prefix.
 *
 * Problem: prefixes nest, a packet wants the longest that holds its address, and the next shorter where that route will not
 * do. Idea: the ends of all prefixes cut the line of addresses into ranges within which the answer is the same. So one binary
 * search answers, whatever the lengths (Lampson, Srinivasan, Varghese: IP Lookups using Multiway and Multicolumn Search).
 *
 *     0.0.0.0/0 via A, 10.0.0.0/8 via B, 10.1.0.0/16 via C:
 *     0.0.0.0 A | 10.0.0.0 B | 10.1.0.0 C | 10.2.0.0 B | 11.0.0.0 A
 *
 * Routes are linked: those of one prefix by metric, then on to the next shorter prefix, so that a fallback follows links.
 * Cost: n prefixes make at most 2n + 1 ranges; a change builds the table anew.
 */
import ipaddr from "ipaddr.js";
import * as R from "../blob/routing.js";
import type { Family } from "../ruleset/row-store.js";
import type { ImageWriter } from "./image-writer.js";
import { type Route, ROUTE_TYPES } from "./routing.js";

interface Node {
  readonly first: bigint;
  readonly last: bigint;
  readonly length: number;
  readonly routes: Route[];
  /** Address of its best route. */
  record: number;
}

/** Writes the table of `routes`; its address. */
export function writeSearch(out: ImageWriter, family: Family, routes: readonly Route[]): number {
  const bytes = family === "ipv4" ? 4 : 16;
  const nodes = nodesOf(routes, bytes * 8);
  const ranges: { first: bigint; route: number }[] = [{ first: 0n, route: 0 }];
  const start = (first: bigint, route: number): void => {
    if (ranges.at(-1)?.first === first) ranges.pop();
    if (first < 1n << BigInt(bytes * 8)) ranges.push({ first, route });
  };
  const inside: Node[] = [];
  const leaveBefore = (first: bigint): void => {
    for (let top = inside.at(-1); top && top.last < first; top = inside.at(-1)) {
      inside.pop();
      start(top.last + 1n, inside.at(-1)?.record ?? 0);
    }
  };
  for (const node of nodes) {
    leaveBefore(node.first);
    node.record = writeRoutes(out, node, inside.at(-1)?.record ?? 0);
    inside.push(node);
    start(node.first, node.record);
  }
  leaveBefore(1n << BigInt(bytes * 8));
  const at = out.reserve(R.SEARCH_KEYS + ranges.length * (bytes + 4));
  out.u32(at + R.SEARCH_COUNT, ranges.length);
  for (const [i, { first, route }] of ranges.entries()) {
    writeKey(out, at + R.SEARCH_KEYS + i * bytes, first, bytes);
    out.u32(at + R.SEARCH_KEYS + ranges.length * bytes + 4 * i, route);
  }
  return out.address(at);
}

/** Prefixes in order: by first address, shorter ones first. */
function nodesOf(routes: readonly Route[], bits: number): Node[] {
  const nodes = new Map<string, Node>();
  for (const route of routes) {
    const length = route.destination === "default" ? 0 : route.destination.prefix;
    const size = 1n << BigInt(bits - length);
    const address =
      route.destination === "default" ? 0n : number(ipaddr.parse(route.destination.address).toByteArray());
    const first = address - (address % size);
    const key = `${first}/${length}`;
    const node = nodes.get(key) ?? { first, last: first + size - 1n, length, routes: [], record: 0 };
    node.routes.push(route);
    nodes.set(key, node);
  }
  return [...nodes.values()].sort((a, b) => (a.first === b.first ? a.length - b.length : a.first < b.first ? -1 : 1));
}

/** The routes of a prefix, those of a type of service first, then by metric; the first one's address. */
function writeRoutes(out: ImageWriter, node: Node, shorter: number): number {
  const order = [...node.routes].sort((a, b) => (b.tos ?? 0) - (a.tos ?? 0) || (a.metric ?? 0) - (b.metric ?? 0));
  let next = shorter;
  for (const route of order.reverse()) next = writeRoute(out, node.length, route, next);
  return next;
}

function writeRoute(out: ImageWriter, length: number, route: Route, next: number): number {
  const hops = route.hops.length > 0 ? route.hops : [{ device: "" }];
  const alive = hops.filter((hop) => !hop.dead);
  const ways = alive.length > 0 ? alive : hops;
  const at = out.reserve(ways.length * R.ROUTE_SIZE);
  let weight = 0;
  for (const [i, hop] of ways.entries()) {
    const record = at + i * R.ROUTE_SIZE;
    weight += hop.weight ?? 1;
    out.u32(record + R.ROUTE_NEXT, next);
    out.u8(record + R.ROUTE_TYPE, ROUTE_TYPES[route.type ?? "unicast"]);
    out.u8(record + R.ROUTE_PREFIX, length);
    out.u8(record + R.ROUTE_TOS, route.tos ?? 0);
    out.u16(record + R.ROUTE_WAYS, ways.length);
    out.u32(record + R.ROUTE_FIRST, out.address(at));
    out.u16(record + R.ROUTE_WEIGHT, weight);
    out.u32(record + R.ROUTE_REALM, route.realm ?? 0);
    out.u32(record + R.ROUTE_MTU, route.mtu ?? 0);
    out.name(record + R.ROUTE_DEVICE, hop.device);
    let flags = alive.length === 0 ? R.ROUTE_DEAD : 0;
    // A gateway of the other family says nothing about the source.
    if (hop.gateway !== undefined && ipaddr.parse(hop.gateway).kind() === route.family) {
      flags |= R.ROUTE_HAS_GATEWAY;
      out.copy(record + R.ROUTE_GATEWAY, ipaddr.parse(hop.gateway).toByteArray());
    }
    if (route.source !== undefined) {
      flags |= R.ROUTE_HAS_SOURCE;
      out.copy(record + R.ROUTE_SOURCE, ipaddr.parse(route.source).toByteArray());
    }
    out.u8(record + R.ROUTE_FLAGS, flags);
  }
  return out.address(at);
}

/** In words of 32 bits, or two of 64. */
function writeKey(out: ImageWriter, at: number, key: bigint, bytes: number): void {
  if (bytes === 4) return out.u32(at, Number(key));
  for (const [place, shift] of [
    [4, 96n],
    [0, 64n],
    [12, 32n],
    [8, 0n],
  ] as const)
    out.u32(at + place, Number((key >> shift) & 0xffffffffn));
}

function number(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}
