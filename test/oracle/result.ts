/** What the oracle says of a packet, and the same read from an engine's result record, field by field comparable. */
import {
  RESULT_CT_MARK,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_EVENTS,
  RESULT_FLAGS,
  RESULT_HOOK,
  RESULT_MARK,
  RESULT_MSS,
  RESULT_PRIORITY,
  RESULT_QUEUE,
  RESULT_REJECT,
  RESULT_SOURCE,
  RESULT_SOURCE_PORT,
  RESULT_TABLE,
  RESULT_TOS,
  RESULT_TTL,
  RESULT_VERDICT,
} from "../../src/blob/layout.js";
import { addressText } from "./address.js";

/** One rule that matched; rule 0 is the chain's policy. */
export interface Step {
  readonly hook: string;
  readonly table: string;
  readonly chain: string;
  readonly rule: number;
  readonly verdict: number;
}

/** The side results that targets write while the packet walks. */
export interface Outcome {
  verdict: number;
  hook: number;
  table: number;
  flags: number;
  reject: number;
  events: number;
  queue: number;
}

export interface Result extends Outcome {
  mark: number;
  ctMark: number;
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  mss: number;
  ttl: number;
  tos: number;
  priority: number;
}

export function readResult(view: DataView, addressWidth: number): Result {
  const address = (at: number): string =>
    addressText(new Uint8Array(view.buffer, view.byteOffset + at, addressWidth).slice());
  return {
    verdict: view.getUint8(RESULT_VERDICT),
    hook: view.getUint8(RESULT_HOOK),
    table: view.getUint8(RESULT_TABLE),
    flags: view.getUint8(RESULT_FLAGS),
    reject: view.getUint8(RESULT_REJECT),
    events: view.getUint8(RESULT_EVENTS),
    queue: view.getUint16(RESULT_QUEUE, true),
    mark: view.getUint32(RESULT_MARK, true),
    ctMark: view.getUint32(RESULT_CT_MARK, true),
    source: address(RESULT_SOURCE),
    destination: address(RESULT_DESTINATION),
    sourcePort: view.getUint16(RESULT_SOURCE_PORT, true),
    destinationPort: view.getUint16(RESULT_DESTINATION_PORT, true),
    mss: view.getUint16(RESULT_MSS, true),
    ttl: view.getUint8(RESULT_TTL),
    tos: view.getUint8(RESULT_TOS),
    priority: view.getUint32(RESULT_PRIORITY, true),
  };
}
