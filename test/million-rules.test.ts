/** A ruleset of 1,000,000 rules loads, is replaced and edited in the memory that is allowed a rule. */
import { expect, it } from "vitest";
import * as M from "../src/blob/memory.js";
import { Engine } from "../src/engine/engine.js";
import { Updater } from "../src/update/updater.js";

const RULES = 1_000_000;

function text(): Uint8Array {
  const lines = [
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:long - [0:0]\n-A INPUT -j long\n",
  ];
  for (let i = 0; i < RULES; i++)
    lines.push(
      `-A long -d 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32 -p tcp -m tcp --dport ${1 + (i % 60_000)} -j DROP\n`,
    );
  return new TextEncoder().encode(`${lines.join("")}COMMIT\n`);
}

it("1,000,000 rules load, are replaced and edited: under 250 bytes a rule, under 2.2 times that at the most", () => {
  const engine = Engine.create({ classifier: "tuple-space" });
  const file = text();
  const full = new Updater(engine, { strategy: "full", family: "ipv4" });
  full.update({ ruleset: file });
  const { liveBytes } = engine.memory();
  expect(liveBytes / RULES).toBeLessThan(250);
  engine.data().setUint32(M.CONTROL_ADDRESS + M.CONTROL_PEAK_BYTES, liveBytes, true);
  full.update({ ruleset: file });
  expect(engine.memory().liveBytes).toBeLessThan(1.05 * liveBytes);
  expect(engine.memory().peakBytes).toBeLessThan(2.2 * liveBytes);
  const incremental = new Updater(engine, { strategy: "incremental", family: "ipv4" });
  for (const line of [
    "-I long 500000 -s 192.0.2.1/32 -j DROP",
    "-D long 500000",
    "-D long 1",
    "-A long -p udp -j DROP",
  ]) {
    const report = incremental.update({ batch: `*filter\n${line}\nCOMMIT\n` });
    expect(report.bytesWritten).toBeLessThan(8000);
    expect(report.recordsWalked).toBeLessThan(300);
  }
}, 170_000);
