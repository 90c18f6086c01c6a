/** Where packets go, against the machine's own kernel: routes, rules, rerouting behind OUTPUT, what comes round by lo. */
import { describe, expect, it } from "vitest";
import { PATH_IN, PATH_OUT } from "../src/blob/layout.js";
import { addressBytes } from "./oracle/address.js";
import { type MachineOutcome, type MachineRound, playInEngine, playOnLinux } from "./oracle/machine.js";
import { blankPacket, type Packet, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { DEVICES, randomEnds, randomMachine, randomRoutedRules } from "./oracle/random-routes.js";
import { trafficMissing } from "./oracle/traffic.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = 30;
const PACKETS = 30;

function makeRound(seed: number): MachineRound {
  const random = new Random(seed);
  const family = random.pick(["ipv4", "ipv6"] as const);
  const packets = Array.from({ length: PACKETS }, (_, i): Packet => {
    const packet = blankPacket(family);
    const outward = random.chance(0.5);
    const { source, destination } = randomEnds(random, family, outward);
    Object.assign(packet, {
      protocol: PROTOCOL_UDP,
      path: outward ? PATH_OUT : PATH_IN,
      input: outward ? "" : random.pick(DEVICES),
      source: addressBytes(source),
      destination: addressBytes(destination),
      sourcePort: 20_000 + i,
      destinationPort: random.pick([1, 2, 3]),
      mark: outward ? random.pick([0, 0, 1, 2]) : 0,
      tos: random.pick([0, 0, 0x10]),
      length: 60,
    });
    return packet;
  });
  return { family, setup: randomMachine(random, family), text: randomRoutedRules(random, family), packets };
}

/** What parted first; undefined for nothing. */
function difference(seed: number, round: MachineRound, linux: MachineOutcome | undefined): string | undefined {
  if (!linux || linux.said) return `seed ${seed}: ${linux?.said}\n${round.text}`;
  const story = `${linux.addresses.replace(/^ +(valid|link).*\n/gm, "")}${linux.rules}${linux.routes}${round.text}`;
  const { results, counters } = playInEngine(round, linux);
  for (const [i, result] of results.entries()) {
    const packet = round.packets[i] as Packet;
    const out = linux.sent[i]?.find(({ protocol }) => protocol === PROTOCOL_UDP);
    const theirs = out ? `${out.device} ${out.source} > ${out.destination}` : "nowhere";
    const sent = result.verdict === "ACCEPT" && result.hook === "POSTROUTING";
    const ours = sent ? `${result.output} ${result.source} > ${result.destination}` : "nowhere";
    const ends = `${addressOf(packet.source)} > ${addressOf(packet.destination)} in ${packet.input} mark ${packet.mark}`;
    if (ours !== theirs)
      return `seed ${seed}: packet ${i}, ${ends}: ours ${ours} (${result.hook} ${result.route}), Linux ${theirs}\n${story}`;
  }
  for (const [rule, counted] of linux.counters)
    if (!rule.startsWith("raw ") && counters.get(rule) !== counted)
      return `seed ${seed}: ${rule}: ours ${counters.get(rule)}, Linux ${counted}\n${story}`;
  return undefined;
}

const addressOf = (bytes: Uint8Array): string =>
  bytes.length === 4 ? bytes.join(".") : Buffer.from(bytes).toString("hex");

describe("routing", () => {
  it.skipIf(missing)(
    `sends packets of random machines where Linux sends them, and its rules count the same${skipped}`,
    () => {
      const rounds = Array.from({ length: ROUNDS }, (_, seed) => makeRound(seed));
      const outcomes = playOnLinux(rounds);
      const found = rounds.flatMap((round, seed) => difference(seed, round, outcomes[seed]) ?? []);
      expect(found.length, found[0]).toBe(0);
    },
    170_000,
  );
});
