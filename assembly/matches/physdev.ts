/** physdev (xt_physdev.c): the bridge ports that the packet's record names. */
import { PACKET_PHYSICAL_INPUT, PACKET_PHYSICAL_OUTPUT } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { interfaceMatches } from "../interface";
import { packet } from "../packet";

const INPUT: u8 = 1;
const OUTPUT: u8 = 2;
const BRIDGED: u8 = 4;
const IS_IN: u8 = 8;
const IS_OUT: u8 = 16;

export function matchPhysdev(record: usize): bool {
  const flags = load<u8>(record, P.PHYSDEV_FLAGS);
  const invert = load<u8>(record, P.PHYSDEV_INVERT);
  const hasIn = load<u8>(packet, PACKET_PHYSICAL_INPUT) != 0;
  const hasOut = load<u8>(packet, PACKET_PHYSICAL_OUTPUT) != 0;
  // A packet that crossed no bridge satisfies inverted demands only.
  if (!hasIn && !hasOut) return !(flags & ~invert);
  if (flags & BRIDGED && hasOut == ((invert & BRIDGED) != 0)) return false;
  if (flags & IS_IN && hasIn == ((invert & IS_IN) != 0)) return false;
  if (flags & IS_OUT && hasOut == ((invert & IS_OUT) != 0)) return false;
  // Without an input port nothing is compared; without an output port the comparison fails either way.
  if (flags & INPUT && hasIn) {
    const same = interfaceMatches(packet + PACKET_PHYSICAL_INPUT, record + P.PHYSDEV_INPUT);
    if (same == ((invert & INPUT) != 0)) return false;
  }
  if (!(flags & OUTPUT)) return true;
  return (
    hasOut && interfaceMatches(packet + PACKET_PHYSICAL_OUTPUT, record + P.PHYSDEV_OUTPUT) != ((invert & OUTPUT) != 0)
  );
}
