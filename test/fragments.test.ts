/** Fragments of tracked packets that are described, not given byte by byte; how long they wait, and for whom. */
import { describe, expect, it } from "vitest";
import { CELLS_COUNT } from "../src/blob/fragments.js";
import { Engine, type EngineOptions } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { listConnections } from "../src/netfilter/connections.js";
import { journeyOf } from "../src/netfilter/journey.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { decodeResult, type PacketResult } from "../src/netfilter/result.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Family } from "../src/ruleset/row-store.js";
import { Updater } from "../src/update/updater.js";

const RULES = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -p udp -m conntrack --ctstate NEW -m udp --dport 53 -j ACCEPT
COMMIT
`;
const FIRST = "udp 10.9.0.9:1000 > 198.51.100.7:53 in eth0 len 1500 more";
const MIDDLE = "udp 10.9.0.9 > 198.51.100.7 in eth0 len 1500 frag 185 more";
const LAST = "udp 10.9.0.9 > 198.51.100.7 in eth1 len 60 frag 370";

/** A router, and readers of it. */
class Router {
  readonly engine: Engine;
  readonly ruleset;
  readonly readers: readonly Reader[];
  private readonly pools;

  constructor(options: EngineOptions = {}, rules = RULES, family: Family = "ipv4") {
    this.engine = Engine.create({ connections: 64, readers: 2, ...options });
    this.ruleset = parseRuleset(rules, { family });
    new Updater(this.engine, { strategy: "full" }).load(this.ruleset);
    // Each has an instance of its own, as each thread has.
    this.readers = [new Reader(this.engine, 0), new Reader(Engine.attach(this.engine.handle), 1)];
    this.pools = this.readers.map((reader) => reader.allocate(1));
  }

  result(text: string, reader = 0): PacketResult {
    const packet = parsePacket(text);
    const pool = this.pools[reader] as (typeof this.pools)[0];
    pool.set(0, encodePacket(packet));
    (this.readers[reader] as Reader).match(pool, 0, 1);
    return decodeResult(pool.result(0), packet.family);
  }

  send(text: string, reader = 0): string {
    const { verdict, fragments } = this.result(text, reader);
    return fragments ? `${verdict} ${fragments}` : verdict;
  }

  journey(text: string) {
    const pool = this.pools[0] as (typeof this.pools)[0];
    return journeyOf(this.readers[0] as Reader, pool, { packet: parsePacket(text) }, this.ruleset);
  }

  counted(): string[] {
    const text = this.engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
    return [...text.join("").matchAll(/^\[(\d+:\d+)\] -A/gm)].map((line) => line[1] as string);
  }
}

describe("a described fragment of a tracked packet", () => {
  it("waits for the others, in whatever order they come; the whole has the first one's ports and all of the length", () => {
    for (const order of [
      [FIRST, MIDDLE, LAST],
      [LAST, FIRST, MIDDLE],
      [MIDDLE, LAST, FIRST],
    ]) {
      const router = new Router();
      const said = order.map((text) => router.send(text));
      expect(said).toEqual(["STOLEN kept", "STOLEN kept", "ACCEPT whole"]);
      expect(router.counted()).toEqual(["1:3020"]);
      expect(listConnections(router.engine, 0)).toMatchObject([
        { original: { sourcePort: 1000, destinationPort: 53 } },
      ]);
    }
  });

  it("of IPv6 leaves its fragment header behind", () => {
    const router = new Router({}, RULES, "ipv6");
    const ends = "udp [fd00:9::9]:1000 > [2001:db8:7::7]:53 in eth0 fragid 70000";
    expect([`${ends} len 1448 more`, `${ends} len 148 frag 175`].map((text) => router.send(text))).toEqual([
      "STOLEN kept",
      "ACCEPT whole",
    ]);
    expect(router.counted()).toEqual(["1:1540"]);
  });

  it.each([
    ["another id", LAST.replace("frag 370", "frag 370 fragid 1")],
    ["another protocol", LAST.replace("udp", "tcp")],
    ["another source", LAST.replace("10.9.0.9", "10.9.0.8")],
    ["another zone", `${LAST} zone 3`],
    ["the machine's own", LAST.replace("in eth1", "out eth1")],
  ])("is no part of what has %s", (_, text) => {
    const router = new Router();
    expect([FIRST, MIDDLE, text, LAST].map((one) => router.send(one))).toEqual([
      "STOLEN kept",
      "STOLEN kept",
      "STOLEN kept",
      "ACCEPT whole",
    ]);
  });

  it("may be taken by one reader, and the last by another", () => {
    const router = new Router();
    expect([router.send(FIRST, 0), router.send(MIDDLE, 1), router.send(LAST, 0)].at(-1)).toBe("ACCEPT whole");
  });

  it("that came twice is thrown away; one that overlaps others ends the waiting of all", () => {
    const router = new Router();
    expect([FIRST, FIRST, MIDDLE, LAST].map((text) => router.send(text))).toEqual([
      "STOLEN kept",
      "DROP discarded",
      "STOLEN kept",
      "ACCEPT whole",
    ]);
    const overlapping = MIDDLE.replace("frag 185", "frag 180");
    expect([FIRST, overlapping, MIDDLE, LAST].map((text) => router.send(text))).toEqual([
      "STOLEN kept",
      "DROP discarded",
      "STOLEN kept",
      "STOLEN kept",
    ]);
  });

  it("of IPv4 begins its datagram anew where its source has sent 64 others meanwhile", () => {
    const after = (others: number, family: Family = "ipv4") => {
      const router = new Router({}, RULES, family);
      const [from, other, to, units] =
        family === "ipv4"
          ? ["10.9.0.9", "10.9.0.8", "198.51.100.7", 178]
          : ["fd00:9::9", "fd00:9::8", "2001:db8:7::7", 175];
      const first = (id: number, source = from) => `udp ${source} > ${to} in eth0 len 1448 more fragid ${id}`;
      router.send(first(0));
      for (let id = 1; id <= others; id++) router.send(first(id));
      for (let id = 1; id <= 100; id++) router.send(first(id, other));
      return router.send(`udp ${from} > ${to} in eth0 frag ${units}`).split(" ").at(-1);
    };
    expect([after(63), after(64), after(200)]).toEqual(["whole", "kept", "kept"]);
    expect(after(200, "ipv6")).toBe("whole");
  });

  it("waits for 30 seconds, of IPv6 for a minute or as long as the setting says", () => {
    const late = (time: number) => {
      const router = new Router();
      return [FIRST, MIDDLE, `${LAST} time ${time}`].map((text) => router.send(text)).at(-1);
    };
    expect([late(29_999), late(30_000)]).toEqual(["ACCEPT whole", "STOLEN kept"]);
    const six = (time: number, options: EngineOptions) => {
      const router = new Router(options, RULES, "ipv6");
      const ends = "udp [fd00:9::9]:1000 > [2001:db8:7::7]:53 in eth0";
      return [`${ends} len 1448 more`, `${ends} len 148 frag 175 time ${time}`].map((text) => router.send(text)).at(-1);
    };
    expect([six(59_999, {}), six(60_000, {})]).toEqual(["ACCEPT whole", "STOLEN kept"]);
    const sysctls = { frag6_timeout: 5 };
    expect([six(4_999, { sysctls }), six(5_000, { sysctls })]).toEqual(["ACCEPT whole", "STOLEN kept"]);
  });

  it("is thrown away where no room is left, until others have waited too long", () => {
    const router = new Router();
    const some = (id: number, time: number) => router.send(`${FIRST} fragid ${id} time ${time}`);
    const said = Array.from({ length: CELLS_COUNT / 2 + 2 }, (_, id) => some(id + 1, 1));
    expect(said.filter((one) => one === "STOLEN kept").length).toBe(CELLS_COUNT / 2);
    expect(some(70_000, 30_001)).toBe("STOLEN kept");
  });

  it("that is longer than a packet can be, by itself or with the others, is thrown away", () => {
    const router = new Router();
    expect(router.send(FIRST.replace("len 1500", "len 65600"))).toBe("DROP discarded");
    expect(router.send(FIRST.replace("len 1500", "len 4294967295"))).toBe("DROP discarded");
    const most = FIRST.replace("len 1500", "len 65532");
    expect([most, LAST.replace("frag 370", "frag 8189")].map((text) => router.send(text))).toEqual([
      "STOLEN kept",
      "DROP discarded",
    ]);
  });

  it("goes its own way through this machine where nothing is tracked, and where a hook is asked alone", () => {
    const router = new Router({ connections: 0 });
    expect([FIRST, MIDDLE, LAST].map((text) => router.send(text))).toEqual(["ACCEPT", "DROP", "DROP"]);
    const host = new Router({ connections: 0, localAddresses: ["198.51.100.7"] });
    expect([FIRST, MIDDLE, LAST].map((text) => host.send(`${text} hook INPUT`))).toEqual([
      "ACCEPT",
      "ACCEPT",
      "ACCEPT",
    ]);
  });

  it("for this machine waits in front of INPUT where nothing is tracked, of IPv4 alone", () => {
    const rules = `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
-A PREROUTING ! -f -j MARK --set-mark 1
-A INPUT -i eth1 -p udp -m udp --dport 53 -m mark --mark 1 -m length --length 3020 -j DROP
COMMIT
`;
    const localAddresses = ["198.51.100.7", "2001:db8::7"];
    const say = (options: EngineOptions, text = rules, family: Family = "ipv4", change = (one: string) => one) => {
      const router = new Router({ connections: 0, localAddresses, ...options }, text, family);
      return [FIRST, MIDDLE, LAST].map((one) => router.send(change(one)));
    };
    expect(say({})).toEqual(["STOLEN kept", "STOLEN kept", "DROP whole"]);
    expect(say({ localAddresses: [] })).toEqual(["ACCEPT", "ACCEPT", "ACCEPT"]);
    const none = "*mangle\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
    const ipv6 = (one: string) =>
      one
        .replace(/10\.9\.0\.9(:\d+)?/, (_, port = "") => (port ? `[2001:db8::9]${port}` : "2001:db8::9"))
        .replace(/198\.51\.100\.7(:\d+)?/, (_, port = "") => (port ? `[2001:db8::7]${port}` : "2001:db8::7"));
    expect(say({}, none, "ipv6", ipv6)).toEqual(["ACCEPT", "ACCEPT", "ACCEPT"]);
  });

  it("is told by a trace, which begins with the whole packet where it was the last", () => {
    const router = new Router();
    expect(router.journey(FIRST)).toMatchObject({
      steps: [],
      last: [],
      result: { verdict: "STOLEN", fragments: "kept" },
    });
    router.send(MIDDLE);
    const { steps, start, end, result } = router.journey(LAST);
    expect(result).toMatchObject({ verdict: "ACCEPT", fragments: "whole" });
    expect(steps.map(({ text, before }) => [text.slice(0, 10), before])).toEqual([
      ["-A FORWARD", [{ what: "ttl", before: "64", after: "63" }]],
    ]);
    expect([start.destination, end.destination]).toEqual(["198.51.100.7:53", "198.51.100.7:53"]);
  });
});
