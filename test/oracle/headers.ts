/** Where headers begin in a packet's bytes: ipv6_find_hdr of net/ipv6/exthdrs_core.c, and IPv4's header length. */
import type { Family } from "../../src/ruleset/row-store.js";

const IPV6_HEADER = 40;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const NO_NEXT = 59;
/** Hop-by-hop, routing, fragment, authentication, none, destination options. */
const EXTENSIONS = [0, 43, FRAGMENT, AUTHENTICATION, NO_NEXT, 60];

/** Offset of an extension header; "cut" when the packet ends within the headers in front of it. */
export function findHeader(bytes: Uint8Array, wanted: number): number | "none" | "cut" {
  for (const header of extensions(bytes)) {
    if (header === "cut") return "cut";
    if (header.type === wanted) return header.at;
    if (header.isData) return "none";
  }
  return "none";
}

export function transportStart(family: Family, bytes: Uint8Array): number | "cut" {
  if (family === "ipv4") return bytes.length < 20 ? "cut" : 4 * ((bytes[0] as number) & 15);
  let end = IPV6_HEADER;
  for (const header of extensions(bytes)) {
    if (header === "cut" || header.isData) return "cut";
    end = header.end;
  }
  return end;
}

interface Header {
  readonly type: number;
  readonly at: number;
  readonly end: number;
  /** A later fragment: what is behind is no header. */
  readonly isData: boolean;
}

function* extensions(bytes: Uint8Array): Generator<Header | "cut"> {
  if (bytes.length < IPV6_HEADER) return yield "cut";
  let type = bytes[6] as number;
  for (let at = IPV6_HEADER; EXTENSIONS.includes(type) && type !== NO_NEXT; ) {
    const needed = type === 43 || type === FRAGMENT ? 4 : 2;
    if (at + needed > bytes.length) return yield "cut";
    const [next, length] = bytes.subarray(at) as unknown as [number, number];
    const size = type === FRAGMENT ? 8 : type === AUTHENTICATION ? 4 * (length + 2) : 8 * (length + 1);
    const offset = 256 * (bytes[at + 2] as number) + (bytes[at + 3] as number);
    yield { type, at, end: at + size, isData: type === FRAGMENT && offset >> 3 !== 0 };
    at += size;
    type = next;
  }
}
