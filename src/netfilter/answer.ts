/** What comes back to a packet: the receiver's own, from where the packet got to, as NAT has left it. */
import {
  HOOK_INPUT,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_INPUT,
  PACKET_OUTPUT,
  PACKET_PATH,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
  PATH_IN,
  PATH_OUT,
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_HOOK,
  RESULT_OUTPUT,
  RESULT_SOURCE,
  RESULT_SOURCE_PORT,
  RESULT_VERDICT,
  VERDICT_ACCEPT,
} from "../blob/layout.js";
import { hasPorts, PROTOCOL_TCP, TCP_FLAGS } from "./packet-names.js";

const ADDRESS_BYTES = 16;
const NAME_BYTES = 16;

/** Undefined where it got nowhere, or is of a protocol without ports. */
export function answerTo(packet: Uint8Array, result: DataView): Uint8Array | undefined {
  const protocol = packet[PACKET_PROTOCOL] as number;
  if (result.getUint8(RESULT_VERDICT) !== VERDICT_ACCEPT || !hasPorts(protocol)) return undefined;
  const answer = packet.slice(0, PACKET_SIZE);
  const view = new DataView(answer.buffer);
  const got = new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
  answer.set(got.subarray(RESULT_DESTINATION, RESULT_DESTINATION + ADDRESS_BYTES), PACKET_SOURCE);
  answer.set(got.subarray(RESULT_SOURCE, RESULT_SOURCE + ADDRESS_BYTES), PACKET_DESTINATION);
  view.setUint16(PACKET_SOURCE_PORT, result.getUint16(RESULT_DESTINATION_PORT, true), true);
  view.setUint16(PACKET_DESTINATION_PORT, result.getUint16(RESULT_SOURCE_PORT, true), true);
  const here = result.getUint8(RESULT_HOOK) === HOOK_INPUT;
  answer[PACKET_PATH] = here ? PATH_OUT : PATH_IN;
  answer.set(here ? new Uint8Array(NAME_BYTES) : got.subarray(RESULT_OUTPUT, RESULT_OUTPUT + NAME_BYTES), PACKET_INPUT);
  answer.set(packet.subarray(PACKET_INPUT, PACKET_INPUT + NAME_BYTES), PACKET_OUTPUT);
  if (protocol === PROTOCOL_TCP)
    answer[PACKET_TCP_FLAGS] = TCP_FLAGS.ack | ((packet[PACKET_TCP_FLAGS] as number) & TCP_FLAGS.syn);
  return answer;
}
