/** IPv4 fragments that wait in front of INPUT: net/ipv4/ip_fragment.c and inet_fragment.c, of packets without bytes. */
import { PACKET_FLAG_MORE } from "../../src/blob/layout.js";
import type { Packet } from "./packet.js";

const HEADER = 20;
const PATIENCE_MS = 30_000;
const LONGEST = 65535;

interface Run {
  readonly start: number;
  end: number;
}

/** `length`: behind the headers, as far as is known. `runs`: of fragments that came one behind the other, in order of place. */
interface Datagram {
  readonly expires: number;
  readonly runs: Run[];
  length: number;
  hasLast: boolean;
  first: Packet | undefined;
  readonly congestion: Set<number>;
}

export type Gathered = "kept" | "discarded" | Packet;

export class Waiting {
  private readonly datagrams = new Map<string, Datagram>();

  /** What becomes of a packet for this machine; itself where it is no fragment. */
  gather(packet: Packet): Gathered {
    const follows = (packet.flags & PACKET_FLAG_MORE) !== 0;
    if (packet.family === "ipv6" || (packet.fragmentOffset === 0 && !follows)) return packet;
    const known = packet.bytes && packet.bytes.length >= HEADER ? Buffer.from(packet.bytes) : undefined;
    const headers = known ? 4 * (known.readUInt8(0) & 15) : HEADER;
    if (packet.length < headers) return "discarded";
    const id = known ? known.readUInt16BE(4) : packet.fragmentId;
    const key = [packet.source, packet.destination, packet.protocol, id].join();
    const datagram = this.find(key, packet.time);
    const start = 8 * packet.fragmentOffset;
    const end = follows ? (start + packet.length - headers) & ~7 : start + packet.length - headers;
    const fits = follows
      ? !datagram.hasLast || end <= datagram.length
      : end >= datagram.length && (!datagram.hasLast || end === datagram.length);
    const place = fits && end > start ? placeOf(datagram.runs, start, end) : "overlaps";
    if (place === "twice") return "discarded";
    if (place === "overlaps") return this.forget(key);
    datagram.hasLast ||= !follows;
    datagram.length = Math.max(datagram.length, end);
    datagram.congestion.add(packet.tos & 3);
    if (start === 0) datagram.first = packet;
    const arrived = datagram.runs.reduce((sum, run) => sum + run.end - run.start, 0);
    if (!datagram.hasLast || !datagram.first || arrived !== datagram.length) return "kept";
    this.forget(key);
    return whole(datagram, datagram.first, packet);
  }

  private find(key: string, now: number): Datagram {
    const known = this.datagrams.get(key);
    if (known && now < known.expires) return known;
    const made: Datagram = {
      expires: now + PATIENCE_MS,
      runs: [],
      length: 0,
      hasLast: false,
      first: undefined,
      congestion: new Set(),
    };
    this.datagrams.set(key, made);
    return made;
  }

  private forget(key: string): "discarded" {
    this.datagrams.delete(key);
    return "discarded";
  }
}

/** Puts the fragment to the runs, if it fits between them. */
function placeOf(runs: Run[], start: number, end: number): "inserted" | "twice" | "overlaps" {
  for (const run of runs) {
    if (end <= run.start || start >= run.end) continue;
    return start >= run.start && end <= run.end ? "twice" : "overlaps";
  }
  const last = runs.at(-1);
  if (last?.end === start) last.end = end;
  else runs.push({ start, end });
  runs.sort((a, b) => a.start - b.start);
  return "inserted";
}

/** The first fragment as PREROUTING left it, where and when the last that came did. */
function whole({ length, congestion }: Datagram, first: Packet, last: Packet): Gathered {
  const mixed = congestion.has(0) && congestion.size > 1;
  if (HEADER + length > LONGEST || mixed) return "discarded";
  const { input, output, physicalInput, physicalOutput, time, path } = last;
  return {
    ...first,
    ...{ input, output, physicalInput, physicalOutput, time, path },
    tos: congestion.has(3) ? first.tos | 3 : first.tos,
    length: HEADER + length,
    fragmentOffset: 0,
    flags: first.flags & ~PACKET_FLAG_MORE,
  };
}
