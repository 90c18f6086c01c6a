/** What an engine makes of a machine's routes, and what it makes of the texts that tell them. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import type { Routing } from "../src/engine/routing.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { decodeResult } from "../src/netfilter/result.js";
import { readAddresses } from "../src/netfilter/routing/ip-address.js";
import { readRoutes } from "../src/netfilter/routing/ip-route.js";
import { readRules } from "../src/netfilter/routing/ip-rule.js";
import { RoutingTextError } from "../src/netfilter/routing/ip-text.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";

const ADDRESSES = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group 5 qlen 1000
    inet 10.0.0.1/24 brd 10.0.0.255 scope global dynamic eth0
    inet 10.0.0.2/24 brd 10.0.0.255 scope global secondary eth0
    inet6 fe80::1/64 scope link
3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default
    inet 192.0.2.1/24 scope global eth1
4: eth2: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default
    inet 198.51.100.1/24 scope global eth2
`;
const ROUTES = `default via 192.0.2.254 dev eth1 proto dhcp src 192.0.2.1 metric 100
10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1
10.9.0.0/16 via 10.0.0.9 dev eth0
10.9.8.0/24 via 10.0.0.8 dev eth0 metric 20
blackhole 10.9.9.0/24
unreachable 10.9.10.0/24
prohibit 10.9.11.0/24
throw 10.9.12.0/24
default via 10.0.0.254 dev eth0 table 100
`;
const NO_RULES = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

function machine(more: Partial<Routing> = {}): Routing {
  return { ...readAddresses(ADDRESSES), routes: readRoutes(ROUTES), ...more };
}

/** Tells "verdict HOOK output route source" of a packet. */
function sender(routing: Routing, rules = NO_RULES): (text: string) => string {
  const engine = Engine.create({ routing });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(rules, { family: "ipv4" }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  return (text) => {
    pool.set(0, encodePacket(parsePacket(text)));
    reader.match(pool, 0, 1);
    const { verdict, hook, output, route, source } = decodeResult(pool.result(0), "ipv4");
    return `${verdict} ${hook} ${output || "-"} ${route} ${source}`;
  };
}

function send(text: string, routing: Routing, rules = NO_RULES): string {
  return sender(routing, rules)(text);
}

describe("routing", () => {
  it.each([
    ["udp 10.0.0.9:1 > 8.8.8.8:53 in eth0", "ACCEPT POSTROUTING eth1 unicast 10.0.0.9"],
    ["udp 192.0.2.7:1 > 10.9.1.1:53 in eth1", "ACCEPT POSTROUTING eth0 unicast 192.0.2.7"],
    ["udp 192.0.2.7:1 > 10.0.0.1:53 in eth1", "ACCEPT INPUT - local 192.0.2.7"],
    ["udp 10.0.0.9:1 > 10.0.0.255:53 in eth0", "ACCEPT INPUT - broadcast 10.0.0.9"],
    ["udp 192.0.2.7:1 > 10.9.9.1:53 in eth1", "DROP PREROUTING - blackhole 192.0.2.7"],
    ["udp 192.0.2.7:1 > 10.9.10.1:53 in eth1", "DROP PREROUTING - unreachable 192.0.2.7"],
    ["udp 192.0.2.7:1 > 10.9.11.1:53 in eth1", "DROP PREROUTING - prohibit 192.0.2.7"],
    ["udp 192.0.2.7:1 > 10.9.12.1:53 in eth1", "DROP PREROUTING - no-route 192.0.2.7"],
    ["udp 10.0.0.2:1 > 8.8.8.8:53 in eth0", "DROP PREROUTING - martian 10.0.0.2"],
    ["udp 127.0.0.9:1 > 10.0.0.1:53 in eth0", "DROP PREROUTING - martian 127.0.0.9"],
    ["udp 10.0.0.1:1 > 8.8.8.8:53 out any", "ACCEPT POSTROUTING eth1 unicast 10.0.0.1"],
    ["udp 0.0.0.0:1 > 8.8.8.8:53 out any", "ACCEPT POSTROUTING eth1 unicast 192.0.2.1"],
    ["udp 0.0.0.0:1 > 10.9.8.7:53 out any", "ACCEPT POSTROUTING eth0 unicast 10.0.0.1"],
    ["udp 10.0.0.1:1 > 192.0.2.1:53 out any", "ACCEPT INPUT - local 10.0.0.1"],
    ["udp 10.0.0.1:1 > 10.9.9.9:53 out any", "DROP OUTPUT - blackhole 10.0.0.1"],
    ["udp 192.0.2.7:1 > 198.51.100.1:53 in eth1", "ACCEPT POSTROUTING eth1 unicast 192.0.2.7"],
  ])("%s: %s", (packet, wanted) => {
    expect(send(packet, machine())).toBe(wanted);
  });

  it("knows no way without a route", () => {
    expect(send("udp 10.0.0.9:1 > 8.8.8.8:53 in eth0", machine({ routes: [] }))).toBe(
      "DROP PREROUTING - no-route 10.0.0.9",
    );
  });

  it("of a machine that does not forward drops what is not for it", () => {
    const quiet = machine({ forwards: false });
    expect(send("udp 10.0.0.9:1 > 8.8.8.8:53 in eth0", quiet)).toBe("DROP PREROUTING - not-forwarding 10.0.0.9");
    expect(send("udp 10.0.0.9:1 > 192.0.2.1:53 in eth0", quiet)).toBe("ACCEPT INPUT - local 10.0.0.9");
  });

  it("drops what an answer would not go back to, when the reverse path is strict", () => {
    const packet = "udp 8.8.8.8:1 > 192.0.2.1:53 in eth0";
    expect(send(packet, machine())).toBe("ACCEPT INPUT - local 8.8.8.8");
    expect(send(packet, machine({ reversePath: "loose" }))).toBe("ACCEPT INPUT - local 8.8.8.8");
    expect(send(packet, machine({ reversePath: "strict" }))).toBe("DROP PREROUTING - reverse-path 8.8.8.8");
  });

  it("follows rules by mark, not by other marks", () => {
    const rules = readRules(
      "0:\tfrom all lookup local\n100:\tfrom all fwmark 0x1/0xf lookup 100\n32766:\tfrom all lookup main\n",
    );
    expect(send("udp 10.0.0.1:1 > 8.8.8.8:53 out any mark 0x11", machine({ rules }))).toMatch(/eth0/);
    expect(send("udp 10.0.0.1:1 > 8.8.8.8:53 out any mark 0x2", machine({ rules }))).toMatch(/eth1/);
  });

  it("passes over short prefixes that a rule suppresses, as a tunnel's rules do", () => {
    const rules = readRules(
      "0:\tfrom all lookup local\n100:\tfrom all lookup main suppress_prefixlength 0\n101:\tnot from all fwmark 0xca6c lookup 100\n32766:\tfrom all lookup main\n",
    );
    expect(send("udp 10.0.0.1:1 > 8.8.8.8:53 out any", machine({ rules }))).toMatch(/eth0/);
    expect(send("udp 10.0.0.1:1 > 8.8.8.8:53 out any mark 0xca6c", machine({ rules }))).toMatch(/eth1/);
  });

  it("sends each pair of ends one of several ways, and both ways are used", () => {
    const routes = readRoutes(
      "default\n\tnexthop via 10.0.0.9 dev eth0 weight 1\n\tnexthop via 192.0.2.9 dev eth1 weight 3\n",
    );
    const sends = sender(machine({ routes }));
    const outputs = Array.from({ length: 200 }, (_, i) => sends(`udp 10.0.0.1:1 > 8.8.${i}.8:53 out any`));
    const eth1 = outputs.filter((one) => one.includes("eth1")).length;
    expect(eth1).toBeGreaterThan(110);
    expect(eth1).toBeLessThan(190);
    expect(sends("udp 10.0.0.1:1 > 8.8.0.8:53 out any")).toBe(outputs[0]);
  });

  it("routes again behind OUTPUT what it marks, while OUTPUT still shows the old interface", () => {
    const rules = readRules(
      "0:\tfrom all lookup local\n100:\tfrom all fwmark 0x1 lookup 100\n32766:\tfrom all lookup main\n",
    );
    const chains = (names: string): string =>
      names
        .split(" ")
        .map((name) => `:${name} ACCEPT [0:0]\n`)
        .join("");
    const text =
      `*mangle\n${chains("PREROUTING INPUT FORWARD OUTPUT POSTROUTING")}-A OUTPUT -j MARK --set-mark 1\nCOMMIT\n` +
      `*filter\n${chains("INPUT FORWARD OUTPUT")}-A OUTPUT -o eth0 -j DROP\nCOMMIT\n`;
    expect(send("udp 10.0.0.1:1 > 8.8.8.8:53 out any", machine({ rules }), text)).toBe(
      "ACCEPT POSTROUTING eth0 unicast 10.0.0.1",
    );
  });

  it("takes other routes while it runs", () => {
    const engine = Engine.create({ routing: machine() });
    const reader = new Reader(engine, 0);
    const pool = reader.allocate(1);
    const out = (): string => {
      pool.set(0, encodePacket(parsePacket("udp 10.0.0.1:1 > 8.8.8.8:53 out any")));
      reader.match(pool, 0, 1);
      return decodeResult(pool.result(0), "ipv4").output;
    };
    expect(out()).toBe("eth1");
    engine.setRouting(machine({ routes: readRoutes("default dev eth0") }));
    expect(out()).toBe("eth0");
  });
});

describe("what ip prints", () => {
  it.each([
    ["10.0.0.0/33 dev eth0", 1],
    ["10.0.0.0/8 over eth0", 12],
    ["default via 10.0.0.1", 21],
    ["default via nowhere dev eth0", 13],
    ["default dev eth0 metric many", 25],
  ])("of routes refuses %s at column %i", (text, column) => {
    const error = errorOf(() => readRoutes(text));
    expect([error.code, error.line, error.column]).toEqual(["routing-text", 1, column]);
  });

  it.each([
    ["100: from all", 14],
    ["from all lookup main", 1],
    ["100: from all goto 200", 15],
  ])("of rules refuses %s at column %i", (text, column) => {
    expect(errorOf(() => readRules(text)).column).toBe(column);
  });

  it("of addresses refuses what is not its", () => {
    expect(errorOf(() => readAddresses("eth0: flags=4163<UP>  mtu 1500\n")).column).toBe(1);
  });
});

function errorOf(work: () => unknown): RoutingTextError {
  try {
    work();
  } catch (error) {
    if (error instanceof RoutingTextError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
