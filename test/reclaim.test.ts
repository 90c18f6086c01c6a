/** What updates leave behind is freed by those that follow: neither all at once nor slower than it comes. */
import { expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";

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
  const drained = [0, 1].map(() => {
    updater.update({ batch: `*filter\n${adding}COMMIT\n` });
    updater.update({ batch: `*filter\n${removing}COMMIT\n` });
    for (let i = 0; i < 1500; i++) {
      const line = `-${i % 2 ? "D" : "A"} INPUT -s 192.0.2.1/32 -j DROP`;
      // Some seventy records, each given back with a few words.
      expect(updater.update({ batch: `*filter\n${line}\nCOMMIT\n` }).bytesWritten).toBeLessThan(10_000);
    }
    expect(updater.engine.locked(() => kernel.updateReclaim(0x7fffffff))).toBeLessThan(200);
    return updater.engine.memory().liveBytes;
  });
  expect(drained[1]).toBeLessThanOrEqual(drained[0] as number);
});
