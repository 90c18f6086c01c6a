/** IPsec's headers and IPv6's fragment header in the packet's bytes: xt_esp.c, ipt_ah.c, ip6t_ah.c, xt_ipcomp.c, ip6t_frag.c. */
import { PACKET_FLAG_ODD } from "../../src/blob/layout.js";
import {
  FRAG_FLAGS,
  FRAG_ID_MAX,
  FRAG_ID_MIN,
  FRAG_INVERT,
  SPI_INVERT,
  SPI_LENGTH,
  SPI_MAX,
  SPI_MIN,
  SPI_RESERVED,
} from "../../src/blob/payloads.js";
import { findHeader, transportStart } from "./headers.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

/** The transport header on. Undefined in a later fragment, and where nothing is known; one that is cut is dropped. */
export function transportBytes(walk: Walk, size: number): DataView | undefined {
  const { family, fragmentOffset, flags, bytes } = walk.packet;
  if (fragmentOffset !== 0) return undefined;
  const start = bytes ? transportStart(family, bytes) : 0;
  if (flags & PACKET_FLAG_ODD || start === "cut" || (bytes && start + size > bytes.length)) {
    walk.hotdrop = true;
    return undefined;
  }
  return bytes ? viewOf(bytes, start) : undefined;
}

/** An IPv6 extension header on; packets whose headers are cut short are dropped. */
function extensionBytes(walk: Walk, type: number, size: number): DataView | undefined {
  const { bytes } = walk.packet;
  const at = bytes ? findHeader(bytes, type) : "none";
  if (!bytes || at === "none") return undefined;
  if (at !== "cut" && at + size <= bytes.length) return viewOf(bytes, at);
  walk.hotdrop = true;
  return undefined;
}

function viewOf(bytes: Uint8Array, at: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
}

function indexMatches({ view, bytes }: RecordView, index: number): boolean {
  const within = index >= view.getUint32(SPI_MIN, true) && index <= view.getUint32(SPI_MAX, true);
  return inverted(within, bytes[SPI_INVERT] as number, 1);
}

export function matchEsp(record: RecordView, walk: Walk): boolean {
  const header = transportBytes(walk, 8);
  return header !== undefined && indexMatches(record, header.getUint32(0));
}

/** What `--compres` asks for Linux does not look at. */
export function matchIpcomp(record: RecordView, walk: Walk): boolean {
  const header = transportBytes(walk, 4);
  return header !== undefined && indexMatches(record, header.getUint16(2));
}

const AUTHENTICATION = 51;

export function matchAh(record: RecordView, walk: Walk): boolean {
  const ipv6 = walk.packet.family === "ipv6";
  const header = ipv6 ? extensionBytes(walk, AUTHENTICATION, 12) : transportBytes(walk, 12);
  if (!header) return false;
  const size = 4 * (header.getUint8(1) + 2);
  if (ipv6 && header.byteOffset - (walk.packet.bytes?.byteOffset ?? 0) + size > walk.packet.length) {
    walk.hotdrop = true;
    return false;
  }
  if (!indexMatches(record, header.getUint32(4))) return false;
  if (!ipv6) return true;
  const wanted = record.view.getUint32(SPI_LENGTH, true);
  if (wanted !== 0 && !inverted(size === wanted, record.bytes[SPI_INVERT] as number, 2)) return false;
  return record.bytes[SPI_RESERVED] === 0 || header.getUint16(2) === 0;
}

const FRAGMENT = 44;

export function matchFrag({ view, bytes }: RecordView, walk: Walk): boolean {
  const header = extensionBytes(walk, FRAGMENT, 8);
  if (!header) return false;
  const id = header.getUint32(4);
  const within = id >= view.getUint32(FRAG_ID_MIN, true) && id <= view.getUint32(FRAG_ID_MAX, true);
  if (!inverted(within, bytes[FRAG_INVERT] as number, 1)) return false;
  const field = header.getUint16(2);
  const facts = {
    4: header.getUint8(1) === 0 && (field & 6) === 0,
    8: field >> 3 === 0,
    16: (field & 1) === 1,
    32: (field & 1) === 0,
  };
  const asked = bytes[FRAG_FLAGS] as number;
  return Object.entries(facts).every(([bit, fact]) => !(asked & Number(bit)) || fact);
}
