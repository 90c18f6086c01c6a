/** ruleswap over the same set and trace. */
import {
  type Classifier,
  encodePacket,
  Engine,
  type FilterRule,
  filterLines,
  PACKET_SIZE,
  parseRuleset,
  type PacketPool,
  Reader,
  Updater,
} from "ruleswap";
import { dotted } from "./sets.js";
import type { Round } from "./statistics.js";

export class Ours {
  private constructor(
    private readonly reader: Reader,
    private readonly pool: PacketPool,
    private readonly packets: number,
    /** Rule number, from 1, of a line of the loaded text. */
    private readonly ruleOfLine: Uint32Array,
    readonly loadMs: number,
    readonly bytesPerRule: number,
  ) {}

  static start(rules: readonly FilterRule[], trace: Uint8Array, classifier: Classifier): Ours {
    const head = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"];
    const lines: string[] = [];
    const owners: number[] = [0, 0, 0, 0, 0];
    for (const [nth, rule] of rules.entries())
      for (const line of filterLines([rule], () => "ACCEPT")) {
        lines.push(line);
        owners.push(nth + 1);
      }
    const text = [...head, ...lines, "COMMIT", ""].join("\n");
    const engine = Engine.create({ classifier });
    const before = engine.memory().liveBytes;
    const begun = performance.now();
    new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family: "ipv4" }));
    const loadMs = performance.now() - begun;
    const bytesPerRule = (engine.memory().liveBytes - before) / lines.length;
    const reader = new Reader(engine, 0);
    const count = trace.length / 16;
    const pool = reader.allocate(count);
    fill(pool, trace);
    return new Ours(reader, pool, count, Uint32Array.from(owners), loadMs, bytesPerRule);
  }

  /** From the header to the rule, as librte_acl does. */
  classify(batch: number, section: number): Round {
    return this.sections(section, (first) => {
      for (let at = first; at < first + section; at += batch)
        this.reader.classify(this.pool, at, batch, "filter", "FORWARD");
    });
  }

  /** The whole walk at one hook: the packet is copied, counted, its verdict and result written. */
  walk(batch: number, section: number): Round {
    return this.sections(section, (first) => {
      for (let at = first; at < first + section; at += batch) this.reader.match(this.pool, at, batch);
    });
  }

  /** Per packet the rule's number from 1, 0 for none. */
  results(batch: number): Uint32Array {
    const numbers = new Uint32Array(this.packets);
    for (let at = 0; at < this.packets; at += batch) {
      const rows = this.reader.classify(this.pool, at, Math.min(batch, this.packets - at), "filter", "FORWARD").slice();
      for (const [nth, row] of rows.entries())
        numbers[at + nth] = row === 0 ? 0 : (this.ruleOfLine[this.reader.lineOf(row)] as number);
    }
    return numbers;
  }

  /** What a look-up takes, over the first packets of the trace: tuples probed, entries and chunks compared. */
  effort(packets: number): { tuples: number; entries: number; chunks: number } {
    const sum = { tuples: 0, entries: 0, chunks: 0 };
    for (let nth = 0; nth < packets; nth++) {
      this.reader.trace(this.pool, nth);
      const { tuples, entries, chunks } = this.reader.effort();
      sum.tuples += tuples / packets;
      sum.entries += entries / packets;
      sum.chunks += chunks / packets;
    }
    return sum;
  }

  private sections(section: number, work: (first: number) => void): Round {
    const round: number[] = [];
    for (let first = 0; first + section <= this.packets; first += section) {
      const begun = process.hrtime.bigint();
      work(first);
      round.push(Number(process.hrtime.bigint() - begun) / section);
    }
    return round;
  }
}

function fill(pool: PacketPool, trace: Uint8Array): void {
  const view = new DataView(trace.buffer, trace.byteOffset, trace.length);
  const record = new Uint8Array(PACKET_SIZE);
  for (let at = 0; at < trace.length; at += 16) {
    const packet = {
      family: "ipv4",
      path: "FORWARD",
      source: dotted(view.getUint32(at, true)),
      destination: dotted(view.getUint32(at + 4, true)),
      sourcePort: view.getUint16(at + 8, true),
      destinationPort: view.getUint16(at + 10, true),
      protocol: view.getUint8(at + 12),
    } as const;
    pool.set(at / 16, encodePacket(packet, record));
  }
}
