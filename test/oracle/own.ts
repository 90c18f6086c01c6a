/** What REJECT answers, as the machine itself sends it (nf_reject_ipv4.c, nf_reject_ipv6.c), where nothing routes or tracks. */
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  HOOK_OUTPUT,
  PATH_OUT,
} from "../../src/blob/layout.js";
import * as P from "../../src/blob/payloads.js";
import { type Packet, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP } from "./packet.js";
import type { Host } from "./walk.js";

const [RST, ACK] = [4, 16];
const ERRORS4 = [3, 4, 5, 11, 12];
const CODES4: Readonly<Record<number, number>> = {
  [P.REJECT_ICMP_NET_UNREACHABLE]: 0,
  [P.REJECT_ICMP_HOST_UNREACHABLE]: 1,
  [P.REJECT_ICMP_PROT_UNREACHABLE]: 2,
  [P.REJECT_ICMP_PORT_UNREACHABLE]: 3,
  [P.REJECT_ICMP_NET_PROHIBITED]: 9,
  [P.REJECT_ICMP_HOST_PROHIBITED]: 10,
  [P.REJECT_ICMP_ADMIN_PROHIBITED]: 13,
};

/** The packet that answers `packet`, rejected at `hook`; undefined where nothing does. */
export function answerTo(packet: Packet, hook: number, answer: number, host: Host): Packet | undefined {
  const reset = answer === P.REJECT_TCP_RESET || answer === P.REJECT_ICMP6_TCP_RESET;
  if (packet.fragmentOffset !== 0 || isGroup(packet.source) || isGroup(packet.destination)) return undefined;
  if (reset ? packet.protocol !== PROTOCOL_TCP || packet.tcpFlags & RST : packet.type !== 0 || isError(packet))
    return undefined;
  const ipv4 = packet.family === "ipv4";
  const related = (packet.ctState & (CT_STATE_NEW | CT_STATE_ESTABLISHED | CT_STATE_RELATED)) !== 0;
  const own: Packet = {
    ...packet,
    path: PATH_OUT,
    source: packet.destination,
    destination: packet.source,
    input: "",
    output: (hook === HOOK_OUTPUT ? "" : packet.input) || "lo",
    physicalInput: "",
    physicalOutput: "",
    flags: 0,
    tos: 0,
    ttl: 64,
    type: 0,
    mark: 0,
    priority: 0,
    tcpOptions: 0,
    mss: 0,
    extensions: [],
    data: new Uint8Array(),
    bytes: undefined,
    mac: new Uint8Array(6),
    ctState: related ? CT_STATE_RELATED : CT_STATE_INVALID,
    ...(related ? {} : { ctMark: 0, ctStatus: 0 }),
  };
  if (reset) {
    const { sourcePort, destinationPort, tcpFlags } = packet;
    Object.assign(own, { sourcePort: destinationPort, destinationPort: sourcePort, tcpDataOffset: 20 });
    return Object.assign(own, { tcpFlags: tcpFlags & ACK ? RST : RST | ACK, length: ipv4 ? 40 : 60 });
  }
  const [type, code] = ipv4 ? [3, CODES4[answer] ?? 255] : [1, code6(answer)];
  const length = Math.min(packet.length + (ipv4 ? 28 : 48), ipv4 ? 576 : 1280);
  Object.assign(own, { protocol: ipv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, sourcePort: type, destinationPort: code });
  Object.assign(own, { tcpFlags: 0, length, tos: ipv4 ? (packet.tos & 0x1e) | 0xc0 : 0 });
  if (!host.isLocal(packet.destination) && host.redirectAddress) own.source = host.redirectAddress;
  return own;
}

function code6(answer: number): number {
  const code = answer - P.REJECT_ICMP6_NO_ROUTE;
  return answer < P.REJECT_ICMP6_TCP_RESET ? code : code - 2;
}

function isError({ family, protocol, sourcePort }: Packet): boolean {
  if (family === "ipv4") return protocol === PROTOCOL_ICMP && ERRORS4.includes(sourcePort);
  return protocol === PROTOCOL_ICMPV6 && sourcePort < 128;
}

function isGroup(address: Uint8Array): boolean {
  if (address.length === 16) return address[0] === 0xff;
  return ((address[0] as number) & 0xf0) === 0xe0 || address.every((byte) => byte === 255);
}
