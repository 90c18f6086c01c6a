/** Capture files: both formats, both byte orders, every link type that is read, and what is wrong with others. */
import { describe, expect, it } from "vitest";
import { type CaptureError, readCapture } from "../src/netfilter/capture.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { packetOfWire } from "../src/netfilter/wire.js";

const hex = (text: string): number[] => [...Buffer.from(text.replace(/\s/g, ""), "hex")];

/** SYN with the options mss 1460, sack permitted, timestamps, window scale. */
const SYN = hex(`45 00 003c 1234 4000 40 06 0000 c6336407 cb007101
  9c40 0050 00000001 00000000 a0 02 faf0 0000 0000 020405b4 0402 080a 00000001 00000000 01 030307`);
const UDP6 = hex(
  `60 c 00000 000a 11 3f fd000000000000000000000000000001 fd000000000000000000000000000002 14e9 0035 000a 0000 6869`,
);
const ETHERNET = [...hex("02 00 00 00 00 02  02 00 00 00 00 01"), 8, 0];
const options = { file: "x.pcap", input: "eth9" };

const u32 = (value: number, little = true): number[] => {
  const bytes = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  return little ? bytes : bytes.reverse();
};
const u16 = (value: number, little = true): number[] => (little ? u32(value).slice(0, 2) : u32(value, false).slice(2));

function classic(linkType: number, frames: readonly number[][], little = true, magic = 0xa1b2c3d4): Uint8Array {
  const head = [u32(magic, little), u16(2, little), u16(4, little), u32(0), u32(0), u32(65535, little)].flat();
  const records = frames.flatMap((frame, n) =>
    [u32(100, little), u32(n * 1000, little), u32(frame.length, little), u32(frame.length, little), frame].flat(),
  );
  return Uint8Array.from([...head, ...u32(linkType, little), ...records]);
}

function block(type: number, body: readonly number[]): number[] {
  const padded = [...body, ...new Array<number>(-body.length & 3).fill(0)];
  return [...u32(type), ...u32(padded.length + 12), ...padded, ...u32(padded.length + 12)];
}

const texts = (file: Uint8Array): string[] =>
  readCapture(file, options).packets.map(({ packet }) => printPacket(packet));

describe("a capture", () => {
  const syn = /^tcp 198\.51\.100\.7:40000 > 203\.0\.113\.1:80 in eth9 .*mss 1460/;

  it("of Ethernet is read, with the sender's address, tags passed over and what is no IP left out", () => {
    const tagged = [...ETHERNET.slice(0, 12), 0x81, 0, 0, 7, 8, 0, ...SYN];
    const arp = [...ETHERNET.slice(0, 12), 8, 6, ...new Array<number>(28).fill(0)];
    const capture = readCapture(classic(1, [[...ETHERNET, ...SYN], arp, tagged]), options);
    expect(capture.leftOut).toBe(1);
    expect(capture.packets.map(({ packet }) => packet.sourceMac)).toEqual(new Array(2).fill("02:00:00:00:00:01"));
    expect(capture.packets.map(({ packet }) => packet.time)).toEqual([0, 2]);
    for (const { packet, bytes } of capture.packets) {
      expect(printPacket(packet)).toMatch(syn);
      expect([...bytes]).toEqual(SYN);
    }
  });

  it("is read in either byte order, and with nanoseconds", () => {
    const frames = [SYN, SYN];
    expect(texts(classic(101, frames, false))).toEqual(texts(classic(101, frames)));
    expect(readCapture(classic(101, frames, true, 0xa1b23c4d), options).packets[1]?.packet.time).toBe(0);
  });

  it("of a cooked link says what this machine sent", () => {
    const cooked = [...u16(4, false), ...u16(1, false), ...u16(6, false), ...hex("020000000001"), 0, 0, 8, 0, ...SYN];
    const second = [8, 0, 0, 0, ...u32(1), ...u16(1, false), 0, 6, ...hex("0200000000010000"), ...SYN];
    expect(texts(classic(113, [cooked]))[0]).toMatch(/ out eth9 /);
    expect(texts(classic(276, [second]))[0]).toMatch(syn);
  });

  it("in pcapng names its interfaces", () => {
    const name = [...u16(2), ...u16(4), ...Buffer.from("wan0"), ...u32(0)];
    const file = [
      ...block(0x0a0d0d0a, [...u32(0x1a2b3c4d), ...u16(1), ...u16(0), ...u32(0xffffffff), ...u32(0xffffffff)]),
      ...block(1, [...u16(101), ...u16(0), ...u32(0), ...name]),
      ...block(6, [...u32(0), ...u32(0), ...u32(5000), ...u32(UDP6.length), ...u32(UDP6.length), ...UDP6]),
      ...block(0xbad, [1, 2, 3, 4]),
      ...block(3, [...u32(SYN.length), ...SYN]),
    ];
    const found = texts(Uint8Array.from(file));
    expect(found[0]).toMatch(/^udp \[fd00::1\]:5353 > \[fd00::2\]:53 in wan0 /);
    expect(found[1]).toMatch(/^tcp 198\.51\.100\.7:40000 > 203\.0\.113\.1:80 in wan0 /);
  });

  it.each([
    ["text", new TextEncoder().encode("*filter\nCOMMIT\n-A INPUT -j ACCEPT\n"), "no-capture"],
    ["a file that ends within a packet", classic(101, [SYN]).subarray(0, -3), "cut-short"],
    ["a link type that is not read", classic(105, [SYN]), "unknown-link-type"],
  ])("refuses %s", (_, file, code) => {
    expect(() => readCapture(file, options)).toThrow(expect.objectContaining({ code }) as CaptureError);
  });
});

describe("a packet on the wire", () => {
  it("shows its TCP options, flags and header length", () => {
    expect(packetOfWire(Uint8Array.from(SYN), {})).toMatchObject({
      tcpFlags: 2,
      tcpDataOffset: 40,
      mss: 1460,
      ttl: 64,
    });
    expect(packetOfWire(Uint8Array.from(SYN), {})?.tcpOptions).toBe(
      (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 8),
    );
  });

  it("that is a later fragment has no ports, and one whose header is cut is odd", () => {
    const later = [...SYN];
    later[7] = 5;
    expect(packetOfWire(Uint8Array.from(later), {})).toMatchObject({ fragmentOffset: 5 });
    expect(packetOfWire(Uint8Array.from(later), {})?.sourcePort).toBeUndefined();
    expect(packetOfWire(Uint8Array.from(SYN.slice(0, 30)), {})).toMatchObject({ odd: true });
  });

  it("is found behind IPv6's extension headers", () => {
    const chained = [
      ...UDP6.slice(0, 5),
      26,
      0,
      ...UDP6.slice(7, 40),
      60,
      0,
      1,
      4,
      0,
      0,
      0,
      0,
      17,
      0,
      1,
      4,
      0,
      0,
      0,
      0,
      ...UDP6.slice(40),
    ];
    expect(packetOfWire(Uint8Array.from(chained), {})).toMatchObject({ protocol: 17, sourcePort: 5353, ttl: 63 });
  });
});
