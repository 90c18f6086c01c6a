/** What updates leave behind is freed by a writer that has time, or by those that follow: neither all at once nor slower than it comes. */
import { expect, it } from "vitest";
import * as L from "../src/blob/layout.js";
import * as M from "../src/blob/memory.js";
import { Engine } from "../src/engine/engine.js";
import { listIdleTimers } from "../src/engine/idle-timers.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";

/** Records that may wait for a writer that has time. */
const LATER = 1024;
const RULES = 2000;
const rules = (chain: string, shift: number): string =>
  Array.from({ length: RULES }, (_, i) => `-A ${chain} -s 10.${shift}.${i >> 8}.${i & 255}/32 -j DROP\n`).join("");
const table = (lines: string): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n:long - [0:0]\n-A INPUT -j long\n${lines}COMMIT\n`;

function loaded(): Updater {
  const updater = new Updater(Engine.create(), { strategy: "incremental" });
  updater.load(parseRuleset(table(rules("long", 0)), { family: "ipv4" }));
  return updater;
}

it("restating a chain again and again takes no more memory than two of it", () => {
  const updater = loaded();
  const sizes: number[] = [];
  for (let i = 1; i <= 20; i++) {
    updater.update({ batch: `*filter\n:long - [0:0]\n${rules("long", i)}COMMIT\n` });
    sizes.push(updater.engine.memory().liveBytes);
  }
  expect(sizes.at(-1)).toBeLessThan(1.1 * (sizes[4] as number));
});

it("small updates behind a large removal free a part of it each, and in the end all is freed", () => {
  const updater = loaded();
  const { kernel } = updater.engine;
  const adding = Array.from({ length: 10 }, (_, i) => `:c${i} - [0:0]\n${rules(`c${i}`, i)}`).join("");
  const removing = Array.from({ length: 10 }, (_, i) => `-F c${i}\n-X c${i}\n`).join("");
  const drained = [0, 1, 2].map(() => {
    updater.update({ batch: `*filter\n${adding}COMMIT\n` });
    updater.update({ batch: `*filter\n${removing}COMMIT\n` });
    for (let i = 0; i < 1500; i++) {
      const line = `-${i % 2 ? "D" : "A"} INPUT -s 192.0.2.1/32 -j DROP`;
      // Some seventy records, each given back with a few words.
      expect(updater.update({ batch: `*filter\n${line}\nCOMMIT\n` }).bytesWritten).toBeLessThan(10_000);
    }
    expect(updater.engine.locked(() => kernel.updateReclaim(0x7fffffff))).toBeLessThan(LATER + 200);
    return updater.engine.memory().liveBytes;
  });
  // What waited at the first round's end took a place of its own in the second.
  expect(drained[2]).toBeLessThanOrEqual(drained[1] as number);
});

it("chains that come with their rules, are changed and go leave no memory behind", () => {
  const updater = loaded();
  const sizes: number[] = [];
  const update = (...lines: string[]) => updater.update({ batch: `*filter\n${lines.join("\n")}\nCOMMIT\n` });
  for (let i = 0; i < 4000; i++) {
    const name = `svc${i % 7}`;
    const rules = [1, 2, 3].map((n) => `-A ${name} -s 192.0.2.${n}/32 -m comment --comment "of ${n}" -j DROP`);
    update(`:${name} - [0:0]`, ...rules, `-I INPUT -j ${name}`);
    if (i % 2 === 0) update(`-D ${name} ${1 + (i % 3)}`, `-A ${name} -s 198.51.100.1/32 -j DROP`);
    if (i % 3 === 0) update(`:${name} - [0:0]`, ...rules.slice(1));
    if (i % 5 === 0) update(`-E ${name} other`, `-E other ${name}`);
    update(`-D INPUT -j ${name}`, `-F ${name}`, `-X ${name}`);
    updater.reclaim();
    sizes.push(updater.engine.memory().liveBytes);
  }
  expect(sizes.at(-1)).toBe(sizes[200]);
});

it("chains that go with their rules leave the blob's memory to what comes next", () => {
  const updater = new Updater(Engine.create(), { strategy: "incremental" });
  const names = Array.from({ length: 500 }, (_, n) => `c${n}`);
  const chains = names.flatMap((name) => [1, 2, 3].map((n) => `-A ${name} -s 192.0.2.${n}/32 -j DROP\n`));
  const text = `*filter\n:INPUT ACCEPT [0:0]\n${names.map((name) => `:${name} - [0:0]\n`).join("")}${chains.join("")}COMMIT\n`;
  updater.load(parseRuleset(text, { family: "ipv4" }));
  const { engine } = updater;
  const word = (at: number): number => engine.data().getUint32(at, true);
  const root = word(M.CONTROL_ADDRESS + M.CONTROL_ROOT);
  const tables = Array.from({ length: M.ROOT_FAMILY_COUNT * L.TABLE_COUNT }, (_, n) =>
    word(root + M.ROOT_TABLES + 4 * n),
  );
  const table = tables.find((at) => at !== 0) as number;
  const chainsBytes = word(table + L.BLOB_TEXT) - L.BLOB_HEADER_SIZE;
  updater.update({ batch: `*filter\n${names.map((name) => `-F ${name}\n-X ${name}\n`).join("")}COMMIT\n` });
  engine.locked(() => engine.kernel.updateReclaim(0x7fffffff));
  let free = 0;
  for (let size = 1; size <= M.ARENA_CLASSES; size++)
    for (let at = word(word(table + L.BLOB_ARENA) + M.ARENA_FREE + 4 * (size - 1)); at !== 0; at = word(at))
      free += 16 * size;
  // Ends that are no multiple of sixteen are lost.
  expect(free).toBeGreaterThan(0.8 * chainsBytes);
});

const ONE = { there: "-A INPUT -s 192.0.2.1/32 -j DROP", back: "-D INPUT -s 192.0.2.1/32 -j DROP" };

it("a writer that has time frees all, which is then no part of an update", () => {
  const updater = loaded();
  const change = (line: string) => updater.update({ batch: `*filter\n${line}\nCOMMIT\n` });
  const sizes: number[] = [];
  for (let i = 0; i < 2 * LATER; i++) {
    const { bytesWritten } = change(i % 2 === 0 ? ONE.there : ONE.back);
    const freed = updater.reclaim();
    expect(freed.bytesWritten).toBeGreaterThan(0);
    if (i < 4) continue;
    // Nothing is left for an update to free, so each is alike.
    expect(bytesWritten).toBeLessThan(1000);
    if (i % 2 === 1) sizes.push(updater.engine.memory().liveBytes);
  }
  expect(new Set(sizes).size).toBe(1);
  expect(updater.reclaim()).toEqual({ bytesWritten: 0, recordsTouched: 0, recordsWalked: 0 });
});

it("without such a writer so much waits and no more", () => {
  const updater = loaded();
  const { kernel } = updater.engine;
  for (let i = 0; i < 4 * LATER; i++)
    updater.update({ batch: `*filter\n${i % 2 === 0 ? ONE.there : ONE.back}\nCOMMIT\n` });
  const waiting = updater.engine.locked(() => kernel.updateReclaim(0x7fffffff));
  expect(waiting).toBeGreaterThan(LATER / 2);
  expect(waiting).toBeLessThanOrEqual(LATER);
});

it("nothing is freed that a reader may be at", () => {
  const updater = loaded();
  const { engine } = updater;
  const line = M.READERS_ADDRESS >> 2;
  const words = engine.words();
  // A reader inside a walk that began before the change.
  Atomics.store(words, line + (M.READER_GENERATION >> 2), engine.generation());
  Atomics.add(words, line + (M.READER_SEQUENCE >> 2), 1);
  updater.update({ batch: "*filter\n-F long\nCOMMIT\n" });
  expect(updater.reclaim().bytesWritten).toBe(0);
  Atomics.add(words, line + (M.READER_SEQUENCE >> 2), 1);
  expect(updater.reclaim().bytesWritten).toBeGreaterThan(RULES);
});

it("what keeps an object is freed with its rule, also behind others that wait, and by the next update where a reader was at it", () => {
  const updater = loaded();
  const { engine } = updater;
  const change = (line: string) => updater.update({ batch: `*filter\n${line}\nCOMMIT\n` });
  const timers = (): string[] => listIdleTimers(engine, 0).map(({ label }) => label);
  const timer = "INPUT -j IDLETIMER --timeout 60 --label one";
  for (let i = 0; i < 200; i++) change(i % 2 === 0 ? ONE.there : ONE.back);
  change(`-A ${timer}`);
  expect(timers()).toEqual(["one"]);
  change(`-D ${timer}`);
  expect(timers()).toEqual([]);

  // By whichever writer: what is urgent is no thread's own.
  const other = new Updater(Engine.attach(engine.handle), { strategy: "incremental" });
  const words = engine.words();
  const line = M.READERS_ADDRESS >> 2;
  for (const [writer, next] of [
    [updater, ONE.there],
    [other, ONE.back],
  ] as const) {
    change(`-A ${timer}`);
    Atomics.store(words, line + (M.READER_GENERATION >> 2), engine.generation());
    Atomics.add(words, line + (M.READER_SEQUENCE >> 2), 1);
    change(`-D ${timer}`);
    expect(timers()).toEqual(["one"]);
    Atomics.add(words, line + (M.READER_SEQUENCE >> 2), 1);
    writer.update({ batch: `*filter\n${next}\nCOMMIT\n` });
    expect(timers()).toEqual([]);
  }
});
