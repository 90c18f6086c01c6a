/**
 * First packets of connections to a list of ends. Of 100, 90 go to one of the ends, 5 to an address that is none, 5 to
 * an end's address at a port it does not listen on.
 */
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
} from "../blob/layout.js";
import { writeAddress } from "../netfilter/address.js";
import { encodePacket } from "../netfilter/packet.js";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../netfilter/packet-names.js";
import type { Family } from "../ruleset/row-store.js";
import type { Random } from "./random.js";
import { type Spread, SPREADS } from "./spread.js";

/** Where clients connect to. */
export interface End {
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** The interface towards it, once it is rewritten; default none, as for a packet that stays. */
  readonly output?: string;
}

/** Where clients are. */
export interface Clients {
  /** Its last `bits` bits are nought. */
  readonly network: string;
  /** At most 24. */
  readonly bits: number;
  readonly input: string;
  /** How many packets come from these for each of the others' `weight`. */
  readonly weight: number;
}

export interface TrafficPlan {
  readonly family: Family;
  readonly ends: readonly End[];
  /** Addresses that are no end. */
  readonly vacant: readonly string[];
  readonly clients: readonly Clients[];
  /** Over the ends. */
  readonly spread: Spread;
}

/** `count` records, PACKET_SIZE bytes each. */
export function trafficTo(plan: TrafficPlan, count: number, random: Random): Uint8Array {
  const { family, ends, clients } = plan;
  const templates = clients.map(({ network, input }) =>
    encodePacket({ family, source: network, destination: network, input }),
  );
  const byWeight = clients.flatMap(({ weight }, nth) => new Array<number>(weight).fill(nth));
  const addresses = addressTable(
    ends.map(({ address }) => address),
    family,
  );
  const vacant = addressTable(plan.vacant, family);
  const draw = SPREADS[plan.spread](ends.length, random);
  const bytes = new Uint8Array(count * PACKET_SIZE);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    const client = byWeight[random.below(byWeight.length)] as number;
    bytes.set(templates[client] as Uint8Array, at);
    // Neither the network's own address nor its last one.
    addHost(bytes, at + PACKET_SOURCE, family, random.below(2 ** (clients[client] as Clients).bits - 2) + 1);
    view.setUint16(at + PACKET_SOURCE_PORT, random.between(32768, 60999), true);
    const nth = draw();
    const end = ends[nth] as End;
    bytes[at + PACKET_PROTOCOL] = protocolOf(end);
    if (end.protocol !== "tcp") bytes[at + PACKET_TCP_FLAGS] = 0;
    const chance = random.below(20);
    if (chance === 0 && plan.vacant.length > 0) {
      const other = random.below(plan.vacant.length) * 16;
      bytes.set(vacant.subarray(other, other + 16), at + PACKET_DESTINATION);
    } else bytes.set(addresses.subarray(nth * 16, nth * 16 + 16), at + PACKET_DESTINATION);
    view.setUint16(at + PACKET_DESTINATION_PORT, chance === 1 ? end.port ^ 0x4000 : end.port, true);
    if (end.output !== undefined)
      for (let i = 0; i < end.output.length; i++) bytes[at + PACKET_OUTPUT + i] = end.output.charCodeAt(i);
  }
  return bytes;
}

/** One packet to an end, from the first of the clients. */
export function packetTo(end: End, plan: Pick<TrafficPlan, "family" | "clients">, random: Random): Uint8Array {
  const { family, clients } = plan;
  const { network, bits, input } = clients[0] as Clients;
  const record = encodePacket({
    family,
    protocol: protocolOf(end),
    source: network,
    sourcePort: random.between(32768, 60999),
    destination: end.address,
    destinationPort: end.port,
    input,
    ...(end.output === undefined ? {} : { output: end.output }),
  });
  addHost(record, PACKET_SOURCE, family, random.below(2 ** bits - 2) + 1);
  return record;
}

const protocolOf = (end: End): number => (end.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP);

/** 16 bytes an address. */
function addressTable(addresses: readonly string[], family: Family): Uint8Array {
  const table = new Uint8Array(addresses.length * 16);
  for (const [nth, address] of addresses.entries()) writeAddress(table, nth * 16, address, family);
  return table;
}

/** Adds a host's number to its network's address. */
function addHost(bytes: Uint8Array, at: number, family: Family, host: number): void {
  const end = at + (family === "ipv4" ? 4 : 16);
  bytes[end - 1] = (bytes[end - 1] as number) | host;
  bytes[end - 2] = (bytes[end - 2] as number) | (host >>> 8);
  bytes[end - 3] = (bytes[end - 3] as number) | (host >>> 16);
}
