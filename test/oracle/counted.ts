/** Rules that only count, under the same packets in an engine and in Linux: which of them have counted otherwise. */
import { Engine, type EngineOptions } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { packetOfWire } from "../../src/netfilter/wire.js";
import { encodePacket } from "../../src/netfilter/packet.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";
import { LOCAL_ADDRESSES } from "./random-pool.js";
import { playTraffic, readCounters, WAY_OUT } from "./traffic.js";

export interface CountedRound {
  readonly family: Family;
  readonly text: string;
  /** Shell commands that make what the rules need in Linux, and what makes it in the engine. */
  readonly setup?: string;
  readonly prepare?: (engine: Engine) => void;
  readonly frames: readonly Frame[];
  readonly options?: EngineOptions;
}

export interface Frame {
  readonly device: string;
  readonly bytes: Uint8Array;
  /** Milliseconds behind the one before. */
  readonly wait?: number;
}

/** By "table chain rule", as iptables-save --counters has them; and each packet's verdict. */
export function engineCounters(round: CountedRound): Map<string, string> {
  const engine = Engine.create({ connections: 256, localAddresses: LOCAL_ADDRESSES, ...round.options });
  round.prepare?.(engine);
  new Updater(engine, { strategy: "full", family: round.family }).load(
    parseRuleset(round.text, { family: round.family }),
  );
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  let time = 1000;
  for (const { device, bytes, wait = 0 } of round.frames) {
    time += wait;
    const packet = packetOfWire(bytes, { input: device, output: WAY_OUT, time });
    if (!packet) throw new Error("no packet of IP");
    pool.set(0, encodePacket(packet));
    pool.setBytes(0, bytes);
    reader.match(pool, 0, 1);
  }
  const [ruleset] = engine.readRuleset();
  if (!ruleset) throw new Error("no ruleset");
  return readCounters(printRuleset(ruleset, { counters: true }));
}

/** A line for each rule of `watched` chains that has counted otherwise than Linux, and how many rules have counted at all. */
export function countedApart(
  rounds: readonly CountedRound[],
  watched: RegExp,
): { apart: string[]; counting: number; rules: number } {
  const played = playTraffic(
    rounds.map(({ frames, prepare: _, options: __, ...round }) => ({
      ...round,
      packets: frames.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString("hex") })),
    })),
  );
  const apart: string[] = [];
  let counting = 0;
  let rules = 0;
  for (const [n, round] of rounds.entries()) {
    const linux = played[n];
    if (!linux || "refused" in linux) {
      apart.push(`round ${n}: Linux refuses: ${linux?.refused}\n${round.text}`);
      continue;
    }
    for (const [rule, ours] of engineCounters(round)) {
      if (!watched.test(rule)) continue;
      rules++;
      if (!ours.startsWith("0:")) counting++;
      const theirs = linux.counters.get(rule);
      if (theirs !== ours) apart.push(`round ${n}: ${rule}: engine ${ours}, Linux ${theirs}\n${round.text}`);
    }
  }
  return { apart, counting, rules };
}

/** An empty table with these rules. */
export function mangle(...rules: string[]): string {
  const chains = "PREROUTING INPUT FORWARD OUTPUT POSTROUTING".split(" ").map((chain) => `:${chain} ACCEPT [0:0]\n`);
  return `*mangle\n${chains.join("")}${rules.map((rule) => `${rule}\n`).join("")}COMMIT\n`;
}
