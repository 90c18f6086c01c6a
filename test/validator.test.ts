import { describe, expect, it } from "vitest";
import * as L from "../src/blob/layout.js";
import { COMMENT_TEXT, JUMP_CHAIN, VERDICT_VALUE } from "../src/blob/payloads.js";
import type { FaultName } from "../src/engine/engine-error.js";
import { BlobLoader, blobOf, damaged, recordsOf } from "./oracle/damage.js";
import type { Family } from "../src/ruleset/row-store.js";
import { blankPacket } from "./oracle/packet.js";
import { wireBytes } from "./oracle/wire.js";

const TEXT = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:a - [0:0]
:b - [0:0]
:c - [0:0]
-A INPUT -s 10.0.0.0/8 -i eth0 -p tcp -m tcp --dport 80 -j a
-A INPUT -m comment --comment "to b" -j b
-A a -m conntrack --ctstate NEW -j b
-A a -m limit --limit 5/sec -j ACCEPT
-A b -p udp -m multiport --dports 53,80 -j REJECT --reject-with icmp-port-unreachable
-A b -m statistic --mode nth --every 2 --packet 0 -j DROP
-A b -m mark --mark 0x1 -g c
COMMIT
`;

const blob = blobOf(TEXT);
const { heads, rows, targets } = recordsOf(blob);
const [input = 0, , , a = 0, b = 0] = heads;
const [toA = 0, toB = 0, policy = 0, , , aToB = 0, , , , bToC = 0] = rows;
const end = blob.length;
/** In the row that jumps to `b` from INPUT: the comment. */
const comment = toB + L.ROW_IPV4_SIZE;

const u8 = (at: number, value: number) => (view: DataView) => view.setUint8(at, value);
const u16 = (at: number, value: number) => (view: DataView) => view.setUint16(at, value, true);
const u32 = (at: number, value: number) => (view: DataView) => view.setUint32(at, value, true);
const target = (row: number): number => targets[rows.indexOf(row)] as number;

/** What is damaged, how, and the refusal: its code, and its offset where one offset alone is right. */
const DAMAGES: readonly [string, (view: DataView) => void, FaultName, number?][] = [
  ["magic", u32(L.BLOB_MAGIC, 0), "magic", L.BLOB_MAGIC],
  ["layout version", u8(L.BLOB_VERSION, 99), "version", L.BLOB_VERSION],
  ["length, too long", u32(L.BLOB_LENGTH, end + 8), "length", L.BLOB_LENGTH],
  ["length, too short", u32(L.BLOB_LENGTH, end - 8), "length", L.BLOB_LENGTH],
  ["family", u8(L.BLOB_FAMILY, 7), "header", L.BLOB_FAMILY],
  ["family of other addresses", u8(L.BLOB_FAMILY, L.FAMILY_IPV6), "header", L.BLOB_ADDRESS_BYTES],
  ["table", u8(L.BLOB_TABLE, 5), "header", L.BLOB_TABLE],
  ["width of an address", u32(L.BLOB_ADDRESS_BYTES, 16), "header", L.BLOB_ADDRESS_BYTES],
  ["number of chains", u32(L.BLOB_CHAIN_COUNT, 5), "header", L.BLOB_CHAIN_COUNT],
  ["number of rows", u32(L.BLOB_ROW_COUNT, 8), "header", L.BLOB_ROW_COUNT],
  ["number of rows, huge", u32(L.BLOB_ROW_COUNT, 0xffffffff), "header", L.BLOB_ROW_COUNT],
  ["end of records, before the header's", u32(L.BLOB_RECORDS_END, 8), "header", L.BLOB_RECORDS_END],
  ["end of records, behind the blob", u32(L.BLOB_RECORDS_END, end + 8), "header", L.BLOB_RECORDS_END],
  ["end of records, not aligned", u32(L.BLOB_RECORDS_END, 1004), "header", L.BLOB_RECORDS_END],
  ["counters that are not there", u32(L.BLOB_COUNTERS, end - 8), "counters", L.BLOB_COUNTERS],
  ["text", u32(L.BLOB_TEXT, end), "header", L.BLOB_TEXT],
  ["length of the text", u32(L.BLOB_TEXT_LENGTH, 0xfffffff8), "header", L.BLOB_TEXT_LENGTH],
  ["hooks: one less", u32(L.BLOB_VALID_HOOKS, 6), "hook", L.BLOB_VALID_HOOKS],
  ["hooks: none", u32(L.BLOB_VALID_HOOKS, 0), "hook", L.BLOB_VALID_HOOKS],
  ["hook entry into a row", u32(L.BLOB_HOOK_ENTRY + 4, toA), "hook"],
  ["hook entry to a user chain", u32(L.BLOB_HOOK_ENTRY + 4, a), "hook"],
  ["hook entry of a hook without a chain", u32(L.BLOB_HOOK_ENTRY, input), "hook", L.BLOB_HOOK_ENTRY],
  ["underflow to a rule", u32(L.BLOB_UNDERFLOW + 4, toA), "hook", L.BLOB_UNDERFLOW + 4],
  ["underflow of a hook without a chain", u32(L.BLOB_UNDERFLOW, policy), "hook", L.BLOB_UNDERFLOW],
  ["run-time field of the header", u32(L.BLOB_FIRST_CHAIN, input), "header", L.BLOB_FIRST_CHAIN],
  ["run-time word on moves", u8(L.BLOB_MOVES, 1), "header", L.BLOB_MOVES],
  ["run-time arena", u32(L.BLOB_ARENA, 4096), "header", L.BLOB_ARENA],
  ["size of a chain head", u16(input + L.CHAIN_BYTES, 48), "chain", input],
  ["kind of a chain head", u8(input + L.CHAIN_KIND, L.RECORD_ROW), "chain", input],
  ["hook of a chain", u8(input + L.CHAIN_HOOK, 9), "hook", input + L.CHAIN_HOOK],
  ["hook taken twice", u8(a + L.CHAIN_HOOK, 2), "hook", a + L.CHAIN_HOOK],
  ["name behind the text", u32(a + L.CHAIN_NAME, 0x7ffffff8), "text", a + L.CHAIN_NAME],
  ["name not aligned", u32(a + L.CHAIN_NAME, 4), "text", a + L.CHAIN_NAME],
  ["two chains of one name", (view) => u32(b + L.CHAIN_NAME, view.getUint32(a + L.CHAIN_NAME, true))(view), "chain"],
  ["rows of a chain, one more", u32(a + L.CHAIN_ROW_COUNT, 3), "chain", a + L.CHAIN_ROW_COUNT],
  ["rows of a chain, one less", u32(a + L.CHAIN_ROW_COUNT, 1), "chain"],
  ["end of a chain's rows, behind the records", u32(a + L.CHAIN_ROWS_END, end), "chain", a + L.CHAIN_ROWS_END],
  ["end of a chain's rows, before its head", u32(a + L.CHAIN_ROWS_END, input), "chain", a + L.CHAIN_ROWS_END],
  ["end of a chain's rows, inside a row", u32(input + L.CHAIN_ROWS_END, toA + 16), "chain", toA + 16],
  ["run-time field of a chain head", u32(a + L.CHAIN_CHUNKS, 4096), "chain", a + L.CHAIN_CHUNKS],
  ["run-time field of a chain head, the first", u32(a + L.CHAIN_LIVE_ROWS, 1), "chain", a + L.CHAIN_LIVE_ROWS],
  ["run-time field of a chain head, the level", u32(a + L.CHAIN_LEVEL, 1), "chain", a + L.CHAIN_LEVEL],
  ["run-time field of a chain head, the last", u32(a + L.CHAIN_DIRECTORY, 4096), "chain", a + L.CHAIN_DIRECTORY],
  ["run-time byte of a chain head, its run", u8(a + L.CHAIN_RUN, 1), "chain", a + L.CHAIN_MOVED],
  ["run-time byte of a chain head, its reach", u8(a + L.CHAIN_REACHED, 1), "chain", a],
  ["kind of a row", u8(toA + L.ROW_KIND, L.RECORD_CHAIN), "row", toA],
  ["size of a row: none", u16(toA + L.ROW_NEXT, 0), "row", toA],
  ["size of a row: not aligned", u16(toA + L.ROW_NEXT, 100), "row", toA],
  ["size of a row: behind the chain", u16(toA + L.ROW_NEXT, 0xfff8), "row", toA],
  ["target inside the fixed part", u16(toA + L.ROW_TARGET, 16), "row", toA + L.ROW_TARGET],
  ["target behind the row", u16(toA + L.ROW_TARGET, 0xfff8), "row", toA],
  ["target not aligned", u16(toA + L.ROW_TARGET, 66), "row", toA],
  ["policy in the middle", u8(toA + L.ROW_FLAGS, L.ROW_FLAG_POLICY), "row"],
  ["policy without its flag", u8(policy + L.ROW_FLAGS, 0), "row", policy + L.ROW_FLAGS],
  ["flag that nobody knows", u8(toB + L.ROW_FLAGS, 128), "row", toB + L.ROW_FLAGS],
  ["inversion that nobody knows", u8(toB + L.ROW_INVERT, 128), "row", toB + L.ROW_INVERT],
  ["size of a match: none", u16(comment, 0), "match", comment],
  ["size of a match: behind the target", u16(comment, 0xfff8), "match", comment],
  ["size of a match: not its type's", u16(comment + L.RECORD_TYPE, 2), "unsupported-match", comment],
  ["type of a match", u16(comment + L.RECORD_TYPE, 999), "unsupported-match", comment],
  ["comment behind the text", u32(comment + COMMENT_TEXT, 0x7ffffff8), "text", comment],
  ["type of a target", u16(target(toA) + L.RECORD_TYPE, 999), "unsupported-target", target(toA)],
  ["size of a target", u16(target(toA), 16), "target", target(toA)],
  ["policy that jumps", u16(target(policy) + L.RECORD_TYPE, 2), "target", target(policy)],
  ["policy that returns", u32(target(policy) + VERDICT_VALUE, L.VERDICT_RETURN), "target", target(policy)],
  ["verdict that is none", u32(target(policy) + VERDICT_VALUE, 2), "target", target(policy)],
  ["jump to a chain behind the last", u32(target(toA) + JUMP_CHAIN, heads.length), "jump", target(toA) + JUMP_CHAIN],
  ["jump far away", u32(target(toA) + JUMP_CHAIN, 0xfffffff8), "jump", target(toA) + JUMP_CHAIN],
  ["jump to a built-in chain", u32(target(toA) + JUMP_CHAIN, 0), "jump", target(toA) + JUMP_CHAIN],
  ["jump to its own chain", u32(target(aToB) + JUMP_CHAIN, heads.indexOf(a)), "loop"],
  ["jumps in a circle", u32(target(bToC) + JUMP_CHAIN, heads.indexOf(a)), "loop"],
];

/** Matches whose records say where in the packet to look, or how much of the record there is. */
const READING_BYTES: readonly [string, Family, string][] = [
  ["u32", "ipv4", '-m u32 --u32 "0>>22&0x3c@0>>24=0:5,7&&4&0x1fff<<2@60@0=0"'],
  ["hbh", "ipv6", "-m hbh --hbh-len 16 --hbh-opts 5:2,1"],
  ["srh", "ipv6", "-m srh --srh-segs-left-gt 1 --srh-psid fd00::/64"],
];

describe("the validator", () => {
  const loader = new BlobLoader();

  it("takes the blob that the damages are made from", () => {
    expect(loader.load(blob)).toBeUndefined();
    expect(loader.load(blobOf(TEXT, "ipv4", true))).toBeUndefined();
    expect(
      loader.load(blobOf(TEXT.replaceAll("10.0.0.0/8", "fd00::/8").replace("icmp-", "icmp6-"), "ipv6")),
    ).toBeUndefined();
  });

  for (const [what, change, code, offset] of DAMAGES)
    it(`refuses a damaged ${what}`, () => {
      const refusal = loader.load(damaged(blob, change));
      expect(refusal?.code).toBe(code);
      if (offset !== undefined) expect(refusal?.offset).toBe(offset);
    });

  it("refuses a blob whose seal is broken", () => {
    const broken = blob.slice();
    broken[toA + L.ROW_SOURCE] = 11;
    expect(loader.load(broken)).toEqual({ code: "checksum", offset: L.BLOB_CHECKSUM });
  });

  it("refuses every blob that is cut, sealed or not", () => {
    for (let length = 0; length < blob.length; length += 4) {
      const cut = damaged(
        Buffer.concat([blob.subarray(0, length), Buffer.alloc(Math.max(0, L.BLOB_HEADER_SIZE - length))]),
        (view) => {
          if (length >= L.BLOB_LENGTH + 4) view.setUint32(L.BLOB_LENGTH, view.byteLength, true);
        },
      );
      expect(loader.load(cut), `cut to ${length}`).toBeDefined();
    }
  });

  it("refuses, or takes and then walks to an end, a blob with any one bit turned", () => {
    const packets = [6, 17].map((protocol) => {
      const packet = blankPacket("ipv4");
      Object.assign(packet, { protocol, path: L.PATH_HOOK + L.HOOK_INPUT, input: "eth0", destinationPort: 53 });
      packet.source.set([10, 0, 0, 1]);
      return packet;
    });
    let refused = 0;
    let taken = 0;
    for (let bit = 0; bit < 8 * blob.length; bit++) {
      const turned = damaged(blob, (view) => view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7))));
      const refusal = loader.load(turned);
      if (refusal) {
        refused++;
        expect(refusal.offset, `bit ${bit}`).toBeLessThan(blob.length);
        continue;
      }
      taken++;
      for (const packet of packets)
        expect([L.VERDICT_DROP, L.VERDICT_ACCEPT, L.VERDICT_QUEUE, L.VERDICT_REJECT], `bit ${bit}`).toContain(
          loader.walk(packet),
        );
    }
    // Addresses, ports and names may be anything; lengths, types and offsets may not.
    expect(refused).toBeGreaterThan(taken);
    expect(taken).toBeGreaterThan(1000);
  });

  for (const [name, family, rule] of READING_BYTES)
    it(`refuses ${name} with a bit turned, or takes it and walks to an end`, () => {
      const whole = blobOf(`*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${rule}\nCOMMIT\n`, family);
      const [first = 0] = recordsOf(whole).rows;
      const packet = blankPacket(family);
      Object.assign(packet, { path: L.PATH_HOOK + L.HOOK_INPUT });
      packet.bytes = wireBytes(packet);
      expect(loader.load(whole)).toBeUndefined();
      let refused = 0;
      for (let bit = 8 * first; bit < 8 * (first + new DataView(whole.buffer).getUint16(first, true)); bit++) {
        const turned = damaged(whole, (view) => view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7))));
        if (loader.load(turned)) refused++;
        else loader.walk(packet);
      }
      expect(refused).toBeGreaterThan(100);
    });

  it("gives back the memory of what it refuses", () => {
    const fresh = new BlobLoader();
    fresh.load(blob);
    const before = fresh.liveBytes();
    for (const [, change] of DAMAGES) fresh.load(damaged(blob, change));
    expect(fresh.liveBytes()).toBe(before);
  });
});
