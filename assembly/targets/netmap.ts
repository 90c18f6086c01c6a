/** NETMAP (xt_NETMAP.c): the network part of an address becomes the target's, the host part stays. */
import { HOOK_OUTPUT, HOOK_PREROUTING, PACKET_DESTINATION, PACKET_SOURCE } from "../../src/blob/layout";
import { NAT_ADDRESS_MAX, NAT_ADDRESS_MIN } from "../../src/blob/payloads";
import { hook, packet } from "../packet";

/** Whether NETMAP rewrites the destination at this hook; else the source. */
export function mapsDestination(): bool {
  return hook == HOOK_PREROUTING || hook == HOOK_OUTPUT;
}

/** The address that the packet gets: the bits in which the range's ends agree are the range's, the others its own. */
export function mappedAddress(record: usize): v128 {
  const old = v128.load(packet + (mapsDestination() ? PACKET_DESTINATION : PACKET_SOURCE));
  const low = v128.load(record, NAT_ADDRESS_MIN);
  return v128.bitselect(old, low, v128.xor(low, v128.load(record, NAT_ADDRESS_MAX)));
}
