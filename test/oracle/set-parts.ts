/** Parts of a packet as a set's type takes them, by the directions that a rule gives. */
import { PACKET_FLAG_MAC, PACKET_FLAG_ODD } from "../../src/blob/layout.js";
import { masked } from "../../src/ruleset/ipset/element-parts.js";
import { toNumber } from "../../src/ruleset/ipset/element.js";
import type { ElementPart, SetHeader } from "../../src/ruleset/ipset/ip-set.js";
import { setType } from "../../src/ruleset/ipset/set-types.js";
import type { Walk } from "./walk.js";

/** What of the packet the type is made of; undefined when something is not there. */
export function partsOf(
  header: SetHeader,
  { directions }: { readonly directions: number },
  walk: Walk,
): ElementPart[] | undefined {
  const parts: ElementPart[] = [];
  for (const [n, { kind }] of setType(header.type).parts.entries()) {
    const source = ((directions >> n) & 1) === 1;
    const part = partOf(kind, header, source, walk);
    if (!part) return undefined;
    parts.push(part);
  }
  const [first] = parts;
  const zero = first?.kind === "address" && first.address.every((byte) => byte === 0);
  if (zero && (header.type === "hash:ip" || header.type === "hash:ip,port")) return undefined;
  return parts;
}

function partOf(kind: string, header: SetHeader, source: boolean, walk: Walk): ElementPart | undefined {
  const { packet } = walk;
  switch (kind) {
    case "ip":
    case "net":
      return addressPart(header, source ? packet.source : packet.destination);
    case "port":
      return portPart(source, walk);
    case "plain-port": {
      const part = portPart(source, walk);
      if (part?.kind !== "port" || ![6, 17].includes(part.protocol)) return undefined;
      return part.port < header.first || part.port > header.last ? undefined : { ...part, protocol: 0 };
    }
    case "device": {
      const name = source ? walk.input : walk.output;
      return name === "" ? undefined : { kind: "device", name, physical: false };
    }
    case "mac":
      return source && packet.flags & PACKET_FLAG_MAC && packet.mac.some((byte) => byte !== 0)
        ? { kind: "mac", mac: packet.mac }
        : undefined;
    default:
      return { kind: "mark", mark: (packet.mark & header.markmask) >>> 0 };
  }
}

function addressPart(header: SetHeader, address: Uint8Array): ElementPart | undefined {
  const { netmask, bitmask, type } = header;
  const prefix = 8 * address.length;
  if (type.startsWith("bitmap") && (toNumber(address) < header.first || toNumber(address) > header.last))
    return undefined;
  if (bitmask) return { kind: "address", address: address.map((byte, i) => byte & (bitmask[i] as number)), prefix };
  return { kind: "address", address: netmask === undefined ? address : masked(address, netmask), prefix };
}

/** Types and codes of ICMP are ports; later fragments have none. */
function portPart(source: boolean, { packet }: Walk): ElementPart | undefined {
  const { protocol, family } = packet;
  const icmp = protocol === 1 || protocol === 58;
  const ports = [6, 17, 132, 136].includes(protocol);
  if (packet.fragmentOffset !== 0) {
    if (family === "ipv6" || ports || protocol === 1) return undefined;
    return { kind: "port", protocol, port: 0 };
  }
  if ((ports || icmp) && packet.flags & PACKET_FLAG_ODD) return undefined;
  if (icmp) return { kind: "port", protocol, port: 256 * packet.sourcePort + packet.destinationPort };
  return { kind: "port", protocol, port: ports ? (source ? packet.sourcePort : packet.destinationPort) : 0 };
}
