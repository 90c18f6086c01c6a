/**
 * The walk of a chain where nothing matches: the kernel's, a packet through OUTPUT of iptables-legacy in a namespace of its
 * own, and ours, `linear`, over the same rules. What a rule costs is the difference between a long chain and an empty one.
 */
import { encodePacket, Engine, kernelAbsence, Namespace, parseRuleset, Reader, Updater } from "ruleswap";
import type { Round } from "./statistics.js";

export const LONG = 20_000;
/** Packets of one of our measurements; each section of a round is one. */
const PACKETS = 8;
const SECTIONS = 40;
const BLAST_MS = 100;

/** What the rules of a chain fail on; the datagram goes from 192.0.2.1 to 192.0.2.9, port 9. */
export const SHAPES: Readonly<Record<string, (nth: number) => string>> = {
  address: (nth) => `-d ${other(nth)} -p udp -m udp --dport ${port(nth)}`,
  protocol: (nth) => `-d 192.0.2.9/32 -p tcp -m tcp --dport ${port(nth)}`,
  "udp --dport": (nth) => `-d 192.0.2.9/32 -p udp -m udp --dport ${port(nth)}`,
  "udp --dport LOW:HIGH": (nth) => `-d 192.0.2.9/32 -p udp -m udp --dport ${port(nth)}:${port(nth) + 50}`,
};

const other = (nth: number): string => `10.${100 + (nth >> 16)}.${(nth >> 8) & 255}.${nth & 255}/32`;
const port = (nth: number): number => 10_000 + (nth % 50_000);

export function rulesOf(shape: string, count: number): string {
  const rule = SHAPES[shape] as (nth: number) => string;
  const lines = Array.from({ length: count }, (_, nth) => `-A OUTPUT ${rule(nth)} -j ACCEPT`);
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...lines,
    "COMMIT",
    "",
  ].join("\n");
}

/** A chain of `linear` in ruleswap. */
export class OurWalk {
  private readonly reader: Reader;
  private readonly pool;

  constructor(shape: string, count: number) {
    const engine = Engine.create({ classifier: "linear" });
    new Updater(engine, { strategy: "full" }).load(parseRuleset(rulesOf(shape, count), { family: "ipv4" }));
    this.reader = new Reader(engine, 0);
    this.pool = this.reader.allocate(PACKETS);
    const ends = { source: "192.0.2.1", destination: "192.0.2.9", sourcePort: 40_000, destinationPort: 9 };
    const packet = encodePacket({ family: "ipv4", path: "OUTPUT", protocol: 17, length: 46, ...ends });
    for (let nth = 0; nth < PACKETS; nth++) this.pool.set(nth, packet);
  }

  /** The least nanoseconds a packet of many short runs. */
  measure(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let section = 0; section < SECTIONS; section++) {
      const begun = process.hrtime.bigint();
      this.reader.match(this.pool, 0, PACKETS);
      least = Math.min(least, Number(process.hrtime.bigint() - begun) / PACKETS);
    }
    return least;
  }
}

/** The kernel's chain OUTPUT. */
export class KernelWalk {
  private constructor(
    private readonly namespace: Namespace,
    private readonly blast: string,
  ) {}

  static async open(blast: string): Promise<KernelWalk | { why: string }> {
    const absence = kernelAbsence(["iptables-legacy-restore", "ip"]);
    if (absence) return { why: absence.message };
    const namespace = await Namespace.open();
    const commands = ["link set lo up", "addr add 192.0.2.1/32 dev lo", "route add 192.0.2.9/32 dev lo src 192.0.2.1"];
    await namespace.must(...commands.map((line) => ({ argv: ["ip", ...line.split(" ")] })));
    return new KernelWalk(namespace, blast);
  }

  /** Nanoseconds a datagram with these rules in force. */
  async measure(rules: string): Promise<number> {
    const printed = await this.namespace.must(
      { argv: ["iptables-legacy-restore"], input: rules },
      { argv: [this.blast, String(BLAST_MS)], output: true },
    );
    return Number(printed);
  }

  close(): Promise<void> {
    return this.namespace.close();
  }
}

/** Nanoseconds a rule of one round. */
export const slope = (long: number, empty: number): Round => [(long - empty) / LONG];
