/** Rules with sets beside the oracle, which looks through lists of elements. */
import { describe, expect, it } from "vitest";
import { PACKET_FLAG_MAC, PACKET_FLAG_ODD } from "../src/blob/layout.js";
import type { Family } from "../src/ruleset/row-store.js";
import { difference, shrink } from "./oracle/compare.js";
import type { Packet } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { mangleOf, randomSetPacket } from "./oracle/random-set-packet.js";
import { randomSets, SET_DEVICES, SET_MACS } from "./oracle/random-sets.js";

const RULESETS = 120;
const PACKETS = 40;

function randomPacket(random: Random, family: Family, time: number): Packet {
  const packet = randomSetPacket(random, family);
  const [input, output] = [random.pick(SET_DEVICES), random.pick(SET_DEVICES)];
  Object.assign(packet, { input, output, mark: random.below(3), time });
  if (random.chance(0.7)) {
    packet.mac = Uint8Array.from(random.pick(SET_MACS).split(":"), (byte) => Number.parseInt(byte, 16));
    packet.flags |= PACKET_FLAG_MAC;
  }
  const oddity = random.next() % 20;
  if (oddity === 0) packet.flags |= PACKET_FLAG_ODD;
  if (oddity === 1) packet.fragmentOffset = 185;
  return packet;
}

describe("rules with sets", () => {
  it(`of ${RULESETS} random chains count, and leave in their sets, what the oracle's do, by any classifier`, () => {
    for (let seed = 0; seed < RULESETS; seed++) {
      const random = new Random(seed);
      const family = random.pick(["ipv4", "ipv6"] as const);
      const { text: sets, rules } = randomSets(random, family);
      const text = mangleOf(rules);
      let time = 1000;
      const packets = Array.from({ length: PACKETS }, () => {
        time += random.pick([0, 1, 100, 1000, 40_000]);
        return randomPacket(random, family, time);
      });
      const found = difference(family, text, packets, sets);
      if (found) expect.fail(`seed ${seed}, ${family}\n${sets}${shrink(family, text, packets, sets)}`);
    }
  }, 240_000);
});
