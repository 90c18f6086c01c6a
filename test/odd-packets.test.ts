/** Packets that end within a header, described and on the wire: who looks there drops them. */
import { describe, expect, it } from "vitest";
import { RESULT_CT_STATE } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { CT_STATES, nameOf } from "../src/netfilter/packet-names.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { decodeResult } from "../src/netfilter/result.js";
import { packetOfWire } from "../src/netfilter/wire.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { CLASSIFIERS } from "./oracle/subject.js";

const SYN4 = "tcp 10.9.0.9:1000 > 198.51.100.7:80 in eth0";
const SYN6 = "tcp [fd00:9::9]:1000 > [2001:db8:7::7]:80 in eth0";
/** Rules of another device, so that a chain is long enough for an index. */
const FILLER = Array.from(
  { length: 20 },
  (_, nth) => `-A FORWARD -i eth9 -p tcp -m tcp --dport ${9000 + nth} -j ACCEPT\n`,
).join("");

/** Each classifier's verdict, of a chain with `rule` and a policy that accepts. */
function verdicts(rule: string, text: string, bytes?: Uint8Array): string[] {
  const packet = bytes ? packetOfWire(bytes, { input: "eth0", output: "eth1" }) : parsePacket(text);
  if (!packet) throw new Error("no packet of IP");
  return CLASSIFIERS.map((classifier) => {
    const engine = Engine.create({ classifier });
    const rules = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${FILLER}-A FORWARD ${rule}\nCOMMIT\n`;
    new Updater(engine, { strategy: "full" }).load(parseRuleset(rules, { family: packet.family }));
    const reader = new Reader(engine, 0);
    const pool = reader.allocate(1);
    pool.set(0, encodePacket(packet));
    if (bytes) pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
    return decodeResult(pool.result(0), packet.family).verdict;
  });
}

const DROPPED = ["DROP", "DROP"];
const PASSED = ["ACCEPT", "ACCEPT"];

describe("a packet whose TCP options end too early", () => {
  it.each([
    ["-p tcp -m tcp --tcp-option 8", DROPPED],
    ["-p tcp -m tcp ! --tcp-option 8", DROPPED],
    ["-p tcp -m tcpmss --mss 1:1460", DROPPED],
    ["-p tcp -m tcpmss ! --mss 1:1460 -m mark --mark 7", DROPPED],
    ["-p tcp -m tcp --dport 81 --tcp-option 8", PASSED],
    ["-p tcp -m mark --mark 7 -m tcp --tcp-option 8", PASSED],
    ["-p tcp -m tcp --dport 80", PASSED],
    ["-s 10.9.0.8 -p tcp -m tcpmss --mss 1:1460", PASSED],
  ])("by %s is treated as Linux does: %s", (rule, expected) => {
    expect(verdicts(rule, `${SYN4} cutoptions`)).toEqual(expected);
    expect(verdicts(rule.replace("10.9.0.8", "fd00::8"), `${SYN6} cutoptions`)).toEqual(expected);
  });
});

describe("an IPv6 packet whose extension headers cannot be read", () => {
  it.each([
    ["-p tcp", DROPPED],
    ["! -p tcp", DROPPED],
    ["-p tcp -m mark --mark 7", DROPPED],
    ["-i eth1 -p tcp", PASSED],
    ["-d 2001:db8::/64 -p udp", PASSED],
    ["-m mark --mark 7", PASSED],
  ])("by %s is treated as Linux does: %s", (rule, expected) => {
    expect(verdicts(rule, `43 fd00:9::9 > 2001:db8:7::7 in eth0 odd cutheaders`)).toEqual(expected);
  });
});

/** A SYN of IPv4 with these options, hexadecimal, whose header says that it has `words` of four bytes. */
function syn(options: string, words: number): Uint8Array {
  const header = Buffer.alloc(40);
  header.set([0x45], 0);
  header.set([64, 6], 8);
  header.set([10, 9, 0, 9, 198, 51, 100, 7, 3, 232, 0, 80], 12);
  header.set([words << 4, 2], 32);
  const bytes = Buffer.concat([header, Buffer.from(options, "hex")]);
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

describe("TCP options on the wire", () => {
  it.each([
    ["that the packet ends within", syn("020405b4", 7), "! --tcp-option 2", DROPPED],
    ["of a header of four words", syn("", 4), "! --tcp-option 2", DROPPED],
    ["behind an end of options are found", syn("0008020400000000", 7), "--tcp-option 8", DROPPED],
    ["of no bytes are passed over", syn("fd00020405b40101", 7), "--tcp-option 2", DROPPED],
    ["of any kind are found", syn("fd040000", 6), "--tcp-option 253", DROPPED],
    ["that are not there are not", syn("fd040000", 6), "--tcp-option 254", PASSED],
    ["that run over the end are there", syn("0101010a", 6), "--tcp-option 10", DROPPED],
  ])("%s", (_, bytes, option, expected) => {
    expect(verdicts(`-p tcp -m tcp ${option} -j DROP`, "", bytes)).toEqual(expected);
  });

  it.each([
    ["no bytes", "02040000", "0:10", DROPPED],
    ["1460 bytes, the first of two", "020405b402040001", "1400:1460", DROPPED],
    ["no size, being of another length", "020305b4", "0:65535", PASSED],
  ])("announce a segment of %s", (_, options, range, expected) => {
    const bytes = syn(options, 5 + options.length / 8);
    expect(verdicts(`-p tcp -m tcpmss --mss ${range} -j DROP`, "", bytes)).toEqual(expected);
  });
});

/** What becomes of a packet of IP where connections are tracked: its verdict, what it was as a fragment, and its state. */
function tracked(hex: string): string {
  const bytes = new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  const packet = packetOfWire(bytes, { input: "eth0", output: "eth1" });
  if (!packet) throw new Error("no packet of IP");
  const engine = Engine.create({ connections: 16 });
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  pool.set(0, encodePacket(packet));
  pool.setBytes(0, bytes);
  reader.match(pool, 0, 1);
  const { verdict, fragments } = decodeResult(pool.result(0), packet.family);
  const state = pool.result(0).getUint16(RESULT_CT_STATE, true);
  return [verdict, fragments, nameOf(CT_STATES, state)].filter(Boolean).join(" ");
}

const ENDS4 = "0000 0a090009 c6336407";
const ENDS6 = `40 ${"fd000009".padEnd(32, "0")} ${"20010db8".padEnd(32, "0")}`;

describe("where connections are tracked", () => {
  it.each([
    ["GRE that carries PPP is", `4500 0020 00004000402f ${ENDS4} 2001 880b 0004 0007 00000000`, "ACCEPT NEW"],
    [
      "GRE of version 1 that carries anything else is not",
      `4500 0020 00004000402f ${ENDS4} 2001 0800 0004 0007 00000000`,
      "ACCEPT INVALID",
    ],
    ["a protocol that is not read may be of no bytes", `4500 0014 0000400040fd ${ENDS4}`, "ACCEPT NEW"],
    [
      "a fragment header that ends in front of another header drops the packet",
      `60000000 0007 2c ${ENDS6} 00 02 0000 000000`,
      "DROP discarded",
    ],
    [
      "one that ends in front of what is no header lets it go on",
      `60000000 0006 2c ${ENDS6} 87 00 0001 0000`,
      "ACCEPT NEW",
    ],
    [
      "one of two that is whole by itself is taken off alone",
      `60000000 0018 2c ${ENDS6} 2c000000 00000001 32000001 00000001 0000000000000000`,
      "ACCEPT whole",
    ],
  ])("%s", (_, hex, expected) => {
    expect(tracked(hex)).toContain(expected);
  });
});
