import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PACKET_CT_STATE, PACKET_SIZE, VERDICT_DROP, RESULT_VERDICT } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { decodePacket } from "../src/netfilter/packet.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";
import { guessLocalAddresses, InsideRules } from "../src/workload/inside-rules.js";
import { Random } from "../src/workload/random.js";
import { saveFile } from "../src/workload/save-file.js";
import type { Change } from "../src/workload/workload.js";
import { fileWorkload } from "../src/workload/workloads.js";
import { loadAndSave, tablesOf, whyNoKernel } from "./workload-linux.js";

const TEXT = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -d 198.51.100.7/32 -p tcp -m multiport --dports 80,443 -j WEB
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A FORWARD -s 10.0.0.0/8 -o eth1 -j DROP
-A WEB -s 203.0.113.0/24 -j REJECT --reject-with icmp-port-unreachable
-A WEB -p tcp -m tcp --dport 443 -j ACCEPT
-A WEB -m comment --comment "the \\"rest\\"" -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 198.51.100.7/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.3:80
COMMIT
`;

const take = (changes: IterableIterator<Change>, count: number): Change[] =>
  Array.from({ length: count }, () => changes.next().value as Change);
const countRules = (text: string): number => text.match(/^-A /gm)?.length ?? 0;

describe("a save file", () => {
  const workload = saveFile({ name: "test.save", text: TEXT });

  test("gives itself back and counts its rules", () => {
    expect(workload.ruleset()).toBe(TEXT);
    expect(workload.rules).toBe(9);
  });

  test("has an address of its machine where INPUT names one", () => {
    expect(workload.localAddresses).toEqual(["192.0.2.1", "198.51.100.7"]);
  });

  test("changes in rules and whole chains, and every second change undoes the first", () => {
    const changes = take(workload.changes(), 40);
    for (const [nth, change] of changes.entries()) {
      expect(countRules(change.whole())).toBe(change.rules);
      expect(change.whole() === TEXT).toBe(nth % 2 === 1);
    }
    const even = changes.filter((_, nth) => nth % 2 === 0).map(({ batch }) => batch);
    expect(even.filter((batch) => /^-D \S+ \d+$/m.test(batch))).toHaveLength(15);
    expect(even.filter((batch) => /^-F /m.test(batch))).toHaveLength(5);
  });

  test("has probes for most changes, the same every time", () => {
    const changes = take(workload.changes(), 40);
    expect(changes.filter(({ probe }) => probe).length).toBeGreaterThan(25);
    expect(take(workload.changes(), 40).map(({ probe }) => probe)).toEqual(changes.map(({ probe }) => probe));
  });

  test("whose rules count in objects of nfacct has probes where these are named", () => {
    const text =
      "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m nfacct --nfacct-name web\n-A INPUT -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n";
    const accounting = [{ name: "web", packets: 0n, bytes: 0n }];
    const probes = (options: Partial<Parameters<typeof saveFile>[0]>): number =>
      take(saveFile({ name: "counting", text, ...options }).changes(), 20).filter(({ probe }) => probe).length;
    expect(probes({})).toBe(0);
    expect(probes({ accounting })).toBeGreaterThan(0);
  });

  test("without rules is refused, as is one that does not parse", () => {
    expect(() => saveFile({ name: "empty", text: "*filter\nCOMMIT\n" })).toThrow(RangeError);
    expect(() => saveFile({ name: "bad", text: "*filter\n-A INPUT -j NOWHERE\nCOMMIT\n" })).toThrow(RulesetError);
  });

  test.skipIf(whyNoKernel !== "")(`changes the kernel's tables as it says ${whyNoKernel}`, () => {
    const changes = take(workload.changes(), 16);
    const base = { text: TEXT, kind: "whole" } as const;
    const edited = loadAndSave("ipv4", [
      base,
      ...changes.map(({ batch }) => ({ text: batch, kind: "batch" }) as const),
    ]);
    const restated = loadAndSave("ipv4", [
      base,
      ...changes.map((change) => ({ text: change.restated(), kind: "batch" }) as const),
    ]);
    for (const [nth, change] of changes.entries()) {
      const whole = tablesOf(change.whole());
      expect(edited[nth + 1], change.label).toEqual(whole);
      expect(restated[nth + 1], change.label).toEqual(whole);
    }
  });
});

/** Every condition that a packet can be made to meet: each rule drops what it matches. */
const CONDITIONS: readonly (readonly [Family, string, string])[] = [
  ["ipv4", "FORWARD", "-s 10.0.0.0/8 -d 192.168.4.0/22"],
  ["ipv4", "FORWARD", "! -s 10.0.0.0/8 ! -d 203.0.113.9/32"],
  ["ipv4", "FORWARD", "-i eth+ ! -o wlan0"],
  ["ipv4", "FORWARD", "! -p tcp"],
  ["ipv4", "FORWARD", "-p tcp -m tcp --sport 1:1023 --dport 8000:8010"],
  ["ipv4", "FORWARD", "-p udp -m udp ! --sport 53 ! --dport 1:1000"],
  ["ipv4", "FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN"],
  ["ipv4", "FORWARD", "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN"],
  ["ipv4", "FORWARD", "-p tcp -m multiport --dports 22,1000:2000,8080"],
  ["ipv4", "FORWARD", "-p udp -m multiport --sports 53,123"],
  ["ipv4", "FORWARD", "-p icmp -m icmp --icmp-type 3/4"],
  ["ipv4", "FORWARD", "-m conntrack --ctstate RELATED,ESTABLISHED"],
  ["ipv4", "FORWARD", "-m conntrack ! --ctstate NEW"],
  ["ipv4", "FORWARD", "-m state --state INVALID,UNTRACKED"],
  ["ipv4", "FORWARD", "-m mark --mark 0x10/0xf0"],
  ["ipv4", "FORWARD", "-m mark ! --mark 0x4000/0x4000"],
  ["ipv4", "FORWARD", "-m connmark --mark 0x7"],
  ["ipv4", "FORWARD", "-m mac --mac-source 02:00:00:00:00:01"],
  ["ipv4", "FORWARD", "-m mac ! --mac-source 02:00:00:00:00:01"],
  ["ipv4", "FORWARD", "-m iprange --src-range 10.0.0.5-10.0.0.9 --dst-range 203.0.113.1-203.0.113.3"],
  ["ipv4", "FORWARD", "-m length --length 500:600"],
  ["ipv4", "FORWARD", "-m physdev --physdev-in veth0"],
  ["ipv4", "INPUT", "-m addrtype --dst-type LOCAL"],
  ["ipv4", "OUTPUT", "-m owner --uid-owner 1000"],
  ["ipv4", "OUTPUT", "-o lo"],
  ["ipv6", "FORWARD", "-s fd00::/8 ! -d 2001:db8::1/128"],
  ["ipv6", "FORWARD", "-p ipv6-icmp -m icmp6 --icmpv6-type 135"],
  ["ipv6", "FORWARD", "-m length --length 500:600"],
  ["ipv6", "INPUT", "-p udp -m udp --dport 546"],
];

test.each(CONDITIONS)("%s: packets made for %s %s meet it, alone and behind a jump", (family, hook, condition) => {
  const head = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
  const alone = `${head}-A ${hook} ${condition} -j DROP\nCOMMIT\n`;
  const behind = `${head}:ONE - [0:0]\n:TWO - [0:0]\n-A ${hook} ${condition} -j ONE\n-A ONE -j TWO\n-A TWO -j DROP\nCOMMIT\n`;
  for (const text of [alone, behind]) {
    const ruleset = parseRuleset(text, { family });
    const local = guessLocalAddresses(ruleset);
    const inside = new InsideRules(ruleset, local);
    const last = inside.places.at(-1);
    if (!last) throw new Error("no rule is reached");
    const engine = Engine.create({ localAddresses: local });
    new Updater(engine, { strategy: "full", family }).load(ruleset);
    const reader = new Reader(engine, 0);
    const pool = reader.allocate(1);
    const random = new Random(5);
    for (let nth = 0; nth < 50; nth++) {
      const packet = inside.packet(last, random);
      pool.set(0, packet);
      reader.match(pool, 0, 1);
      expect(pool.result(0).getUint8(RESULT_VERDICT), printPacket(decodePacket(packet))).toBe(VERDICT_DROP);
    }
  }
});

test("packets of a chain with several callers come by all of them", () => {
  const text = `*filter\n:SHARED - [0:0]\n-A FORWARD -p tcp -m tcp --dport 1 -j SHARED\n-A FORWARD -p tcp -m tcp --dport 2 -j SHARED\n-A SHARED -j DROP\nCOMMIT\n`;
  const inside = new InsideRules(parseRuleset(text, { family: "ipv4" }), ["192.0.2.1"]);
  const random = new Random(1);
  const last = inside.places.find(({ chain }) => chain.name === "SHARED");
  if (!last) throw new Error("no rule is reached");
  const ports = new Set(Array.from({ length: 50 }, () => decodePacket(inside.packet(last, random)).destinationPort));
  expect([...ports].sort()).toEqual([1, 2]);
});

test("traffic is whole records in a state that a packet can be in", () => {
  const bytes = saveFile({ name: "test.save", text: TEXT }).traffic(500);
  expect(bytes).toHaveLength(500 * PACKET_SIZE);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    expect([1, 2, 4, 8, 64]).toContain(view.getUint16(at + PACKET_CT_STATE, true));
    printPacket(decodePacket(bytes.subarray(at, at + PACKET_SIZE)));
  }
});

const corpus = process.env.RULESWAP_CORPUS ?? join(import.meta.dirname, "../../shared/corpus");
const FILES = [
  ["dumps/flannel-kube-1.save", true],
  ["dumps/docker-1.save", true],
  ["dumps/cni-portmap-nerdctl-1.save", true],
  // Accepts what its policy accepts.
  ["dumps/ferm-1.save", false],
] as const;
const whyNoCorpus = existsSync(join(corpus, "loads.txt")) ? "" : "skipped: no corpus";
test.skipIf(whyNoCorpus !== "").each(FILES)(
  `the file %s becomes a workload whose changes return, with a probe or more: %j ${whyNoCorpus}`,
  (file, probes) => {
    const workload = fileWorkload(join(corpus, file));
    expect(countRules(workload.ruleset())).toBe(workload.rules);
    const changes = take(workload.changes(), 32);
    for (const [nth, change] of changes.entries()) if (nth % 2 === 1) expect(change.whole()).toBe(workload.ruleset());
    expect(changes.some(({ probe }) => probe)).toBe(probes);
  },
);
