/** Matches on where a packet comes from and goes: xt_addrtype.c, xt_iprange.c, xt_mac.c, xt_owner.c, xt_physdev.c, xt_length.c. */
import { PACKET_FLAG_MAC, PACKET_FLAG_SOCKET } from "../../src/blob/layout.js";
import {
  ADDRTYPE_DESTINATION,
  ADDRTYPE_FLAGS,
  ADDRTYPE_INVERT_DESTINATION,
  ADDRTYPE_INVERT_SOURCE,
  ADDRTYPE_SOURCE,
  IPRANGE_DESTINATION_MAX,
  IPRANGE_DESTINATION_MIN,
  IPRANGE_FLAGS,
  IPRANGE_SOURCE_MAX,
  IPRANGE_SOURCE_MIN,
  LENGTH_INVERT,
  LENGTH_MAX,
  LENGTH_MIN,
  MAC_ADDRESS,
  MAC_INVERT,
  OWNER_GID_MAX,
  OWNER_GID_MIN,
  OWNER_INVERT,
  OWNER_MATCH,
  OWNER_UID_MAX,
  OWNER_UID_MIN,
  PHYSDEV_FLAGS,
  PHYSDEV_INPUT,
  PHYSDEV_INVERT,
  PHYSDEV_OUTPUT,
} from "../../src/blob/payloads.js";
import {
  compareAddresses,
  ipv4Type,
  isIpv6Any,
  isIpv6Multicast,
  isIpv6Unicast,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
} from "./address.js";
import type { RecordView } from "./rule.js";
import { inverted, nameMatches, type Walk } from "./walk.js";

const RTN_UNSPEC = 0;

/** IPv4 has one type an address, of which the mask names some; IPv6 has properties, of which it must have all named. */
function hasType(address: Uint8Array, mask: number, walk: Walk): boolean {
  const isLocal = walk.host.isLocal;
  const asks = (type: number): boolean => (mask & (1 << type)) !== 0;
  if (address.length === 4) return asks(ipv4Type(address, isLocal));
  if (asks(RTN_MULTICAST) && !isIpv6Multicast(address)) return false;
  if (asks(RTN_UNICAST) && !isIpv6Unicast(address)) return false;
  if (asks(RTN_UNSPEC) && !isIpv6Any(address)) return false;
  return !asks(RTN_LOCAL) || isLocal(address);
}

export function matchAddrtype({ view, bytes }: RecordView, walk: Walk): boolean {
  const flags = bytes[ADDRTYPE_FLAGS] as number;
  const source = view.getUint16(ADDRTYPE_SOURCE, true);
  const destination = view.getUint16(ADDRTYPE_DESTINATION, true);
  const { packet } = walk;
  if (source && !inverted(hasType(packet.source, source, walk), flags, ADDRTYPE_INVERT_SOURCE)) return false;
  return !destination || inverted(hasType(packet.destination, destination, walk), flags, ADDRTYPE_INVERT_DESTINATION);
}

export function matchIprange({ bytes }: RecordView, walk: Walk): boolean {
  const flags = bytes[IPRANGE_FLAGS] as number;
  const within = (address: Uint8Array, min: number, max: number): boolean =>
    compareAddresses(address, bytes.subarray(min, min + address.length)) >= 0 &&
    compareAddresses(address, bytes.subarray(max, max + address.length)) <= 0;
  if (flags & 1 && !inverted(within(walk.packet.source, IPRANGE_SOURCE_MIN, IPRANGE_SOURCE_MAX), flags, 16))
    return false;
  const destination = within(walk.packet.destination, IPRANGE_DESTINATION_MIN, IPRANGE_DESTINATION_MAX);
  return !(flags & 2) || inverted(destination, flags, 32);
}

/** A packet without an Ethernet header matches neither the address nor its opposite. */
export function matchMac({ bytes }: RecordView, walk: Walk): boolean {
  if (!(walk.packet.flags & PACKET_FLAG_MAC)) return false;
  const same = compareAddresses(walk.packet.mac, bytes.subarray(MAC_ADDRESS, MAC_ADDRESS + 6)) === 0;
  return inverted(same, bytes[MAC_INVERT] as number, 1);
}

const OWNER_UID = 1;
const OWNER_GID = 2;
const OWNER_SOCKET = 4;

export function matchOwner({ view, bytes }: RecordView, walk: Walk): boolean {
  const conditions = bytes[OWNER_MATCH] as number;
  const invert = bytes[OWNER_INVERT] as number;
  const { packet } = walk;
  if (!(packet.flags & PACKET_FLAG_SOCKET)) return (conditions ^ invert) === 0;
  if (conditions & invert & OWNER_SOCKET) return false;
  const within = (id: number, min: number, max: number): boolean =>
    id >= view.getUint32(min, true) && id <= view.getUint32(max, true);
  if (conditions & OWNER_UID && !inverted(within(packet.uid, OWNER_UID_MIN, OWNER_UID_MAX), invert, OWNER_UID))
    return false;
  return !(conditions & OWNER_GID) || inverted(within(packet.gid, OWNER_GID_MIN, OWNER_GID_MAX), invert, OWNER_GID);
}

const PHYSDEV_IN = 1;
const PHYSDEV_OUT = 2;
const PHYSDEV_BRIDGED = 4;
const PHYSDEV_IS_IN = 8;
const PHYSDEV_IS_OUT = 16;

export function matchPhysdev({ bytes }: RecordView, walk: Walk): boolean {
  const conditions = bytes[PHYSDEV_FLAGS] as number;
  const invert = bytes[PHYSDEV_INVERT] as number;
  const { physicalInput, physicalOutput } = walk.packet;
  // Not bridged: each condition that is not negated fails.
  if (physicalInput === "" && physicalOutput === "") return (conditions & ~invert) === 0;
  const agrees = (bit: number, fact: boolean): boolean => !(conditions & bit) || inverted(fact, invert, bit);
  if (!agrees(PHYSDEV_BRIDGED, physicalOutput !== "")) return false;
  if (!agrees(PHYSDEV_IS_IN, physicalInput !== "") || !agrees(PHYSDEV_IS_OUT, physicalOutput !== "")) return false;
  const port = (device: string, at: number): boolean =>
    nameMatches(device, bytes.subarray(at, at + 16), bytes.subarray(at + 16, at + 32));
  // A bridge that does not know the port it came in by lets the rule pass; one that does not know where it goes, never.
  if (physicalInput !== "" && !agrees(PHYSDEV_IN, port(physicalInput, PHYSDEV_INPUT))) return false;
  if (!(conditions & PHYSDEV_OUT)) return true;
  return physicalOutput !== "" && agrees(PHYSDEV_OUT, port(physicalOutput, PHYSDEV_OUTPUT));
}

/** The whole packet in both families: xt_length adds IPv6's header to the payload. */
export function matchLength({ view, bytes }: RecordView, walk: Walk): boolean {
  const { length } = walk.packet;
  const within = length >= view.getUint16(LENGTH_MIN, true) && length <= view.getUint16(LENGTH_MAX, true);
  return inverted(within, bytes[LENGTH_INVERT] as number, 1);
}
