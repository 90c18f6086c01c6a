/**
 * --chunk-types of sctp (xt_sctp.c). Where the packet's bytes are known all its chunks are looked at; else it has the one
 * chunk that its record names, without flags.
 */
import { PACKET_CHUNK_TYPE, PACKET_PAYLOAD_LENGTH } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { HEADER_CUT, payload, transportOffset } from "../payload";

const ANY: u8 = 1;
const ALL: u8 = 2;
const ONLY: u8 = 3;
const SCTP_HEADER: u32 = 12;
const CHUNK_HEADER: u32 = 4;

/** Types of the rule that the packet has not shown yet, for ALL: 64 a word. */
let missing0: u64 = 0;
let missing1: u64 = 0;
let missing2: u64 = 0;
let missing3: u64 = 0;

/** Whether the packet's chunks are as the record says. A chunk that is cut short, or empty, drops the packet. */
export function chunksMatch(record: usize): bool {
  const kind = load<u8>(record, P.SCTP_CHUNK_MATCH);
  missing0 = load<u64>(record, P.SCTP_CHUNK_MAP);
  missing1 = load<u64>(record, P.SCTP_CHUNK_MAP + 8);
  missing2 = load<u64>(record, P.SCTP_CHUNK_MAP + 16);
  missing3 = load<u64>(record, P.SCTP_CHUNK_MAP + 24);
  const bytes = payload();
  if (bytes) {
    const length = load<u32>(packet, PACKET_PAYLOAD_LENGTH);
    const transport = transportOffset(bytes, length);
    if (transport == HEADER_CUT) return drop();
    let at = transport + SCTP_HEADER;
    do {
      if (at + CHUNK_HEADER > length) return drop();
      const size = <u32>bswap<u16>(load<u16>(bytes + at, 2));
      if (!size) return drop();
      const hit = chunkHits(record, load<u8>(bytes + at), load<u8>(bytes + at, 1));
      if (kind == ANY && hit) return true;
      if (kind == ONLY && !hit) return false;
      at += (size + 3) & ~3;
    } while (at < length);
  } else {
    const hit = chunkHits(record, load<u8>(packet, PACKET_CHUNK_TYPE), 0);
    if (kind != ALL) return hit;
  }
  return kind == ALL ? (missing0 | missing1 | missing2 | missing3) == 0 : kind == ONLY;
}

export function checkChunks(record: usize): bool {
  return load<u8>(record, P.SCTP_CHUNK_MATCH) <= ONLY && load<u8>(record, P.SCTP_FLAG_COUNT) <= <u8>P.SCTP_FLAGS_COUNT;
}

function drop(): bool {
  setHotdrop();
  return false;
}

/** Whether the rule names the type, and the flags are as it asks; such a type is missing no longer. */
function chunkHits(record: usize, type: u8, flags: u8): bool {
  if (!((<u32>load<u8>(record + (type >> 3), P.SCTP_CHUNK_MAP) >> (type & 7)) & 1)) return false;
  const count = <u32>load<u8>(record, P.SCTP_FLAG_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const entry = record + P.SCTP_FLAGS + 3 * i;
    if (load<u8>(entry) != type) continue;
    if ((flags & load<u8>(entry, 1)) != load<u8>(entry, 2)) return false;
    break;
  }
  const others = ~((<u64>1) << (type & 63));
  if (type < 64) missing0 &= others;
  else if (type < 128) missing1 &= others;
  else if (type < 192) missing2 &= others;
  else missing3 &= others;
  return true;
}
