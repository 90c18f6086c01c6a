/** Systems by their fingerprints, as a line of pf.os, and SYNs that look to come from them or nearly so. */
import { addressBytes } from "./address.js";
import type { Random } from "./random.js";

export interface System {
  readonly line: string;
  readonly ttl: number;
  readonly unfragmented: boolean;
  readonly length: number;
  readonly options: readonly string[];
  readonly window: string;
}

const BYTES: Readonly<Record<string, readonly number[]>> = {
  E: [0],
  N: [1],
  M: [2, 4, 5, 180],
  W: [3, 3, 7],
  S: [4, 2],
  T: [8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
};
const SIZES = [1460, 1448, 1460, 536];

export function randomSystem(random: Random, nth: number): System {
  const options: string[] = random.chance(0.1) ? [] : ["M*"];
  for (let left = random.below(4); left > 0; left--) options.push(random.pick(["N", "W0", "S", "T", "N"]));
  let size = options.reduce((sum, option) => sum + (BYTES[option.charAt(0)]?.length ?? 0), 0);
  for (; size % 4 !== 0; size++) options.push("N");
  const window = random.pick(["*", "8192", "16384", "S4", "S2", "T3", "%8192", "%1460"]);
  const length = 40 + size + random.pick([0, 0, 0, 4]);
  const ttl = random.pick([64, 128, 255]);
  const unfragmented = random.chance(0.5);
  const genre = random.pick(["Linux", "Windows", "BSD"]);
  const fields = [
    window,
    ttl,
    unfragmented ? 1 : 0,
    length,
    options.join(",") || ".",
    genre,
    `v${nth}`,
    "",
    `${genre} ${nth}`,
  ];
  return { line: fields.join(":"), ttl, unfragmented, length, options, window };
}

/** Mostly as the system would send it. */
export function synOf(system: System, random: Random): Buffer {
  const wrong = random.chance(0.2);
  const kinds = wrong && random.chance(0.3) ? [...system.options].reverse() : system.options;
  const options = kinds.flatMap((option) => BYTES[option.charAt(0)] ?? []);
  const segment = random.pick(SIZES);
  const at = kinds.slice(0, kinds.indexOf("M*")).reduce((sum, kind) => sum + (BYTES[kind.charAt(0)]?.length ?? 0), 0);
  if (kinds.includes("M*")) options.splice(at + 2, 2, segment >> 8, segment & 255);
  const bytes = Buffer.alloc(40 + options.length + (system.length - 40 - options.length));
  bytes[0] = 0x45;
  bytes.writeUInt16BE(bytes.length, 2);
  bytes[6] = system.unfragmented !== (wrong && random.chance(0.3)) ? 0x40 : 0;
  bytes[8] = system.ttl - random.pick([0, 0, 0, 3, -1 * (system.ttl < 255 ? 1 : 0)]);
  bytes[9] = 6;
  bytes.set(addressBytes("198.51.100.1"), 12);
  bytes.set(addressBytes("203.0.113.200"), 16);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
  bytes.writeUInt16BE(1000 + random.below(9000), 20);
  bytes.writeUInt16BE(80, 22);
  bytes[32] = (20 + options.length) << 2;
  bytes[33] = wrong && random.chance(0.2) ? 0x10 : 0x02;
  bytes.writeUInt16BE(windowOf(system.window, segment, random), 34);
  bytes.set(options, 40);
  return bytes;
}

function windowOf(window: string, segment: number, random: Random): number {
  if (random.chance(0.1) || window === "*") return random.below(65536);
  const times = Number(window.slice(1));
  const size = random.pick([segment, 1460, 1448]);
  if (window.startsWith("S")) return times * size;
  if (window.startsWith("T")) return times * (size + 40);
  return window.startsWith("%") ? times * random.below(5) : Number(window);
}
