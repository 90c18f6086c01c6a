/**
 * Scanners over the network (nf_conntrack_sane.c): who is asked to start a scan answers at what port its data can be had.
 *
 *     > 7 handle                    (SANE_NET_START, big endian, words of four bytes)
 *     < status 0, 2 bytes of zero, port
 */
import { HELPED_ASKED } from "../../src/blob/connections";
import { VERDICT_ACCEPT, VERDICT_DROP } from "../../src/blob/layout";
import { expectUnchanged } from "./helper-expect";
import { data, dataEnd, readData } from "./helper-read";
import { helpedOf } from "./helped";
import { connection, direction } from "./track";

const REQUEST: usize = 8;
const ANSWER: usize = 8;
/** SANE_NET_START as it lies in memory. */
const START: u32 = 0x07000000;
/** So many may be open at a time. */
const MOST: u32 = 1;

/** Reads the packet in hand; a VERDICT_*. */
export function readScan(): u32 {
  if (!readData()) return VERDICT_ACCEPT;
  const length = dataEnd - data;
  const kept = helpedOf(connection, 0);
  if (!direction) {
    if (length == REQUEST) store<u32>(kept, load<u32>(data) == START ? 1 : 0, HELPED_ASKED);
    return VERDICT_ACCEPT;
  }
  if (!load<u32>(kept, HELPED_ASKED)) return VERDICT_ACCEPT;
  store<u32>(kept, 0, HELPED_ASKED);
  if (length < ANSWER || load<u32>(data) || load<u16>(data, 4)) return VERDICT_ACCEPT;
  return expectUnchanged(1, bswap<u16>(load<u16>(data, 6)), MOST) ? <u32>VERDICT_ACCEPT : <u32>VERDICT_DROP;
}
