/** Addresses as bytes in network order, and what kind Linux takes one to be. */
import ipaddr from "ipaddr.js";

/** Those of random packets are few. */
const known = new Map<string, Uint8Array>();

export function addressBytes(text: string): Uint8Array {
  const bytes = known.get(text) ?? Uint8Array.from(ipaddr.parse(text).toByteArray());
  known.set(text, bytes);
  return bytes.slice();
}

export function addressText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** Less than, equal to or greater than zero, as unsigned numbers. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function underMask(address: Uint8Array, mask: Uint8Array, wanted: Uint8Array): boolean {
  return address.every((byte, i) => (byte & (mask[i] as number)) === wanted[i]);
}

/** RTN_*: the bit numbers of an addrtype mask. */
export const RTN_UNICAST = 1;
export const RTN_LOCAL = 2;
export const RTN_BROADCAST = 3;
export const RTN_MULTICAST = 5;

/** What inet_addr_type says of an IPv4 address, without routes: net/ipv4/fib_frontend.c. */
export function ipv4Type(address: Uint8Array, isLocal: (address: Uint8Array) => boolean): number {
  if (address.every((byte) => byte === 255) || address.every((byte) => byte === 0)) return RTN_BROADCAST;
  if (((address[0] as number) & 0xf0) === 0xe0) return RTN_MULTICAST;
  return isLocal(address) ? RTN_LOCAL : RTN_UNICAST;
}

export const isIpv6Multicast = (address: Uint8Array): boolean => address[0] === 0xff;
export const isIpv6Any = (address: Uint8Array): boolean => address.every((byte) => byte === 0);

/** IPV6_ADDR_UNICAST of net/ipv6/addrconf_core.c: neither multicast, nor unspecified, nor a mapped IPv4 address. */
export function isIpv6Unicast(address: Uint8Array): boolean {
  const mapped = address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff && address[11] === 0xff;
  return !isIpv6Multicast(address) && !isIpv6Any(address) && !mapped;
}
