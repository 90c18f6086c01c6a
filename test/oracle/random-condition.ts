/** One condition of a random rule: its words, and how to make a packet that it takes (when it is not negated). */
import { HOOK_OUTPUT, PACKET_FLAG_ODD } from "../../src/blob/layout.js";
import type { Family } from "../../src/ruleset/row-store.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import { addressUnder, DEVICE_PATTERNS, randomPorts, randomPrefix } from "./random-pool.js";
import type { Packet } from "./packet.js";
import type { Random } from "./random.js";

export interface Condition {
  readonly text: string;
  aim(packet: Packet): void;
}

/** Where a rule stands: what decides which matches and targets Linux accepts there. */
export interface Place {
  readonly family: Family;
  readonly table: TableName;
  readonly chain: string;
  readonly builtIn: boolean;
  /** Hooks that reach the chain. */
  readonly hooks: ReadonlySet<number>;
  /** Nothing that remembers packets. */
  readonly forgetful: boolean;
}

/** "! " in one of eight, with an aim that then leaves the packet alone. */
export function maybeNot(random: Random, condition: Condition): Condition {
  if (!random.chance(0.125)) return condition;
  return { text: `! ${condition.text}`, aim: () => undefined };
}

export function randomSource(random: Random, { family }: Place): Condition {
  const { text, address, bits } = randomPrefix(random, family);
  return maybeNot(random, {
    text: `-s ${text}`,
    aim: (packet) => {
      packet.source = addressUnder(random, family, address, bits);
    },
  });
}

export function randomDestination(random: Random, { family }: Place): Condition {
  const { text, address, bits } = randomPrefix(random, family);
  return maybeNot(random, {
    text: `-d ${text}`,
    aim: (packet) => {
      packet.destination = addressUnder(random, family, address, bits);
    },
  });
}

/** A name that a pattern takes. */
function deviceFor(random: Random, pattern: string): string {
  return pattern.endsWith("+") ? pattern.slice(0, -1) + random.pick(["", "0", "1"]) : pattern;
}

export function randomInput(random: Random): Condition {
  const pattern = random.pick(DEVICE_PATTERNS);
  return maybeNot(random, {
    text: `-i ${pattern}`,
    aim: (packet) => {
      packet.input = deviceFor(random, pattern);
    },
  });
}

export function randomOutput(random: Random): Condition {
  const pattern = random.pick(DEVICE_PATTERNS);
  return maybeNot(random, {
    text: `-o ${pattern}`,
    aim: (packet) => {
      packet.output = deviceFor(random, pattern);
    },
  });
}

/** -f: second and later fragments. */
export function randomFragment(random: Random): Condition {
  return maybeNot(random, {
    text: "-f",
    aim: (packet) => {
      packet.fragmentOffset = random.pick([1, 2, 185]);
      if (packet.fragmentOffset === 1) packet.flags |= PACKET_FLAG_ODD;
    },
  });
}

export function randomPhysdev(random: Random, place: Place): Condition {
  const outputAllowed = !place.hooks.has(HOOK_OUTPUT);
  const parts: Condition[] = [];
  const add = (text: string, aim: Condition["aim"]): void => {
    parts.push(maybeNot(random, { text, aim }));
  };
  const input = random.pick(DEVICE_PATTERNS);
  const output = random.pick(DEVICE_PATTERNS);
  const comesIn = (packet: Packet): void => {
    packet.physicalInput = deviceFor(random, input);
  };
  const goesOut = (packet: Packet): void => {
    packet.physicalOutput = deviceFor(random, output);
  };
  if (random.chance(0.5)) add(`--physdev-in ${input}`, comesIn);
  if (random.chance(0.2)) add("--physdev-is-in", comesIn);
  if (random.chance(0.3)) add("--physdev-is-bridged", goesOut);
  if (outputAllowed && random.chance(0.4)) add(`--physdev-out ${output}`, goesOut);
  if (outputAllowed && random.chance(0.2)) add("--physdev-is-out", goesOut);
  if (parts.length === 0) add(`--physdev-in ${input}`, comesIn);
  return together("-m physdev", parts);
}

/** Several options of one match as one condition. */
export function together(head: string, parts: readonly Condition[]): Condition {
  return {
    text: [head, ...parts.map((part) => part.text)].join(" "),
    aim: (packet) => {
      for (const part of parts) part.aim(packet);
    },
  };
}

/** "--dport 80" and its like, aimed at one of the two ports. */
export function randomPortOption(random: Random, option: string, field: "sourcePort" | "destinationPort"): Condition {
  const { text, min, max } = randomPorts(random);
  return maybeNot(random, {
    text: `${option} ${text}`,
    aim: (packet) => {
      packet[field] = random.pick([min, max, random.between(min, max)]);
    },
  });
}
