/** What carries an IP packet in a capture: where it begins, and what the link layer says of it. */
import type { PacketType } from "./packet-names.js";

export interface Frame {
  /** From the IP header on. */
  readonly ip: Uint8Array;
  readonly type: PacketType;
  readonly sourceMac?: string;
}

/** Numbers of https://www.tcpdump.org/linktypes.html. */
const LOOPBACK = 0;
const ETHERNET = 1;
const RAW = [12, 14, 101, 228, 229];
const COOKED = 113;
const COOKED_2 = 276;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const TAGS = [0x8100, 0x88a8];
/** Of cooked frames, by number. */
const COOKED_TYPES: readonly PacketType[] = ["host", "broadcast", "multicast", "otherhost", "outgoing"];

/** Undefined for a frame that carries no IP. */
export function ipOf(frame: Uint8Array, linkType: number): Frame | undefined | "unknown" {
  if (RAW.includes(linkType)) return { ip: frame, type: "host" };
  switch (linkType) {
    case LOOPBACK:
      return frame.length > 4 ? { ip: frame.subarray(4), type: "host" } : undefined;
    case ETHERNET:
      return ethernet(frame);
    case COOKED:
      return frame.length < 16 ? undefined : cooked(frame, { protocol: 14, type: word(frame, 0), mac: 6, size: 16 });
    case COOKED_2:
      return frame.length < 20 ? undefined : cooked(frame, { protocol: 0, type: frame[10] ?? 0, mac: 12, size: 20 });
    default:
      return "unknown";
  }
}

function ethernet(frame: Uint8Array): Frame | undefined {
  let at = 12;
  while (TAGS.includes(word(frame, at))) at += 4;
  const protocol = word(frame, at);
  if (protocol !== IPV4 && protocol !== IPV6) return undefined;
  const broadcast = frame.subarray(0, 6).every((byte) => byte === 255);
  const type = broadcast ? "broadcast" : (frame[0] as number) & 1 ? "multicast" : "host";
  return { ip: frame.subarray(at + 2), type, sourceMac: macText(frame, 6) };
}

function cooked(
  frame: Uint8Array,
  { protocol, type, mac, size }: { protocol: number; type: number; mac: number; size: number },
): Frame | undefined {
  const carried = word(frame, protocol);
  if (carried !== IPV4 && carried !== IPV6) return undefined;
  return { ip: frame.subarray(size), type: COOKED_TYPES[type] ?? "host", sourceMac: macText(frame, mac) };
}

/** In network order, 0 behind the end. */
const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

function macText(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
