/** Traffic of connections that exist, where they are tracked. */
import { PACKET_PROTOCOL, PACKET_SIZE, PACKET_TCP_FLAGS } from "../blob/layout.js";
import type { PacketPool, Reader } from "../engine/reader.js";
import { answerTo } from "../netfilter/answer.js";
import { PROTOCOL_TCP, TCP_FLAGS } from "../netfilter/packet-names.js";

/**
 * Sends every packet of `traffic`, the records of `pool`, and has whoever gets it answer. What is in the pool afterwards belongs to
 * the connections that these began.
 */
export function establish(reader: Reader, pool: PacketPool, traffic: Uint8Array): void {
  const answers = reader.allocate(1);
  for (let at = 0, index = 0; at < traffic.length; at += PACKET_SIZE, index++) {
    reader.match(pool, index, 1);
    const packet = traffic.subarray(at, at + PACKET_SIZE);
    const answer = answerTo(packet, pool.result(index));
    if (!answer) continue;
    answers.set(0, answer);
    reader.match(answers, 0, 1);
    if (packet[PACKET_PROTOCOL] !== PROTOCOL_TCP) continue;
    const later = packet.slice();
    later[PACKET_TCP_FLAGS] = TCP_FLAGS.ack;
    pool.set(index, later);
  }
}
