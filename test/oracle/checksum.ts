/** The internet checksum (RFC 1071), of headers and of what comes behind them. */

export function checksum(bytes: Uint8Array): number {
  const even = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
  let sum = 0;
  for (let at = 0; at < even.length; at += 2) sum += even.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** That of a packet's transport, its own field being zero: of all behind an IP header without options and what it says of the ends. */
export function transportChecksum(packet: Uint8Array, protocol: number): number {
  const ipv4 = (packet[0] as number) >> 4 === 4;
  const [header, from] = ipv4 ? [20, 12] : [40, 8];
  const length = packet.length - header;
  const pseudo = Buffer.concat([packet.subarray(from, header), Buffer.of(0, protocol, length >> 8, length & 255)]);
  return checksum(Buffer.concat([pseudo, packet.subarray(header)]));
}
