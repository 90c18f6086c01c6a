/** TEE (xt_TEE.c, nf_dup_ipv4.c): a copy for another host, which nobody tracks; told to whoever listens. */
import {
  CT_STATE_UNTRACKED,
  HOOK_INPUT,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_INPUT,
  PACKET_PATH,
  PACKET_TTL,
  PATH_OUT,
  VERDICT_CONTINUE,
} from "../../src/blob/layout";
import { TEE_GATEWAY } from "../../src/blob/payloads";
import { eventClose, eventCopy } from "../events";
import { hook } from "../packet";

export function sendCopy(record: usize): u32 {
  const copy = eventCopy(record + TEE_GATEWAY);
  if (!copy) return VERDICT_CONTINUE;
  store<u16>(copy, CT_STATE_UNTRACKED, PACKET_CT_STATE);
  store<u32>(copy, 0, PACKET_CT_MARK);
  store<u8>(copy, PATH_OUT, PACKET_PATH);
  v128.store(copy, v128.splat<u32>(0), PACKET_INPUT);
  // In front of forwarding, so that two machines that copy to each other come to an end.
  if (hook <= <u32>HOOK_INPUT) store<u8>(copy, load<u8>(copy, PACKET_TTL) - 1, PACKET_TTL);
  eventClose();
  return VERDICT_CONTINUE;
}
