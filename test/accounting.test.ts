/** Objects of nfacct, estimators of RATEEST, timers of IDLETIMER: what rules share by name. */
import { describe, expect, it } from "vitest";
import {
  addAccounting,
  deleteAccounting,
  listAccounting,
  printAccounting,
  readAccounting,
} from "../src/engine/accounting.js";
import type { EngineOptions } from "../src/engine/engine.js";
import { listIdleTimers } from "../src/engine/idle-timers.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { STRATEGIES, type Strategy, Updater } from "../src/update/updater.js";
import { Host, OPEN } from "./oracle/host.js";

const IN = "udp 10.0.0.9:1000 > 192.0.2.1:53 in eth0 len 100";
const rules = (...lines: string[]): string => OPEN.replace("COMMIT", `${lines.join("\n")}\nCOMMIT`);
const host = (lines: readonly string[], options: EngineOptions = {}): Host =>
  new Host(rules(...lines), { connections: 0, ...options });
const strategies = Object.keys(STRATEGIES) as Strategy[];

describe("nfacct", () => {
  it("counts packets and bytes of every rule that names the object, and matches", () => {
    const one = host(["-A INPUT -m nfacct --nfacct-name all", "-A INPUT -p udp -m nfacct --nfacct-name all -j DROP"], {
      accounting: [{ name: "other" }, { name: "all", packets: 5n, bytes: 1n }],
    });
    expect(one.send(IN)).toContain("drop");
    one.send(IN.replace("udp", "tcp"));
    expect(listAccounting(one.engine)).toEqual([
      { name: "other", packets: 0n, bytes: 0n },
      { name: "all", packets: 8n, bytes: 301n },
    ]);
  });

  it("matches beyond a quota of packets or bytes", () => {
    for (const quota of [{ of: "packets", limit: 2n } as const, { of: "bytes", limit: 299n } as const]) {
      const one = host(["-A INPUT -m nfacct --nfacct-name q -j DROP"], { accounting: [{ name: "q", quota }] });
      expect([1, 2, 3, 4].map(() => one.send(IN).split(" ")[0])).toEqual(["accept", "accept", "drop", "drop"]);
      expect(listAccounting(one.engine)).toEqual([{ name: "q", packets: 4n, bytes: 400n, quota }]);
    }
  });

  it("is refused where nobody made the object; an object stays as long as a rule names it", () => {
    expect(() => host(["-A INPUT -m nfacct --nfacct-name none"])).toThrow(
      expect.objectContaining({ code: "unknown-object", line: 5 }),
    );
    const one = host(["-A INPUT -m nfacct --nfacct-name a"], { accounting: [{ name: "a" }] });
    expect(() => deleteAccounting(one.engine, "a")).toThrow(expect.objectContaining({ code: "object-in-use" }));
    expect(() => addAccounting(one.engine, [{ name: "a" }])).toThrow(
      expect.objectContaining({ code: "object-exists" }),
    );
    expect(() => deleteAccounting(one.engine, "b")).toThrow(expect.objectContaining({ code: "unknown-object" }));
    expect(() => addAccounting(one.engine, [{ name: "n".repeat(32) }])).toThrow(
      expect.objectContaining({ code: "bad-name" }),
    );
    new Updater(one.engine, { strategy: "full" }).update({ ruleset: OPEN });
    new Updater(one.engine, { strategy: "full" }).update({ ruleset: OPEN });
    deleteAccounting(one.engine, "a");
    expect(listAccounting(one.engine)).toEqual([]);
  });

  it.each(strategies)("goes on counting when rules change by %s, which prints them as before", (strategy) => {
    const line = "-A INPUT -m nfacct --nfacct-name  a\n";
    const one = host([line.trim()], { accounting: [{ name: "a" }] });
    const updater = new Updater(one.engine, { strategy });
    one.send(IN);
    const batch = (text: string) => updater.update({ batch: `*filter\n${text}COMMIT\n` });
    for (let i = 0; i < 4; i++) {
      batch(
        "-A INPUT -p tcp -m nfacct --nfacct-name a\n-D INPUT -p tcp -m nfacct --nfacct-name a\n-I INPUT 1 -p udp\n",
      );
      one.send(IN);
    }
    expect(listAccounting(one.engine)).toEqual([{ name: "a", packets: 5n, bytes: 500n }]);
    expect(printRuleset(one.engine.readRuleset()[0] as Ruleset)).toContain(line);
    expect(() => batch("-A INPUT -p tcp\n-A INPUT -m nfacct --nfacct-name b\n")).toThrow(
      expect.objectContaining({ code: "unknown-object" }),
    );
    batch("-F INPUT\n");
    batch("-A INPUT -p tcp\n");
    batch("-A INPUT -p tcp\n");
    deleteAccounting(one.engine, "a");
  });

  it("lists as nfacct does, and reads its lists", () => {
    const text =
      "{ pkts = 00000000000000000003, bytes = 00000000000000000300 } = http;\n" +
      "{ pkts = 00000000000000000003, bytes = 00000000000000000300, quota = 00000000000000000300, mode = byte, overquota = 1 } = q-1;\n";
    const one = host([], { accounting: readAccounting(text) });
    expect(printAccounting(listAccounting(one.engine))).toBe(text);
    expect(() => readAccounting(`${text}http\n`)).toThrow(/nfacct:3/);
  });
});

/** What Linux' timer makes of an average at each tick, kept as a floating number. */
function averaged(perTick: readonly number[], shift: number): number {
  return perTick.reduce((average, packets) => average + (4 * packets - average) / 2 ** shift, 0);
}

describe("rateest", () => {
  const RATE = "-A INPUT -j RATEEST --rateest-name one --rateest-interval 250ms --rateest-ewmalog 500ms";
  const estimated = (condition: string): Host =>
    host([RATE, `-A INPUT -p tcp -m rateest --rateest one ${condition} -j DROP`]);

  it("averages what passes an interval, at the ticks of the packets' clock", () => {
    const perTick = [3, 7, 0, 12, 1, 0, 0, 40];
    for (const [bound, expected] of [
      [Math.floor(averaged(perTick, 1)), "accept"],
      [Math.ceil(averaged(perTick, 1)), "drop"],
    ] as const) {
      const one = estimated(`--rateest-lt --rateest-pps ${bound}`);
      for (const [tick, packets] of perTick.entries())
        for (let i = 0; i < packets; i++) one.send(IN, 250 * tick + (tick === 0 ? 0 : 3 * i));
      expect(one.send(IN.replace("udp", "tcp"), 250 * perTick.length).split(" ")[0]).toBe(expected);
    }
  });

  it.each([
    ["--rateest-gt --rateest-pps 50", "drop"],
    ["--rateest-gt --rateest-pps 60", "accept"],
    ["! --rateest-gt --rateest-pps 60", "drop"],
    ["--rateest-lt --rateest-bps 50kbit", "drop"],
    ["--rateest-lt --rateest-bps 40kbit", "accept"],
    ["--rateest-eq --rateest-pps 60", "drop"],
    ["--rateest-delta --rateest-pps1 100 --rateest-gt --rateest-pps2 39", "drop"],
    ["--rateest-delta --rateest-pps1 100 --rateest-gt --rateest-pps2 40", "accept"],
    ["--rateest-delta --rateest-pps1 10 --rateest-eq --rateest-pps2 0", "drop"],
    ["--rateest-gt --rateest-pps 50 --rateest-bps 8mbit", "accept"],
    ["--rateest-gt --rateest-pps --rateest2 one", "accept"],
    ["--rateest-eq --rateest-pps --rateest2 one", "drop"],
  ])("of 60 packets of 100 bytes a second: %s: %s", (condition, expected) => {
    const one = estimated(condition);
    for (let i = 0; i < 30; i++) one.send(IN);
    expect(one.send(IN.replace("udp", "tcp"), 250).split(" ")[0]).toBe(expected);
  });

  it("forgets, though never the last of it, and is quick about long silence", () => {
    const one = estimated("--rateest-gt --rateest-pps 0");
    for (let i = 0; i < 30; i++) one.send(IN);
    expect(one.send(IN.replace("udp", "tcp"), 2_000_000_000).split(" ")[0]).toBe("accept");
  });

  it("is refused where no rule in front measures, and a target where another measures otherwise", () => {
    const match = "-A INPUT -m rateest --rateest one --rateest-lt --rateest-pps 5";
    const unknown = expect.objectContaining({ code: "unknown-object" });
    expect(() => host([match, RATE])).toThrow(unknown);
    expect(() => host([RATE, RATE.replace("250ms", "1s").replace("500ms", "4s")])).toThrow(unknown);
    expect(() => host([RATE, `${match} --rateest2 two`])).toThrow();
    expect(() => host([RATE, match, RATE])).not.toThrow();
  });

  it("keeps its average, of both that a rule compares, when the same text is loaded again", () => {
    const text = rules(
      RATE,
      `-A INPUT -p icmp ${RATE.slice(9).replace("one", "two")}`,
      "-A INPUT -p tcp -m rateest --rateest1 one --rateest-gt --rateest-pps --rateest2 two -j DROP",
    );
    const one = new Host(text, { connections: 0 });
    for (let i = 0; i < 3; i++) {
      new Updater(one.engine, { strategy: "full" }).update({ ruleset: text });
      for (let n = 0; n < 10; n++) one.send(IN);
    }
    expect(one.send(IN.replace("udp", "tcp"), 250).split(" ")[0]).toBe("drop");
  });

  it.each(strategies)("keeps its average when rules change by %s", (strategy) => {
    const one = estimated("--rateest-gt --rateest-pps 50");
    const updater = new Updater(one.engine, { strategy });
    for (let i = 0; i < 30; i++) one.send(IN);
    for (let i = 0; i < 3; i++)
      updater.update({ batch: `*filter\n-I INPUT 2 -p icmp\n-A FORWARD ${RATE.slice(9)}\nCOMMIT\n` });
    expect(one.send(IN.replace("udp", "tcp"), 250).split(" ")[0]).toBe("drop");
    const printed = printRuleset(one.engine.readRuleset()[0] as Ruleset);
    expect(printed).toContain("-m rateest --rateest one --rateest-gt --rateest-pps 50 -j DROP\n");
    for (const text of ["-F\n", "-A INPUT -p tcp\n", "-A INPUT -p tcp\n"])
      updater.update({ batch: `*filter\n${text}COMMIT\n` });
    const match = "-A INPUT -m rateest --rateest one --rateest-lt --rateest-pps 5\n";
    expect(() => updater.update({ batch: `*filter\n${match}COMMIT\n` })).toThrow(
      expect.objectContaining({ code: "unknown-object" }),
    );
  });
});

describe("IDLETIMER", () => {
  const rule = (label: string, timeout = 5, rest = "") =>
    `-A INPUT -p udp -j IDLETIMER --timeout ${timeout} --label ${label}${rest}`;

  it("starts the label's timer anew with every packet, by the rule's own time", () => {
    const one = host([rule("b"), rule("b", 9).replace("udp", "tcp"), rule("a", 2_147_482, " --alarm")]);
    one.send(IN, 1000);
    const seconds = (now: number) => listIdleTimers(one.engine, now).map((timer) => timer.seconds);
    expect(listIdleTimers(one.engine, 1000)).toEqual([
      { label: "a", alarm: true, seconds: 2_147_482 },
      { label: "b", alarm: false, seconds: 5 },
    ]);
    expect([seconds(2001)[1], seconds(6000)[1], seconds(20_000)[1]]).toEqual([3, 0, 0]);
    one.send(IN.replace("udp", "tcp"), 30_000);
    expect(seconds(30_000)).toEqual([2_147_453, 9]);
  });

  it.each(strategies)(
    "keeps its timer when rules change by %s, until the last rule of its label is gone",
    (strategy) => {
      const one = host([rule("a", 100)]);
      const updater = new Updater(one.engine, { strategy });
      one.send(IN, 1000);
      const batch = (text: string) => updater.update({ batch: `*filter\n${text}COMMIT\n` });
      for (let i = 0; i < 3; i++)
        batch(`-I INPUT 1 -p icmp\n${rule("a", 200).replace("INPUT", "FORWARD")}\n-D INPUT 1\n`);
      expect(printRuleset(one.engine.readRuleset()[0] as Ruleset)).toContain(`${rule("a", 100)}\n`);
      expect(listIdleTimers(one.engine, 1000)).toEqual([{ label: "a", alarm: false, seconds: 200 }]);
      expect(() => batch(`${rule("a", 5, " --alarm")}\n`)).toThrow(expect.objectContaining({ code: "unknown-object" }));
      for (const text of ["-F\n", "-A INPUT -p tcp\n", "-A INPUT -p tcp\n"]) batch(text);
      expect(listIdleTimers(one.engine, 1000)).toEqual([]);
    },
  );

  it("goes on when the same text is loaded again", () => {
    const text = rules(rule("a", 100));
    const one = new Host(text, { connections: 0 });
    one.send(IN, 1000);
    for (let i = 0; i < 3; i++) {
      new Updater(one.engine, { strategy: "full" }).update({ ruleset: text });
      one.send(IN, 60_000);
      expect(listIdleTimers(one.engine, 60_000)).toEqual([{ label: "a", alarm: false, seconds: 100 }]);
    }
  });

  it.each([
    [rule("power"), "bad-name"],
    [rule('""'), "bad-name"],
    [rule("a", 0), "bad-number"],
    [rule("a", 2_147_483), "bad-number"],
    ["-A INPUT -j IDLETIMER --label a", "missing-option"],
  ])("is refused as Linux refuses it: %s", (line, code) => {
    expect(() => host([line])).toThrow(expect.objectContaining({ code }));
  });
});
