/** Random matches on header fields and on what the link layer says. */
import { HOOK_FORWARD, HOOK_INPUT, HOOK_OUTPUT, HOOK_POSTROUTING, HOOK_PREROUTING } from "../../src/blob/layout.js";
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, together } from "./random-condition.js";
import { carryOption } from "./random-protocol.js";
import { hex, SEGMENT_SIZES, TOS_VALUES, TTLS } from "./random-pool.js";

export function randomTtl(random: Random, { family }: Place): Condition {
  const name = family === "ipv4" ? "ttl" : "hl";
  const value = random.pick(TTLS);
  const [comparison, ttl] = random.pick([
    ["eq", value],
    ["lt", Math.max(0, value - 1)],
    ["gt", Math.min(255, value + 1)],
  ] as const);
  const inner: Condition = {
    text: `--${name}-${comparison} ${value}`,
    aim: (packet) => {
      packet.ttl = ttl;
    },
  };
  return together(`-m ${name}`, [comparison === "eq" ? maybeNot(random, inner) : inner]);
}

export function randomTos(random: Random): Condition {
  const mask = random.pick([0xff, 0xff, 0x3f, 0xfc, 0x10]);
  const value = random.pick(TOS_VALUES) & mask;
  const inner = maybeNot(random, {
    text: `--tos ${hex(value)}/${hex(mask)}`,
    aim: (packet) => {
      packet.tos = (packet.tos & ~mask) | value;
    },
  });
  return together("-m tos", [inner]);
}

export function randomDscp(random: Random): Condition {
  const value = random.pick(TOS_VALUES) >> 2;
  const inner = maybeNot(random, {
    text: `--dscp ${value}`,
    aim: (packet) => {
      packet.tos = (value << 2) | random.below(4);
    },
  });
  return together("-m dscp", [inner]);
}

const LINK_TYPES = ["unicast", "broadcast", "multicast", "otherhost"];

export function randomPkttype(random: Random): Condition {
  const type = random.below(LINK_TYPES.length);
  const inner = maybeNot(random, {
    text: `--pkt-type ${LINK_TYPES[type]}`,
    aim: (packet) => {
      packet.type = type;
    },
  });
  return together("-m pkttype", [inner]);
}

/** Behind `-p tcp` only. */
export function randomSegmentSize(random: Random): Condition {
  const [min, max] = [random.pick(SEGMENT_SIZES), random.pick(SEGMENT_SIZES)].sort((a, b) => a - b) as [number, number];
  const inner = maybeNot(random, {
    text: `--mss ${random.chance(0.3) ? min : `${min}:${max}`}`,
    aim: (packet) => {
      carryOption(packet, 2);
      packet.mss = Math.max(1, min);
    },
  });
  return together("-m tcpmss", [inner]);
}

/** A direction that every hook of the place has. */
export function randomPolicy(random: Random, { hooks }: Place): Condition {
  const coming = [...hooks].every((hook) => hook === HOOK_PREROUTING || hook === HOOK_INPUT || hook === HOOK_FORWARD);
  const wanted = random.pick(["--pol none", "--pol none", "--pol ipsec", "--pol ipsec --mode tunnel --proto esp"]);
  return { text: `-m policy --dir ${coming ? "in" : "out"} ${wanted}`, aim: () => undefined };
}

/** Hooks of a place all come before routing, or all behind it. */
export function hasPolicyDirection({ hooks }: Place): boolean {
  const coming = [HOOK_PREROUTING, HOOK_INPUT].some((hook) => hooks.has(hook));
  const going = [HOOK_OUTPUT, HOOK_POSTROUTING].some((hook) => hooks.has(hook));
  return !coming || !going;
}
