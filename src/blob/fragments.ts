/**
 * Fragments that wait until their datagram is whole. Same rules as layout.ts. Readers write, under the lock.
 *
 * Table: header, buckets of datagrams, cells. A cell holds a datagram, a fragment, or more of a fragment's bytes.
 */

export const FRAGMENTS_LOCK = 0; // i32, atomic
export const FRAGMENTS_FREE = 4; // u32 first free cell, linked by CELL_NEXT
export const FRAGMENTS_TOP = 8; // u32 cells ever taken
export const FRAGMENTS_SWEPT = 12; // u32 ms of the virtual clock when datagrams that have waited too long were last looked for
export const FRAGMENTS_CELLS = 16; // u32 address of the first cell
export const FRAGMENTS_BUCKETS = 64; // u32 x FRAGMENTS_BUCKETS_COUNT: first datagram each, linked by CELL_NEXT; those of one source are in one
export const FRAGMENTS_BUCKETS_COUNT = 256;
export const FRAGMENTS_HEADER_SIZE = FRAGMENTS_BUCKETS + 4 * FRAGMENTS_BUCKETS_COUNT;
/** Values: as many bytes as Linux lets wait (ipfrag_high_thresh). */
export const CELL_SIZE = 2048;
export const CELLS_COUNT = 2048;
export const CELL_NEXT = 0; // u32

/** Datagram: what its fragments have in common, how far it is, and of the first fragment its record and headers. */
export const DATAGRAM_FRAGMENTS = 4; // u32 first fragment by offset, linked by CELL_NEXT
export const DATAGRAM_LENGTH = 8; // u32 bytes behind the headers, as far as is known
export const DATAGRAM_ARRIVED = 12; // u32 bytes of them that are there
export const DATAGRAM_EXPIRES = 16; // u32 ms
export const DATAGRAM_LARGEST = 20; // u32 bytes of the largest fragment, headers included; and of the largest that says DF
export const DATAGRAM_LARGEST_DF = 24; // u32
export const DATAGRAM_ENDS = 28; // u8 DATAGRAM_HAS_*
export const DATAGRAM_CONGESTION = 29; // u8 bit n: a fragment's ECN field is n
export const DATAGRAM_MISSED = 30; // u16 fragments that its source has sent of others since the last of it
/** The key: id, zone, protocol (IPv4), family and way, source, destination, and of a link's own addresses the interface. */
export const DATAGRAM_ID = 32; // u32
export const DATAGRAM_ZONE = 36; // u16
export const DATAGRAM_PROTOCOL = 38; // u8
export const DATAGRAM_KIND = 39; // u8 FAMILY_*, with DATAGRAM_OUTGOING
export const DATAGRAM_SOURCE = 48; // 16
export const DATAGRAM_DESTINATION = 64; // 16
export const DATAGRAM_INTERFACE = 80; // 16
export const DATAGRAM_HEADERS = 96; // u32 bytes of them that are known; without bytes, of what they are taken to be
export const DATAGRAM_HEADERS_SIZE = 100; // u32
export const DATAGRAM_RECORD = 128; // 192, PACKET_SIZE
export const DATAGRAM_BYTES = DATAGRAM_RECORD + 192; // the headers
/** Values. */
export const DATAGRAM_HAS_FIRST = 1;
export const DATAGRAM_HAS_LAST = 2;
export const DATAGRAM_OUTGOING = 128;
export const DATAGRAM_HEADERS_MOST = CELL_SIZE - DATAGRAM_BYTES;

/** Fragment; more of its bytes lie in cells linked by FRAGMENT_MORE, in the same place. */
export const FRAGMENT_MORE = 4; // u32
export const FRAGMENT_OFFSET = 8; // u32
export const FRAGMENT_LENGTH = 12; // u32
export const FRAGMENT_KNOWN = 16; // u32 bytes of it that are known
export const FRAGMENT_RUN = 20; // u32 1: it did not come right behind the one in front of it
export const FRAGMENT_BYTES = 32;
/** Value: bytes of a cell. */
export const FRAGMENT_ROOM = CELL_SIZE - FRAGMENT_BYTES;

/**
 * What a reader's packet was put together to: its record, its bytes, and where in them the pieces of memory begin that the
 * kernel keeps apart: bit n for the byte 8 * n behind the headers. WHOLE_HEADERS is 0 where it is of one piece.
 */
export const WHOLE_BYTES = 192; // PACKET_SIZE
/** Value: of the longest packet. */
export const WHOLE_LENGTH_MOST = 65575;
export const WHOLE_HEADERS = WHOLE_BYTES + 65600; // u32 bytes of headers
export const WHOLE_PIECES = WHOLE_HEADERS + 16;
export const WHOLE_PIECES_BYTES = 1040;
export const WHOLE_SIZE = WHOLE_PIECES + WHOLE_PIECES_BYTES;
