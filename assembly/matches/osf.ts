/**
 * osf (nfnetlink_osf.c): the system that a SYN looks to come from, by fingerprints that the engine was given: the packet's
 * length, its TTL, the kinds of its TCP options in their order, its window. Where the packet's bytes are not known, its
 * description may name the system. As in Linux, an inversion is not looked at, and a rule that logs takes every system.
 */
import {
  FINGER_GENRE,
  FINGER_LABEL,
  FINGER_LABEL_BYTES,
  FINGER_LENGTH,
  FINGER_OPTION_COUNT,
  FINGER_OPTIONS,
  FINGER_SIZE,
  FINGER_TTL,
  FINGER_UNFRAGMENTED,
  FINGER_WINDOW,
  FINGER_WINDOW_KIND,
  FINGER_WINDOW_MODULO,
  FINGER_WINDOW_MTU,
  FINGER_WINDOW_PLAIN,
  FINGERPRINTS_COUNT,
  FINGERPRINTS_FIRST,
} from "../../src/blob/fingerprints";
import {
  KNOWN_GENRE,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_SOURCE,
  PACKET_TCP_FLAGS,
  PACKET_TTL,
} from "../../src/blob/layout";
import { CONTROL_ADDRESS, CONTROL_FINGERPRINTS } from "../../src/blob/memory";
import { OSF_FLAGS, OSF_GENRE, OSF_GENRE_BYTES, OSF_LOG, OSF_TTL } from "../../src/blob/payloads";
import { eventSystem } from "../events";
import { known } from "../known";
import { nearOn } from "../locals";
import { packet } from "../packet";
import { transportOffset } from "../payload";
import { rewrittenBytes, rewrittenLength } from "../rewritten";
import { asTheyCame } from "../rewritten-sums";

const BY_TTL: u8 = 2;
const LOGS: u8 = 4;
const TTL_SAME: u8 = 0;
const TTL_LESS: u8 = 1;
const LOG_FIRST: u8 = 1;
const SYN: u8 = 2;
const TCP_HEADER: u32 = 20;
const MOST_OPTIONS: u32 = 40;
const NO_FRAGMENTS: u8 = 0x40;
const SEGMENT_SIZE: u8 = 2;
/** Sizes that are tried beside the packet's own: the usual one, and what some modems make of it. */
const USUAL_SEGMENT: u32 = 1460;
const MODEM_SEGMENT: u32 = 1448;
const HEADERS: u32 = 40;

export function matchOsf(record: usize): bool {
  if (!(load<u8>(packet, PACKET_TCP_FLAGS) & SYN)) return false;
  const bytes = rewrittenBytes();
  if (!bytes) return isSaid(record);
  const alike = looksLike(record, bytes, rewrittenLength);
  asTheyCame();
  return alike;
}

/** What the packet's description says. */
function isSaid(record: usize): bool {
  const about = known();
  if (!about || !load<u8>(about, KNOWN_GENRE)) return false;
  const logs = (load<u8>(record, OSF_FLAGS) & LOGS) != 0;
  if (!logs && memory.compare(about + KNOWN_GENRE, record + OSF_GENRE, OSF_GENRE_BYTES)) return false;
  if (logs) eventSystem(about + KNOWN_GENRE, OSF_GENRE_BYTES);
  return true;
}

function looksLike(record: usize, bytes: usize, length: u32): bool {
  const at = transportOffset(bytes, length);
  if (at + TCP_HEADER > length) return false;
  const size = (<u32>load<u8>(bytes + at, 12) >> 4) << 2;
  const options = size > TCP_HEADER ? size - TCP_HEADER : 0;
  if (at + TCP_HEADER + options > length) return false;
  const logs = (load<u8>(record, OSF_FLAGS) & LOGS) != 0;
  const unfragmented: u8 = load<u8>(bytes, 6) & NO_FRAGMENTS ? 1 : 0;
  const image: usize = load<u32>(CONTROL_ADDRESS, CONTROL_FINGERPRINTS);
  let found = false;
  let left: u32 = image ? load<u32>(image, FINGERPRINTS_COUNT) : 0;
  for (let finger = image + FINGERPRINTS_FIRST; left; left--, finger += FINGER_SIZE) {
    if (load<u8>(finger, FINGER_UNFRAGMENTED) != unfragmented) continue;
    if (!logs && memory.compare(finger + FINGER_GENRE, record + OSF_GENRE, OSF_GENRE_BYTES)) continue;
    if (!fits(finger, record, bytes + at, options)) continue;
    found = true;
    if (!logs) break;
    eventSystem(finger + FINGER_LABEL, FINGER_LABEL_BYTES);
    if (load<u8>(record, OSF_LOG) == LOG_FIRST) break;
  }
  if (!found && logs) eventSystem(0, 0);
  return found;
}

function fits(finger: usize, record: usize, tcp: usize, size: u32): bool {
  if (load<u32>(packet, PACKET_LENGTH) != <u32>load<u16>(finger, FINGER_LENGTH)) return false;
  if (!ttlFits(record, load<u8>(finger, FINGER_TTL))) return false;
  let at = tcp + TCP_HEADER;
  const end = at + size;
  let segment: u32 = 0;
  let option = finger + FINGER_OPTIONS;
  for (let left = load<u8>(finger, FINGER_OPTION_COUNT); left; left--, option += 2) {
    const bytes = <usize>load<u8>(option, 1);
    if (at + bytes > end || load<u8>(at) != load<u8>(option)) return false;
    if (load<u8>(at) == SEGMENT_SIZE) segment = bswap<u16>(load<u16>(at, 2));
    at += bytes;
  }
  return at == end && size <= MOST_OPTIONS && windowFits(finger, bswap<u16>(load<u16>(tcp, 14)), segment);
}

function windowFits(finger: usize, window: u32, segment: u32): bool {
  const value = load<u32>(finger, FINGER_WINDOW);
  const kind = load<u8>(finger, FINGER_WINDOW_KIND);
  if (kind == FINGER_WINDOW_PLAIN) return !value || window == value;
  if (kind == FINGER_WINDOW_MODULO) return value != 0 && window % value == 0;
  const more: u32 = kind == FINGER_WINDOW_MTU ? HEADERS : 0;
  return (
    window == value * (segment + more) ||
    window == value * (USUAL_SEGMENT + more) ||
    window == value * (MODEM_SEGMENT + more)
  );
}

/** Without --ttl as with --ttl 0, it must be the same; with 1, from afar it may be less. */
function ttlFits(record: usize, expected: u8): bool {
  const ttl = load<u8>(packet, PACKET_TTL);
  const how = load<u8>(record, OSF_FLAGS) & BY_TTL ? load<u8>(record, OSF_TTL) : TTL_SAME;
  if (how == TTL_SAME) return ttl == expected;
  if (how != TTL_LESS || ttl <= expected) return true;
  return nearOn(packet + PACKET_INPUT, packet + PACKET_SOURCE) && ttl == expected;
}
