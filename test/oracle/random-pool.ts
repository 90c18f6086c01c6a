/** The few values that random rules and packets share, so that packets hit: addresses, devices, ports, marks. */
import type { Family } from "../../src/ruleset/row-store.js";
import { addressBytes } from "./address.js";
import type { Random } from "./random.js";

/** When packets' clocks are 0, in seconds since 1970: 22 seconds before the 29th of a February. */
export const EPOCH = Date.UTC(2028, 1, 28, 23, 59, 38) / 1000;

/** What the tests' machine calls its own. */
export const LOCAL_ADDRESSES = ["10.0.0.1", "192.168.0.1", "fd00::1", "2001:db8::1"];

const ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.77",
    "10.0.1.1",
    "10.1.0.1",
    "10.200.3.4",
    "192.168.0.1",
    "192.168.0.200",
    "172.16.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "127.0.0.1",
    "0.1.2.3",
  ],
  ipv6: [
    "fd00::1",
    "fd00::2",
    "fd00::1:0:0:2",
    "fd00:0:0:1::1",
    "2001:db8::1",
    "2001:db8::8000:0:0:1",
    "2001:db8:1::1",
    "2001:db9::1",
    "fe80::1",
    "ff02::1",
    "::1",
    "::ffff:10.0.0.1",
  ],
};

const PREFIXES: Readonly<Record<Family, readonly number[]>> = {
  ipv4: [32, 32, 32, 24, 24, 16, 8, 13, 27, 31, 1],
  ipv6: [128, 128, 128, 64, 64, 48, 32, 16, 7, 100, 127],
};

export const DEVICES = ["eth0", "eth1", "eth10", "ens3", "lo", "abcdefghijklmno"];
export const DEVICE_PATTERNS = [...DEVICES, "eth+", "eth1+", "e+", "abcdefghijklm+"];
export const PORTS = [0, 22, 53, 80, 443, 1024, 8080, 30000, 65535];
export const MARKS = [0, 1, 2, 0x10, 0x4000, 0x8000, 0xff00ff00, 0xffffffff];
export const MACS = ["00:11:22:33:44:55", "00:11:22:33:44:56", "02:00:00:00:00:01"];
export const TTLS = [0, 1, 2, 63, 64, 128, 254, 255];
export const TOS_VALUES = [0, 2, 8, 0x10, 0x2e << 2, 0xb9, 0xff];
export const SEGMENT_SIZES = [0, 536, 1220, 1400, 1460, 65535];
export const LENGTHS = [20, 40, 60, 100, 1500, 65535];

export const randomAddress = (random: Random, family: Family): string => random.pick(ADDRESSES[family]);

/** A prefix of a pool's address: as iptables writes it, and its bytes. */
export function randomPrefix(random: Random, family: Family): { text: string; address: Uint8Array; bits: number } {
  const bits = random.pick(PREFIXES[family]);
  const written = randomAddress(random, family);
  return { text: `${written}/${bits}`, address: addressBytes(written), bits };
}

/** An address under the prefix: its first bits kept, the others of an address of the pool. */
export function addressUnder(random: Random, family: Family, prefix: Uint8Array, bits: number): Uint8Array {
  const filler = addressBytes(randomAddress(random, family));
  return filler.map((byte, i) => {
    const kept = Math.max(0, Math.min(8, bits - 8 * i));
    const mask = (0xff << (8 - kept)) & 0xff;
    return ((prefix[i] as number) & mask) | (byte & ~mask & 0xff);
  });
}

/** A port, or a range of them, as "22" or "22:80". */
export function randomPorts(random: Random): { text: string; min: number; max: number } {
  const a = random.pick(PORTS);
  if (random.chance(0.7)) return { text: String(a), min: a, max: a };
  const b = random.pick(PORTS);
  const min = Math.min(a, b);
  const max = Math.max(a, b);
  return { text: `${min}:${max}`, min, max };
}

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
