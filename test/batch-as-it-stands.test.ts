/** A batch whose lines all have known shapes goes past the parser, and leaves what the parser's way leaves, errors included. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { PIECE_TEXT_BYTES } from "../src/blob/reading.js";
import { CLASSIFIERS, type Classifier, Engine } from "../src/engine/engine.js";
import { readBack } from "../src/engine/read-back.js";
import { FileParser } from "../src/ruleset/file-parser.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { RulesetError } from "../src/ruleset/ruleset-error.js";
import { type Strategy, Updater } from "../src/update/updater.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";
import { take } from "../src/measure/request.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** An updater over a ruleset, and what is in force. */
function updating(strategy: Strategy, text: string, classifier: Classifier = "linear") {
  const updater = new Updater(Engine.create({ classifier }), { strategy });
  updater.load(parseRuleset(text, { family: "ipv4" }));
  return {
    update: (batch: string) => updater.update({ batch }),
    print: () => printRuleset(readBack(updater.engine, "ipv4"), { counters: true }),
  };
}

const table = (name: string, ...lines: string[]): string => [`*${name}`, ...lines, "COMMIT", ""].join("\n");
const batch = (...lines: string[]): string => table("filter", ...lines);

const START =
  batch(
    ":INPUT ACCEPT [0:0]",
    ":A - [0:0]",
    ":B - [0:0]",
    "-A INPUT -s 10.0.0.1/32 -j A",
    "-A A -p tcp -m tcp --dport 80 -j B",
    "-A B -j LOG",
  ) +
  table(
    "nat",
    ":PREROUTING ACCEPT [0:0]",
    ":N - [0:0]",
    "-A PREROUTING -j N",
    "-A N -p udp -j DNAT --to-destination 10.0.0.9:53",
  );

/** Lines whose shapes are learned in front of what is asked; they leave what was there. */
const LESSON = [
  batch(
    ":T - [0:0]",
    "-A T -s 10.0.0.7/32 -j B",
    "-A T -j LOG",
    "-A T -p tcp -m tcp --dport 81 -j B",
    "-I T 1 -s 10.0.0.8/32 -j A",
    "-I T -s 10.0.0.8/32 -j A",
  ),
  batch("-R T 1 -s 10.0.0.9/32 -j A", "-C T -s 10.0.0.9/32 -j A", "-D T -s 10.0.0.9/32 -j A", "-D T 1", "-F T", "-X T"),
  table(
    "nat",
    ":T - [0:0]",
    "-A T -p udp -j DNAT --to-destination 10.0.0.1:54",
    "-D T -p udp -j DNAT --to-destination 10.0.0.1:54",
    "-F T",
    "-X T",
  ),
];

/** More edits than are laid out for the engine at a time, with rows and without. */
const MANY = Array.from({ length: 700 }, (_, n) => {
  const source = `-s 10.3.${n >> 8}.${n & 255}/32`;
  return [
    `:C${n} - [0:0]`,
    `-A C${n} ${source} -j B`,
    `-I A 1 ${source} -j C${n}`,
    n % 3 === 0 ? "-D A 1" : `-F C${n}`,
  ];
}).flat();

const CASES: readonly (readonly [string, readonly string[]])[] = [
  [
    "makes, fills, empties and deletes chains",
    [
      batch(":C - [3:4]", "-A C -s 10.1.0.0/16 -j B", "-I A 1 -s 10.9.0.1/32 -j C"),
      batch("-D A -s 10.9.0.1/32 -j C", "-F C", "-X C"),
    ],
  ],
  [
    "does thousands of edits, whatever their order",
    [batch(...MANY), batch(...MANY.filter((line) => line !== "-D A 1"))],
  ],
  ["empties a chain that is declared again", [batch(":A - [0:0]", "-A A -s 10.7.0.1/32 -j B")]],
  ["makes a chain again behind its deletion", [batch(":C - [0:0]"), batch("-X C", ":C - [0:0]", "-A C -j LOG")]],
  [
    "inserts, replaces and finds rules by their places and texts",
    [batch("-I INPUT 2 -s 10.2.0.1/32 -j B", "-R INPUT 1 -s 10.2.0.2/32 -j A", "-C INPUT -s 10.2.0.1/32 -j B")],
  ],
  ["deletes a rule by its place", [batch("-I INPUT 1 -s 10.2.0.1/32 -j B", "-D INPUT 2", "-D A 1")]],
  ["changes two tables at once", [batch("-F B") + table("nat", "-A N -p udp -j DNAT --to-destination 10.0.0.2:55")]],
  ["reads comments and blank lines around tables", [`# one\n\n${batch("-F A")}# two\n`]],
  ["reads comments and blank lines within a table", [batch("", '# "one', "-F A", "#", "", "-F B", "# two")]],
  [
    "lets go of the chains that a chain's rules called",
    [
      batch(":C - [0:0]", ":E - [0:0]", "-A C -s 10.0.0.1/32 -j E", "-A C -j LOG", "-A C -s 10.0.0.2/32 -j E"),
      batch("-F C", "-X C", "-X E"),
    ],
  ],
];

const REFUSED: readonly (readonly [string, string])[] = [
  ["a jump to a chain that is not there", batch("-A A -s 10.0.0.1/32 -j NOWHERE")],
  ["a chain that is not there", batch("-A NOWHERE -s 10.0.0.1/32 -j B")],
  ["a jump to a chain that the batch has deleted", batch(":C - [0:0]", "-F C", "-X C", "-A A -s 10.0.0.1/32 -j C")],
  ["a jump to a built-in chain", batch("-A A -s 10.0.0.1/32 -j INPUT")],
  ["the deletion of a chain in use", batch("-X B")],
  ["the deletion of a built-in chain", batch("-X INPUT")],
  ["a rule that is not there", batch("-A A -s 10.0.0.1/32 -j B", "-D A -s 10.0.0.2/32 -j B")],
  ["a position behind the end", batch("-I A 9 -s 10.0.0.1/32 -j B")],
  ["the deletion of a place behind the end", batch("-D A 1", "-D A 1")],
  ["the last of thousands of edits", batch(...MANY, "-D A 999")],
  ["a loop", batch("-A B -s 10.0.0.1/32 -j A")],
  ["a fault in the second table", batch("-F A") + table("nat", "-X N")],
  ["a missing COMMIT", batch("-F A").replace("COMMIT\n", "")],
  ["a COMMIT without a newline behind it", batch("-F A").trimEnd()],
  ["a bad line behind good ones", batch("-F A", "-A A -s 10.0.0.1/33 -j B")],
  ["a table that is not known", batch("-F A") + table("nowhere", "-F A")],
];

describe.each(Object.keys(CLASSIFIERS) as Classifier[])("a batch of known lines, %s", (classifier) => {
  it.each(CASES)("%s, without the parser", (_, batches) => {
    const quick = updating("incremental", START, classifier);
    const parsed = updating("partial", START, classifier);
    for (const lesson of LESSON) quick.update(lesson);
    const run = vi.spyOn(FileParser.prototype, "run");
    for (const text of batches) quick.update(text);
    expect(run).not.toHaveBeenCalled();
    for (const text of batches) parsed.update(text);
    expect(quick.print()).toBe(parsed.print());
  });

  it.each(REFUSED)("is refused as the parser's way refuses it: %s", (_, text) => {
    const quick = updating("incremental", START, classifier);
    const parsed = updating("partial", START, classifier);
    for (const lesson of LESSON) quick.update(lesson);
    const before = quick.print();
    const refusal = (update: () => unknown): unknown => {
      try {
        update();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const error = refusal(() => quick.update(text)) as RulesetError;
    expect(error).toBeInstanceOf(Error);
    // A loop is found in the whole table by the one and where it closes by the other.
    const { message, ...place } = refusal(() => parsed.update(text)) as RulesetError;
    if (place.code === "loop") expect(error.code).toBe("loop");
    else expect(error.message).toBe(message);
    expect(quick.print()).toBe(before);
  });
});

describe("a target's name", () => {
  it("is a chain's where there is such a chain", () => {
    const text = START.replace(":B - [0:0]", ":B - [0:0]\n:LOG2 - [0:0]");
    const quick = updating("incremental", text);
    const parsed = updating("partial", text);
    for (const lesson of LESSON) quick.update(lesson);
    for (const { update } of [quick, parsed]) update(batch("-A A -s 10.0.0.1/32 -j LOG2", "-A A -j LOG"));
    expect(quick.print()).toBe(parsed.print());
  });

  it("is taken for one only once it was met as one", () => {
    const quick = updating("incremental", START);
    const parsed = updating("partial", START);
    for (const lesson of LESSON) quick.update(lesson);
    for (const { update } of [quick, parsed])
      for (const line of ["-A A -s 10.0.0.1/32 -j ACCEPT", "-A A -s 10.0.0.2/32 -j ACCEPT", "-A A -s 10.0.0.3/32 -j B"])
        update(batch(line));
    expect(quick.print()).toBe(parsed.print());
  });
});

describe("lines that are not known", () => {
  it("are parsed with all in front of them, however much of that was carried out", () => {
    const quick = updating("incremental", START);
    const parsed = updating("partial", START);
    for (const lesson of LESSON) quick.update(lesson);
    const run = vi.spyOn(FileParser.prototype, "run");
    const text = batch(...MANY, "-A A -m length --length 40:50 -m limit --limit 3/min -j B");
    expect(text.length).toBeGreaterThan(PIECE_TEXT_BYTES);
    quick.update(text);
    expect(run).toHaveBeenCalledTimes(1);
    parsed.update(text);
    expect(quick.print()).toBe(parsed.print());
  });

  it("are known in one engine once they were learned in another of the same thread", () => {
    const text = batch("-A A -m length --length 7:9 -j B");
    updating("incremental", START).update(text);
    const other = updating("incremental", START);
    const run = vi.spyOn(FileParser.prototype, "run");
    other.update(text);
    expect(run).not.toHaveBeenCalled();
  });

  it("may be longer than what is read at a time", () => {
    const quick = updating("incremental", START);
    const parsed = updating("partial", START);
    const text = batch(`# ${"x".repeat(2 * PIECE_TEXT_BYTES)}`, "-F A");
    for (const { update } of [quick, parsed]) update(text);
    expect(quick.print()).toBe(parsed.print());
  });
});

it("is what a change of kube-proxy's is, from the second of its kind on, however many come in one text", () => {
  const workload = kubeProxy({ services: 20 });
  const quick = updating("incremental", workload.ruleset());
  const changes = take(workload.changes(3), 400).map((change) => change.batch);
  const others = changes.splice(40);
  for (const change of changes) quick.update(change);
  const before = quick.print();
  const run = vi.spyOn(FileParser.prototype, "run");
  quick.update(others.join(""));
  expect(run).not.toHaveBeenCalled();
  expect(quick.print()).toBe(before);
});
