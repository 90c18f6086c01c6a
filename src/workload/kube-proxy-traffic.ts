/**
 * First packets of connections to services. Of 100, 90 go to one of the services at random, 5 to an address of the
 * services' network that none has, 5 to a service's address at a port it has not. 7 of 8 come from pods, the others from
 * machines outside the cluster, so that kube-proxy marks them for masquerading.
 */
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
} from "../blob/layout.js";
import { writeAddress } from "../netfilter/address.js";
import { encodePacket } from "../netfilter/packet.js";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../netfilter/packet-names.js";
import type { Family } from "../ruleset/row-store.js";
import { NETWORKS, serviceAt, vacantServiceIp } from "./kube-proxy-cluster.js";
import type { KubeProxyOptions } from "./kube-proxy-options.js";
import { Random } from "./random.js";

/** Where clients reach services: addresses of 16 bytes, ports, protocol numbers. */
interface Fronts {
  readonly count: number;
  readonly addresses: Uint8Array;
  readonly ports: Uint16Array;
  readonly protocols: Uint8Array;
}

export function kubeProxyTraffic(options: KubeProxyOptions, count: number, seed: number): Uint8Array {
  const { family } = options;
  const random = new Random(seed, 0x7472);
  const fronts = frontsOf(options);
  const clients = [false, true].map((outside) => templateOf(family, outside));
  const vacant = new Uint8Array(16);
  const bytes = new Uint8Array(count * PACKET_SIZE);
  const view = new DataView(bytes.buffer);
  for (let packet = 0; packet < count; packet++) {
    const at = packet * PACKET_SIZE;
    const outside = random.below(8) === 0;
    bytes.set(clients[outside ? 1 : 0] as Uint8Array, at);
    setLastBytes(bytes, at + PACKET_SOURCE, family, random.below(outside ? 0xfffe : 0x3ffffe) + 1);
    view.setUint16(at + PACKET_SOURCE_PORT, random.between(32768, 60999), true);
    const front = random.below(fronts.count);
    const kind = random.below(20);
    let port = fronts.ports[front] as number;
    const protocol = fronts.protocols[front] as number;
    bytes[at + PACKET_PROTOCOL] = protocol;
    if (protocol !== PROTOCOL_TCP) bytes[at + PACKET_TCP_FLAGS] = 0;
    bytes.set(fronts.addresses.subarray(front * 16, front * 16 + 16), at + PACKET_DESTINATION);
    if (kind === 0) {
      writeAddress(vacant, 0, vacantServiceIp(random.below(1000), options), family);
      bytes.set(vacant, at + PACKET_DESTINATION);
    } else if (kind === 1) port ^= 0x4000;
    view.setUint16(at + PACKET_DESTINATION_PORT, port, true);
  }
  return bytes;
}

/** Packets whose source's low bytes, destination and ports are still to be filled in. */
function templateOf(family: Family, outside: boolean): Uint8Array {
  const pods = family === "ipv4" ? "10.128.0.0" : "fd00:10:128::";
  const others = family === "ipv4" ? "172.16.0.0" : "2001:db8:c1::";
  return encodePacket({
    family,
    source: outside ? others : pods,
    destination: family === "ipv4" ? "0.0.0.0" : "::",
    input: outside ? "eth0" : "cni0",
  });
}

/** Adds `host` to an address whose low 22 bits are nought. */
function setLastBytes(bytes: Uint8Array, at: number, family: Family, host: number): void {
  const end = at + (family === "ipv4" ? 4 : 16);
  bytes[end - 1] = host;
  bytes[end - 2] = host >>> 8;
  bytes[end - 3] = (bytes[end - 3] as number) + (host >>> 16);
}

function frontsOf(options: KubeProxyOptions): Fronts {
  const ends: [string, number, number][] = [];
  for (let index = 0; index < options.services; index++) {
    const service = serviceAt(index, options);
    const protocol = service.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP;
    for (const ip of [service.clusterIp, ...service.externalIps, ...service.loadBalancerIps])
      ends.push([ip, service.number, protocol]);
    if (service.nodePort !== undefined) ends.push([NETWORKS[options.family].nodeIp, service.nodePort, protocol]);
  }
  const addresses = new Uint8Array(ends.length * 16);
  ends.forEach(([ip], nth) => {
    writeAddress(addresses, nth * 16, ip, options.family);
  });
  return {
    count: ends.length,
    addresses,
    ports: Uint16Array.from(ends, (end) => end[1]),
    protocols: Uint8Array.from(ends, (end) => end[2]),
  };
}
