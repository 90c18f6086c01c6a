import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_NEW,
  FAMILY_IPV4,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_FLAGS,
  PACKET_FLAG_MAC,
  PACKET_FLAG_SOCKET,
  PACKET_INPUT,
  PACKET_PATH,
  PACKET_SIZE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
  PATH_HOOK,
  PATH_OUT,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_FLAGS,
  RESULT_FLAG_DNAT,
  RESULT_HOOK,
  RESULT_REJECT,
  RESULT_SIZE,
  RESULT_TABLE,
  RESULT_VERDICT,
  TABLE_FILTER,
  VERDICT_REJECT,
} from "../src/blob/layout.js";
import { REJECT_ICMP_ADMIN_PROHIBITED } from "../src/blob/payloads.js";
import { encodeKnown, SOCKET_TRAITS } from "../src/netfilter/packet-known.js";
import { decodePacket, encodePacket, type Packet } from "../src/netfilter/packet.js";
import { PacketError } from "../src/netfilter/packet-error.js";
import { packetRecord, parsePacket } from "../src/netfilter/packet-grammar.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { decodeResult } from "../src/netfilter/result.js";

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

test("a line gives the fields that it says and the defaults of those it does not", () => {
  const record = packetRecord("tcp 10.0.0.1:40000 > 10.96.0.1:443 in eth0 syn");
  expect(record).toHaveLength(PACKET_SIZE);
  expect(record[PACKET_FAMILY]).toBe(FAMILY_IPV4);
  expect(record[PACKET_TCP_FLAGS]).toBe(2);
  expect(view(record).getUint16(PACKET_SOURCE_PORT, true)).toBe(40000);
  expect(view(record).getUint16(PACKET_DESTINATION_PORT, true)).toBe(443);
  expect([...record.subarray(PACKET_DESTINATION, PACKET_DESTINATION + 5)]).toEqual([10, 96, 0, 1, 0]);
  expect([...record.subarray(PACKET_INPUT, PACKET_INPUT + 5)]).toEqual([101, 116, 104, 48, 0]);
  expect(view(record).getUint16(PACKET_CT_STATE, true)).toBe(CT_STATE_NEW);
});

test("a TCP packet of a known connection is an ACK unless flags are said", () => {
  expect(packetRecord("tcp 10.0.0.1:1 > 10.0.0.2:2 ctstate ESTABLISHED")[PACKET_TCP_FLAGS]).toBe(16);
  expect(packetRecord("tcp 10.0.0.1:1 > 10.0.0.2:2 syn ack")[PACKET_TCP_FLAGS]).toBe(18);
  expect(packetRecord("tcp 10.0.0.1:1 > 10.0.0.2:2 noflags")[PACKET_TCP_FLAGS]).toBe(0);
  expect(view(packetRecord("tcp 10.0.0.1:1 > 10.0.0.2:2 ctstate established")).getUint16(PACKET_CT_STATE, true)).toBe(
    CT_STATE_ESTABLISHED,
  );
});

test("ICMP's type and code lie where the ports do", () => {
  const record = packetRecord("icmpv6 fd00::1 > fd00::2 type 1/4");
  expect(view(record).getUint16(PACKET_SOURCE_PORT, true)).toBe(1);
  expect(view(record).getUint16(PACKET_DESTINATION_PORT, true)).toBe(4);
  expect(view(packetRecord("icmp 10.0.0.1 > 10.0.0.2")).getUint16(PACKET_SOURCE_PORT, true)).toBe(8);
});

test("an output interface alone means a local process, a hook's name that hook alone", () => {
  expect(packetRecord("udp 10.0.0.1:1 > 10.0.0.2:2 out eth0")[PACKET_PATH]).toBe(PATH_OUT);
  expect(packetRecord("udp 10.0.0.1:1 > 10.0.0.2:2 in eth1 out eth0")[PACKET_PATH]).toBe(0);
  expect(packetRecord("udp 10.0.0.1:1 > 10.0.0.2:2 hook INPUT")[PACKET_PATH]).toBe(PATH_HOOK + 1);
});

test("an owner and a MAC address set their flags", () => {
  const record = packetRecord("udp 10.0.0.1:1 > 10.0.0.2:2 out lo uid 0 mac 02:00:00:00:00:aB");
  expect(record[PACKET_FLAGS]).toBe(PACKET_FLAG_SOCKET | PACKET_FLAG_MAC);
  expect(decodePacket(record)).toMatchObject({ uid: 0, gid: 0, sourceMac: "02:00:00:00:00:ab" });
});

test.each([
  ["", 1, "bad-protocol"],
  ["tpc 10.0.0.1 > 10.0.0.2", 1, "bad-protocol"],
  ["256 10.0.0.1 > 10.0.0.2", 1, "bad-protocol"],
  ["constructor 10.0.0.1 > 10.0.0.2", 1, "bad-protocol"],
  ["tcp 10.0.0.256:1 > 10.0.0.2:2", 5, "bad-address"],
  ["tcp 10.1:1 > 10.0.0.2:2", 5, "bad-address"],
  ["tcp [10.0.0.1]:1 > 10.0.0.2:2", 5, "bad-address"],
  ["tcp fe80::1%eth0 > fd00::1", 5, "bad-address"],
  ["tcp 10.0.0.1:65536 > 10.0.0.2:2", 14, "bad-port"],
  ["tcp 10.0.0.1: > 10.0.0.2:2", 14, "bad-port"],
  ["icmp 10.0.0.1:1 > 10.0.0.2", 15, "not-of-protocol"],
  ["tcp 10.0.0.1:1 10.0.0.2:2", 16, "syntax"],
  ["tcp 10.0.0.1:1", 15, "syntax"],
  ["tcp 10.0.0.1:1 >", 17, "bad-address"],
  ["tcp 10.0.0.1:1 > [fd00::1]:2", 18, "families-differ"],
  ["tcp 10.0.0.1:1 > 10.0.0.2:2 constructor", 29, "unknown-word"],
  ["tcp 10.0.0.1:1 > 10.0.0.2:2 ctstate", 36, "missing-value"],
  ["tcp 10.0.0.1:1 > 10.0.0.2:2 ctstate OLD", 37, "bad-name"],
  ["tcp 10.0.0.1:1 > 10.0.0.2:2 mark 0x100000000", 34, "bad-name"],
  ["tcp 10.0.0.1:1 > 10.0.0.2:2 syn syn", 33, "repeated"],
  ["udp 10.0.0.1:1 > 10.0.0.2:2 syn", 29, "not-of-protocol"],
  ["udp 10.0.0.1:1 > 10.0.0.2:2 type 8", 29, "not-of-protocol"],
  ["udp 10.0.0.1:1 > 10.0.0.2:2 in a23456789012345x", 32, "bad-name"],
  ["icmp 10.0.0.1 > 10.0.0.2 type 8/0/0", 31, "bad-name"],
])("%j is refused at column %i: %s", (text, column, code) => {
  const error = failure(() => parsePacket(text));
  expect({ column: error.column, code: error.code }).toEqual({ column, code });
});

test("an error shows the line with a caret under the word", () => {
  const error = failure(() => parsePacket("tcp 10.0.0.1:1 > 10.0.0.2:2 ctstat NEW"));
  expect(error.message.split("\n").slice(1)).toEqual([
    "  tcp 10.0.0.1:1 > 10.0.0.2:2 ctstat NEW",
    `  ${" ".repeat(28)}^`,
  ]);
});

test.each([
  ["bad-number", { sourcePort: 65536 }],
  ["bad-number", { ttl: 1.5 }],
  ["bad-address", { source: "fd00::1" }],
  ["bad-interface", { input: "sixteen-bytes-no" }],
  ["bad-mac", { sourceMac: "02:00" }],
] as const)("a record that cannot hold a field is refused: %s", (code, fields) => {
  const packet: Packet = { family: "ipv4", source: "10.0.0.1", destination: "10.0.0.2", ...fields };
  expect(failure(() => encodePacket(packet)).code).toBe(code);
});

test("encodePacket clears the record that it is given and writes no byte beside it", () => {
  const bytes = new Uint8Array(3 * PACKET_SIZE).fill(255);
  const packet: Packet = { family: "ipv4", source: "10.0.0.1", destination: "10.0.0.2" };
  encodePacket(packet, bytes.subarray(PACKET_SIZE, 2 * PACKET_SIZE));
  expect(bytes.subarray(PACKET_SIZE, 2 * PACKET_SIZE)).toEqual(encodePacket(packet));
  expect([...new Set([...bytes.subarray(0, PACKET_SIZE), ...bytes.subarray(2 * PACKET_SIZE)])]).toEqual([255]);
});

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u16 = fc.integer({ min: 0, max: 65535 });
const u8 = fc.integer({ min: 0, max: 255 });
const name = fc.stringMatching(/^[a-z0-9.@-]{1,15}$/);
const packets = fc.constantFrom("ipv4" as const, "ipv6" as const).chain((family) => {
  const address = family === "ipv4" ? fc.ipV4() : fc.ipV6();
  return fc
    .record({
      source: address,
      destination: address,
      protocol: maybe(fc.constantFrom(1, 2, 6, 17, 33, 47, 58, 132, 136, 200)),
      sourcePort: maybe(u16),
      destinationPort: maybe(u16),
      icmpType: maybe(u8),
      icmpCode: maybe(u8),
      icmpId: maybe(u16),
      path: fc.constantFrom("in" as const, "INPUT" as const, "POSTROUTING" as const),
      input: name,
      output: maybe(name),
      physicalInput: maybe(name),
      tcpFlags: maybe(u8),
      mss: maybe(u16),
      chunkType: maybe(u8),
      length: maybe(u32),
      ttl: maybe(u8),
      tos: maybe(u8),
      fragmentOffset: maybe(fc.integer({ min: 0, max: 8191 })),
      moreFragments: maybe(fc.boolean()),
      odd: maybe(fc.boolean()),
      type: maybe(fc.constantFrom("host" as const, "multicast" as const)),
      mark: maybe(u32),
      ctMark: maybe(u32),
      ctState: maybe(fc.constantFrom("NEW" as const, "ESTABLISHED" as const, "UNTRACKED" as const)),
      ctStatus: maybe(fc.integer({ min: 0, max: 15 })),
      uid: maybe(u32),
      zone: maybe(u16),
      time: maybe(u32),
      groups: maybe(fc.array(u32, { maxLength: 64 })),
      socket: maybe(fc.subarray([...SOCKET_TRAITS])),
      socketMark: maybe(u32),
      cgroup: maybe(u32),
      cgroupPath: maybe(fc.stringMatching(/^[a-z/.]{0,40}$/)),
      ipvs: maybe(fc.boolean()),
      ipvsAddress: maybe(address),
      ipvsPort: maybe(u16),
      ipvsMethod: maybe(fc.constantFrom("MASQ" as const, "IPIP" as const, "GATE" as const)),
      ipvsControlPort: maybe(u16),
    })
    .map((fields) => fieldsOfProtocol({ family, ...fields } as Packet));
});

/** Without what a packet of its protocol cannot have: the record has no place for it, or the line no word. */
function fieldsOfProtocol(packet: Packet): Packet {
  const protocol = packet.protocol ?? 6;
  const of: Record<string, readonly number[]> = {
    sourcePort: [6, 17, 33, 132, 136],
    destinationPort: [6, 17, 33, 132, 136],
    icmpType: [1, 58],
    icmpCode: [1, 58],
    icmpId: [1, 58],
    tcpFlags: [6],
    mss: [6],
    chunkType: [132],
  };
  const kept = Object.entries(packet).filter(
    ([field, value]) => value !== undefined && (of[field]?.includes(protocol) ?? true),
  );
  return Object.fromEntries(kept) as unknown as Packet;
}

test("decoding a record and encoding it again gives the same bytes", () => {
  fc.assert(
    fc.property(packets, (packet) => {
      const record = encodePacket(packet);
      expect(encodePacket(decodePacket(record))).toEqual(record);
    }),
    { numRuns: 500, seed: 1 },
  );
});

const hex = (bytes: Uint8Array = new Uint8Array()): string => Buffer.from(bytes).toString("hex");

test("a printed packet reads back as the same record", () => {
  fc.assert(
    fc.property(packets, (packet) => {
      const record = encodePacket(packet);
      expect(packetRecord(printPacket(packet)), printPacket(packet)).toEqual(record);
      expect(hex(encodeKnown(parsePacket(printPacket(packet)))), printPacket(packet)).toBe(hex(encodeKnown(packet)));
      expect(packetRecord(printPacket(decodePacket(record)))).toEqual(record);
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("a result's numbers become names", () => {
  const bytes = new Uint8Array(RESULT_SIZE);
  bytes[RESULT_VERDICT] = VERDICT_REJECT;
  bytes[RESULT_HOOK] = 2;
  bytes[RESULT_TABLE] = TABLE_FILTER;
  bytes[RESULT_FLAGS] = RESULT_FLAG_DNAT;
  bytes[RESULT_REJECT] = REJECT_ICMP_ADMIN_PROHIBITED;
  bytes.set([10, 128, 0, 7], RESULT_DESTINATION);
  view(bytes).setUint16(RESULT_DESTINATION_PORT, 8080, true);
  expect(decodeResult(view(bytes), "ipv4")).toMatchObject({
    verdict: "REJECT",
    hook: "FORWARD",
    table: "filter",
    rejectWith: "icmp-admin-prohibited",
    destination: "10.128.0.7",
    destinationPort: 8080,
    dnat: true,
    snat: false,
  });
});

function failure(run: () => unknown): PacketError {
  try {
    run();
  } catch (error) {
    if (error instanceof PacketError) return error;
    throw error;
  }
  throw new Error("no PacketError was thrown");
}
