/**
 * cpu, devgroup, realm (xt_cpu.c, xt_devgroup.c, xt_realm.c): what the machine is, not the packet. A reader is a processor.
 * As Linux has it until someone says otherwise, every interface is in group 0, every route in realm 0.
 */
import { READER_SIZE, READERS_ADDRESS } from "../../src/blob/memory";
import * as P from "../../src/blob/payloads";
import { reader } from "../packet";

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
    const same = !(load<u32>(record, P.DEVGROUP_SOURCE) & load<u32>(record, P.DEVGROUP_SOURCE_MASK));
    if (same == ((flags & SOURCE_INVERT) != 0)) return false;
  }
  if (!(flags & DESTINATION)) return true;
  const same = !(load<u32>(record, P.DEVGROUP_DESTINATION) & load<u32>(record, P.DEVGROUP_DESTINATION_MASK));
  return same != ((flags & DESTINATION_INVERT) != 0);
}

export function matchRealm(record: usize): bool {
  return (load<u32>(record, P.MARK_VALUE) == 0) != (load<u8>(record, P.MARK_INVERT) != 0);
}
