/** Fragments of a datagram in the order of their offsets, and where a new one belongs (inet_frag_queue_insert). */
import {
  CELL_NEXT,
  DATAGRAM_BYTES,
  DATAGRAM_ENDS,
  DATAGRAM_FRAGMENTS,
  DATAGRAM_HAS_FIRST,
  DATAGRAM_HEADERS,
  DATAGRAM_HEADERS_MOST,
  DATAGRAM_HEADERS_SIZE,
  DATAGRAM_RECORD,
  FRAGMENT_BYTES,
  FRAGMENT_KNOWN,
  FRAGMENT_LENGTH,
  FRAGMENT_MORE,
  FRAGMENT_OFFSET,
  FRAGMENT_ROOM,
  FRAGMENT_RUN,
} from "../../src/blob/fragments";
import { PACKET_PAYLOAD_LENGTH, PACKET_SIZE } from "../../src/blob/layout";
import { packet } from "../packet";
import { ipBytes } from "../payload";
import { cellsGive, cellTake } from "./cells";

export const INSERTED: u32 = 0;
/** It lies within what is there. */
export const TWICE: u32 = 1;
export const OVERLAPS: u32 = 2;
export const NO_ROOM: u32 = 3;

/** Puts bytes `offset` to `end` of the datagram, which lie behind `headers` in the packet being walked, to the others. */
export function insertFragment(datagram: usize, headers: u32, offset: u32, end: u32, now: u32): u32 {
  let link = datagram + DATAGRAM_FRAGMENTS;
  let runEnd: u32 = 0;
  for (let run: usize = load<u32>(link); run; run = load<u32>(link)) {
    const start = load<u32>(run, FRAGMENT_OFFSET);
    if (end <= start) break;
    link = lastOfRun(run);
    runEnd = endOf(link);
    if (offset >= start && end <= runEnd) return TWICE;
    if (offset < runEnd) return OVERLAPS;
    link += CELL_NEXT;
  }
  const fragment = cellTake(now);
  if (!fragment) return NO_ROOM;
  const behind = load<u32>(link) == 0 && runEnd != 0 && offset == runEnd;
  store<u32>(fragment, 0, FRAGMENT_MORE);
  store<u32>(fragment, offset, FRAGMENT_OFFSET);
  store<u32>(fragment, end - offset, FRAGMENT_LENGTH);
  store<u32>(fragment, behind ? 0 : 1, FRAGMENT_RUN);
  if (!keepBytes(fragment, headers, now)) {
    cellsGive(fragment);
    return NO_ROOM;
  }
  store<u32>(fragment, load<u32>(link), CELL_NEXT);
  store<u32>(link, <u32>fragment);
  return INSERTED;
}

/** Of the first fragment, what the whole packet begins with. False where its headers are longer than there is room for. */
export function keepHeaders(datagram: usize, headers: u32): bool {
  const bytes = ipBytes();
  if (bytes && headers > <u32>DATAGRAM_HEADERS_MOST) return false;
  const known = bytes ? min(headers, load<u32>(packet, PACKET_PAYLOAD_LENGTH)) : 0;
  memory.copy(datagram + DATAGRAM_RECORD, packet, PACKET_SIZE);
  if (known) memory.copy(datagram + DATAGRAM_BYTES, bytes, known);
  store<u32>(datagram, known, DATAGRAM_HEADERS);
  store<u32>(datagram, headers, DATAGRAM_HEADERS_SIZE);
  store<u8>(datagram, load<u8>(datagram, DATAGRAM_ENDS) | DATAGRAM_HAS_FIRST, DATAGRAM_ENDS);
  return true;
}

/** Copies the fragment's bytes to where they are wanted, as many as are known. */
export function copyBytes(fragment: usize, into: usize): void {
  let left = load<u32>(fragment, FRAGMENT_KNOWN);
  for (let cell = fragment; left; cell = load<u32>(cell, FRAGMENT_MORE)) {
    const part = min<u32>(left, FRAGMENT_ROOM);
    memory.copy(into, cell + FRAGMENT_BYTES, part);
    into += part;
    left -= part;
  }
}

function keepBytes(fragment: usize, headers: u32, now: u32): bool {
  const bytes = ipBytes();
  const there = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
  const known = bytes && there > headers ? min(there - headers, load<u32>(fragment, FRAGMENT_LENGTH)) : 0;
  store<u32>(fragment, known, FRAGMENT_KNOWN);
  let from = bytes + headers;
  let cell = fragment;
  for (let left = known; left; ) {
    const part = min<u32>(left, FRAGMENT_ROOM);
    memory.copy(cell + FRAGMENT_BYTES, from, part);
    from += part;
    left -= part;
    if (!left) break;
    const more = cellTake(now);
    if (!more) return false;
    store<u32>(more, 0, FRAGMENT_MORE);
    store<u32>(cell, <u32>more, FRAGMENT_MORE);
    cell = more;
  }
  return true;
}

function lastOfRun(fragment: usize): usize {
  while (true) {
    const next: usize = load<u32>(fragment, CELL_NEXT);
    if (!next || load<u32>(next, FRAGMENT_RUN)) return fragment;
    fragment = next;
  }
}

function endOf(fragment: usize): u32 {
  return load<u32>(fragment, FRAGMENT_OFFSET) + load<u32>(fragment, FRAGMENT_LENGTH);
}
