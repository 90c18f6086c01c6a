/** Programs of classic BPF: which are taken, how they print, and what packets meet them. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
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

  it("is the only kind of program: one that is pinned is refused", () => {
    const text = OPEN.replace("COMMIT", "-A INPUT -m bpf --object-pinned /sys/fs/bpf/web\nCOMMIT");
    expect(() => parseRuleset(text, { family: "ipv4" })).toThrow(/--bytecode; what is pinned/);
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
