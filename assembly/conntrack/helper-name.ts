/**
 * Helpers by number: those of Linux 6.18. A connection may be given one and rules may ask for it; none of them reads what a
 * connection says, so what is expected is told through the library.
 */
import { CONNECTION_HELPER, CONNECTION_MASTER, STATUS_HELPER } from "../../src/blob/connections";
import { HELPER_INVERT, HELPER_NAME } from "../../src/blob/payloads";
import { tracked } from "../matches/conntrack";
import { orStatus } from "./table";
import { connection } from "./track";

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

/** Gives the connection the helper whose name begins at `name`, if there is one. */
export function giveHelper(record: usize, name: usize): void {
  const helper = helperNumber(name);
  if (!helper) return;
  store<u8>(record, helper, CONNECTION_HELPER);
  orStatus(record, STATUS_HELPER);
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
