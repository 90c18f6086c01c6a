/** Random packets: nine of ten aimed at a rule, through the jumps that lead to it. */
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_UNTRACKED,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  PACKET_FLAG_MAC,
  PACKET_FLAG_MORE,
  PACKET_FLAG_ODD,
  PACKET_FLAG_OPTIONS_CUT,
  PACKET_FLAG_SOCKET,
  PATH_HOOK,
  PATH_IN,
  PATH_OUT,
} from "../../src/blob/layout.js";
import { addressBytes } from "./address.js";
import { blankPacket, type Packet, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP } from "./packet.js";
import type { Random } from "./random.js";
import {
  DEVICES,
  LENGTHS,
  LOCAL_ADDRESSES,
  MACS,
  MARKS,
  PORTS,
  randomAddress,
  SEGMENT_SIZES,
  TOS_VALUES,
  TTLS,
} from "./random-pool.js";
import type { RandomChain, RandomRuleset } from "./random-ruleset.js";
import type { RandomRule } from "./random-rule.js";
import { wireBytes } from "./wire.js";

/** `time` is the packet's clock in milliseconds. */
export function randomPacket(random: Random, ruleset: RandomRuleset, time: number): Packet {
  const packet = anyPacket(random, ruleset);
  packet.time = time;
  const chains = ruleset.chains.filter((chain) => chain.rules.length > 0 && chain.hooks.size > 0);
  if (chains.length > 0 && random.chance(0.9)) {
    const chain = random.pick(chains);
    aim(random, packet, chain, random.pick(chain.rules));
  }
  hideDevices(packet);
  if (packet.protocol === PROTOCOL_ICMP || packet.protocol === PROTOCOL_ICMPV6) {
    packet.sourcePort &= 255;
    packet.destinationPort &= 255;
  }
  if (packet.protocol === PROTOCOL_TCP && random.chance(0.03)) cutOptions(random, packet);
  // No shorter than its own headers.
  const header = (packet.family === "ipv4" ? 20 : 40) + (packet.protocol === PROTOCOL_TCP ? packet.tcpDataOffset : 0);
  packet.length = Math.max(packet.length, header);
  if (packet.data.length > 0 || packet.extensions.length > 0 || random.chance(0.2)) packet.bytes = wireBytes(packet);
  return packet;
}

function anyPacket(random: Random, { family }: RandomRuleset): Packet {
  const packet = blankPacket(family);
  const icmp = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  packet.protocol = random.pick([6, 6, 17, icmp, 132, 47]);
  packet.source = addressBytes(randomAddress(random, family));
  packet.destination = addressBytes(randomAddress(random, family));
  packet.sourcePort = packet.protocol === icmp ? random.pick([0, 3, 8, 128]) : random.pick(PORTS);
  packet.destinationPort = packet.protocol === icmp ? random.below(4) : random.pick(PORTS);
  packet.input = random.pick(DEVICES);
  packet.output = random.pick(DEVICES);
  packet.length = random.pick(LENGTHS);
  packet.ttl = random.pick(TTLS);
  packet.tos = random.pick(TOS_VALUES);
  packet.type = random.pick([0, 0, 0, 1, 2, 3, 5]);
  packet.priority = random.pick([0, 0, 6]);
  packet.tcpFlags = random.pick([2, 16, 18, 4, 17, 0]);
  packet.mark = random.chance(0.3) ? random.pick(MARKS) : 0;
  packet.ctMark = random.chance(0.3) ? random.pick(MARKS) : 0;
  packet.ctState = random.pick([
    CT_STATE_NEW,
    CT_STATE_NEW,
    CT_STATE_NEW,
    CT_STATE_ESTABLISHED,
    CT_STATE_RELATED,
    CT_STATE_INVALID,
    CT_STATE_UNTRACKED,
  ]);
  if (random.chance(0.3)) {
    packet.flags |= PACKET_FLAG_MAC;
    packet.mac = Uint8Array.from(
      random
        .pick(MACS)
        .split(":")
        .map((byte) => Number.parseInt(byte, 16)),
    );
  }
  if (random.chance(0.2)) {
    packet.flags |= PACKET_FLAG_SOCKET;
    packet.uid = random.pick([0, 1000, 1003, 1006]);
    packet.gid = random.pick([0, 1000, 1003, 1006]);
  }
  if (random.chance(0.2)) packet.mss = random.pick(SEGMENT_SIZES);
  if (random.chance(0.1)) packet.physicalInput = random.pick(DEVICES);
  if (random.chance(0.1)) packet.physicalOutput = random.pick(DEVICES);
  packet.path = random.chance(0.5) ? PATH_IN : PATH_OUT;
  if (random.chance(0.04)) makeOdd(random, packet);
  return packet;
}

/** A later fragment, one at offset 1, or a first one whose transport header is cut. */
function makeOdd(random: Random, packet: Packet): void {
  packet.fragmentOffset = random.pick([0, 1, 2, 185]);
  if (packet.fragmentOffset < 2) packet.flags |= PACKET_FLAG_ODD;
  packet.fragmentId = random.below(2 ** 32);
}

/** The packet in two or three pieces, in any order, some of them too long, missing or there twice. Their bytes are not known. */
export function inFragments(random: Random, packet: Packet, id: number): Packet[] {
  const headers = packet.family === "ipv4" ? 20 : 40;
  const units = random.between(1, 4);
  const first = 8 * units + (random.chance(0.1) ? 4 : 0);
  const more = packet.flags | PACKET_FLAG_MORE;
  const rest = { ...packet, tcpOptions: 0, mss: 0, bytes: undefined, fragmentId: id, fragmentOffset: units };
  const pieces: Packet[] = [
    { ...rest, ...packet, bytes: undefined, fragmentId: id, flags: more, fragmentOffset: 0, length: headers + first },
    { ...rest, length: headers + random.pick([1, 8, 700]) },
  ];
  if (random.chance(0.3)) {
    pieces.splice(1, 1, { ...rest, flags: more, length: headers + 16 });
    pieces.push({ ...rest, fragmentOffset: units + 2, length: headers + random.below(100) });
  }
  if (random.chance(0.2)) pieces.push(random.pick(pieces));
  if (random.chance(0.1)) pieces.splice(random.below(pieces.length), 1);
  if (random.chance(0.2)) for (const piece of pieces) piece.tos = random.pick(TOS_VALUES);
  return random.chance(0.5) ? pieces : pieces.reverse();
}

/** TCP's header says less than 20 bytes, or more than there are. */
function cutOptions(random: Random, packet: Packet): void {
  packet.flags |= PACKET_FLAG_OPTIONS_CUT;
  packet.tcpDataOffset = random.pick([0, 16, 24, 60]);
}

/** Fits the packet to a way of jumps from a built-in chain to the rule, the outermost rule first. */
function aim(random: Random, packet: Packet, chain: RandomChain, rule: RandomRule): void {
  const way: RandomRule[] = [rule];
  let place = chain;
  while (!place.builtIn) {
    const reached = place.callers.filter((caller) => caller.chain.hooks.size > 0);
    const caller = random.pick(reached);
    way.unshift(caller.rule);
    place = caller.chain;
  }
  for (const step of way) step.aim(packet);
  const [hook = 0] = place.hooks;
  if (random.chance(0.6)) packet.path = PATH_HOOK + hook;
  else packet.path = hook === HOOK_OUTPUT || (hook === HOOK_POSTROUTING && random.chance(0.5)) ? PATH_OUT : PATH_IN;
  const local = LOCAL_ADDRESSES.map(addressBytes).filter((bytes) => bytes.length === packet.destination.length);
  if (packet.path === PATH_IN && hook === HOOK_INPUT && random.chance(0.5)) packet.destination = random.pick(local);
}

/** A packet at one hook alone has the devices that Linux would show there. */
function hideDevices(packet: Packet): void {
  const hook = packet.path - PATH_HOOK;
  if (packet.path === PATH_OUT || hook === HOOK_OUTPUT) packet.input = "";
  if (hook >= 0 && hook <= HOOK_INPUT) packet.output = "";
}
