/** What a packet takes is counted: it must not grow with the ruleset where an index is promised, nor by more than promised. */
import { describe, expect, it } from "vitest";
import { Engine, type Classifier } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket, type Packet } from "../src/netfilter/packet.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { FilterSource } from "../src/workload/filter-source.js";
import { filterLines } from "../src/workload/class-bench.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";
import { Random } from "../src/workload/random.js";

const CACHE_LINE = 64;

const address = (nth: number): string => `10.${96 + (nth >> 16)}.${(nth >> 8) & 255}.${nth & 255}`;
const service = (nth: number): string => `-d ${address(nth * 7)} -p tcp -m tcp --dport ${80 + (nth % 9)}`;

function loaded(rules: readonly string[], classifier: Classifier): Reader {
  const engine = Engine.create({ classifier });
  const lines = rules.map((rule) => `-A FORWARD ${rule} -j ACCEPT`);
  const text = [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...lines,
    "COMMIT",
    "",
  ];
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text.join("\n"), { family: "ipv4" }));
  return new Reader(engine, 0);
}

function effort(reader: Reader, packets: readonly Partial<Packet>[]) {
  const pool = reader.allocate(1);
  const sum = { tuples: 0, entries: 0, chunks: 0, rows: 0 };
  for (const packet of packets) {
    const whole = {
      family: "ipv4",
      protocol: 6,
      source: "192.0.2.1",
      destination: "192.0.2.9",
      path: "FORWARD",
    } as const;
    pool.set(0, encodePacket({ ...whole, ...packet }));
    reader.trace(pool, 0);
    for (const [key, count] of Object.entries(reader.effort())) sum[key as keyof typeof sum] += count;
  }
  return {
    tuples: sum.tuples / packets.length,
    entries: sum.entries / packets.length,
    chunks: sum.chunks / packets.length,
    rows: sum.rows / packets.length,
  };
}

const toServices = (count: number): Partial<Packet>[] => {
  const random = new Random(3);
  return Array.from({ length: 200 }, () => {
    const nth = random.below(count);
    return { destination: address(nth * 7), destinationPort: 80 + (nth % 9), sourcePort: 40_000 };
  });
};

describe("with an index", () => {
  it("a packet to one of 1,000, 10,000 or 50,000 services takes one probe and one entry, and no row is checked", () => {
    for (const count of [1000, 10_000, 50_000]) {
      const reader = loaded(
        Array.from({ length: count }, (_, nth) => service(nth)),
        "tuple-space",
      );
      expect(effort(reader, toServices(count))).toEqual({ tuples: 1, entries: 1, chunks: 0, rows: 0 });
    }
  });

  it("an access list of 10,000 rules takes as many probes as one of 1,000, within a factor of two", () => {
    const [small, large] = [1000, 10_000].map((count) => {
      const rules = new FilterSource(5).rules(count);
      const lines = filterLines(rules, () => "X").map((line) => line.replace(/^-A FORWARD (.*) -j X$/, "$1"));
      const random = new Random(4);
      const packets = Array.from({ length: 300 }, (): Partial<Packet> => {
        const { source, destination, destinationPorts, protocol } = rules[random.below(count)] as (typeof rules)[0];
        const ends = { source: source.replace(/\/.*/, ""), destination: destination.replace(/\/.*/, "") };
        return { ...ends, protocol: protocol ?? 6, destinationPort: destinationPorts[0], sourcePort: 2000 };
      });
      return effort(loaded(lines, "tuple-space"), packets);
    }) as [ReturnType<typeof effort>, ReturnType<typeof effort>];
    expect(small.tuples).toBeLessThan(16);
    expect(large.tuples).toBeLessThan(2 * small.tuples);
    expect(large.entries).toBeLessThan(32);
    expect(large.chunks).toBeLessThan(4);
  });

  it("ranges of ports and inversions beside fixed addresses do not fall off a cliff", () => {
    const ranges = Array.from({ length: 10_000 }, (_, nth) => `-p udp -m udp --dport ${5 * nth}:${5 * nth + 3}`);
    const ranged = effort(loaded(ranges, "tuple-space"), [
      { protocol: 17, destinationPort: 30_001 },
      { protocol: 17, destinationPort: 60_004 },
    ]);
    expect(ranged.entries + ranged.tuples).toBeLessThan(200);
    const inverted = Array.from({ length: 10_000 }, (_, nth) => `! -s 10.0.0.0/8 ${service(nth)}`);
    expect(effort(loaded(inverted, "tuple-space"), toServices(10_000)).rows).toBe(1);
  });

  it("no append to a chain that grows to 20,000 rules pays for the hash table", () => {
    const updater = new Updater(Engine.create({ classifier: "tuple-space" }), { strategy: "incremental" });
    updater.load(parseRuleset("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", { family: "ipv4" }));
    let most = 0;
    for (let nth = 0; nth < 20_000; nth++) {
      const text = `*filter\n-A FORWARD ${service(nth)} -j ACCEPT\nCOMMIT\n`;
      const { bytesWritten } = updater.update({ batch: text });
      most = Math.max(most, bytesWritten);
    }
    // Two segments, a directory of at most 4 KiB; once, at 128 rows, the 16 KiB of the table that prunes.
    expect(most).toBeLessThan(20_480);
  }, 60_000);
});

describe("without", () => {
  it("linear compares every chunk of 64 rules and checks no row that its column rules out", () => {
    const shapes = [
      (nth: number) => service(nth),
      (nth: number) => `-d 192.0.2.9 -p udp -m udp --dport ${1000 + nth}`,
      (nth: number) => `-d 192.0.2.9 -p tcp -m tcp --dport ${1000 + nth}`,
      (nth: number) => `-p tcp -m tcp --dport ${1024 + 2 * nth}:${1025 + 2 * nth}`,
    ];
    for (const shape of shapes) {
      const reader = loaded(
        Array.from({ length: 20_000 }, (_, nth) => shape(nth)),
        "linear",
      );
      expect(effort(reader, [{ destinationPort: 9 }])).toEqual({
        tuples: 0,
        entries: 0,
        chunks: Math.ceil(20_000 / 64),
        rows: 0,
      });
    }
  });
});

it("two readers write no cache line in common", () => {
  const workload = kubeProxy({ services: 100, seed: 2 });
  const engine = Engine.create({ readers: 2, localAddresses: workload.localAddresses });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(workload.ruleset(), { family: "ipv4" }));
  const [first, second] = [0, 1].map((id) => {
    const reader = new Reader(id ? Engine.attach(engine.handle) : engine, id);
    const pool = reader.allocate(500);
    pool.set(0, workload.traffic(500));
    return () => reader.match(pool, 0, 500);
  }) as [() => void, () => void];
  const lines = [first, second].map((walk) => {
    const before = Buffer.from(new Uint8Array(engine.handle.memory.buffer).slice());
    walk();
    const after = Buffer.from(engine.handle.memory.buffer);
    const written = new Set<number>();
    for (let at = 0; at < before.length; at += CACHE_LINE)
      if (!before.subarray(at, at + CACHE_LINE).equals(after.subarray(at, at + CACHE_LINE))) written.add(at);
    return written;
  }) as [Set<number>, Set<number>];
  expect(lines[0].size).toBeGreaterThan(500);
  expect([...lines[0]].filter((line) => lines[1].has(line))).toEqual([]);
});
