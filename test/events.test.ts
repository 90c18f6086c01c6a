/** What rules tell beside a verdict, and what answers a rejected packet. */
import { describe, expect, it } from "vitest";
import { Engine, type EngineOptions } from "../src/engine/engine.js";
import type { EventQueue, PacketEvent } from "../src/engine/events.js";
import { Reader } from "../src/engine/reader.js";
import { decodePacket, encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { listConnections } from "../src/netfilter/connections.js";
import { printConnection } from "../src/netfilter/print-connection.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { Updater } from "../src/update/updater.js";
import { readCounters } from "./oracle/traffic.js";

class Host {
  readonly queue: EventQueue;
  readonly reader: Reader;
  readonly engine: Engine;
  private readonly pool;

  constructor(text: string, options: EngineOptions = {}, capacity = 64) {
    const engine = Engine.create({ localAddresses: ["192.0.2.1 eth0", "2001:db8::1 eth0"], ...options });
    this.engine = engine;
    new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family: "ipv4" }));
    this.reader = new Reader(engine, 0);
    this.pool = this.reader.allocate(1);
    this.queue = this.reader.listen(capacity);
  }

  /** Of a rule of filter, "chain number". */
  counters(rule: string): string | undefined {
    const saved = this.engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
    return readCounters(saved.join("\n")).get(`filter ${rule}`);
  }

  connections(): string[] {
    return listConnections(this.engine, 0).map((connection) => printConnection(connection, 0));
  }

  send(text: string): PacketEvent[] {
    this.pool.set(0, encodePacket(parsePacket(text)));
    this.reader.match(this.pool, 0, 1);
    return this.queue.take();
  }
}

function filter(rules: string): string {
  return `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`;
}

const SYN = "tcp 198.51.100.1:1000 > 192.0.2.1:80 in eth0 syn";

describe("events", () => {
  it("tell prefix, level and group, the rule's place and the packet as it was", () => {
    const host = new Host(
      filter(
        '-A INPUT -j LOG --log-prefix "in: " --log-level 6\n-A INPUT -j NFLOG --nflog-group 5 --nflog-prefix later\n',
      ),
    );
    const [log, nflog, ...more] = host.send(SYN);
    expect(log).toMatchObject({
      kind: "LOG",
      hook: "INPUT",
      table: "filter",
      chain: "INPUT",
      prefix: "in: ",
      level: 6,
      line: 5,
    });
    expect(nflog).toMatchObject({ kind: "NFLOG", group: 5, prefix: "later", line: 6 });
    expect(more).toEqual([]);
    expect(printPacket(decodePacket(log?.packet as Uint8Array))).toBe(SYN.replace(" syn", ""));
  });

  it("are told of every rule behind TRACE, and of no other packet", () => {
    const raw =
      "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 80 -j TRACE\nCOMMIT\n";
    const host = new Host(raw + filter("-A INPUT -p tcp\n-A INPUT -j ACCEPT\n"));
    expect(host.send(SYN).map(({ kind, chain, line }) => `${kind} ${chain} ${line}`)).toEqual([
      "TRACE PREROUTING 4",
      "TRACE PREROUTING 0",
      "TRACE INPUT 10",
      "TRACE INPUT 11",
    ]);
    expect(host.send(SYN.replace(":80", ":81"))).toEqual([]);
  });

  it("are told of the copy that TEE sends: untracked, and one hop shorter in front of forwarding", () => {
    const chains = "PREROUTING INPUT FORWARD OUTPUT POSTROUTING".split(" ").map((name) => `:${name} ACCEPT [0:0]\n`);
    const host = new Host(`*mangle\n${chains.join("")}-A PREROUTING -j TEE --gateway 198.51.100.9\nCOMMIT\n`);
    const [copy] = host.send(SYN);
    expect(copy).toMatchObject({ kind: "COPY", chain: "PREROUTING" });
    expect([...(copy?.gateway ?? [])].slice(0, 4)).toEqual([198, 51, 100, 9]);
    expect(decodePacket(copy?.packet as Uint8Array)).toMatchObject({ ttl: 63, ctState: "UNTRACKED", path: "out" });
  });

  it("that find no room are counted, and those that did are kept", () => {
    const host = new Host(filter("-A INPUT -j LOG\n-A INPUT -j LOG\n-A INPUT -j LOG\n"), {}, 2);
    expect(host.send(SYN).map(({ line }) => line)).toEqual([5, 6]);
    expect(host.queue.lost).toBe(1);
    expect(host.send(SYN).length).toBe(2);
  });

  it("are not told when nobody listens", () => {
    const host = new Host(filter("-A INPUT -j LOG\n"));
    host.queue.close();
    expect(host.send(SYN)).toEqual([]);
  });
});

describe("REJECT", () => {
  const answer = (rule: string, packet: string, options?: EngineOptions): string[] =>
    new Host(filter(rule), options)
      .send(packet)
      .filter(({ kind }) => kind === "REPLY")
      .map((event) => printPacket(decodePacket(event.packet)));

  it.each([
    ["icmp-port-unreachable", "type 3/3"],
    ["icmp-net-unreachable", "type 3 "],
    ["icmp-host-unreachable", "type 3/1"],
    ["icmp-proto-unreachable", "type 3/2"],
    ["icmp-net-prohibited", "type 3/9"],
    ["icmp-host-prohibited", "type 3/10"],
    ["icmp-admin-prohibited", "type 3/13"],
  ])("with %s answers by ICMP %s", (name, type) => {
    const [text = ""] = answer(
      `-A INPUT -j REJECT --reject-with ${name}\n`,
      "udp 198.51.100.1:1 > 192.0.2.1:53 in eth0 len 100",
    );
    expect(`${text} `).toContain(`icmp 192.0.2.1 > 198.51.100.1 ${type}`);
    expect(text).toContain("out eth0");
    expect(text).toContain("len 128");
  });

  it("answers a SYN by a reset that acknowledges it, and what acknowledges by one that does not", () => {
    const rule = "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n";
    expect(answer(rule, SYN)[0]).toMatch(/^tcp 192\.0\.2\.1:80 > 198\.51\.100\.1:1000 out eth0 rst ack|rst/);
    expect(answer(rule, SYN)[0]).toContain("ack");
    expect(answer(rule, SYN.replace("syn", "ack"))[0]).not.toContain("ack");
    expect(answer(rule, SYN.replace("syn", "rst"))).toEqual([]);
  });

  it.each([
    ["errors", "icmp 198.51.100.1 > 192.0.2.1 type 3/1 in eth0"],
    ["later fragments", "udp 198.51.100.1:1 > 192.0.2.1:53 in eth0 frag 100"],
    ["what a link sent to all", "udp 198.51.100.1:1 > 192.0.2.1:53 in eth0 pkttype broadcast"],
  ])("does not answer %s", (_, packet) => {
    expect(answer("-A INPUT -j REJECT\n", packet)).toEqual([]);
  });

  it("complains of what it does not forward from the interface that it came in by", () => {
    const [text] = answer("-A FORWARD -j REJECT\n", "udp 198.51.100.1:1 > 203.0.113.1:53 in eth0 out eth1");
    expect(text).toContain("icmp 192.0.2.1 > 198.51.100.1");
  });

  it("sends its answer through OUTPUT and POSTROUTING, related to what it answers, unless a rule drops it there", () => {
    const chains = "PREROUTING INPUT FORWARD OUTPUT POSTROUTING".split(" ").map((name) => `:${name} ACCEPT [0:0]\n`);
    const rules = (target: string) =>
      `*mangle\n${chains.join("")}-A POSTROUTING -p icmp -j TOS --set-tos 0x08\nCOMMIT\n${filter(
        `-A INPUT -j REJECT\n-A OUTPUT -p icmp -m conntrack --ctstate RELATED -j LOG\n-A OUTPUT -p icmp -j ${target}\n`,
      )}`;
    const told = (target: string, options: EngineOptions) =>
      new Host(rules(target), options).send(SYN).map(({ kind, packet }) => `${kind} tos ${decodePacket(packet).tos}`);
    for (const options of [{}, { connections: 16 }]) {
      expect(told("ACCEPT", options)).toEqual(["LOG tos 192", "REPLY tos 8"]);
      expect(told("DROP", options)).toEqual(["LOG tos 192"]);
    }
  });

  it("answers once more, by an error, where its reset is rejected, and then no more", () => {
    const host = new Host(
      filter(
        "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n-A OUTPUT -j REJECT --reject-with icmp-host-prohibited\n",
      ),
      { connections: 16 },
    );
    expect(host.send(SYN)).toEqual([]);
    expect(host.counters("OUTPUT 1")).toBe("2:108");
  });

  it("closes a connection that it answers by a reset", () => {
    const host = new Host(
      filter("-A INPUT -p tcp -m mark --mark 1 -j REJECT --reject-with tcp-reset\n-A INPUT -j ACCEPT\n"),
      { connections: 16 },
    );
    const steps = [SYN, "tcp 192.0.2.1:80 > 198.51.100.1:1000 out eth0 syn ack", SYN.replace("syn", "ack")];
    for (const step of steps) host.send(step);
    expect(host.connections()[0]).toContain(" ESTABLISHED ");
    host.send(SYN.replace("syn", "ack mark 1"));
    expect(host.connections()[0]).toContain("tcp      6 10 CLOSE ");
  });

  it("answers where NAT has moved the packet from the end that it was sent to", () => {
    const nat =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080\nCOMMIT\n";
    const host = new Host(nat + filter("-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n"), { connections: 16 });
    const [reply] = host.send("tcp 198.51.100.1:1000 > 203.0.113.9:80 in eth0 syn");
    expect(printPacket(decodePacket(reply?.packet as Uint8Array))).toContain("tcp 203.0.113.9:80 > 198.51.100.1:1000");
  });
});
