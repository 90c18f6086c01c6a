/**
 * Chain names as kube-proxy makes them: sha256 of what the chain stands for, base32 (RFC 4648), the first 16 letters.
 * Source: kubernetes pkg/proxy/iptables/proxier.go, portProtoHash and servicePortEndpointChainName.
 */
import { hash } from "node:crypto";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `KUBE-SVC-` and the like, followed by the hash of the service port ("namespace/name:port") and protocol ("tcp"). */
export function serviceChain(
  prefix: "KUBE-SVC-" | "KUBE-SVL-" | "KUBE-EXT-" | "KUBE-FW-",
  port: string,
  protocol: string,
): string {
  return prefix + hash16(port + protocol);
}

/** `endpoint` is "10.0.0.1:80" or "[fd00::1]:80". */
export function endpointChain(port: string, protocol: string, endpoint: string): string {
  return `KUBE-SEP-${hash16(port + protocol + endpoint)}`;
}

/** 16 letters are 80 bits, the first ten bytes of the digest. */
function hash16(text: string): string {
  const digest = hash("sha256", text, "buffer");
  let letters = "";
  for (let at = 0; at < 10; at += 5) {
    const high = digest.readUInt32BE(at);
    const last = digest[at + 4] as number;
    for (let shift = 27; shift >= 2; shift -= 5) letters += ALPHABET[(high >>> shift) & 31];
    letters += ALPHABET[((high << 3) | (last >>> 5)) & 31];
    letters += ALPHABET[last & 31];
  }
  return letters;
}
