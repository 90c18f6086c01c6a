import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PACKET_SIZE } from "../src/blob/layout.js";
import { runBench } from "../src/measure/bench.js";
import { BENCH_DEFAULTS } from "../src/measure/bench-options.js";
import { decodePacket } from "../src/netfilter/packet.js";
import { captureTraffic } from "../src/workload/capture-traffic.js";
import { Random } from "../src/workload/random.js";
import { SPREADS } from "../src/workload/spread.js";
import { type WorkloadName, workloads } from "../src/workload/workloads.js";

const folder = mkdtempSync(join(tmpdir(), "ruleswap-spread-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** How often each value comes, the most frequent first. */
function frequencies(values: Iterable<unknown>): number[] {
  const counts = new Map<unknown, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}

function packetsOf(bytes: Uint8Array) {
  return Array.from({ length: bytes.length / PACKET_SIZE }, (_, nth) =>
    decodePacket(bytes.subarray(nth * PACKET_SIZE, (nth + 1) * PACKET_SIZE)),
  );
}

describe("zipf", () => {
  it("gives rank k a share of 1/k of the first's", () => {
    const draw = SPREADS.zipf(100, new Random(1));
    const counts = frequencies(Array.from({ length: 100_000 }, draw));
    // The sum of 1/k up to 100 is 5.187.
    expect((counts[0] as number) / 100_000).toBeCloseTo(1 / 5.187, 2);
    expect((counts[1] as number) / 100_000).toBeCloseTo(1 / 2 / 5.187, 2);
    expect((counts[9] as number) / 100_000).toBeCloseTo(1 / 10 / 5.187, 2);
    expect(counts.length).toBe(100);
  });

  it("draws by lot who has which rank", () => {
    const most = (seed: number): number | undefined => {
      const draw = SPREADS.zipf(1000, new Random(seed));
      const drawn = Array.from({ length: 2000 }, draw);
      return drawn.toSorted(
        (a, b) => drawn.filter((one) => one === b).length - drawn.filter((one) => one === a).length,
      )[0];
    };
    expect(new Set([most(1), most(2), most(3)]).size).toBe(3);
  });

  it("sends the most sought service of a hundred a sixth of kube-proxy's packets, where uniform sends a fiftieth at most", () => {
    const workload = workloads["kube-proxy"].make({ size: 100, seed: 1, family: "ipv4" });
    const most = (spread: "uniform" | "zipf"): number => {
      const packets = packetsOf(workload.traffic(4000, 1, spread));
      return (frequencies(packets.map(({ destination }) => destination))[0] as number) / 4000;
    };
    expect(most("zipf")).toBeGreaterThan(0.15);
    expect(most("uniform")).toBeLessThan(0.02);
  });

  it.each(Object.keys(workloads) as WorkloadName[])("is the same for the same seed, and not uniform: %s", (name) => {
    const make = () => workloads[name].make({ size: 100, seed: 3, family: "ipv4" });
    expect(make().traffic(50, 3, "zipf")).toEqual(make().traffic(50, 3, "zipf"));
    expect(make().traffic(50, 3, "zipf")).not.toEqual(make().traffic(50, 4, "zipf"));
    expect(make().traffic(50, 3, "zipf")).not.toEqual(make().traffic(50, 3));
    expect(make().traffic(50, 3, "uniform")).toEqual(make().traffic(50, 3));
  });
});

describe("traffic out of a capture", () => {
  /** A pcap of raw IPv4: UDP to port 53 from the ports given. */
  function capture(name: string, sourcePorts: readonly number[]): string {
    const file = Buffer.alloc(24 + sourcePorts.length * 44);
    file.writeUInt32LE(0xa1b2c3d4, 0);
    file.writeUInt32LE(65535, 16);
    file.writeUInt32LE(101, 20);
    for (const [nth, port] of sourcePorts.entries()) {
      const at = 24 + nth * 44;
      file.writeUInt32LE(28, at + 8);
      file.writeUInt32LE(28, at + 12);
      file.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 128, 0, 7, 10, 96, 0, 10], at + 16);
      file.writeUInt16BE(port, at + 36);
      file.writeUInt16BE(53, at + 38);
      file.writeUInt16BE(8, at + 40);
    }
    const path = join(folder, name);
    writeFileSync(path, file);
    return path;
  }

  it("is its packets in their order, over and over", () => {
    const packets = packetsOf(captureTraffic(capture("three.pcap", [1001, 1002, 1003]), "ipv4", 7));
    expect(packets.map(({ sourcePort }) => sourcePort)).toEqual([1001, 1002, 1003, 1001, 1002, 1003, 1001]);
    expect(packets[0]).toMatchObject({ source: "10.128.0.7", destination: "10.96.0.10", destinationPort: 53 });
  });

  it.each([
    ["none of the family", [1001], "ipv6"],
    ["none at all", [], "ipv4"],
  ] as const)("is refused by the file's name where there is %s", (_, ports, family) => {
    const path = capture("few.pcap", ports);
    expect(() => captureTraffic(path, family, 1)).toThrow(`${path}: no packets of ${family}`);
  });

  it("is what a bench's readers match, and bad ones end it before it begins", async () => {
    const options = { ...BENCH_DEFAULTS, sizes: [10], strategies: ["incremental"], classifiers: ["linear"] } as const;
    const short = { ...options, duration: 0.02, rounds: 1 };
    const workload = () => ({
      ...workloads["kube-proxy"].make({ size: 10, seed: 1, family: "ipv4" }),
      traffic: () => {
        throw new Error("not asked for");
      },
    });
    const result = await runBench({ ...short, traffic: capture("two.pcap", [1, 2]) }, workload);
    expect(result.results[0]?.match?.idle.packets).toBeGreaterThan(0);
    const bad = runBench({ ...short, traffic: capture("empty.pcap", []) }, workload);
    await expect(bad).rejects.toMatchObject({ code: "no-packets" });
  });
});
