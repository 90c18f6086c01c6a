/**
 * The key of the element in hand: of a packet, by the directions that a rule gives, or of an element that the writer names.
 * A packet's nets are whole addresses until a prefix is tried.
 */
import {
  FAMILY_IPV4,
  PACKET_DESTINATION,
  PACKET_DESTINATION_MAC,
  PACKET_DESTINATION_PORT,
  PACKET_FAMILY,
  PACKET_FLAG_MAC,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_INPUT,
  PACKET_MARK,
  PACKET_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_MAC,
  PACKET_SOURCE_PORT,
} from "../../src/blob/layout";
import {
  BODY_MARKMASK,
  BODY_MASK,
  BODY_NETS,
  BODY_PARTS,
  BODY_TYPE,
  BODY_VECTORS,
  KEY_VECTORS,
  PART_DEVICE,
  PART_MAC,
  PART_MARK,
  PART_PLAIN_PORT,
  PART_PORT,
} from "../../src/blob/sets";
import { packet } from "../packet";

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;
const UDPLITE: u8 = 136;
/** Types that hold no zero address: hash:ip and hash:ip,port, by their places among the types' names. */
const HASH_IP: u8 = 0;
const HASH_IP_PORT: u8 = 2;

export let keyFirst: v128 = v128.splat<u32>(0);
export let keySecond: v128 = v128.splat<u32>(0);
export let keyThird: v128 = v128.splat<u32>(0);
/** The packet's addresses, its device, and the rest as the words of the key. */
export let address: v128 = v128.splat<u32>(0);
let otherAddress: v128 = v128.splat<u32>(0);
let device: v128 = v128.splat<u32>(0);
let second: u32 = 0;
export let third: u32 = 0;
/** MAC address, 0 unknown. */
export let mac: u64 = 0;

/** Takes the parts of the packet that the body's type is made of. False when one is not there. */
export function keyOfPacket(body: usize, directions: u32): bool {
  let addresses = 0;
  second = third = 0;
  address = v128.splat<u32>(0);
  otherAddress = v128.splat<u32>(0);
  for (let parts = load<u32>(body, BODY_PARTS); parts; parts >>= 4, directions >>= 1) {
    const source = (directions & 1) != 0;
    switch (parts & 15) {
      case PART_PORT:
        if (!takePort(source)) return false;
        break;
      case PART_PLAIN_PORT: {
        if (!takePort(source)) return false;
        const protocol = load<u8>(packet, PACKET_PROTOCOL);
        if (protocol != TCP && protocol != UDP) return false;
        break;
      }
      case PART_MAC:
        if (!takeMac(source)) return false;
        break;
      case PART_MARK:
        second = load<u32>(packet, PACKET_MARK) & load<u32>(body, BODY_MARKMASK);
        break;
      case PART_DEVICE:
        device = v128.load(packet + (source ? PACKET_INPUT : PACKET_OUTPUT));
        if (!v128.extract_lane<u8>(device, 0)) return false;
        break;
      default: {
        const whole = v128.load(packet + (source ? PACKET_SOURCE : PACKET_DESTINATION));
        const kept = v128.and(whole, v128.load(body, BODY_MASK));
        if (addresses++) otherAddress = kept;
        else address = kept;
      }
    }
  }
  const type = load<u8>(body, BODY_TYPE);
  return (type != HASH_IP && type != HASH_IP_PORT) || v128.any_true(address);
}

/** Composes the key with nets of so many bits. */
export function keyWithPrefixes(body: usize, prefix: u32, prefix2: u32): void {
  const nets = load<u8>(body, BODY_NETS);
  let first = address;
  let other = otherAddress;
  if (nets & 1) first = v128.and(first, prefixMask(prefix));
  if (nets & 2) other = v128.and(other, prefixMask(nets & 1 ? prefix2 : prefix));
  const last = third | (nets ? prefix << 24 : 0);
  const fourth = nets == 3 ? prefix2 : 0;
  const vectors = load<u8>(body, BODY_VECTORS);
  const ipv4 = load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4;
  if (ipv4) {
    keyFirst = i32x4(v128.extract_lane<i32>(first, 0), second | v128.extract_lane<i32>(other, 0), last, fourth);
    keySecond = device;
  } else {
    keyFirst = i32x4(0, second, last, fourth);
    keySecond = first;
    if (vectors == 3) keyThird = hasDevice(body) ? device : other;
  }
}

function i32x4(a: u32, b: u32, c: u32, d: u32): v128 {
  let vector = v128.splat<u32>(a);
  vector = v128.replace_lane<u32>(vector, 1, b);
  vector = v128.replace_lane<u32>(vector, 2, c);
  return v128.replace_lane<u32>(vector, 3, d);
}

/** The key that the writer laid out. */
export function keyOfElement(element: usize): void {
  keyFirst = v128.load(element);
  keySecond = v128.load(element, KEY_VECTORS);
  keyThird = v128.load(element, KEY_VECTORS + 16);
}

/** Whether the body's keys end with a device. */
export function hasDevice(body: usize): bool {
  const parts = load<u32>(body, BODY_PARTS);
  return ((parts >> 4) & 15) == PART_DEVICE;
}

/** The port of the packet as ipset has it: of ICMP its type and code (ip_set_getport.c). */
function takePort(source: bool): bool {
  const protocol = load<u8>(packet, PACKET_PROTOCOL);
  const flags = load<u8>(packet, PACKET_FLAGS);
  const ipv4 = load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4;
  if (ipv4 && !protocol) return false;
  const icmp = protocol == ICMP || protocol == ICMPV6;
  const ports = protocol == TCP || protocol == UDP || protocol == SCTP || protocol == UDPLITE;
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET)) {
    // A later fragment has none; of protocols without ports nothing is missing, in IPv4.
    if (!ipv4 || ports || protocol == ICMP) return false;
  } else if (ports || icmp) {
    if (flags & PACKET_FLAG_ODD) return false;
    if (icmp) third = ((<u32>load<u16>(packet, PACKET_SOURCE_PORT)) << 8) | load<u16>(packet, PACKET_DESTINATION_PORT);
    else third = load<u16>(packet + (source ? PACKET_SOURCE_PORT : PACKET_DESTINATION_PORT));
  }
  third |= (<u32>protocol) << 16;
  return true;
}

/** False where the address is not known, or zero. */
function takeMac(source: bool): bool {
  if (source && !(load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_MAC)) return false;
  const at = packet + (source ? PACKET_SOURCE_MAC : PACKET_DESTINATION_MAC);
  second = load<u16>(at) | ((<u32>load<u16>(at, 2)) << 16);
  third = load<u16>(at, 4);
  mac = ((<u64>third) << 32) | second;
  return mac != 0;
}

/** The first `bits` bits of an address in network order. */
function prefixMask(bits: u32): v128 {
  let mask = v128.splat<u64>(0);
  mask = v128.replace_lane<u64>(mask, 0, bswap<u64>(highBits(bits < 64 ? bits : 64)));
  return v128.replace_lane<u64>(mask, 1, bswap<u64>(highBits(bits > 64 ? bits - 64 : 0)));
}

function highBits(bits: u32): u64 {
  return bits ? (<u64>0xffffffffffffffff) << (64 - bits) : 0;
}
