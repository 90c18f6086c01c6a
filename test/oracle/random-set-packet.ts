/** Random packets that random sets may hold. */
import type { Family } from "../../src/ruleset/row-store.js";
import { addressBytes } from "./address.js";
import { blankPacket, type Packet } from "./packet.js";
import type { Random } from "./random.js";
import { SET_ADDRESSES } from "./random-sets.js";

export function randomSetPacket(random: Random, family: Family): Packet {
  const packet = blankPacket(family);
  const addresses = SET_ADDRESSES[family];
  const icmp = family === "ipv4" ? 1 : 58;
  Object.assign(packet, {
    source: addressBytes(random.pick(addresses)),
    destination: addressBytes(random.pick(addresses)),
    protocol: random.pick([6, 6, 17, 17, 132, icmp, 47, 50]),
    sourcePort: random.below(3),
    destinationPort: random.below(3),
  });
  if (packet.protocol === icmp) Object.assign(packet, { sourcePort: family === "ipv4" ? 8 : 128, destinationPort: 0 });
  return packet;
}

/** A table of such rules alone. */
export function mangleOf(rules: readonly string[]): string {
  const chains = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((name) => `:${name} ACCEPT [0:0]`);
  return ["*mangle", ...chains, ...rules, "COMMIT", ""].join("\n");
}
