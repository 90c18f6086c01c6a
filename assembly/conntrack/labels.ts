/**
 * connlabel (xt_connlabel.c, nf_conntrack_labels.c): bits that a connection carries. They lie beside the records, and only a
 * connection that begins while some rule asks for labels has any.
 */
import {
  CONNECTION_LABELLED,
  CONNECTION_SIZE,
  CONNECTIONS_LABELLERS,
  CONNECTIONS_LABELS,
  CONNECTIONS_RECORDS,
  LABELS_SIZE,
} from "../../src/blob/connections";
import { CONNLABEL_BIT, CONNLABEL_FLAGS } from "../../src/blob/payloads";
import { tracked } from "../matches/conntrack";
import { put32 } from "../store";
import { connections } from "./pool";
import { connection } from "./track";

const INVERT: u8 = 1;
const SET: u8 = 2;
const BITS_MOST: u16 = 128;

/** One more rule asks, or one less. */
export function labellersCount(change: i32): void {
  const word = connections() + CONNECTIONS_LABELLERS;
  put32(word, load<u32>(word) + change);
}

/** A record that nobody else refers to yet has labels, none of them set. */
export function labelsBegin(record: usize): void {
  v128.store(labelsOf(record), v128.splat<u32>(0));
  store<u8>(record, 1, CONNECTION_LABELLED);
}

export function matchConnlabel(record: usize): bool {
  const flags = load<u8>(record, CONNLABEL_FLAGS);
  const inverted = (flags & INVERT) != 0;
  if (!tracked() || !load<u8>(connection, CONNECTION_LABELLED)) return inverted;
  const bit = <u32>load<u16>(record, CONNLABEL_BIT);
  const word = labelsOf(connection) + ((bit >> 5) << 2);
  const mask = (<u32>1) << (bit & 31);
  if (atomic.load<u32>(word) & mask) return !inverted;
  if (!(flags & SET)) return inverted;
  atomic.or<u32>(word, mask);
  return !inverted;
}

export function checkConnlabel(record: usize): bool {
  return load<u16>(record, CONNLABEL_BIT) < BITS_MOST && !(load<u8>(record, CONNLABEL_FLAGS) & ~(INVERT | SET));
}

function labelsOf(record: usize): usize {
  const table = connections();
  const number = <u32>(record - load<u32>(table, CONNECTIONS_RECORDS)) / CONNECTION_SIZE;
  return load<u32>(table, CONNECTIONS_LABELS) + number * LABELS_SIZE;
}
