/**
 * What a helper keeps of a connection, beside its record: of each direction the ends of lines, and how numbers are shifted where
 * NAT's helper makes a segment longer or shorter (nf_conntrack_seqadj.c). Nothing is written into packets, but acknowledgements
 * of what was shifted are read so.
 */
import {
  CONNECTION_SIZE,
  CONNECTIONS_HELPED,
  CONNECTIONS_RECORDS,
  HELPED_SHIFT_AT,
  HELPED_SHIFT_BEFORE,
  HELPED_SHIFT_BEHIND,
  HELPED_SIZE,
  HELPED_WAY_SIZE,
} from "../../src/blob/connections";
import { connections } from "./pool";
import { after, before } from "./segment";

/** A record that nobody else refers to yet begins without anything. */
export function helpedBegin(record: usize): void {
  memory.fill(helpedOf(record, 0), 0, HELPED_SIZE);
}

/** What is kept of direction `way` of a connection. */
export function helpedOf(record: usize, way: u32): usize {
  const table = connections();
  const number = <u32>(record - load<u32>(table, CONNECTIONS_RECORDS)) / CONNECTION_SIZE;
  return load<u32>(table, CONNECTIONS_HELPED) + number * HELPED_SIZE + way * HELPED_WAY_SIZE;
}

/** The segment at `sequence` becomes longer by `more` bytes on its way. One that is sent again does so no second time. */
export function shiftFrom(record: usize, way: u32, sequence: u32, more: u32): void {
  const shifts = helpedOf(record, way);
  const behind = load<u32>(shifts, HELPED_SHIFT_BEHIND);
  if (
    !more ||
    (load<u32>(shifts, HELPED_SHIFT_BEFORE) != behind && !before(load<u32>(shifts, HELPED_SHIFT_AT), sequence))
  )
    return;
  store<u32>(shifts, sequence, HELPED_SHIFT_AT);
  store<u32>(shifts, behind, HELPED_SHIFT_BEFORE);
  store<u32>(shifts, behind + more, HELPED_SHIFT_BEHIND);
}

/** What the number `sequence`, of direction `way` as the other end sees it, is greater by than its sender's. */
export function shiftAt(record: usize, way: u32, sequence: u32): u32 {
  const shifts = helpedOf(record, way);
  const at = after(sequence, load<u32>(shifts, HELPED_SHIFT_AT)) ? HELPED_SHIFT_BEHIND : HELPED_SHIFT_BEFORE;
  return load<u32>(shifts + at);
}
