/** CONNMARK (xt_connmark.c): a connection's mark is set, saved from the packet's or restored to it. */
import { CONNECTION_MARK } from "../../src/blob/connections";
import { PACKET_CT_MARK, PACKET_MARK, RESULT_FLAG_CT_MARK, VERDICT_CONTINUE } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { connections } from "../conntrack/pool";
import { connection } from "../conntrack/track";
import { tracked } from "../matches/conntrack";
import { flagResult, packet } from "../packet";

const CONNMARK_SET: u8 = 0;
const CONNMARK_SAVE: u8 = 1;

export function connmark(record: usize): u32 {
  if (!tracked()) return VERDICT_CONTINUE;
  const mode = load<u8>(record, P.SETCONNMARK_MODE);
  const ctMask = load<u32>(record, P.SETCONNMARK_CT_MASK);
  const nfMask = load<u32>(record, P.SETCONNMARK_NF_MASK);
  const mark = load<u32>(packet, PACKET_MARK);
  const ctMark = load<u32>(packet, PACKET_CT_MARK);
  if (mode == CONNMARK_SET) {
    store<u32>(packet, shift(record, (ctMark & ~ctMask) ^ load<u32>(record, P.SETCONNMARK_VALUE)), PACKET_CT_MARK);
    flagResult(RESULT_FLAG_CT_MARK);
  } else if (mode == CONNMARK_SAVE) {
    store<u32>(packet, (ctMark & ~ctMask) ^ shift(record, mark & nfMask), PACKET_CT_MARK);
    flagResult(RESULT_FLAG_CT_MARK);
  } else store<u32>(packet, (mark & ~nfMask) ^ shift(record, ctMark & ctMask), PACKET_MARK);
  if (connections() && connection) store<u32>(connection, load<u32>(packet, PACKET_CT_MARK), CONNECTION_MARK);
  return VERDICT_CONTINUE;
}

function shift(record: usize, mark: u32): u32 {
  const bits = <u32>load<u8>(record, P.SETCONNMARK_SHIFT);
  return load<u8>(record, P.SETCONNMARK_SHIFT_DIRECTION) ? mark >> bits : mark << bits;
}
