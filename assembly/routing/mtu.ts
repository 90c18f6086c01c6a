/** How large a packet may be on the way to its destination and back (xt_TCPMSS.c). */
import { PACKET_INPUT, PACKET_OUTPUT, PACKET_SOURCE } from "../../src/blob/layout";
import { INTERFACE_MTU, ROUTE_DEVICE, ROUTE_MTU } from "../../src/blob/routing";
import { interfaceRecord } from "../locals";
import { packet } from "../packet";
import { route } from "./decide";
import { FLOW_NONE, lookup, routesKnown } from "./lookup";

/** Of an interface that nothing is known of. */
const USUAL: u32 = 1500;

/** The lesser of both ways, bytes. Without routes it comes back by the interface that it came in by. */
export function pathMtu(): u32 {
  const out = mtuBy(route, packet + PACKET_OUTPUT);
  if (!routesKnown()) return load<u8>(packet, PACKET_INPUT) ? min(out, ofInterface(packet + PACKET_INPUT)) : out;
  const back = lookup(packet + PACKET_SOURCE, 0, 0, 0, 0, FLOW_NONE);
  return back ? min(out, mtuBy(back, back + ROUTE_DEVICE)) : out;
}

function mtuBy(way: usize, device: usize): u32 {
  const own = way ? load<u32>(way, ROUTE_MTU) : 0;
  return own ? own : ofInterface(device);
}

function ofInterface(name: usize): u32 {
  const own = interfaceRecord(name);
  return own ? load<u32>(own, INTERFACE_MTU) : USUAL;
}
