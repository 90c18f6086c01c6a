/** What hardly shows: a source address made of an Ethernet address, and targets that label or mend what no rule can see. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { Updater } from "../src/update/updater.js";

const CHAINS = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((name) => `:${name} ACCEPT [0:0]\n`);

/** The ruleset as it prints, counters included, behind the packets. */
function after(family: "ipv4" | "ipv6", rules: readonly string[], packets: readonly string[], connections = 0): string {
  const engine = Engine.create({ connections });
  const text = `*mangle\n${CHAINS.join("")}${rules.map((rule) => `${rule}\n`).join("")}COMMIT\n`;
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  for (const packet of packets) {
    pool.set(0, encodePacket(parsePacket(packet)));
    reader.match(pool, 0, 1);
  }
  return printRuleset(engine.readRuleset()[0] as Ruleset, { counters: true });
}

describe("eui64", () => {
  it.each([
    ["fe80::211:22ff:fe33:4455", "00:11:22:33:44:55", 1],
    ["2001:db8::211:22ff:fe33:4455", "00:11:22:33:44:55", 1],
    ["fe80::11:22ff:fe33:4455", "02:11:22:33:44:55", 1],
    ["fe80::11:22ff:fe33:4455", "00:11:22:33:44:55", 0],
    ["fe80::211:22ff:ff33:4455", "00:11:22:33:44:55", 0],
    ["fe80::211:22fe:fe33:4455", "00:11:22:33:44:55", 0],
    ["fe80::211:22ff:fe33:4456", "00:11:22:33:44:55", 0],
    ["fe80::311:22ff:fe33:4455", "00:11:22:33:44:55", 0],
  ])("%s of %s: %s", (source, mac, hits) => {
    const rule = "-A PREROUTING -m eui64";
    expect(after("ipv6", [rule], [`udp [${source}]:1 > [fd00::2]:2 in eth0 mac ${mac} len 60`])).toContain(
      `[${hits}:${60 * hits}] ${rule}\n`,
    );
    expect(after("ipv6", [rule], [`udp [${source}]:1 > [fd00::2]:2 in eth0`])).toContain(`[0:0] ${rule}\n`);
  });
});

describe("targets that label", () => {
  it("go on with the next rule, and change nothing that a rule can see", () => {
    const rules = [
      "-A PREROUTING -j SECMARK --selctx system_u:object_r:http_packet_t:s0",
      "-A PREROUTING -j CONNSECMARK --save",
      "-A PREROUTING -j CONNSECMARK --restore",
      "-A PREROUTING -p udp -j CHECKSUM --checksum-fill",
      "-A PREROUTING -m mark --mark 0x7 -m connmark --mark 0x0 -m ttl --ttl-eq 9",
    ];
    const printed = after("ipv4", rules, ["udp 10.0.0.1:1 > 10.0.0.2:2 in eth0 mark 7 ttl 9 len 60"], 16);
    for (const rule of rules) expect(printed).toContain(`[1:60] ${rule}\n`);
  });
});
