/** Targets that few rulesets have and this machine's kernel may lack: what is read of them, how they print, what they do. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { Reader } from "../src/engine/reader.js";
import { RESULT_MARK } from "../src/blob/layout.js";
import { runCommand } from "../src/ruleset/command-line.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";

const text = (...rules: string[]): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT ${rule}\n`).join("")}COMMIT\n`;
const read = (rule: string) => parseRuleset(text(rule), { family: "ipv4" });
const NEW = "--new --hashmode sourceip --clustermac 01:00:5e:00:00:2B --total-nodes 4 --local-node 1";

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RulesetError) return error.code;
    throw error;
  }
  return "";
}

describe("a rule", () => {
  it.each([
    ["-j LED --led-trigger-id ssh", '-j LED --led-trigger-id "ssh"'],
    ["-j LED --led-trigger-id ssh --led-delay INF", '-j LED --led-trigger-id "ssh" --led-delay -1'],
    ["-j LED --led-trigger-id ssh --led-delay -1", '-j LED --led-trigger-id "ssh" --led-delay -1'],
    ["-j LED --led-delay 3000000000 --led-trigger-id a", '-j LED --led-trigger-id "a" --led-delay -1294967296'],
    [
      '-j LED --led-trigger-id "a\\"b" --led-always-blink --led-delay 0',
      '-j LED --led-trigger-id "a\\"b" --led-always-blink',
    ],
    ["-j CLUSTERIP", "-j CLUSTERIP"],
    [
      `-d 10.0.0.1/32 -i eth0 -j CLUSTERIP ${NEW}`,
      `-d 10.0.0.1/32 -i eth0 -j CLUSTERIP ${NEW.replace("5e", "5E")} --hash-init 0`,
    ],
    [
      "-j HMARK --hmark-mod 4 --hmark-tuple dport,s,c --hmark-rnd 7",
      "-j HMARK --hmark-src-prefix 32 --hmark-dport-mask 0xffff --hmark-rnd 0x00000007 --hmark-mod 4 --hmark-tuple ct",
    ],
    [
      "-j HMARK --hmark-src-prefix 24 --hmark-tuple src --hmark-rnd 7 --hmark-mod 4",
      "-j HMARK --hmark-src-prefix 32 --hmark-rnd 0x00000007 --hmark-mod 4",
    ],
  ])("%s prints as %s, and reads as that", (given, printed) => {
    expect(printRuleset(read(given))).toContain(`-A INPUT ${printed}\n`);
    expect(printRuleset(read(printed))).toBe(printRuleset(read(given)));
  });

  it.each([
    ["-j LED", "missing-option"],
    ["-j LED --led-trigger-id 12345678901234567", "bad-name"],
    ["-j LED --led-trigger-id a --led-delay 12ms", "bad-number"],
    ["-j CLUSTERIP --new", "missing-option"],
    ["-j CLUSTERIP --hash-init 5", "missing-option"],
    [`-j CLUSTERIP ${NEW.replace("01:", "00:")}`, "bad-mac-address"],
    [`-j CLUSTERIP ${NEW.replace("4", "17")}`, "bad-number"],
    ["-j HMARK --hmark-tuple src --hmark-mod 4", "missing-option"],
    ["-j HMARK --hmark-rnd 1 --hmark-mod 4", "missing-option"],
    ["-j HMARK --hmark-tuple src --hmark-src-prefix 24 --hmark-rnd 1 --hmark-mod 4", "repeated-option"],
    ["-j HMARK --hmark-tuple spi,sport --hmark-rnd 1 --hmark-mod 4", "conflicting-options"],
    ["-j HMARK --hmark-spi 1 --hmark-sport 1 --hmark-rnd 1 --hmark-mod 4", "conflicting-options"],
    ["-j HMARK --hmark-tuple src, --hmark-rnd 1 --hmark-mod 4", "bad-value"],
  ])("%s is refused: %s", (rule, code) => {
    expect(codeOf(() => read(rule))).toBe(code);
  });

  it("of a lamp lists as Linux lists it", () => {
    const rule = '-j LED --led-trigger-id "a\\"b" --led-delay 10 --led-always-blink';
    const listing = Buffer.from(runCommand(read(rule), ["-L", "INPUT", "-n"]).listing ?? []).toString();
    expect(listing).toContain(' led-trigger-id:"a\\"b" led-delay:10ms led-always-blink\n');
  });

  it("of a shared address lists as Linux lists it", () => {
    const listing = Buffer.from(
      runCommand(read(`-j CLUSTERIP ${NEW}`), ["-L", "INPUT", "-n"]).listing ?? [],
    ).toString();
    expect(listing).toContain(
      " CLUSTERIP hashmode=sourceip clustermac=01:00:5E:00:00:2B total_nodes=4 local_node=1 hash_init=0\n",
    );
  });
});

describe("an engine", () => {
  it("refuses CLUSTERIP, whole and as a change", () => {
    const updater = new Updater(Engine.create(), { strategy: "incremental" });
    expect(codeOf(() => updater.load(read(`-j CLUSTERIP ${NEW}`)))).toBe("unsupported-rule");
    updater.load(read("-j ACCEPT"));
    expect(() => updater.update({ batch: text("-j CLUSTERIP") })).toThrow(/-m cluster/);
  });

  it("takes HMARK of a connection only where it tracks connections", () => {
    const ruleset = read("-j HMARK --hmark-tuple ct --hmark-rnd 1 --hmark-mod 4");
    const load = (connections: number) =>
      new Updater(Engine.create({ connections }), { strategy: "full" }).load(ruleset);
    expect(codeOf(() => load(0))).toBe("unsupported-rule");
    expect(codeOf(() => load(8))).toBe("");
  });

  it("lets packets go on behind LED, and marks both directions alike by HMARK", () => {
    const engine = Engine.create();
    const rules = [
      "-j LED --led-trigger-id a",
      "-j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-rnd 0xfeedcafe --hmark-mod 1000 --hmark-offset 10000",
    ];
    new Updater(engine, { strategy: "full" }).load(parseRuleset(text(...rules), { family: "ipv4" }));
    const reader = new Reader(engine, 0);
    const pool = reader.allocate(3);
    const packets = [
      "tcp 10.0.0.1:1000 > 10.0.0.2:80 hook INPUT",
      "tcp 10.0.0.2:80 > 10.0.0.1:1000 hook INPUT",
      "tcp 10.0.0.1:1001 > 10.0.0.2:80 hook INPUT",
    ];
    for (const [n, packet] of packets.entries()) pool.set(n, encodePacket(parsePacket(packet)));
    reader.match(pool, 0, packets.length);
    const marks = packets.map((_, n) => pool.result(n).getUint32(RESULT_MARK, true));
    expect(marks[0]).toBe(marks[1]);
    expect(marks[0]).not.toBe(marks[2]);
    for (const mark of marks) expect(mark >= 10_000 && mark < 11_000).toBe(true);
  });
});
