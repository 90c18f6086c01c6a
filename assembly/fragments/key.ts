/** What fragments of one datagram have in common (frag_v4_compare_key, frag_v6_compare_key). */
import {
  DATAGRAM_DESTINATION,
  DATAGRAM_ID,
  DATAGRAM_INTERFACE,
  DATAGRAM_KIND,
  DATAGRAM_OUTGOING,
  DATAGRAM_PROTOCOL,
  DATAGRAM_SOURCE,
  DATAGRAM_ZONE,
} from "../../src/blob/fragments";
import {
  HOOK_OUTPUT,
  PACKET_DESTINATION,
  PACKET_FAMILY,
  PACKET_FRAGMENT_ID,
  PACKET_INPUT,
  PACKET_PATH,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_ZONE,
  PATH_HOOK,
  PATH_OUT,
} from "../../src/blob/layout";
import { READER_TUPLES } from "../../src/blob/memory";
import { addressBytes, packet, reader } from "../packet";
import { ipBytes } from "../payload";
import { KEY_BYTES } from "./cells";

/** Address of the key of the packet being walked, with `headers` bytes in front of what it is a fragment of. */
export function keyOfPacket(headers: u32): usize {
  const key: usize = load<u32>(reader, READER_TUPLES);
  const ipv4 = addressBytes == 4;
  memory.fill(key, 0, KEY_BYTES);
  const base = key - DATAGRAM_ID;
  store<u32>(base, idOf(headers), DATAGRAM_ID);
  store<u16>(base, load<u16>(packet, PACKET_ZONE), DATAGRAM_ZONE);
  // IPv6 takes the protocol from the first fragment, whatever the others say.
  if (ipv4) store<u8>(base, load<u8>(packet, PACKET_PROTOCOL), DATAGRAM_PROTOCOL);
  const path = load<u8>(packet, PACKET_PATH);
  const outgoing = path == <u8>PATH_OUT || path == <u8>(PATH_HOOK + HOOK_OUTPUT);
  store<u8>(base, load<u8>(packet, PACKET_FAMILY) | (outgoing ? <u8>DATAGRAM_OUTGOING : 0), DATAGRAM_KIND);
  v128.store(base, v128.load(packet, PACKET_SOURCE), DATAGRAM_SOURCE);
  v128.store(base, v128.load(packet, PACKET_DESTINATION), DATAGRAM_DESTINATION);
  if (!ipv4 && isOfLink(packet + PACKET_DESTINATION))
    v128.store(base, v128.load(packet, PACKET_INPUT), DATAGRAM_INTERFACE);
  return key;
}

/** As the packet's bytes say it, or else its record. */
function idOf(headers: u32): u32 {
  const bytes = ipBytes();
  if (!bytes) return load<u32>(packet, PACKET_FRAGMENT_ID);
  return addressBytes == 4 ? bswap<u16>(load<u16>(bytes, 4)) : bswap<u32>(load<u32>(bytes + headers - 4));
}

/** A group or an address of the link means something else on every link. */
function isOfLink(address: usize): bool {
  return load<u8>(address) == 0xff || (load<u8>(address) == 0xfe && (load<u8>(address, 1) & 0xc0) == 0x80);
}
