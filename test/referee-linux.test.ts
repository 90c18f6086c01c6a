/**
 * The live kernel as referee: random rulesets, real packets, every rule's counters and what leaves the machine.
 *
 * RULESWAP_ROUNDS, RULESWAP_PACKETS and RULESWAP_SEED make it as long as one likes: rulesets of each plan, packets each,
 * and the first seed. What parts us is shrunk and kept in test/referee/cases, whose cases are played every time.
 */
import { describe, expect, it } from "vitest";
import { trafficMissing } from "./oracle/traffic.js";
import { judge } from "./referee/judge.js";
import { makeCase, NEW_CONNECTIONS, type Plan, UNDER_NFT, WITHOUT_CONNECTIONS } from "./referee/plan.js";
import { keep, keptCases, shrink } from "./referee/shrink.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";

const ROUNDS = setting("ROUNDS", 40);
const PACKETS = setting("PACKETS", 40);
const SEED = setting("SEED", 0);
/** Rulesets that one namespace plays. */
const BATCH = 40;

function play(plan: Plan, tool: "legacy" | "nft", rounds: number, count: number): number {
  let packets = 0;
  for (let first = 0; first < rounds; first += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, rounds - first) }, (_, nth) => SEED + first + nth);
    const cases = seeds.map((seed) => makeCase(seed, plan, count));
    packets += cases.reduce((sum, one) => sum + one.packets.length, 0);
    judge(cases, tool).forEach((found, nth) => {
      if (found === undefined) return;
      console.log(`seed ${seeds[nth]}: ${found}`);
      const small = shrink(cases[nth] as (typeof cases)[0], tool);
      expect.fail(`seed ${seeds[nth]}, kept as ${keep(small)}\n${judge([small], tool)[0] ?? found}\n${small.text}`);
    });
  }
  return packets;
}

const LIMIT_MS = 60_000 + 40 * ROUNDS * PACKETS;

describe.skipIf(missing !== undefined)(`Linux, the oracle and the engine agree${skipped}`, () => {
  it(
    "about packets that are no connection's",
    () => {
      console.log(`${ROUNDS} rulesets, ${play(WITHOUT_CONNECTIONS, "legacy", ROUNDS, PACKETS)} packets`);
    },
    LIMIT_MS,
  );

  it(
    "about the same under iptables-nft",
    () => {
      play(UNDER_NFT, "nft", Math.ceil(ROUNDS / 4), PACKETS);
    },
    LIMIT_MS,
  );

  it(
    "about new connections with NAT",
    () => {
      console.log(`${ROUNDS} rulesets, ${play(NEW_CONNECTIONS, "legacy", ROUNDS, PACKETS)} connections`);
    },
    LIMIT_MS,
  );

  it("about every case that once parted them", () => {
    const kept = keptCases();
    const found = judge(
      kept.map(([, one]) => one),
      "legacy",
    );
    expect(kept.flatMap(([name], nth) => (found[nth] === undefined ? [] : [`${name}: ${found[nth]}`]))).toEqual([]);
  }, 60_000);
});
