/** Whether rules name sets that are there, and of their own family or of either. */
import { FAMILY_IPV4, FAMILY_IPV6 } from "../../src/blob/layout";
import {
  MATCH_SET,
  SET_NAME,
  SETTARGET_ADD,
  SETTARGET_PART_DIMENSIONS,
  SETTARGET_PART_NAME,
  SETTARGET_PART_SIZE,
  SETTARGET_TIMEOUT,
  TARGET_SET,
} from "../../src/blob/payloads";
import { BODY_FAMILY, IPSET_BODY } from "../../src/blob/sets";
import { setFind } from "./names";

let family: u8 = 0;

/** The rules asked about from now on are of tables with addresses of so many bytes. */
export function rulesWith(addressBytes: u32): void {
  family = <u8>(addressBytes == 4 ? FAMILY_IPV4 : FAMILY_IPV6);
}

/** Asked of a match record: whether the set that it names, if it names one, will do. */
export function knowsSet(type: u32, record: usize): bool {
  return type != MATCH_SET || willDo(record + SET_NAME);
}

/** Asked of a target record. */
export function knowsSets(type: u32, record: usize): bool {
  if (type != TARGET_SET) return true;
  for (let part = record + SETTARGET_ADD; part < record + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE)
    if (load<u8>(part, SETTARGET_PART_DIMENSIONS) && !willDo(part + SETTARGET_PART_NAME)) return false;
  return true;
}

function willDo(name: usize): bool {
  const set = setFind(name);
  if (!set) return false;
  const own = load<u8>(load<u32>(set, IPSET_BODY), BODY_FAMILY);
  return !own || own == family;
}
