/** What shape a packet is in: whole, a fragment, or cut short somewhere. Flags of its record (PACKET_FLAG_*). */
import {
  PACKET_FLAG_HEADERS_CUT,
  PACKET_FLAG_MORE,
  PACKET_FLAG_MSS_ZERO,
  PACKET_FLAG_ODD,
  PACKET_FLAG_OPTIONS_CUT,
} from "../blob/layout.js";
import { PROTOCOL_TCP } from "./packet-names.js";

export interface Shape {
  /** Fragments of the same packet follow. */
  readonly moreFragments?: boolean;
  /** The transport header is cut short: exact netfilter drops it in the middle of a rule. */
  readonly odd?: boolean;
  /** IPv6's extension headers cannot be read to their end: a rule that names a protocol drops it. */
  readonly headersCut?: boolean;
  /** TCP's options end with the packet, or cannot be read: a rule that looks at them drops it. */
  readonly optionsCut?: boolean;
}

interface Segment {
  readonly protocol?: number;
  readonly tcpDataOffset?: number;
  readonly mss?: number;
}

const TCP_HEADER = 20;

/** A header of TCP's that says it has less than its 20 bytes has no options that could be read. */
export function flagsOf({
  protocol = PROTOCOL_TCP,
  tcpDataOffset = TCP_HEADER,
  mss,
  ...shape
}: Shape & Segment): number {
  const cut = shape.optionsCut || (protocol === PROTOCOL_TCP && tcpDataOffset < TCP_HEADER);
  return (
    (shape.moreFragments ? PACKET_FLAG_MORE : 0) |
    (shape.odd ? PACKET_FLAG_ODD : 0) |
    (shape.headersCut ? PACKET_FLAG_HEADERS_CUT : 0) |
    (cut ? PACKET_FLAG_OPTIONS_CUT : 0) |
    (mss === 0 ? PACKET_FLAG_MSS_ZERO : 0)
  );
}

/** The inverse, every fact said. */
export function shapeOf(flags: number): Shape {
  return {
    moreFragments: (flags & PACKET_FLAG_MORE) !== 0,
    odd: (flags & PACKET_FLAG_ODD) !== 0,
    headersCut: (flags & PACKET_FLAG_HEADERS_CUT) !== 0,
    optionsCut: (flags & PACKET_FLAG_OPTIONS_CUT) !== 0,
  };
}
