/** Rule sets and traces to classify, from a seed: cluster services, and filter sets of a file or made up. */
import { type FilterRule, FilterSource, parseClassBench } from "ruleswap";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface RuleSet {
  readonly name: string;
  readonly rules: readonly FilterRule[];
}

export const SEED = 1;
export const FILTER_SETS = ["acl1_1k", "fw1_1k", "ipc1_1k", "acl1_10k", "fw1_10k", "ipc1_10k"] as const;
export const SERVICE_COUNTS = [1000, 5000, 10_000, 50_000] as const;

const PORTS = [80, 443, 8080, 8443, 9090, 53, 6379, 5432, 3306, 9200];
const ANY_PORT = [0, 65535] as const;

/** Small, fast and good enough for traffic: xorshift32. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 0x9e3779b1) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state = (this.state ^ (this.state << 5)) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }
}

/** As KUBE-SERVICES has them: a destination of 10.96.0.0/12, TCP, one port. */
export function services(count: number): RuleSet {
  const chance = new Chance(SEED + count);
  const seen = new Set<number>();
  while (seen.size < count) seen.add(0x0a600000 + chance.below(1 << 20));
  const rules = [...seen].map((address): FilterRule => {
    const port = PORTS[chance.below(PORTS.length)] as number;
    return {
      source: "0.0.0.0/0",
      destination: `${dotted(address)}/32`,
      sourcePorts: ANY_PORT,
      destinationPorts: [port, port],
      protocol: 6,
    };
  });
  return { name: `kube_${count}`, rules };
}

/** The sets of a folder in ClassBench's format (NAME or NAME.rules), or two that are made up when there is none. */
export function filterSets(folder: string | undefined): RuleSet[] {
  if (folder === undefined)
    return [1000, 10_000].map((count) => ({
      name: `made-up_${count / 1000}k`,
      rules: new FilterSource(SEED).rules(count),
    }));
  return FILTER_SETS.map((name) => {
    const path = join(folder, `${name}.rules`);
    return { name, rules: parseClassBench(readFileSync(path, "utf8"), basename(path)) };
  });
}

/** Ten numbers a rule: low and high of source, destination, ports, protocol. */
export function rangesOf(rules: readonly FilterRule[]): Uint32Array {
  const ranges = new Uint32Array(10 * rules.length);
  for (const [nth, { source, destination, sourcePorts, destinationPorts, protocol }] of rules.entries())
    ranges.set(
      [...range(source), ...range(destination), ...sourcePorts, ...destinationPorts, protocol ?? 0, protocol ?? 255],
      10 * nth,
    );
  return ranges;
}

/** 16 bytes a packet (see dpdk.c); nine in ten lie inside a rule drawn at random. Protocols nobody fixed are TCP or UDP. */
export function traceOf(ranges: Uint32Array, count: number): Uint8Array {
  const chance = new Chance(SEED + ranges.length);
  const rules = ranges.length / 10;
  const view = new DataView(new ArrayBuffer(16 * count));
  for (let at = 0; at < view.byteLength; at += 16) {
    const rule = ranges.subarray(10 * chance.below(rules)).subarray(0, 10);
    const inside = chance.below(10) > 0;
    const pick = (field: number, most: number): number => {
      const [low, high] = inside ? [rule[2 * field] as number, rule[2 * field + 1] as number] : [0, most];
      return low + chance.below(high - low + 1);
    };
    view.setUint32(at, pick(0, 0xffffffff), true);
    view.setUint32(at + 4, pick(1, 0xffffffff), true);
    view.setUint16(at + 8, pick(2, 0xffff), true);
    view.setUint16(at + 10, pick(3, 0xffff), true);
    const fixed = inside && rule[8] === rule[9];
    view.setUint8(at + 12, fixed ? (rule[8] as number) : chance.below(10) < 6 ? 6 : 17);
  }
  return new Uint8Array(view.buffer);
}

function range(prefix: string): [number, number] {
  const [address = "", length = "32"] = prefix.split("/");
  const low = address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return [low, low + 2 ** (32 - Number(length)) - 1];
}

export const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
