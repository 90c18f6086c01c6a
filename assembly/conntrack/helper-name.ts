/**
 * Helpers by number: those of Linux 6.18. A connection may be given one and rules may ask for it; what those read that read
 * anything here is helper-read.ts's.
 */
import { CONNECTION_HELPER, CONNECTION_MASTER, STATUS_HELPER } from "../../src/blob/connections";
import { ROW_INVERT, ROW_INVERT_PROTOCOL, ROW_PROTOCOL } from "../../src/blob/layout";
import { FAULT_HELPER, FAULT_NONE } from "../../src/blob/memory";
import { CT_FLAGS, CT_HELPER, HELPER_INVERT, HELPER_NAME, TARGET_CT } from "../../src/blob/payloads";
import { tracked } from "../matches/conntrack";
import { NOTRACK } from "./ct";
import { helpedBegin } from "./helped";
import { orStatus } from "./table";
import { connection } from "./track";
import { TCP, UDP } from "./tuple";

/** The number of the helper whose name begins at `name`, 0 when there is none of that name; names as little-endian words. */
export function helperNumber(name: usize): u8 {
  const word = load<u64>(name);
  if (load<u8>(name) && word >> 56) return word == 0x2d736f696274656e && load<u32>(name, 8) == 0x736e ? 6 : 0; // netbios-ns
  switch (word) {
    case 0x707466: // ftp
      return 1;
    case 0x70746674: // tftp
      return 2;
    case 0x637269: // irc
      return 3;
    case 0x706973: // sip
      return 4;
    case 0x61646e616d61: // amanda
      return 5;
    case 0x706d6e73: // snmp
      return 7;
    case 0x70747070: // pptp
      return 8;
    case 0x656e6173: // sane
      return 9;
    case 0x534152: // RAS
      return 10;
    case 0x3133392e51: // Q.931
      return 11;
    case 0x3534322e48: // H.245
      return 12;
    default:
      return 0;
  }
}

/** Bits of the helpers' numbers: those that Linux registers for TCP, those for UDP, and those of either that know IPv6. */
const FOR_TCP: u32 = 0xb1a;
const FOR_UDP: u32 = 0x14f4;
const FOR_IPV6: u32 = 0x1e36;

/** Whether the helper that a row's target names, if it names one, is there for the rule's family and protocol; a FAULT_*. */
export function missingHelper(row: usize, type: u32, record: usize, addressBytes: u32): u32 {
  if (type != TARGET_CT || !load<u8>(record, CT_HELPER) || load<u16>(record, CT_FLAGS) & NOTRACK) return FAULT_NONE;
  const protocol = load<u8>(row, ROW_PROTOCOL);
  let known: u32 = protocol == TCP ? FOR_TCP : protocol == UDP ? FOR_UDP : 0;
  if (addressBytes != 4) known &= FOR_IPV6;
  if (load<u8>(row, ROW_INVERT) & ROW_INVERT_PROTOCOL) known = 0;
  return known & ((<u32>1) << helperNumber(record + CT_HELPER)) ? FAULT_NONE : FAULT_HELPER;
}

/** Gives the connection the helper whose name begins at `name`, if there is one. */
export function giveHelper(record: usize, name: usize): void {
  const helper = helperNumber(name);
  if (!helper) return;
  store<u8>(record, helper, CONNECTION_HELPER);
  orStatus(record, STATUS_HELPER);
  helpedBegin(record);
}

/** Whether the connection is one that another expected, whose helper has the record's name, or any where that is empty. */
export function matchHelper(record: usize): bool {
  const invert = load<u8>(record, HELPER_INVERT) != 0;
  const master: usize = load<u32>(connection, CONNECTION_MASTER);
  const has = tracked() && connection && master ? load<u8>(master, CONNECTION_HELPER) : 0;
  if (!has) return invert;
  const same = !load<u8>(record, HELPER_NAME) || helperNumber(record + HELPER_NAME) == has;
  return same != invert;
}
