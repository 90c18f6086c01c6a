/** The shared heap's end: what is read a word at a time may begin with its last byte. */
import { expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Updater } from "../src/update/updater.js";

it("leaves some bytes of memory behind whatever is allocated, however it fits into pages", () => {
  const engine = Engine.create();
  engine.locked(() => {
    for (let kibibytes = 4; kibibytes <= 256; kibibytes += 4) {
      const size = kibibytes * 1024;
      const at = engine.kernel.updateAllocate(size) >>> 0;
      expect(engine.handle.memory.buffer.byteLength - (at + size)).toBeGreaterThanOrEqual(64);
    }
  });
});

it("hashes the names of a batch wherever the batch ends", () => {
  for (let chains = 1000; chains < 3000; chains += 40) {
    const engine = Engine.create();
    const names = Array.from({ length: chains }, (_, n) => `C${n}`);
    const batch = `*filter\n${names.map((name) => `:${name} - [0:0]\n-A ${name} -j RETURN\n`).join("")}COMMIT\n`;
    new Updater(engine, { strategy: "incremental", family: "ipv4" }).update({ batch: new TextEncoder().encode(batch) });
    expect(engine.readRuleset()[0]?.tables.get("filter")?.chains.size).toBe(chains + 3);
  }
});
