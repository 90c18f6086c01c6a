/** IP addresses between text and the 16-byte fields of packets and results; an IPv4 address fills the first four. */
import ipaddr from "ipaddr.js";
import type { Family } from "../ruleset/row-store.js";

/** Four decimal octets, or RFC 4291 text without a zone. Undefined when `text` is neither. */
export function addressFamily(text: string): Family | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return "ipv4";
  return ipaddr.IPv6.isValid(text) && !text.includes("%") ? "ipv6" : undefined;
}

/** Writes the address at `at`; false when `text` is no address of `family`. */
export function writeAddress(bytes: Uint8Array, at: number, text: string, family: Family): boolean {
  if (addressFamily(text) !== family) return false;
  bytes.set(ipaddr.parse(text).toByteArray(), at);
  return true;
}

/** Dotted decimal, or RFC 5952 (so `::1`, not `0:0:0:0:0:0:0:1`). */
export function readAddressText(bytes: Uint8Array, at: number, family: Family): string {
  return ipaddr.fromByteArray([...bytes.subarray(at, at + (family === "ipv4" ? 4 : 16))]).toString();
}
