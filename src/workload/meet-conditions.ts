/**
 * Changes a packet so that it meets the conditions of a row, as far as a packet can: addresses, interfaces, protocol,
 * ports, flags, ICMP types, connection state, marks and the like. What depends on sets, rates, chance or memory of
 * earlier packets is left to the rule.
 */
import {
  CT_STATE_ESTABLISHED,
  CT_STATE_INVALID,
  CT_STATE_NEW,
  CT_STATE_RELATED,
  CT_STATE_UNTRACKED,
  INTERFACE_SIZE,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_MAC,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_GID,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_OUTPUT,
  PACKET_PHYSICAL_INPUT,
  PACKET_PHYSICAL_OUTPUT,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_MAC,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
  PACKET_UID,
  RECORD_BYTES,
  RECORD_TYPE,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAGS,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
  ROW_PROTOCOL,
  ROW_SOURCE,
  ROW_TARGET,
} from "../blob/layout.js";
import * as P from "../blob/payloads.js";
import { writeAddress } from "../netfilter/address.js";
import { type RowStore, rowHeadSize } from "../ruleset/row-store.js";
import type { Random } from "./random.js";

/** A packet's record that is being made. */
export interface Draft {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the record begins. */
  readonly at: number;
  readonly random: Random;
  /** An address of the machine. */
  readonly local: string;
}

const CT_STATES = [CT_STATE_NEW, CT_STATE_ESTABLISHED, CT_STATE_RELATED, CT_STATE_INVALID, CT_STATE_UNTRACKED];
const USUAL_PROTOCOLS = [6, 17, 1];

export function meetConditions(draft: Draft, rows: RowStore, ordinal: number): void {
  const row = rows.offsets[ordinal] as number;
  const width = rows.family === "ipv4" ? 4 : 16;
  const flags = rows.bytes[row + ROW_FLAGS] as number;
  const invert = rows.bytes[row + ROW_INVERT] as number;
  const destination = row + ROW_SOURCE + 2 * width;
  meetAddress(draft, rows, row + ROW_SOURCE, width, PACKET_SOURCE, (invert & ROW_INVERT_SOURCE) !== 0);
  meetAddress(draft, rows, destination, width, PACKET_DESTINATION, (invert & ROW_INVERT_DESTINATION) !== 0);
  let field = row + rowHeadSize(rows.family);
  if (flags & ROW_FLAG_INPUT) {
    meetInterface(draft, rows, field, PACKET_INPUT, (invert & ROW_INVERT_INPUT) !== 0);
    field += 2 * INTERFACE_SIZE;
  }
  if (flags & ROW_FLAG_OUTPUT) meetInterface(draft, rows, field, PACKET_OUTPUT, (invert & ROW_INVERT_OUTPUT) !== 0);
  const protocol = rows.bytes[row + ROW_PROTOCOL] as number;
  if (protocol > 0) {
    const others = USUAL_PROTOCOLS.filter((other) => other !== protocol);
    draft.bytes[draft.at + PACKET_PROTOCOL] = invert & ROW_INVERT_PROTOCOL ? draft.random.pick(others) : protocol;
  }
  const target = row + rows.view.getUint16(row + ROW_TARGET, true);
  for (
    let match = row + rows.matchesOffset(row);
    match < target;
    match += rows.view.getUint16(match + RECORD_BYTES, true)
  )
    meetMatch(draft, rows, match, rows.view.getUint16(match + RECORD_TYPE, true));
}

function meetMatch(draft: Draft, rows: RowStore, match: number, type: number): void {
  const { bytes, at, view, random } = draft;
  const u8 = (field: number): number => rows.bytes[match + field] as number;
  const u16 = (field: number): number => rows.view.getUint16(match + field, true);
  const u32 = (field: number): number => rows.view.getUint32(match + field, true);
  switch (type) {
    case P.MATCH_TCP:
    case P.MATCH_UDP:
    case P.MATCH_SCTP: {
      const invert = u8(P.PORTS_INVERT);
      setPort(
        draft,
        PACKET_SOURCE_PORT,
        u16(P.PORTS_SOURCE_MIN),
        u16(P.PORTS_SOURCE_MAX),
        (invert & P.PORTS_INVERT_SOURCE) !== 0,
      );
      const [low, high] = [u16(P.PORTS_DESTINATION_MIN), u16(P.PORTS_DESTINATION_MAX)];
      setPort(draft, PACKET_DESTINATION_PORT, low, high, (invert & P.PORTS_INVERT_DESTINATION) !== 0);
      if (type === P.MATCH_TCP && u8(P.TCP_FLAG_MASK) > 0) {
        const other = invert & P.TCP_INVERT_FLAGS ? u8(P.TCP_FLAG_MASK) : 0;
        const old = bytes[at + PACKET_TCP_FLAGS] as number;
        bytes[at + PACKET_TCP_FLAGS] = (old & ~u8(P.TCP_FLAG_MASK)) | (u8(P.TCP_FLAG_COMPARE) ^ other);
      }
      return;
    }
    case P.MATCH_MULTIPORT: {
      const field = u8(P.MULTIPORT_KIND) === 0 ? PACKET_SOURCE_PORT : PACKET_DESTINATION_PORT;
      const nth = random.below(u8(P.MULTIPORT_COUNT));
      const begins = (entry: number): boolean => (u16(P.MULTIPORT_RANGES) & (1 << entry)) !== 0;
      const first = nth > 0 && begins(nth - 1) ? nth - 1 : nth;
      const low = u16(P.MULTIPORT_PORTS + 2 * first);
      const high = begins(first) ? u16(P.MULTIPORT_PORTS + 2 * first + 2) : low;
      setPort(draft, field, low, high, u8(P.MULTIPORT_INVERT) !== 0);
      return;
    }
    case P.MATCH_ICMP:
    case P.MATCH_ICMP6:
      if (u8(P.ICMP_TYPE) === 255) return;
      view.setUint16(at + PACKET_SOURCE_PORT, (u8(P.ICMP_TYPE) + (u8(P.ICMP_INVERT) ? 1 : 0)) & 255, true);
      view.setUint16(
        at + PACKET_DESTINATION_PORT,
        random.between(u8(P.ICMP_CODE_MIN), Math.min(u8(P.ICMP_CODE_MAX), 15)),
        true,
      );
      return;
    case P.MATCH_CONNTRACK:
      if (u16(P.CONNTRACK_MATCH) & P.CONNTRACK_HAS_STATE)
        setState(draft, u16(P.CONNTRACK_STATE_MASK), (u16(P.CONNTRACK_INVERT) & P.CONNTRACK_HAS_STATE) !== 0);
      return;
    case P.MATCH_STATE:
      setState(draft, u16(P.STATE_MASK), u8(P.STATE_INVERT) !== 0);
      return;
    case P.MATCH_MARK:
    case P.MATCH_CONNMARK: {
      const field = at + (type === P.MATCH_MARK ? PACKET_MARK : PACKET_CT_MARK);
      const wanted = u8(P.MARK_INVERT) ? u32(P.MARK_VALUE) ^ (u32(P.MARK_MASK) & -u32(P.MARK_MASK)) : u32(P.MARK_VALUE);
      view.setUint32(field, ((view.getUint32(field, true) & ~u32(P.MARK_MASK)) | wanted) >>> 0, true);
      return;
    }
    case P.MATCH_MAC:
      bytes.set(rows.bytes.subarray(match + P.MAC_ADDRESS, match + P.MAC_ADDRESS + 6), at + PACKET_SOURCE_MAC);
      if (u8(P.MAC_INVERT)) bytes[at + PACKET_SOURCE_MAC + 5] = (bytes[at + PACKET_SOURCE_MAC + 5] as number) ^ 1;
      bytes[at + PACKET_FLAGS] = (bytes[at + PACKET_FLAGS] as number) | PACKET_FLAG_MAC;
      return;
    case P.MATCH_IPRANGE: {
      const chosen = u8(P.IPRANGE_FLAGS);
      const width = rows.family === "ipv4" ? 4 : 16;
      if ((chosen & 17) === 1) copyAddress(draft, rows, match + P.IPRANGE_SOURCE_MIN, PACKET_SOURCE, width);
      if ((chosen & 34) === 2) copyAddress(draft, rows, match + P.IPRANGE_DESTINATION_MIN, PACKET_DESTINATION, width);
      return;
    }
    case P.MATCH_LENGTH:
      if (u8(P.LENGTH_INVERT) === 0)
        view.setUint32(at + PACKET_LENGTH, random.between(u16(P.LENGTH_MIN), u16(P.LENGTH_MAX)), true);
      return;
    case P.MATCH_OWNER:
      if (u8(P.OWNER_INVERT)) return;
      bytes[at + PACKET_FLAGS] = (bytes[at + PACKET_FLAGS] as number) | PACKET_FLAG_SOCKET;
      view.setUint32(at + PACKET_UID, u32(P.OWNER_UID_MIN), true);
      view.setUint32(at + PACKET_GID, u32(P.OWNER_GID_MIN), true);
      return;
    case P.MATCH_ADDRTYPE: {
      const [inverted, local] = [u8(P.ADDRTYPE_FLAGS), 1 << 2];
      const wants = (field: number, bit: number): boolean => (u16(field) & local) !== 0 && (inverted & bit) === 0;
      if (wants(P.ADDRTYPE_SOURCE, P.ADDRTYPE_INVERT_SOURCE))
        writeAddress(bytes, at + PACKET_SOURCE, draft.local, rows.family);
      if (wants(P.ADDRTYPE_DESTINATION, P.ADDRTYPE_INVERT_DESTINATION))
        writeAddress(bytes, at + PACKET_DESTINATION, draft.local, rows.family);
      return;
    }
    case P.MATCH_PHYSDEV:
      if (u8(P.PHYSDEV_FLAGS) & 1)
        meetInterface(draft, rows, match + P.PHYSDEV_INPUT, PACKET_PHYSICAL_INPUT, (u8(P.PHYSDEV_INVERT) & 1) !== 0);
      if (u8(P.PHYSDEV_FLAGS) & 2)
        meetInterface(draft, rows, match + P.PHYSDEV_OUTPUT, PACKET_PHYSICAL_OUTPUT, (u8(P.PHYSDEV_INVERT) & 2) !== 0);
  }
}

/** Sets the bits under the mask that follows the address; where it must not match, turns the mask's last bit over. */
function meetAddress(
  draft: Draft,
  rows: RowStore,
  from: number,
  width: number,
  field: number,
  inverted: boolean,
): void {
  for (let i = 0; i < width; i++) {
    const mask = rows.bytes[from + width + i] as number;
    const to = draft.at + field + i;
    draft.bytes[to] = ((draft.bytes[to] as number) & ~mask) | (rows.bytes[from + i] as number);
  }
  if (!inverted) return;
  for (let i = width - 1; i >= 0; i--) {
    const mask = rows.bytes[from + width + i] as number;
    if (mask === 0) continue;
    draft.bytes[draft.at + field + i] = (draft.bytes[draft.at + field + i] as number) ^ (mask & -mask);
    return;
  }
}

/** The name and behind it its mask; "eth+" becomes "eth0". */
function meetInterface(draft: Draft, rows: RowStore, from: number, field: number, inverted: boolean): void {
  const to = draft.at + field;
  draft.bytes.fill(0, to, to + INTERFACE_SIZE);
  if (inverted) {
    draft.bytes.set(OTHER_INTERFACE, to);
    return;
  }
  let length = 0;
  const isGiven = (nth: number): boolean =>
    rows.bytes[from + nth] !== 0 && rows.bytes[from + INTERFACE_SIZE + nth] !== 0;
  for (; length < INTERFACE_SIZE - 1 && isGiven(length); length++)
    draft.bytes[to + length] = rows.bytes[from + length] as number;
  const isPrefix = rows.bytes[from + INTERFACE_SIZE + length] === 0;
  if (isPrefix && length < INTERFACE_SIZE - 1) draft.bytes[to + length] = 48;
}

const OTHER_INTERFACE = new TextEncoder().encode("other0");

function setPort({ view, at, random }: Draft, field: number, low: number, high: number, inverted: boolean): void {
  if (low === 0 && high === 65535) return;
  const port = inverted ? (high < 65535 ? high + 1 : Math.max(0, low - 1)) : random.between(low, Math.max(low, high));
  view.setUint16(at + field, port, true);
}

function setState({ view, at, random }: Draft, mask: number, inverted: boolean): void {
  const allowed = CT_STATES.filter((state) => ((mask & state) !== 0) !== inverted);
  if (allowed.length > 0) view.setUint16(at + PACKET_CT_STATE, random.pick(allowed), true);
}

function copyAddress(draft: Draft, rows: RowStore, from: number, field: number, width: number): void {
  draft.bytes.set(rows.bytes.subarray(from, from + width), draft.at + field);
}
