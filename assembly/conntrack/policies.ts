/**
 * Policies of timeouts (nfnetlink_cttimeout.c): made by name beforehand, named by rules of CT, held by the connections that
 * such a rule has seen begin. Rules alone keep a policy from being taken out; its connections then live by the sysctls.
 */
import {
  CONNECTION_POLICY,
  CONNECTION_SIZE,
  CONNECTIONS_FIRST_POLICY,
  CONNECTIONS_POLICIES,
  CONNECTIONS_RECORDS,
  CONNECTIONS_TOP,
  POLICY_FAMILY,
  POLICY_GENERIC,
  POLICY_NAME,
  POLICY_NAME_BYTES,
  POLICY_NEXT,
  POLICY_PROTOCOL,
  POLICY_REFERENCES,
  POLICY_SIZE,
} from "../../src/blob/connections";
import { FAMILY_IPV4, FAMILY_IPV6, ROW_INVERT, ROW_INVERT_PROTOCOL, ROW_PROTOCOL } from "../../src/blob/layout";
import { FAULT_NONE, FAULT_TIMEOUT_POLICY } from "../../src/blob/memory";
import { CT_FLAGS, CT_POLICY, CT_TIMEOUT, TARGET_CT } from "../../src/blob/payloads";
import { put32 } from "../store";
import { NOTRACK } from "./ct";
import { connections } from "./pool";
import { GRE, hasPorts, isIcmp } from "./tuple";

/** Whether the policy that a row's target names, if it names one, is there and for the rule's family and protocol; a FAULT_*. */
export function missingPolicy(row: usize, type: u32, record: usize, addressBytes: u32): u32 {
  if (type != TARGET_CT || !namesPolicy(record)) return FAULT_NONE;
  const policy = policyFind(record + CT_TIMEOUT);
  if (!policy) return FAULT_TIMEOUT_POLICY;
  const protocol = load<u8>(row, ROW_PROTOCOL);
  const family = <u8>(addressBytes == 4 ? FAMILY_IPV4 : FAMILY_IPV6);
  const fits =
    family == load<u8>(policy, POLICY_FAMILY) &&
    followed(protocol) == load<u8>(policy, POLICY_PROTOCOL) &&
    protocol &&
    !(load<u8>(row, ROW_INVERT) & ROW_INVERT_PROTOCOL);
  return fits ? FAULT_NONE : FAULT_TIMEOUT_POLICY;
}

/** The record's rule gives connections the policy that it names, which is there. */
export function policyJoin(record: usize): void {
  if (!namesPolicy(record)) return;
  const policy = policyFind(record + CT_TIMEOUT);
  refer(policy, 1);
  store<u32>(record, <u32>(policy - policyAt(0)) / POLICY_SIZE, CT_POLICY);
}

export function policyLeave(record: usize): void {
  const number = load<u32>(record, CT_POLICY);
  if (number) refer(policyAt(number), -1);
}

/** Takes out the policy of this number, which no rule names. Who holds it may look at it until readers have left. Under the writers' lock. */
export function policyRemove(number: u32): void {
  const table = connections();
  let link = table + CONNECTIONS_FIRST_POLICY;
  while (load<u32>(link) != number) link = policyAt(load<u32>(link)) + POLICY_NEXT;
  store<u32>(link, load<u32>(policyAt(number), POLICY_NEXT));
  let record: usize = load<u32>(table, CONNECTIONS_RECORDS);
  // A record that is another connection's by now has another policy.
  for (let left = load<u32>(table, CONNECTIONS_TOP); left; left--, record += CONNECTION_SIZE)
    atomic.cmpxchg<u8>(record, <u8>number, 0, CONNECTION_POLICY);
}

/** NOTRACK asks for none, whatever it names. */
function namesPolicy(record: usize): bool {
  return load<u8>(record, CT_TIMEOUT) != 0 && !(load<u16>(record, CT_FLAGS) & NOTRACK);
}

function policyFind(name: usize): usize {
  let number = load<u32>(connections(), CONNECTIONS_FIRST_POLICY);
  while (number) {
    const policy = policyAt(number);
    if (!memory.compare(policy + POLICY_NAME, name, POLICY_NAME_BYTES)) return policy;
    number = load<u32>(policy, POLICY_NEXT);
  }
  return 0;
}

/** The protocol whose policy is that of connections of `protocol`. */
function followed(protocol: u8): u8 {
  return hasPorts(protocol) || isIcmp(protocol) || protocol == GRE ? protocol : <u8>POLICY_GENERIC;
}

function policyAt(number: u32): usize {
  return <usize>load<u32>(connections(), CONNECTIONS_POLICIES) + number * POLICY_SIZE;
}

function refer(policy: usize, change: i32): void {
  put32(policy + POLICY_REFERENCES, load<u32>(policy, POLICY_REFERENCES) + change);
}
