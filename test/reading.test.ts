/** A line that is read by its shape gives what the parser gives for it: the same row, or the same error. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { READING_AT, READING_LINE, STOPPED_LINE } from "../src/blob/reading.js";
import type { Batch } from "../src/ruleset/batch.js";
import { parseBatch, parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { TableReading } from "../src/ruleset/reading/table-reading.js";
import { type Family, RowStore } from "../src/ruleset/row-store.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { workloads } from "../src/workload/workloads.js";
import { type Random, randomFrom } from "./linux-parser/random.js";
import { randomRuleset, seedOf } from "./linux-parser/rule-generator.js";

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** Lets the parser read every line itself. */
function withoutShapes(): void {
  vi.spyOn(TableReading.prototype, "readLines").mockImplementation(function (this: TableReading, at, line) {
    this.save(0);
    this.memory.setControl(READING_AT, at);
    this.memory.setControl(READING_LINE, line - 1);
    return STOPPED_LINE;
  });
}

/** Counts the lines that are read by their shapes. */
function countingShapes(): () => number {
  const read = TableReading.prototype.readLines;
  let lines = 0;
  vi.spyOn(TableReading.prototype, "readLines").mockImplementation(function (this: TableReading, at, line) {
    const stopped = read.call(this, at, line);
    lines += this.memory.control(READING_LINE) - line + 1;
    return stopped;
  });
  return () => lines;
}

/** A ruleset with every row's bytes, comments as their text and jumps as their chains' names. */
function contentOf(ruleset: Ruleset): string[] {
  const found = [printRuleset(ruleset, { counters: true })];
  const shared = new RowStore(ruleset.family);
  for (const table of ruleset.tables.values()) {
    const names = [...table.chains.keys()].sort();
    for (const chain of table.chains.values())
      for (const ordinal of chain.rules) {
        const copy = shared.copy(table.rows, ordinal, (id) => names.indexOf(table.chainsById[id]?.name ?? ""));
        found.push(`${table.name} ${chain.name} ${Buffer.from(shared.row(copy)).toString("hex")}`);
      }
  }
  return found;
}

function batchContent(batch: Batch): string[] {
  const shared = new RowStore(batch.family);
  return batch.tables.flatMap(({ table, rows, chainNames, edits }) =>
    edits.map((edit) => {
      if (!("row" in edit)) return JSON.stringify([table, edit]);
      const names = [...chainNames].sort();
      const copy = shared.copy(rows, edit.row, (id) => names.indexOf(chainNames[id] ?? ""));
      return JSON.stringify([table, { ...edit, row: 0 }, Buffer.from(shared.row(copy)).toString("hex")]);
    }),
  );
}

/** What comes of reading, an error as its words. */
function outcome(read: () => string[]): string[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof RulesetError) return [error.message];
    throw error;
  }
}

function expectSame(read: () => string[], what: string): void {
  const found = outcome(read);
  withoutShapes();
  const wanted = outcome(read);
  vi.restoreAllMocks();
  expect(found, what).toEqual(wanted);
}

/** Values at the edges of every kind, and just behind them. */
const EDGES = [
  ..."0 1 00 01 255 256 65535 65536 4294967295 4294967296 -1 +1 0x0 0x10 0xffffffff 0x100000000 0xg 0x 08".split(" "),
  ..."0.0.0.0 255.255.255.255 256.0.0.1 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.4/0 1.2.3.4/32 1.2.3.4/33 1.2.3.4/8".split(" "),
  ..."1.2.3.4/255.255.0.0 1.2.3.4/255.0.255.0 1.2.3.4,5.6.7.8 1.2.3.4:0 1.2.3.4:65535 1.2.3.4:65536".split(" "),
  ..."1.2.3.4-1.2.3.9 1.2.3.4:1-2 1.2.3.4:1-2/3 :80 1.2.3.4: 1.2.3.4:http 1.2.3.4:080".split(" "),
  ..."80:90 90:80 80: :90 : 80:80 65535:65536 http http:https ftp-data".split(" "),
  ..."0. .5 0.5 0.99999999999 1.0 1 1.5 0.333333333333333 0.3333333333333333 0.9999999999999999 5e-1 0.5x".split(" "),
  ..."1/1 0x1/0x1 0x1/ /1 0x1/0x1ffffffff 0X1 1/0xff 0xff/255 010".split(" "),
  ..."eth0 eth+ + eth0+ fifteen-letters sixteen-letters- + a e+h".split(" "),
  ..."::1 :: fe80::/10 1::2::3 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8:9 ::ffff:1.2.3.4 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8".split(
    " ",
  ),
  ..."[::1]:80 [::1] ::1:80 [1::]:0 [1::]:65536 [::1]:1-2 ::/0 ::1/128 ::1/129 12345:: fe80::1/ABC 1:::2 :1".split(" "),
  ..."ACCEPT RETURN MARK INPUT DNAT nowhere a-chain-of-twenty-nine-letters".split(" "),
  ...[
    '""',
    '"a b"',
    '"a',
    'a"b',
    '"a\\"b"',
    '"a"b',
    "a\\b",
    "'a'",
    `"${"x".repeat(255)}"`,
    "x".repeat(256),
    "é",
    '"\u0001"',
  ],
  ...["", " ", "!", "! !", "-x", "--", "\u0001", "\t", "a\u0001b"],
];

/** The line with one argument, byte or space changed. */
function mutated(line: string, random: Random): string {
  const words = line.split(" ");
  const at = 1 + random.below(words.length - 1);
  switch (random.below(6)) {
    case 0:
      words.splice(at, 1);
      break;
    case 1:
      words.splice(at, 0, random.pick(words));
      break;
    case 2: {
      const cut = random.below(line.length);
      return line.slice(0, cut) + random.pick([...' \t"\\!0.:/-a\u0001']) + line.slice(cut + random.below(2));
    }
    default:
      words[at] = random.pick(EDGES);
  }
  return words.join(" ");
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a line read by its shape", () => {
  it("has its shape from the first of its kind, also of an insert at a position, a flush and a deletion", () => {
    const change = (chain: string, position: number) => `*nat
-I HUB ${position} -d 10.0.0.${position}/32 -j ${chain}
-D HUB -d 10.0.0.${position}/32 -j ${chain}
-F ${chain}
-X ${chain}
COMMIT
`;
    const scope = { hasChain: (_: string, name: string) => /^(HUB|S\d)$/.test(name) };
    parseBatch(change("S1", 1), { family: "ipv4", scope });
    const lines = countingShapes();
    for (const [chain, position] of [
      ["S2", 7],
      ["S3", 1234],
    ] as const) {
      const before = lines();
      parseBatch(change(chain, position % 250), { family: "ipv4", scope });
      expect(lines() - before).toBe(4);
    }
  });

  it.each(FAMILIES)("%s: gives the parser's rows, for every extension", (family) => {
    for (let n = 0; n < 12; n++) {
      const seed = seedOf() + n;
      const printed = printRuleset(parseRuleset(randomRuleset(family, seed), { family }));
      // The second time every shape is known.
      for (let round = 0; round < 2; round++)
        expectSame(() => contentOf(parseRuleset(printed, { family })), `seed ${seed}`);
    }
  });

  it.each(FAMILIES)("%s: gives the parser's row or error when one value is another", (family) => {
    const random = randomFrom(seedOf());
    for (let n = 0; n < 12; n++) {
      const printed = printRuleset(parseRuleset(randomRuleset(family, random.below(2 ** 31)), { family }));
      for (const text of printed.split(/(?<=COMMIT\n)/).filter(Boolean)) {
        const lines = text.split("\n");
        const rules = lines.filter((line) => line.startsWith("-A"));
        for (let k = 0; k < 12; k++) {
          const line = mutated(random.pick(rules), random);
          const changed = [...lines.slice(0, -2), line, ...rules.slice(0, 3), "COMMIT", ""].join("\n");
          expectSame(() => contentOf(parseRuleset(changed, { family })), line);
        }
      }
    }
  });

  it("gives the parser's edits in a batch, whatever the command and whichever chains there are", () => {
    const random = randomFrom(seedOf());
    for (let n = 0; n < 20; n++) {
      const printed = printRuleset(parseRuleset(randomRuleset("ipv4", random.below(2 ** 31)), { family: "ipv4" }));
      for (const text of printed.split(/(?<=COMMIT\n)/).filter(Boolean)) {
        const changed = text
          .split("\n")
          .map((line) => (random.chance(0.1) && line.startsWith("-A") ? mutated(line, random) : line))
          .map((line) =>
            line.replace(/^-A (\S+)/, random.pick(["-A $1", "-A $1", "-D $1", "-I $1 2", "-I $1", "-C $1"])),
          )
          .map((line) => (random.chance(0.1) ? line.replace(/^-\w (\S+).*/, random.pick(["-F $1", "-X $1"])) : line))
          .filter((line) => !line.startsWith(":") || random.chance(0.5))
          .join("\n");
        const known = random.below(3);
        const hasChain = (_: string, chain: string) => known === 0 || (known === 1 && !/^[A-Z]+$/.test(chain));
        expectSame(() => batchContent(parseBatch(changed, { family: "ipv4", scope: { hasChain } })), changed);
      }
    }
  });

  it("has no position but its own, whatever number was read before", () => {
    const scope = { hasChain: () => true };
    const text = "*filter\n-I a 3 -p tcp -m tcp --dport 80 -j b\n-I a -p tcp -m tcp --dport 80 -j b\nCOMMIT\n";
    for (let round = 0; round < 3; round++)
      expectSame(() => batchContent(parseBatch(text, { family: "ipv4", scope })), text);
  });

  it("is not taken for a target where a chain has that name", () => {
    const text = (chain: string) => `*nat\n:${chain} - [0:0]\n:b - [0:0]\n-A b -j ACCEPT\n-A b -j ACCEPT\nCOMMIT\n`;
    expectSame(() => contentOf(parseRuleset(text("a"), { family: "ipv4" })), "no chain ACCEPT");
    expectSame(() => contentOf(parseRuleset(text("ACCEPT"), { family: "ipv4" })), "a chain ACCEPT");
    const batch = "*nat\n-A b -j ACCEPT\n-A b -j ACCEPT\nCOMMIT\n";
    for (const there of [true, false])
      expectSame(
        () =>
          batchContent(parseBatch(batch, { family: "ipv4", scope: { hasChain: (_, name) => there || name === "b" } })),
        `${there}`,
      );
  });

  it("follows chains that are renamed, deleted and made again in the middle of a file", () => {
    const text = `*filter
:a - [0:0]
:b - [0:0]
-A a -j ACCEPT
-A b -j a
-A b -j DROP
-D b 1
-F a
-X a
-A b -j RETURN
-N a
-A a -j b
-E a c
-A c -j b
-A c -s 10.0.0.1/32 -j b
-I c 2 -s 10.0.0.2/32 -j b
-D c -s 10.0.0.1/32 -j b
-R c 1 -s 10.0.0.3/32 -j b
COMMIT
`;
    for (let round = 0; round < 2; round++) expectSame(() => contentOf(parseRuleset(text, { family: "ipv4" })), text);
    for (const wrong of ["-A a -j b", "-A c -j a", "-A a -j ACCEPT", "-D c -s 10.9.9.9/32 -j b"]) {
      const changed = text.replace("COMMIT", `${wrong}\nCOMMIT`);
      expectSame(() => contentOf(parseRuleset(changed, { family: "ipv4" })), wrong);
    }
  });

  it("says the same of chains and limits that only a long file meets", () => {
    const chains = Array.from({ length: 1500 }, (_, n) => `:c${(n * 7919) % 1500} - [0:0]`);
    const rules = Array.from(
      { length: 1500 },
      (_, n) => `-A c${n} -m comment --comment "${"y".repeat(n % 260)}" -j ACCEPT`,
    );
    const text = ["*filter", ...chains, ...rules.filter((_, n) => n % 260 < 256), "COMMIT", ""].join("\n");
    expectSame(() => contentOf(parseRuleset(text, { family: "ipv4" })), "many chains");
    const several = [
      "*filter",
      ":a - [0:0]",
      ...Array(4000).fill("-A a -s 1,2,3,4 -d 5,6,7"),
      "-A a -j ACCEPT",
      "COMMIT",
      "",
    ];
    expectSame(() => contentOf(parseRuleset(several.join("\n"), { family: "ipv4" })), "many rules a line");
    const wide = `*filter\n:a - [0:0]\n${`-A a${" -m comment --comment x".repeat(40)} -j ACCEPT\n`.repeat(3)}COMMIT\n`;
    expectSame(() => contentOf(parseRuleset(wide, { family: "ipv4" })), "many values a line");
  });

  it.each(["kube-proxy", "portmap", "docker", "acl"] as const)("%s: is all but the first of its form", (name) => {
    const generic = [100, 400].map((size) => {
      const text = workloads[name].make({ size, seed: 1, family: "ipv4" }).ruleset();
      parseRuleset(text, { family: "ipv4" });
      const lines = countingShapes();
      parseRuleset(text, { family: "ipv4" });
      vi.restoreAllMocks();
      return text.split("\n").filter((line) => /^-A/.test(line)).length + text.split("\n:").length - lines();
    });
    // What is left does not grow with the ruleset: built-in chains' policies.
    expect(generic[1]).toBe(generic[0]);
  });
});
