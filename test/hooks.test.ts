/** Hanging things on hooks, and taking them off. */
import { describe, expect, it } from "vitest";
import { Engine, type EngineOptions } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { decodeResult, type PacketResult } from "../src/netfilter/result.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printTable } from "../src/ruleset/print.js";
import type { Table, TableName } from "../src/ruleset/ruleset.js";
import { hooksOf, registeredTable, registerTable, setHooks } from "../src/update/hooks.js";
import { Updater } from "../src/update/updater.js";

const CHAINS: Readonly<Record<string, string>> = {
  raw: "PREROUTING OUTPUT",
  mangle: "PREROUTING INPUT FORWARD OUTPUT POSTROUTING",
  nat: "PREROUTING INPUT OUTPUT POSTROUTING",
  filter: "INPUT FORWARD OUTPUT",
};

function text(name: string, rules: string): string {
  const chains = (CHAINS[name] as string).split(" ").map((chain) => `:${chain} ACCEPT [0:0]\n`);
  return `*${name}\n${chains.join("")}${rules}COMMIT\n`;
}

function table(name: TableName, rules: string): Table {
  return parseRuleset(text(name, rules), { family: "ipv4" }).tables.get(name) as Table;
}

class Host {
  readonly engine: Engine;
  private readonly reader: Reader;
  private readonly pool;

  constructor(rules: string, options: EngineOptions = {}) {
    this.engine = Engine.create({ localAddresses: ["192.0.2.1 eth0"], ...options });
    new Updater(this.engine, { strategy: "full" }).load(parseRuleset(rules, { family: "ipv4" }));
    this.reader = new Reader(this.engine, 0);
    this.pool = this.reader.allocate(1);
  }

  send(packet: string): PacketResult {
    this.pool.set(0, encodePacket(parsePacket(packet)));
    this.reader.match(this.pool, 0, 1);
    return decodeResult(this.pool.result(0), "ipv4");
  }

  /** Tables in the order in which the packet matched a rule of them. */
  tables(packet: string): string[] {
    this.pool.set(0, encodePacket(parsePacket(packet)));
    const steps = this.reader.trace(this.pool, 0);
    return steps.filter(({ rule }) => rule > 0).map((step) => step.registered ?? step.table);
  }
}

const TO_HOST = "tcp 198.51.100.1:1 > 192.0.2.1:80 in eth0 syn";

describe("the hook registry", () => {
  it("lists at first what Linux hangs there", () => {
    const { engine } = new Host(text("filter", ""));
    const at = (hook: string): string[] =>
      hooksOf(engine)
        .filter((one) => one.family === "ipv4" && one.hook === hook)
        .map(({ kind, priority }) => `${kind} ${priority}`);
    expect(at("PREROUTING")).toEqual(["raw -300", "conntrack -200", "mangle -150", "nat -100"]);
    expect(at("INPUT")).toEqual(["mangle -150", "filter 0", "security 50", "nat 100", "confirm 2147483647"]);
    expect(at("OUTPUT")).toEqual(["raw -300", "conntrack -200", "mangle -150", "nat -100", "filter 0", "security 50"]);
    expect(at("POSTROUTING")).toEqual(["mangle -150", "nat 100", "confirm 2147483647"]);
  });

  it("walks a table of one's own by its priority", () => {
    const rules = text("raw", "-A PREROUTING -p tcp\n") + text("mangle", "-A PREROUTING -p tcp\n-A INPUT -p tcp\n");
    const host = new Host(rules);
    registerTable(host.engine, { name: "first", table: table("raw", "-A PREROUTING -p tcp\n"), priority: -310 });
    registerTable(host.engine, { name: "between", table: table("mangle", "-A PREROUTING -p tcp\n"), priority: -200 });
    registerTable(host.engine, { name: "last", table: table("filter", "-A INPUT -p tcp\n"), priority: 2000 });
    expect(host.tables(TO_HOST)).toEqual(["first", "raw", "between", "mangle", "mangle", "last"]);
  });

  it("puts the later of two entries of one priority first", () => {
    const host = new Host(text("filter", "-A INPUT -p tcp\n"));
    registerTable(host.engine, { name: "one", table: table("filter", "-A INPUT -p tcp\n") });
    registerTable(host.engine, { name: "two", table: table("filter", "-A INPUT -p tcp\n") });
    expect(host.tables(TO_HOST)).toEqual(["two", "one", "filter"]);
  });

  it("replaces the rules of a table that hangs already, and keeps what untouched ones have counted", () => {
    const host = new Host(text("filter", ""));
    registerTable(host.engine, { name: "own", table: table("filter", "-A INPUT -p tcp\n") });
    host.send(TO_HOST);
    registerTable(host.engine, { name: "own", table: table("filter", "-A INPUT -p udp\n-A INPUT -p tcp\n") });
    host.send(TO_HOST);
    const own = registeredTable(host.engine, "own") as Table;
    expect(printTable(own, { counters: true })).toMatch(/\[0:0\] -A INPUT -p udp\n\[2:120\] -A INPUT -p tcp/);
  });

  it("drops by a table of one's own, on its hooks alone", () => {
    const host = new Host(text("filter", ""));
    const guard = table("mangle", "-A FORWARD -j DROP\n");
    registerTable(host.engine, { name: "guard", table: guard, priority: { FORWARD: -1000 } });
    expect(host.send(TO_HOST).verdict).toBe("ACCEPT");
    expect(host.send("tcp 198.51.100.1:1 > 203.0.113.1:80 in eth0 syn").verdict).toBe("DROP");
    setHooks(
      host.engine,
      hooksOf(host.engine).filter(({ name }) => name !== "guard"),
    );
    expect(host.send("tcp 198.51.100.1:1 > 203.0.113.1:80 in eth0 syn").verdict).toBe("ACCEPT");
    expect(registeredTable(host.engine, "guard")).toBeUndefined();
  });

  it("tracks nothing once conntrack has been taken off", () => {
    const host = new Host(text("filter", "-A INPUT -m conntrack --ctstate NEW -j DROP\n"), { connections: 16 });
    expect(host.send(TO_HOST).verdict).toBe("DROP");
    setHooks(
      host.engine,
      hooksOf(host.engine).filter(({ kind }) => kind !== "conntrack"),
    );
    expect(host.send(TO_HOST).verdict).toBe("ACCEPT");
  });

  it("refuses what cannot hang, and changes nothing", () => {
    const { engine } = new Host(text("filter", ""));
    const before = hooksOf(engine);
    const empty = table("filter", "");
    expect(() => registerTable(engine, { name: "", table: empty })).toThrow(RangeError);
    expect(() => registerTable(engine, { name: "own", table: empty, priority: 0.5 })).toThrow(RangeError);
    expect(() =>
      setHooks(engine, [{ ...(before[0] as (typeof before)[0]), kind: "registered", name: "gone" }]),
    ).toThrow(RangeError);
    for (let i = 0; i < 8; i++) registerTable(engine, { name: `own ${i}`, table: table("filter", "") });
    expect(() => registerTable(engine, { name: "own 8", table: empty })).toThrow(RangeError);
    setHooks(engine, before);
    expect(hooksOf(engine)).toEqual(before);
  });
});
