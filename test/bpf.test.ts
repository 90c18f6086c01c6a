/** Programs of classic BPF: which are taken, how they print, and what packets meet them. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { encodeKnown } from "../src/netfilter/packet-known.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { decodeResult } from "../src/netfilter/result.js";
import { runCommand } from "../src/ruleset/command-line.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { Updater } from "../src/update/updater.js";
import { Host, OPEN } from "./oracle/host.js";

const rule = (program: string): string =>
  OPEN.replace("COMMIT", `-A INPUT -m bpf --bytecode "${program}" -j DROP\nCOMMIT`);
const read = (program: string) => parseRuleset(rule(program), { family: "ipv4" });

describe("--bytecode", () => {
  it.each([
    ["4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"],
    ["1,6 0 0 1,", "1,6 0 0 1"],
    ["1, 6  0 0 1 7", "1,6 0 0 1"],
    ["1,6 0 0 -1", "1,6 0 0 4294967295"],
    ["65537,65542 256 0 1", "1,6 0 0 1"],
  ])("%j prints as %j", (given, printed) => {
    expect(printRuleset(read(given))).toContain(` -m bpf --bytecode "${printed}" -j DROP\n`);
  });

  it.each([
    ["", "a number of instructions"],
    ["1 6 0 0 1", "a number of instructions"],
    ["0,6 0 0 1", "from 1 to 64"],
    ["65,6 0 0 1", "from 1 to 64"],
    ["2,6 0 0 1", "2 instructions"],
    ["1,6 0 0 1,6 0 0 1", "1 instructions"],
    ["1,6 0 0", "four numbers"],
    ["1,7 0 0 0", "instruction 1"],
    ["1,1 0 0 5", "instruction 1"],
    ["2,52 0 0 0,6 0 0 1", "instruction 1"],
    ["2,100 0 0 32,6 0 0 1", "instruction 1"],
    ["2,21 1 0 0,6 0 0 1", "instruction 1"],
    ["2,5 0 0 4294967295,6 0 0 1", "instruction 1"],
    ["2,2 0 0 16,6 0 0 1", "instruction 1"],
    ["2,96 0 0 0,6 0 0 1", "instruction 1"],
    ["4,21 0 1 0,2 0 0 3,96 0 0 3,22 0 0 0", "instruction 3"],
    ["2,32 0 0 4294963201,22 0 0 0", "instruction 1"],
    ["2,6 0 0 1,48 0 0 0", "instruction 2"],
  ])("%j is refused: %s", (program, expected) => {
    expect(() => read(program)).toThrow(expected);
  });

  it("is refused by the engine where it asks what only a card or a kernel knows", () => {
    for (const beside of [8, 12, 16, 24, 28, 32, 52, 60]) {
      const ruleset = read(`2,32 0 0 ${0xfffff000 + beside},22 0 0 0`);
      const load = () => new Updater(Engine.create(), { strategy: "full" }).load(ruleset);
      expect(load, String(beside)).toThrow(/options that the engine can evaluate/);
    }
    expect(() => new Host(rule(`2,48 0 0 ${0xffe00000},22 0 0 0`))).toThrow();
  });

  it("finds nothing in a packet whose bytes are not known", () => {
    expect(new Host(rule("1,6 0 0 1")).send("udp 10.0.0.9:1 > 192.0.2.1:53 in eth0")).toContain("accept");
  });
});

describe("--object-pinned", () => {
  const pinned = (words: string): string => OPEN.replace("COMMIT", `-A INPUT -m bpf ${words} -j DROP\nCOMMIT`);
  const PATH = "/sys/fs/bpf/web";

  it("prints and lists its path as Linux does", () => {
    const ruleset = parseRuleset(pinned(`--object-pinned ${PATH}`), { family: "ipv4" });
    expect(printRuleset(ruleset)).toContain(`-A INPUT -m bpf --object-pinned ${PATH} -j DROP\n`);
    const { listing } = runCommand(ruleset, ["-L", "INPUT", "-n"]);
    expect(Buffer.from(listing ?? []).toString()).toContain(` match bpf pinned ${PATH}\n`);
  });

  it.each([
    ['--object-pinned ""', "bad-name"],
    [`--object-pinned /${"x".repeat(511)}`, "bad-name"],
    [`--bytecode "1,6 0 0 1" --object-pinned ${PATH}`, "conflicting-options"],
    [`! --object-pinned ${PATH}`, "not-invertible"],
  ])("%s is refused: %s", (words, code) => {
    expect(() => parseRuleset(pinned(words), { family: "ipv4" })).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ["", "accept"],
    [` bpf ${PATH}`, "drop"],
    [` bpf ${PATH}2,/sys/fs/bpf/we,${PATH}`, "drop"],
    [` bpf ${PATH}2,/sys/fs/bpf/we`, "accept"],
  ])("takes what the packet says that it takes:%s", (said, verdict) => {
    for (const words of [`--object-pinned ${PATH}`, `--object-pinned /${"x".repeat(510)}`]) {
      const engine = Engine.create();
      new Updater(engine, { strategy: "full" }).load(parseRuleset(pinned(words), { family: "ipv4" }));
      const reader = new Reader(engine, 0);
      const pool = reader.allocate(1);
      const packet = parsePacket(`udp 10.0.0.9:1 > 192.0.2.1:53 hook INPUT${said}`);
      expect(parsePacket(printPacket(packet))).toEqual(packet);
      pool.set(0, encodePacket(packet));
      const beside = encodeKnown(packet);
      if (beside) pool.setKnown(0, beside);
      reader.match(pool, 0, 1);
      const expected = words.includes(PATH) ? verdict : "accept";
      expect(decodeResult(pool.result(0), "ipv4").verdict).toBe(expected.toUpperCase());
    }
  });
});
