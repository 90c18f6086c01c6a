/**
 * Connections: the table of tracked ones in shared memory. Same rules as layout.ts.
 *
 * Who writes: readers. A chain's links under the lock of its stripe; a connection's state of protocol under its own lock;
 * what of a connection only its first packet writes, before anyone else can see it.
 */

/**
 * Chains: a hash table of nodes that grows a bucket at a time (assembly/conntrack/chains.ts). Header, and stripes of a
 * cache line each whose word is lock and sequence in one.
 */
export const CHAINS_SIZE = 0; // u32, atomic: buckets in use
export const CHAINS_COUNT = 4; // u32, atomic: nodes
export const CHAINS_GROWING = 8; // i32, atomic: 1 while a thread splits a bucket
export const CHAINS_MOST = 12; // u32 buckets that there is room for
export const CHAINS_BUCKETS = 16; // u32 address of u32 x CHAINS_MOST: first node each
export const CHAINS_STRIPES = 20; // u32 address of STRIPE_SIZE x STRIPES_COUNT
export const CHAINS_SIZE_BYTES = 64;
export const STRIPE_SIZE = 64;
export const STRIPES_COUNT = 256;

/** What every node begins with. */
export const NODE_NEXT = 0; // u32, atomic
export const NODE_HASH = 4; // u32

/** Values: sysctls of net.netfilter.nf_conntrack_*, u32 each; timeouts in milliseconds. TCP's and SCTP's by state. */
export const SYSCTL_TCP_TIMEOUTS = 0;
export const SYSCTL_TCP_UNACKNOWLEDGED = 10;
export const SYSCTL_TCP_RETRANSMITTED = 11;
export const SYSCTL_SCTP_TIMEOUTS = 12;
export const SYSCTL_UDP = 21;
export const SYSCTL_UDP_STREAM = 22;
export const SYSCTL_ICMP = 23;
export const SYSCTL_ICMPV6 = 24;
export const SYSCTL_GRE = 25;
export const SYSCTL_GRE_STREAM = 26;
export const SYSCTL_GENERIC = 27;
/** Value: those above are timeouts. */
export const SYSCTL_TIMEOUTS_COUNT = 28;
export const SYSCTL_TCP_LOOSE = 28;
export const SYSCTL_TCP_LIBERAL = 29;
export const SYSCTL_TCP_IGNORE_INVALID_RST = 30;
export const SYSCTL_TCP_MAX_RETRANS = 31;
export const SYSCTL_ACCOUNTING = 32;
export const SYSCTL_FRAG6 = 33;
export const SYSCTL_COUNT = 34;

/** Table: header, then what its addresses say. */
export const CONNECTIONS_LIMIT = 0; // u32 the most connections (nf_conntrack_max)
export const CONNECTIONS_CAPACITY = 4; // u32 records: the limit, and those that are still referred to
export const CONNECTIONS_COUNT = 8; // u32, atomic: connections that there are, unconfirmed ones included
export const CONNECTIONS_TOP = 12; // u32 records ever taken
export const CONNECTIONS_FREE = 16; // u32 first free record, linked by CONNECTION_MASTER
export const CONNECTIONS_POOL_LOCK = 20; // i32, atomic
export const CONNECTIONS_SEED = 24; // u32 mixed into every hash
export const CONNECTIONS_SWEPT = 28; // u32, atomic: ms of the virtual clock when expired ones were last looked for
export const CONNECTIONS_RECORDS = 32; // u32 address of the first record
export const CONNECTIONS_TEMPLATE = 36; // u32 address of a record without a connection: what raw sees behind -j CT
export const CONNECTIONS_COUNTED_LOCK = 40; // i32, atomic: of the pool of COUNTED records
export const CONNECTIONS_COUNTED_FREE = 44; // u32 first free one, linked by NODE_NEXT
export const CONNECTIONS_COUNTED_TOP = 48; // u32 ever taken
export const CONNECTIONS_COUNTED_RECORDS = 52; // u32 address of the first
export const CONNECTIONS_COUNTERS = 56; // u32 rules of connlimit ever linked
export const CONNECTIONS_LABELS = 60; // u32 address of LABELS_SIZE a record
export const CONNECTIONS_TUPLES = 64; // chains of both directions' tuples
export const CONNECTIONS_SOURCES = CONNECTIONS_TUPLES + CHAINS_SIZE_BYTES; // chains of whose source NAT rewrites
export const CONNECTIONS_COUNTED = CONNECTIONS_SOURCES + CHAINS_SIZE_BYTES; // chains of connlimit
export const CONNECTIONS_EXPECTED_LOCK = CONNECTIONS_COUNTED + CHAINS_SIZE_BYTES; // i32, atomic
export const CONNECTIONS_EXPECTED_COUNT = CONNECTIONS_EXPECTED_LOCK + 4; // u32, atomic: expectations in use
export const CONNECTIONS_EXPECTED = CONNECTIONS_EXPECTED_COUNT + 4; // u32 address of EXPECTED_SIZE x EXPECTED_MOST
export const CONNECTIONS_LABELLERS = CONNECTIONS_EXPECTED + 4; // u32 rules of connlabel
export const CONNECTIONS_POLICIES = CONNECTIONS_LABELLERS + 4; // u32 address of the policies of timeouts: POLICY_SIZE x POLICIES_COUNT
export const CONNECTIONS_FIRST_POLICY = CONNECTIONS_POLICIES + 4; // u32 number of the policy that was made first, 0 none
export const CONNECTIONS_HELPED = CONNECTIONS_FIRST_POLICY + 4; // u32 address of HELPED_SIZE a record
export const CONNECTIONS_SYSCTLS = CONNECTIONS_HELPED + 4; // u32 x SYSCTL_COUNT
export const CONNECTIONS_HEADER_SIZE = 512;
/** Value: records beyond the limit, for those that are gone but still in a packet's hand. */
export const CONNECTIONS_SPARE = 256;

/**
 * Tuple: who talks to whom, as one end sends it. ICMP: the port of the source is the id, of the destination type << 8 |
 * code. The zone is that of the tuple's direction.
 */
export const TUPLE_SOURCE = 0; // 16
export const TUPLE_DESTINATION = 16; // 16
export const TUPLE_SOURCE_PORT = 32; // u16
export const TUPLE_DESTINATION_PORT = 34; // u16
export const TUPLE_PROTOCOL = 36; // u8
export const TUPLE_FAMILY = 37; // u8
export const TUPLE_ZONE = 38; // u16
export const CONNECTION_TUPLE_SIZE = 40;

/** A node that holds a tuple. */
export const NODE_TUPLE = 8;
export const NODE_SIZE = NODE_TUPLE + CONNECTION_TUPLE_SIZE;

/**
 * Record: four cache lines, the first two one a direction.
 *
 *  0      48       52     56        60           64     112    116   120     124
 * +------+--------+------+---------+------------+------+------+-----+-------+-------+
 * | node | status | mark | expires | references | node | lock | tcp | since | flags |
 * +------+--------+------+---------+------------+------+------+-----+-------+-------+
 * 128 counts 32, 160 node in the sources 8, 168 master, 172 helper ..., 176 interface 16, 192 windows 36, 228 last ...
 */
export const CONNECTION_ORIGINAL = 0; // node
export const CONNECTION_STATUS = NODE_SIZE; // u32, atomic: STATUS_*
export const CONNECTION_MARK = CONNECTION_STATUS + 4; // u32
export const CONNECTION_EXPIRES = CONNECTION_MARK + 4; // u32 ms of the virtual clock
export const CONNECTION_REFERENCES = CONNECTION_EXPIRES + 4; // u32, atomic: the table's and each packet's
export const CONNECTION_REPLY = CONNECTION_REFERENCES + 4; // node
export const CONNECTION_LOCK = CONNECTION_REPLY + NODE_SIZE; // i32, atomic
export const CONNECTION_STATE = CONNECTION_LOCK + 4; // u8 TCP_* or SCTP_*
export const CONNECTION_LAST_INDEX = CONNECTION_STATE + 1; // u8 kind of the last TCP packet
export const CONNECTION_LAST_DIRECTION = CONNECTION_LAST_INDEX + 1; // u8
export const CONNECTION_LAST_FLAGS = CONNECTION_LAST_DIRECTION + 1; // u8 WINDOW_* of the last SYN that changed nothing
export const CONNECTION_STREAM_FROM = CONNECTION_LAST_FLAGS + 1; // u32 ms: a UDP exchange that lasts longer is a stream
export const CONNECTION_ACCOUNTED = CONNECTION_STREAM_FROM + 4; // u8 1 when packets and bytes are counted
export const CONNECTION_POLICY = CONNECTION_ACCOUNTED + 1; // u8 number of its policy of timeouts, 0 none
export const CONNECTION_PACKETS = CONNECTION_ACCOUNTED + 4; // u64 packets, u64 bytes, by direction
export const CONNECTION_COUNTS_SIZE = 16;
export const CONNECTION_SOURCE_NODE = CONNECTION_PACKETS + 2 * CONNECTION_COUNTS_SIZE; // node without a tuple
export const CONNECTION_MASTER = CONNECTION_SOURCE_NODE + 8; // u32 the connection that expected this one, referred to
export const CONNECTION_HELPER = CONNECTION_MASTER + 4; // u8 number of its helper, 0 none
export const CONNECTION_LAST_SCALE = CONNECTION_HELPER + 1; // u8
export const CONNECTION_RETRANSMITTED = CONNECTION_LAST_SCALE + 1; // u8
export const CONNECTION_LABELLED = CONNECTION_RETRANSMITTED + 1; // u8 1: it has labels
export const CONNECTION_INTERFACE = CONNECTION_RETRANSMITTED + 2; // 16 name of the interface that it is masqueraded for
export const CONNECTION_WINDOWS = CONNECTION_INTERFACE + 16; // WINDOW_SIZE x 2
/** What a direction has sent (ip_ct_tcp_state); SCTP: its verification tag. */
export const WINDOW_END = 0; // u32
export const WINDOW_MAX_END = 4; // u32
export const WINDOW_MAX_WINDOW = 8; // u32
export const WINDOW_MAX_ACK = 12; // u32
export const WINDOW_SCALE = 16; // u8
export const WINDOW_FLAGS = 17; // u8 WINDOW_FLAG_*
export const WINDOW_SIZE = 18; // so that all fits: what is behind the first lies where it may
export const CONNECTION_LAST_SEQUENCE = CONNECTION_WINDOWS + 2 * WINDOW_SIZE; // u32
export const CONNECTION_LAST_ACK = CONNECTION_LAST_SEQUENCE + 4; // u32
export const CONNECTION_LAST_END = CONNECTION_LAST_ACK + 4; // u32
export const CONNECTION_LAST_WINDOW = CONNECTION_LAST_END + 4; // u16
export const CONNECTION_PROXIED = CONNECTION_LAST_WINDOW + 2; // u8 1: SYNPROXY has opened it for the client
export const CONNECTION_COOKIE = CONNECTION_PROXIED + 2; // u32 the number that the client was told the server begins with
export const CONNECTION_SHIFT = CONNECTION_COOKIE + 4; // u32 what a client's number is greater by than the server's own
export const CONNECTION_TIME_SHIFT = CONNECTION_SHIFT + 4; // u32 what the server's time is greater by than the client was told
export const CONNECTION_SIZE = 256;
/** TCP has no streams: the time that SYNPROXY told the client. */
export const CONNECTION_PROXY_TIME = CONNECTION_STREAM_FROM; // u32
/** GRE has no windows: how long the connection lives, as it was when it began. u32 ms unanswered, u32 ms answered. */
export const CONNECTION_GRE_TIMEOUTS = CONNECTION_WINDOWS;
export const SCTP_TAG = WINDOW_END;
export const SCTP_FLAGS = WINDOW_MAX_END; // u32 in the original's: 1 a heartbeat's tag failed
export const SCTP_INIT = WINDOW_MAX_WINDOW; // u32 1 once an INIT was seen

/** Value: bytes of the labels of a connection, which lie beside its record. */
export const LABELS_SIZE = 16;

/**
 * What FTP's helper keeps of a connection, beside its record, by direction: numbers behind the ends of its last lines, and how many;
 * and where NAT writes another address into a line, what numbers in front of it and behind it are greater by for the other end.
 */
export const HELPED_LINES = 0; // u32 x HELPED_LINES_MOST
export const HELPED_COUNT = 8; // u32
export const HELPED_SHIFT_AT = 12; // u32 number of the last segment that was made longer or shorter
export const HELPED_SHIFT_BEFORE = 16; // u32
export const HELPED_SHIFT_BEHIND = 20; // u32
export const HELPED_WAY_SIZE = 24;
export const HELPED_SIZE = 2 * HELPED_WAY_SIZE;
/** Value. */
export const HELPED_LINES_MOST = 2;
/** What SANE's keeps there in place of lines: whether the client's last request starts a scan. */
export const HELPED_ASKED = 0; // u32

/** Values of WINDOW_FLAGS. */
export const WINDOW_FLAG_SCALE = 1;
export const WINDOW_FLAG_SACK = 2;
export const WINDOW_FLAG_CLOSING = 4;
export const WINDOW_FLAG_LIBERAL = 8;
export const WINDOW_FLAG_UNACKNOWLEDGED = 16;
export const WINDOW_FLAG_MAX_ACK = 32;
/** Of CONNECTION_LAST_FLAGS alone. */
export const WINDOW_FLAG_CHALLENGE = 64;
export const WINDOW_FLAG_SIMULTANEOUS = 128;

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
export const STATUS_TEMPLATE = 2048;
export const STATUS_NAT_CLASH = 4096;
export const STATUS_HELPER = 8192;

/** Values of CONNECTION_STATE of TCP: enum tcp_conntrack. */
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

/** Values of CONNECTION_STATE of SCTP: enum sctp_conntrack. */
export const SCTP_NONE = 0;
export const SCTP_CLOSED = 1;
export const SCTP_COOKIE_WAIT = 2;
export const SCTP_COOKIE_ECHOED = 3;
export const SCTP_ESTABLISHED = 4;
export const SCTP_SHUTDOWN_SENT = 5;
export const SCTP_SHUTDOWN_RECEIVED = 6;
export const SCTP_SHUTDOWN_ACK_SENT = 7;
export const SCTP_HEARTBEAT_SENT = 8;

/**
 * What rules of connlimit count, in records of a cache line each. A network: whose rule, by what address and zone, and its
 * connections, the oldest first. A connection: it has no rule, so that networks can be told from connections.
 *
 * network    | node 8 | rule 4 | zone 4 | address 16 | first 4 | last 4 | count 4 | collected 4 | count then 4 | - |
 * connection | next 4 | time 4 | 0      | zone 2 | - | tuple 40                                 | reader 4     | - |
 */
export const COUNTED_RULE = 8; // u32, atomic: 0 in what is no network
export const COUNTED_ZONE = 12; // u32
export const COUNTED_ADDRESS = 16; // 16
export const COUNTED_FIRST = COUNTED_ADDRESS + 16; // u32 address of the oldest connection, 0 none; linked by NODE_NEXT
export const COUNTED_LAST = COUNTED_FIRST + 4; // u32 the youngest
export const COUNTED_COUNT = COUNTED_LAST + 4; // u32
export const COUNTED_COLLECTED = COUNTED_COUNT + 4; // u32 ms when all were looked at
export const COUNTED_COUNT_THEN = COUNTED_COLLECTED + 4; // u32 how many there were then
export const COUNTED_TIME = 4; // u32 ms when it came
export const COUNTED_ZONE_REPLY = 12; // u16 zone of the other direction
export const COUNTED_TUPLE = 16; // CONNECTION_TUPLE_SIZE
export const COUNTED_READER = COUNTED_TUPLE + CONNECTION_TUPLE_SIZE; // u32 whose packet it was
export const COUNTED_SIZE = 64;
/** Value: a connection may be the only one of its network. */
export const COUNTED_PER_CONNECTION = 2;

/** A connection that is expected (nf_conntrack_expect): of its tuple, what is nought in the mask may be anything. */
export const EXPECTED_MASTER = 0; // u32 the connection that expects it, referred to; 0 the record is free
export const EXPECTED_EXPIRES = 4; // u32 ms
export const EXPECTED_FLAGS = 8; // u32 EXPECTED_FLAG_*
export const EXPECTED_HELPER = 12; // u8 helper of the connection when it comes
export const EXPECTED_TUPLE = 16; // CONNECTION_TUPLE_SIZE
export const EXPECTED_MASK_SOURCE = 56; // 16
export const EXPECTED_MASK_SOURCE_PORT = 72; // u16
export const EXPECTED_PORT = 74; // u16 where it goes to, with EXPECTED_FLAG_FOLLOWS
export const EXPECTED_ORDER = 76; // u32 greater than those of all that were there when it was noted
export const EXPECTED_SIZE = 80;
/** Value: expectations that may be open at a time. */
export const EXPECTED_MOST = 1024;
/** Values of EXPECTED_FLAGS: it stays when the connection has come. */
export const EXPECTED_FLAG_PERMANENT = 1;
/** NAT does to it what it does to its master; who told of it answers the master's opener. */
export const EXPECTED_FLAG_FOLLOWS = 2;
export const EXPECTED_FLAG_REPLY = 4;

/**
 * A policy of timeouts (nfnetlink_cttimeout), for -j CT --timeout; a connection holds its number. The first record is nobody's.
 * Written by the holder of the writers' lock.
 *
 *  0      4            8        9          10  12        44
 * +------+------------+--------+----------+---+---------+----------------------+
 * | next | references | family | protocol | - | name 32 | timeouts, as sysctls |
 * +------+------------+--------+----------+---+---------+----------------------+
 */
export const POLICY_NEXT = 0; // u32 number of the one that was made after it, 0 none
export const POLICY_REFERENCES = 4; // u32 rules
export const POLICY_FAMILY = 8; // u8 FAMILY_*, 0 the record is free
export const POLICY_PROTOCOL = 9; // u8, POLICY_GENERIC: all that no tracker follows
export const POLICY_NAME = 12; // 32, zero-padded
export const POLICY_NAME_BYTES = 32;
export const POLICY_TIMEOUTS = POLICY_NAME + POLICY_NAME_BYTES; // u32 ms x SYSCTL_TIMEOUTS_COUNT: what it does not change is as the sysctls were
export const POLICY_SIZE = POLICY_TIMEOUTS + 4 * SYSCTL_TIMEOUTS_COUNT;
/** Values. */
export const POLICIES_COUNT = 256;
export const POLICY_GENERIC = 255;
