/** A random rule in its place: conditions, then a target or a jump. */
import { HOOK_INPUT, HOOK_OUTPUT, HOOK_POSTROUTING, HOOK_PREROUTING } from "../../src/blob/layout.js";
import { PROTOCOL_TCP, type Packet } from "./packet.js";
import type { Random } from "./random.js";
import {
  type Condition,
  type Place,
  randomDestination,
  randomFragment,
  randomInput,
  randomOutput,
  randomSource,
} from "./random-condition.js";
import { randomMatch } from "./random-match.js";
import { NO_PROTOCOL, type Protocol, protocolAlone, randomProtocol } from "./random-protocol.js";
import { randomTarget } from "./random-target.js";

export interface RandomRule {
  /** From "-A" on. */
  readonly text: string;
  /** Makes a packet fit the rule's conditions that are not negated. */
  aim(packet: Packet): void;
}

/** A rule of any form. `target` replaces the random one: a jump. */
export function randomRule(random: Random, place: Place, target?: string): RandomRule {
  if (!target && place.table === "mangle" && random.chance(0.05)) return mssRule(random, place);
  const conditions: Condition[] = [];
  if (random.chance(0.35)) conditions.push(randomSource(random, place));
  if (random.chance(0.45)) conditions.push(randomDestination(random, place));
  if (allowsInput(place) && random.chance(0.25)) conditions.push(randomInput(random));
  if (allowsOutput(place) && random.chance(0.25)) conditions.push(randomOutput(random));
  let protocol: Protocol = NO_PROTOCOL;
  if (random.chance(0.6)) {
    protocol = randomProtocol(random, place);
    conditions.push(...protocol.conditions);
  } else if (place.family === "ipv4" && random.chance(0.08)) conditions.push(randomFragment(random));
  while (random.chance(0.3)) addMatch(random, place, conditions);
  return asRule(place, conditions, target ?? randomTarget(random, place, protocol));
}

/** One match of a kind: iptables muddles the options of two matches that share a name, as mark and connmark do. */
function addMatch(random: Random, place: Place, conditions: Condition[]): void {
  const match = randomMatch(random, place);
  const kind = match.text.split(" ", 2).join(" ");
  if (!conditions.some((condition) => condition.text.startsWith(kind))) conditions.push(match);
}

/** A rule of one shape, as a long list of services or blocked addresses has: what an index is made for. */
export function similarRule(random: Random, place: Place, shape: number, target?: string): RandomRule {
  const conditions: Condition[] = [];
  if (shape & 1) conditions.push(randomDestination(random, place));
  if (shape & 2) conditions.push(randomSource(random, place));
  let protocol: Protocol = NO_PROTOCOL;
  if (shape & 4) {
    protocol = randomProtocol(random, place);
    conditions.push(...protocol.conditions);
  }
  if (shape & 8) addMatch(random, place, conditions);
  return asRule(place, conditions, target ?? randomTarget(random, place, protocol));
}

function mssRule(random: Random, place: Place): RandomRule {
  const syn: Condition = {
    text: "-m tcp --tcp-flags SYN,RST SYN",
    aim: (packet) => {
      packet.tcpFlags = 2;
      packet.tcpOptions = (packet.tcpOptions | 4) >>> 0;
      packet.tcpDataOffset = 40;
      packet.mss = 1460;
    },
  };
  const conditions = [randomDestination(random, place), protocolAlone(PROTOCOL_TCP, "tcp"), syn];
  return asRule(place, conditions, `-j TCPMSS --set-mss ${random.pick([536, 1400, 9000])}`);
}

function asRule(place: Place, conditions: readonly Condition[], target: string): RandomRule {
  return {
    text: [`-A ${place.chain}`, ...conditions.map((condition) => condition.text), target].filter(Boolean).join(" "),
    aim: (packet) => {
      for (const condition of conditions) condition.aim(packet);
    },
  };
}

/** iptables refuses -i in the chains OUTPUT and POSTROUTING themselves, and -o where nothing is routed yet. */
function allowsInput(place: Place): boolean {
  return !place.builtIn || !(place.hooks.has(HOOK_OUTPUT) || place.hooks.has(HOOK_POSTROUTING));
}

function allowsOutput(place: Place): boolean {
  return !place.builtIn || !(place.hooks.has(HOOK_PREROUTING) || place.hooks.has(HOOK_INPUT));
}
