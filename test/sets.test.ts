/** What the engine says of sets that change, and of rules that name them. */
import { describe, expect, it } from "vitest";
import { HOOK_INPUT, PATH_HOOK, RESULT_VERDICT, VERDICT_DROP } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { printSets } from "../src/ruleset/ipset/print-sets.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { type Strategy, Updater } from "../src/update/updater.js";
import { encodePacket as encodePacketOf } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { addressBytes } from "./oracle/address.js";
import { blankPacket, encodePacket } from "./oracle/packet.js";

const filter = (rules: string): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`;

function setUp(sets: string, rules = "", strategy: Strategy = "incremental") {
  const engine = Engine.create();
  const updater = new Updater(engine, { strategy });
  updater.updateSets({ sets });
  updater.load(parseRuleset(filter(rules), { family: "ipv4" }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const drops = (source: string, time = 0): boolean => {
    const packet = blankPacket("ipv4");
    Object.assign(packet, { path: PATH_HOOK + HOOK_INPUT, source: addressBytes(source), time });
    pool.set(0, encodePacket(packet));
    reader.match(pool, 0, 1);
    return pool.result(0).getUint8(RESULT_VERDICT) === VERDICT_DROP;
  };
  const saved = (now?: number): string => printSets(engine.readSets(now).values());
  return { engine, updater, drops, saved };
}

function refusal(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RulesetError) return `${error.code} ${error.line}:${error.column} ${error.found}`;
    throw error;
  }
  return "none";
}

const DROP = "-A INPUT -m set --match-set a src -j DROP\n";

describe("sets of an engine", () => {
  it.each<[string, string, string]>([
    ["a second element", "create a hash:ip\nadd a 10.0.0.1\nadd a 10.0.0.1\n", "duplicate-element 3:5 10.0.0.1"],
    ["one too many", "create a hash:ip maxelem 1\nadd a 10.0.0.1\nadd a 10.0.0.2\n", "set-full 3:5 a"],
    ["one that is not there", "create a hash:ip\ndel a 10.0.0.1\n", "no-such-element 2:5 10.0.0.1"],
    ["a set of this name", "create a hash:ip\ncreate a hash:net\n", "set-exists 2:8 a"],
    ["a set in a list", "create a hash:ip\ncreate l list:set\nadd l a\ndestroy a\n", "set-in-use 4:9 a"],
    ["a list in a list", "create l list:set\ncreate m list:set\nadd l m\n", "bad-value 3:5 m"],
    ["another type", "create a hash:ip\ncreate b hash:net\nswap a b\n", "bad-value 3:6 b"],
  ])("refuse %s, and are as they were", (_, text, wanted) => {
    const { updater, saved } = setUp("create z hash:ip counters\nadd z 10.0.0.9 packets 3 bytes 4\n");
    const before = saved();
    const undone = "add z 10.0.0.8\ndel z 10.0.0.9\nflush z\nadd z 10.0.0.7\nrename z y\n";
    expect(refusal(() => updater.updateSets({ sets: undone + text }))).toBe(
      wanted.replace(/ (\d+):/, (_all, line) => ` ${Number(line) + 5}:`),
    );
    expect(saved()).toBe(before);
  });

  it("change at once for packets, also by swapping under the rules that name them", () => {
    const { updater, drops } = setUp("create a hash:ip\ncreate b hash:ip\nadd b 10.0.0.2\n", DROP);
    expect([drops("10.0.0.1"), drops("10.0.0.2")]).toEqual([false, false]);
    updater.updateSets({ sets: "add a 10.0.0.1\n" });
    expect([drops("10.0.0.1"), drops("10.0.0.2")]).toEqual([true, false]);
    updater.updateSets({ sets: "swap a b\n" });
    expect([drops("10.0.0.1"), drops("10.0.0.2")]).toEqual([false, true]);
    updater.updateSets({ sets: "flush a\n" });
    expect([drops("10.0.0.1"), drops("10.0.0.2")]).toEqual([false, false]);
  });

  it("drop elements whose time is over on the packets' clock", () => {
    const { updater, drops, saved } = setUp("create a hash:ip timeout 10\n", DROP);
    drops("10.0.0.9", 5000);
    updater.updateSets({ sets: "add a 10.0.0.1\nadd a 10.0.0.2 timeout 0\n" });
    expect([drops("10.0.0.1", 15_000), drops("10.0.0.1", 15_001), drops("10.0.0.2", 99_000)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(saved(12_500)).toContain("add a 10.0.0.1 timeout 2\n");
    expect(saved(16_000)).not.toContain("10.0.0.1");
  });

  it("are in use as long as a rule names them, and not once it is gone", () => {
    for (const strategy of ["incremental", "partial"] as const) {
      const { updater } = setUp(
        "create a hash:ip\ncreate b hash:ip\n",
        `${DROP}-A INPUT -j SET --add-set b src\n`,
        strategy,
      );
      const destroy = (name: string) => refusal(() => updater.updateSets({ sets: `destroy ${name}\n` }));
      expect([destroy("a"), destroy("b")]).toEqual(["set-in-use 1:9 a", "set-in-use 1:9 b"]);
      updater.update({
        batch: "*filter\n-D INPUT -m set --match-set a src -j DROP\n-D INPUT -j SET --add-set b src\nCOMMIT\n",
      });
      expect([destroy("a"), destroy("b")]).toEqual(["none", "none"]);
    }
  });

  it("are referred to by as many rules as there are, whatever way rules come and go", () => {
    for (const strategy of ["one-by-one", "full", "partial", "incremental"] as const) {
      const rules = `${DROP}-A INPUT -m set --match-set a src -j SET --add-set b src --map-set a src --map-mark\n`;
      const mangle = (text: string) => filter(text).replace("*filter", "*mangle");
      const { updater } = setUp("create a hash:ip skbinfo\ncreate b hash:ip\n", "", strategy);
      for (let n = 0; n < 3; n++) {
        updater.update({ ruleset: mangle(`${rules}-A INPUT -s 10.0.0.${n}\n`) });
        updater.update({ batch: `*mangle\n-I INPUT 1 -m set --match-set a dst -j SET --del-set b src\nCOMMIT\n` });
        updater.update({ batch: `*mangle\n-D INPUT -m set --match-set a dst -j SET --del-set b src\nCOMMIT\n` });
      }
      const destroy = (name: string) => refusal(() => updater.updateSets({ sets: `destroy ${name}\n` }));
      expect([strategy, destroy("a"), destroy("b")]).toEqual([strategy, "set-in-use 1:9 a", "set-in-use 1:9 b"]);
      updater.update({ ruleset: mangle("") });
      expect([strategy, destroy("a"), destroy("b")]).toEqual([strategy, "none", "none"]);
    }
  });

  it("must be there, and of the rules' family, before rules name them", () => {
    for (const strategy of ["one-by-one", "full", "partial", "incremental"] as const) {
      const { updater } = setUp("create six hash:ip family inet6\n", "", strategy);
      const batch = (rule: string) => refusal(() => updater.update({ batch: `*filter\n${rule}\nCOMMIT\n` }));
      expect(batch("-A INPUT -p tcp -m set --match-set none src -j DROP")).toBe("unknown-set 2:36 none");
      expect(batch("-A INPUT -j SET --del-set none src")).toBe("unknown-set 2:27 none");
      expect(batch("-A INPUT -m set --match-set six src")).toBe("wrong-family 2:29 six");
      expect(refusal(() => updater.update({ sets: "create new hash:ip\n", batch: `*filter\n${DROP}COMMIT\n` }))).toBe(
        "unknown-set 2:29 a",
      );
      expect(updater.engine.readSets().has("new")).toBe(false);
      updater.update({ sets: "create a hash:ip\n", batch: `*filter\n${DROP}COMMIT\n` });
      expect(updater.engine.readSets().has("a")).toBe(true);
    }
  });

  it("of MAC addresses look at whom a frame is from or to", () => {
    const { updater, engine } = setUp("create a hash:mac\nadd a 00:11:22:33:44:55\n");
    updater.load(parseRuleset(filter("-A INPUT -m set --match-set a dst -j DROP\n"), { family: "ipv4" }));
    const reader = new Reader(engine, 0);
    const pool = reader.allocate(1);
    const drops = (frame: string): boolean => {
      pool.set(0, encodePacketOf(parsePacket(`udp 10.0.0.1:1 > 10.0.0.2:2 in eth0 hook INPUT ${frame}`)));
      reader.match(pool, 0, 1);
      return pool.result(0).getUint8(RESULT_VERDICT) === VERDICT_DROP;
    };
    expect(drops("mac 00:11:22:33:44:55")).toBe(false);
    expect(drops("mac 00:11:22:33:44:66 dmac 00:11:22:33:44:55")).toBe(true);
  });

  it("that packets add to have all their room at once, and no more", () => {
    const { drops, saved } = setUp("create a hash:ip maxelem 3\n", "-A INPUT -j SET --add-set a src\n");
    for (let n = 1; n <= 5; n++) drops(`10.0.0.${n}`);
    expect(saved().match(/^add/gm)).toHaveLength(3);
  });

  it("with forceadd give one element up for a new one", () => {
    const { drops, saved } = setUp("create a hash:ip maxelem 3 forceadd\n", "-A INPUT -j SET --add-set a src\n");
    for (let n = 1; n <= 5; n++) drops(`10.0.0.${n}`);
    expect(saved().match(/^add/gm)).toHaveLength(3);
    expect(saved()).toContain("add a 10.0.0.5\n");
  });

  it("cost what is added, whatever there is", () => {
    const { updater } = setUp("create a hash:ip maxelem 200000\n");
    const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    const lines = (from: number, count: number): string => `add a ${address(from)}-${address(from + count - 1)}\n`;
    updater.updateSets({ sets: lines(0, 1000) });
    const few = updater.updateSets({ sets: lines(100_000, 1) });
    updater.updateSets({ sets: lines(1000, 60_000) });
    updater.updateSets({ sets: lines(100_001, 1) });
    const many = updater.updateSets({ sets: lines(100_002, 1) });
    expect(many.bytesWritten).toBeLessThanOrEqual(few.bytesWritten + 4096);
  });
});
