/**
 * Connections: the table of tracked ones in shared memory. Same rules as layout.ts.
 *
 * Who writes: readers, under the spin lock of the buckets concerned; a connection's own fields under its own lock. The
 * table's size is fixed when the engine is made.
 */

/** Table: header, locks, buckets (u32 address of the first node), then records one after another. */
export const CONNECTIONS_MASK = 0; // u32 buckets - 1
export const CONNECTIONS_LIMIT = 4; // u32 records
export const CONNECTIONS_COUNT = 8; // u32, atomic: records in use
export const CONNECTIONS_FREE = 12; // u32 first free record, linked by its first word
export const CONNECTIONS_POOL_LOCK = 16; // i32, atomic
export const CONNECTIONS_RECORDS = 20; // u32 address of the first record
export const CONNECTIONS_BUCKETS = 24; // u32 address
export const CONNECTIONS_LOCKS = 28; // u32 address of i32 x CONNECTIONS_LOCKS_COUNT
export const CONNECTIONS_SEED = 32; // u32 mixed into every hash
export const CONNECTIONS_HEADER_SIZE = 64;
export const CONNECTIONS_LOCKS_COUNT = 256;

/** Tuple: who talks to whom, as one end sends it. ICMP: the port of the source is the id, of the destination type << 8 | code. */
export const TUPLE_SOURCE = 0; // 16
export const TUPLE_DESTINATION = 16; // 16
export const TUPLE_SOURCE_PORT = 32; // u16
export const TUPLE_DESTINATION_PORT = 34; // u16
export const TUPLE_PROTOCOL = 36; // u8
export const TUPLE_FAMILY = 37; // u8
export const TUPLE_ZONE = 38; // u16
export const CONNECTION_TUPLE_SIZE = 40;

/** Node: a tuple in a bucket. */
export const NODE_NEXT = 0; // u32
export const NODE_DIRECTION = 4; // u32 0 original, 1 reply
export const NODE_TUPLE = 8;
export const NODE_SIZE = NODE_TUPLE + CONNECTION_TUPLE_SIZE;

/** Record: node of the original direction, node of the reply, what is known of the connection. */
export const CONNECTION_ORIGINAL = 0;
export const CONNECTION_REPLY = NODE_SIZE;
export const CONNECTION_STATUS = 2 * NODE_SIZE; // u32 STATUS_*
export const CONNECTION_MARK = CONNECTION_STATUS + 4; // u32
export const CONNECTION_EXPIRES = CONNECTION_MARK + 4; // u32 ms of the virtual clock
export const CONNECTION_REFERENCES = CONNECTION_EXPIRES + 4; // u32, atomic: the table's and each packet's
export const CONNECTION_LOCK = CONNECTION_REFERENCES + 4; // i32, atomic
export const CONNECTION_TCP_STATE = CONNECTION_LOCK + 4; // u8 TCP_*
export const CONNECTION_TCP_LAST_INDEX = CONNECTION_TCP_STATE + 1; // u8
export const CONNECTION_TCP_LAST_DIRECTION = CONNECTION_TCP_LAST_INDEX + 1; // u8
export const CONNECTION_TCP_CLOSING = CONNECTION_TCP_LAST_DIRECTION + 1; // u8 1 once an end began to close
export const CONNECTION_STREAM_FROM = CONNECTION_TCP_CLOSING + 1; // u32 ms: a UDP exchange that lasts longer is a stream
export const CONNECTION_IN_USE = CONNECTION_STREAM_FROM + 4; // u32 1 while it belongs to a packet or the table
export const CONNECTION_PACKETS = CONNECTION_IN_USE + 4; // u64 packets, u64 bytes, by direction
export const CONNECTION_SIZE = CONNECTION_PACKETS + 32;

/** Values of CONNECTION_STATUS: enum ip_conntrack_status. */
export const STATUS_EXPECTED = 1;
export const STATUS_SEEN_REPLY = 2;
export const STATUS_ASSURED = 4;
export const STATUS_CONFIRMED = 8;
export const STATUS_SOURCE_NAT = 16;
export const STATUS_DESTINATION_NAT = 32;
export const STATUS_SOURCE_NAT_DONE = 128;
export const STATUS_DESTINATION_NAT_DONE = 256;
export const STATUS_DYING = 512;

/** Values of CONNECTION_TCP_STATE: enum tcp_conntrack. */
export const TCP_NONE = 0;
export const TCP_SYN_SENT = 1;
export const TCP_SYN_RECV = 2;
export const TCP_ESTABLISHED = 3;
export const TCP_FIN_WAIT = 4;
export const TCP_CLOSE_WAIT = 5;
export const TCP_LAST_ACK = 6;
export const TCP_TIME_WAIT = 7;
export const TCP_CLOSE = 8;
export const TCP_SYN_SENT2 = 9;
