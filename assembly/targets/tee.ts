/** TEE (xt_TEE.c, nf_dup_ipv4.c): a copy for another host, which nobody tracks, on its way before the packet goes on. */
import { HOOK_INPUT, PACKET_INPUT, PACKET_PATH, PACKET_TTL, PATH_OUT, VERDICT_CONTINUE } from "../../src/blob/layout";
import { TEE_GATEWAY, TEE_INTERFACE } from "../../src/blob/payloads";
import { eventCopy } from "../events";
import { copying, ownPacket, sendTo } from "../own";
import { hook } from "../packet";

export function sendCopy(record: usize): u32 {
  const copy = copying ? <usize>0 : ownPacket();
  if (!copy) return VERDICT_CONTINUE;
  store<u8>(copy, PATH_OUT, PACKET_PATH);
  v128.store(copy, v128.splat<u32>(0), PACKET_INPUT);
  // In front of forwarding, so that two machines that copy to each other come to an end.
  if (hook <= <u32>HOOK_INPUT) store<u8>(copy, load<u8>(copy, PACKET_TTL) - 1, PACKET_TTL);
  if (sendTo(record + TEE_GATEWAY, record + TEE_INTERFACE, copy)) eventCopy(copy, record + TEE_GATEWAY);
  return VERDICT_CONTINUE;
}
