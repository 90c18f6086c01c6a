/**
 * cpu, devgroup, realm (xt_cpu.c, xt_devgroup.c, xt_realm.c): what the machine is, not the packet. A reader is a processor.
 * As Linux has it until someone says otherwise, every interface is in group 0, every route in realm 0.
 */
import { PACKET_INPUT, PACKET_OUTPUT } from "../../src/blob/layout";
import { READER_SIZE, READERS_ADDRESS } from "../../src/blob/memory";
import * as P from "../../src/blob/payloads";
import { ROUTE_REALM } from "../../src/blob/routing";
import { interfaceGroup } from "../locals";
import { packet, reader } from "../packet";
import { route } from "../routing/decide";

const SOURCE: u8 = 1;
const SOURCE_INVERT: u8 = 2;
const DESTINATION: u8 = 4;
const DESTINATION_INVERT: u8 = 8;

export function matchCpu(record: usize): bool {
  const own = <u32>(reader - READERS_ADDRESS) / READER_SIZE;
  return (own == load<u32>(record, P.CPU_NUMBER)) != (load<u8>(record, P.CPU_INVERT) != 0);
}

export function matchDevgroup(record: usize): bool {
  const flags = load<u8>(record, P.DEVGROUP_FLAGS);
  if (flags & SOURCE) {
    const same = inGroup(packet + PACKET_INPUT, record + P.DEVGROUP_SOURCE);
    if (same == ((flags & SOURCE_INVERT) != 0)) return false;
  }
  if (!(flags & DESTINATION)) return true;
  const same = inGroup(packet + PACKET_OUTPUT, record + P.DEVGROUP_DESTINATION);
  return same != ((flags & DESTINATION_INVERT) != 0);
}

/** A group, and the mask behind it. */
function inGroup(name: usize, group: usize): bool {
  return ((interfaceGroup(name) ^ load<u32>(group)) & load<u32>(group, 4)) == 0;
}

export function matchRealm(record: usize): bool {
  const realm = route ? load<u32>(route, ROUTE_REALM) : 0;
  return (
    ((realm & load<u32>(record, P.MARK_MASK)) == load<u32>(record, P.MARK_VALUE)) !=
    (load<u8>(record, P.MARK_INVERT) != 0)
  );
}
