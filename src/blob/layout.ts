/**
 * Every record that crosses between TypeScript and WebAssembly, once.
 *
 * This file is imported by both compilers, so it holds only `export const NAME = <integer expression>`.
 * All integers are little-endian; addresses, interface names and MAC addresses are bytes in network (text) order.
 * Records are 8-byte aligned and zero-padded. `*_SIZE` is bytes, `*_COUNT` elements; every other name is the byte
 * offset of a field in its record unless its comment says it is a value.
 *
 * "Portable" fields are what `compile` writes and the checksum covers. "Runtime" fields are zero in a portable blob and
 * are written by the engine's writer when it links the blob, under the writers' lock.
 */

// ---- Numbers of the kernel (uapi/linux/netfilter.h) ----

export const FAMILY_IPV4 = 2;
export const FAMILY_ARP = 3;
export const FAMILY_BRIDGE = 7;
export const FAMILY_IPV6 = 10;

export const HOOK_PREROUTING = 0;
export const HOOK_INPUT = 1;
export const HOOK_FORWARD = 2;
export const HOOK_OUTPUT = 3;
export const HOOK_POSTROUTING = 4;
/** Five hooks of IP, and one more for bridge's BROUTING. */
export const HOOK_COUNT = 6;

export const TABLE_RAW = 0;
export const TABLE_MANGLE = 1;
export const TABLE_NAT = 2;
export const TABLE_FILTER = 3;
export const TABLE_SECURITY = 4;
export const TABLE_COUNT = 8;

/** Values of a verdict, in rules and results alike. */
export const VERDICT_DROP = 0;
export const VERDICT_ACCEPT = 1;
/** Kept by the machine: a fragment that waits for the others, or what SYNPROXY answers for itself. Linux says NF_STOLEN. */
export const VERDICT_STOLEN = 2;
export const VERDICT_QUEUE = 3;
export const VERDICT_RETURN = 5;
/** Only inside the walk: go on with the next rule. */
export const VERDICT_CONTINUE = 6;
/** In results: dropped by REJECT, which also answered. */
export const VERDICT_REJECT = 7;

/*
 * ---- Portable blob ----
 *
 *  0        8        16       24       32       40       48 ...
 * +--------+--------+--------+--------+--------+--------+----------------+
 * | header (BLOB_HEADER_SIZE bytes)                                      |
 * +----------------------------------------------------------------------+
 * | chain head | row | row | ... | chain head | row | ... |   (records)  |
 * +----------------------------------------------------------------------+
 * | counters: (u64 packets, u64 bytes) a row in record order (optional)  |
 * +----------------------------------------------------------------------+
 * | text: u16 length, bytes, padded to 8; chain names and comments       |
 * +----------------------------------------------------------------------+
 *
 * Offsets count from the blob's first byte, except text references, which count from the text section's. A chain's
 * rows follow its head; a built-in chain's last row is its policy (flag ROW_FLAG_POLICY). A user chain just ends.
 */

/** Value: "RSWB". */
export const BLOB_MAGIC_VALUE = 0x42575352;
/** Value. */
export const BLOB_LAYOUT_VERSION = 1;

export const BLOB_MAGIC = 0; // u32
export const BLOB_VERSION = BLOB_MAGIC + 4; // u8
export const BLOB_MOVES = BLOB_VERSION + 1; // u8 runtime: 1 once a rule gives packets another address and lets them go on
export const BLOB_FAMILY = BLOB_MOVES + 1; // u8
export const BLOB_TABLE = BLOB_FAMILY + 1; // u8
export const BLOB_LENGTH = BLOB_TABLE + 1; // u32, all bytes
export const BLOB_CHECKSUM = BLOB_LENGTH + 4; // u32 over all bytes, this field as zero
export const BLOB_GENERATION = BLOB_CHECKSUM + 4; // u32, runtime
export const BLOB_ADDRESS_BYTES = BLOB_GENERATION + 4; // u32: 4 or 16
export const BLOB_CHAIN_COUNT = BLOB_ADDRESS_BYTES + 4; // u32
export const BLOB_ROW_COUNT = BLOB_CHAIN_COUNT + 4; // u32, policies included
export const BLOB_RECORDS_END = BLOB_ROW_COUNT + 4; // u32
export const BLOB_COUNTERS = BLOB_RECORDS_END + 4; // u32, 0 where there are none
export const BLOB_TEXT = BLOB_COUNTERS + 4; // u32
export const BLOB_TEXT_LENGTH = BLOB_TEXT + 4; // u32
export const BLOB_VALID_HOOKS = BLOB_TEXT_LENGTH + 4; // u32 bit mask
export const BLOB_HOOK_ENTRY = BLOB_VALID_HOOKS + 4; // u32 x HOOK_COUNT: offset of the chain head
export const BLOB_UNDERFLOW = BLOB_HOOK_ENTRY + 4 * HOOK_COUNT; // u32 x HOOK_COUNT: offset of the policy row
// Runtime from here, absolute addresses, in a cache line that no packet looks at: every edit writes to it.
export const BLOB_FIRST_CHAIN = 128; // u32 head, print order, linked by CHAIN_NEXT
export const BLOB_LAST_CHAIN = BLOB_FIRST_CHAIN + 4; // u32
export const BLOB_NAMES = BLOB_LAST_CHAIN + 4; // u32 hash table of chain names
export const BLOB_ARENA = BLOB_NAMES + 4; // u32 the table's arena (memory.ts): what edits allocate from
export const BLOB_REGION_BYTES = BLOB_ARENA + 4; // u32 bytes of the region that holds blob and linked parts
export const BLOB_LIVE_ROWS = BLOB_REGION_BYTES + 4; // u32 rows in force, policies included
export const BLOB_MAX_DEPTH = BLOB_LIVE_ROWS + 4; // u32 greatest CHAIN_LEVEL
export const BLOB_LIVE_CHAINS = BLOB_MAX_DEPTH + 4; // u32
export const BLOB_SUSPECT = BLOB_LIVE_CHAINS + 4; // u32 edits may have closed a loop or led a hook to a rule it must not reach
export const BLOB_MOVED = BLOB_SUSPECT + 4; // u32 1 once newer rows have taken over counter and state of all its rules and policies
export const BLOB_HEADER_SIZE = 192;

/*
 * ---- Chain head ----
 *
 *  0     2     4           8           12          16          20          24          28          32
 * +-----+-----+-----------+-----------+-----------+-----------+-----------+-----------+-----------+
 * | size|reach| name      | rows      | rowsEnd   | liveRows  | references| next      | previous  |
 * +-----+-----+-----------+-----------+-----------+-----------+-----------+-----------+-----------+
 * | level     |ho|mv|ru|kd| chunkHead | chunkTail | index     | policy    | hash ...
 * +-----------+--+--+--+--+-----------+-----------+-----------+-----------+-----------------------+
 *  32          36          40          44          48          52          56
 *
 * What the writer changes with every rule lies in front, what packets look at behind CHAIN_WALKED: chains that edits make have a
 * cache line begin there, so that neither waits for the other.
 */
export const CHAIN_BYTES = 0; // u16: CHAIN_SIZE
export const CHAIN_REACHED = 2; // u8 runtime: bit n: hook n may reach the chain
export const CHAIN_NAME = 4; // u32 text reference
export const CHAIN_ROW_COUNT = 8; // u32 rows that follow in the portable blob, policy included
export const CHAIN_ROWS_END = 12; // u32 offset behind the last of them; of a chain that an edit made, behind all its memory: rows, name, notes of them
export const CHAIN_LIVE_ROWS = 16; // u32 runtime: rules in force
export const CHAIN_REFERENCES = 20; // u32 runtime: rows in force that jump here
export const CHAIN_NEXT = 24; // u32 runtime: next head, absolute; 0 ends
export const CHAIN_PREVIOUS = 28; // u32 runtime: previous head, absolute
export const CHAIN_LEVEL = 32; // u32 runtime: 0 unreachable, else 1 + the deepest caller's level
export const CHAIN_WALKED = CHAIN_LEVEL; // a multiple of 16, as arenas align no finer; levels seldom change
export const CHAIN_HOOK = 36; // u8: hook number, CHAIN_USER for a user chain
export const CHAIN_MOVED = 37; // u8 runtime: the same of a chain's, where it is not so of the table's
export const CHAIN_RUN = 38; // u8 runtime: rules that lie one behind the other from the head on, all the chain has, and no chunks; 0 ask its chunks
export const CHAIN_KIND = 39; // u8: RECORD_CHAIN
export const CHAIN_CHUNKS = 40; // u32 runtime: first chunk, absolute
export const CHAIN_LAST_CHUNK = 44; // u32 runtime
export const CHAIN_INDEX = 48; // u32 runtime: tuple-space index or 0
export const CHAIN_POLICY = 52; // u32 runtime: newest policy row of a built-in chain; older ones by ROW_NEXT_SAME
export const CHAIN_HASH = 56; // u32 runtime: hash of the name
export const CHAIN_TABLE = 60; // u32 runtime: the blob it belongs to
export const CHAIN_TWIN = 64; // u32 runtime: chain of the same name in the table being replaced
export const CHAIN_DIRECTORY = 68; // u32 runtime: root of the directory of its chunks, 0 none
export const CHAIN_SIZE = 72;

/** Value of CHAIN_HOOK for a chain that the user made. */
export const CHAIN_USER = 255;
/** Values of the kind byte, at the same place in both records. */
export const RECORD_ROW = 1;
export const RECORD_CHAIN = 2;

/*
 * ---- Row (one rule) ----
 *
 *  0     2     4           8           12          16                      24
 * +-----+-----+-----------+-----------+-----------+-----------------------+
 * | next|targt| counter   | born      | died      | order                 |
 * +-----+-----+-----------+-----------+-----------+--+--+--+--+-----------+
 * | chain     | chunk     | place     | rsv       |pr|fl|iv|kd| line      |
 * +-----------+-----------+-----------+-----------+--+--+--+--+-----------+
 *  24          28          32                      36          40     44 moved
 *  48: source, sourceMask, destination, destinationMask: BLOB_ADDRESS_BYTES each
 *      [input interface 16, its mask 16]   when ROW_FLAG_INPUT
 *      [output interface 16, its mask 16]  when ROW_FLAG_OUTPUT
 *      match records, then at `target` one target record, to `next`
 *
 * A reader sees a row when born <= generation < died.
 */
export const ROW_NEXT = 0; // u16 bytes of this record
export const ROW_TARGET = 2; // u16 offset of the target record from the row's start
export const ROW_COUNTER = 4; // u32 counter index; portable: 0, or the counter to keep (as in a read-back)
export const ROW_BORN = 8; // u32 runtime
export const ROW_DIED = 12; // u32 runtime
export const ROW_ORDER = 16; // u64 runtime: order among the rows of an indexed chain
export const ROW_CHAIN = 24; // u32 runtime: head, absolute
export const ROW_CHUNK = 28; // u32 runtime: chunk that lists this row, absolute
export const ROW_NEXT_SAME = 32; // u32 runtime: of a policy, the one it took the place of
export const ROW_PLACE = ROW_NEXT_SAME; // u32 runtime: of an indexed rule, its entry's address + 1, or its chunk of unindexed rules
export const ROW_PROTOCOL = 36; // u8, 0 any
export const ROW_FLAGS = 37; // u8
export const ROW_INVERT = 38; // u8
export const ROW_KIND = 39; // u8: RECORD_ROW
export const ROW_LINE = 40; // u32 line in the file it came from, 0 unknown
export const ROW_MOVED = 44; // u16 runtime: 1 once a newer row has taken over counter and state (see CHAIN_MOVED and BLOB_MOVED, too)
export const ROW_FORBIDDEN = 46; // u8 bit n: Linux refuses the rule where hook n reaches it
export const ROW_SOURCE = 48;
export const ROW_IPV4_SIZE = ROW_SOURCE + 4 * 4;
export const ROW_IPV6_SIZE = ROW_SOURCE + 4 * 16;
export const INTERFACE_SIZE = 16;

/** Values of ROW_FLAGS. */
export const ROW_FLAG_FRAGMENT = 1; // -f
export const ROW_FLAG_GOTO = 2; // -g
export const ROW_FLAG_INPUT = 4;
export const ROW_FLAG_OUTPUT = 8;
export const ROW_FLAG_POLICY = 16;
/** IPv6: -p was given (IP6T_F_PROTO). Set in both families when a protocol is named. */
export const ROW_FLAG_PROTOCOL = 32;
/** Values of ROW_INVERT, as ipt_entry's invflags. */
export const ROW_INVERT_INPUT = 1;
export const ROW_INVERT_OUTPUT = 2;
export const ROW_INVERT_SOURCE = 8;
export const ROW_INVERT_DESTINATION = 16;
export const ROW_INVERT_FRAGMENT = 32;
export const ROW_INVERT_PROTOCOL = 64;

/** Value: ROW_DIED of a row in force. */
export const GENERATION_NEVER = 0xffffffff;

/* ---- Match and target record: u16 bytes of the record, u16 type, payload (see payloads.ts) ---- */
export const RECORD_BYTES = 0; // u16, a multiple of 8
export const RECORD_TYPE = 2; // u16: MATCH_* or TARGET_*
export const RECORD_PAYLOAD = 4;

/*
 * ---- Packet: what a reader is given ----
 *
 * The caller fills one record a packet. The walk copies it to the thread's own scratch before it changes a byte.
 */
export const PACKET_FAMILY = 0; // u8
export const PACKET_PROTOCOL = 1; // u8, the transport's
export const PACKET_TCP_FLAGS = 2; // u8: FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32 ECE 64 CWR 128
export const PACKET_FLAGS = 3; // u8
export const PACKET_SOURCE_PORT = 4; // u16; ICMP: the type
export const PACKET_DESTINATION_PORT = 6; // u16; ICMP: the code
export const PACKET_LENGTH = 8; // u32 bytes of the IP packet, header included
export const PACKET_MARK = 12; // u32
export const PACKET_SOURCE = 16; // 16 bytes; IPv4 in the first four, the rest zero
export const PACKET_DESTINATION = 32; // 16
export const PACKET_INPUT = 48; // 16 bytes of name, zero-padded
export const PACKET_OUTPUT = 64; // 16
export const PACKET_PHYSICAL_INPUT = 80; // 16: bridge port
export const PACKET_PHYSICAL_OUTPUT = 96; // 16
export const PACKET_CT_MARK = 112; // u32
export const PACKET_CT_STATE = 116; // u16 one CT_STATE_* bit
export const PACKET_CT_STATUS = 118; // u16 CT_STATUS_* bits
export const PACKET_TOS = 120; // u8
export const PACKET_TTL = 121; // u8
export const PACKET_FRAGMENT_OFFSET = 122; // u16 in units of 8 bytes
export const PACKET_SOURCE_MAC = 124; // 6 bytes
export const PACKET_TYPE = 130; // u8: 0 host, 1 broadcast, 2 multicast, 3 other host, 4 outgoing, 5 looped back
export const PACKET_PATH = 131; // u8: PATH_*
export const PACKET_UID = 132; // u32, with PACKET_FLAG_SOCKET
export const PACKET_GID = 136; // u32
export const PACKET_TCP_OPTIONS = 140; // u32: bit n set when option kind n (< 32) is there; others are looked for in the bytes
export const PACKET_TIME = 144; // u32 milliseconds of the virtual clock
export const PACKET_MSS = 148; // u16 of the SYN's option; 0 none, or PACKET_FLAG_MSS_ZERO
export const PACKET_TCP_DATA_OFFSET = 150; // u8 bytes of TCP header
export const PACKET_CHUNK_TYPE = 151; // u8 first SCTP chunk
export const PACKET_PAYLOAD = 152; // u32 address of the packet's own bytes (from the IP header), 0 absent
export const PACKET_PAYLOAD_LENGTH = 156; // u32
export const PACKET_PRIORITY = 160; // u32
export const PACKET_ZONE = 164; // u16
export const PACKET_ICMP_ID = 166; // u16 identifier of an ICMP request or reply
export const PACKET_KNOWN = 168; // u32 address of what the machine knows of it beside (KNOWN_*), 0 nothing
export const PACKET_FRAGMENT_ID = 172; // u32 what fragments of one packet have in common
export const PACKET_TCP_STRIPPED = 176; // u32 set on the way: kinds of options that TCPOPTSTRIP has made no-operations of
export const PACKET_DESTINATION_MAC = 184; // 6 bytes, zero unknown
export const PACKET_SIZE = 192;

/*
 * ---- Known: what the machine knows of a packet that the packet does not carry, for rules that ask for it ----
 *
 *  0     1       2      4        6       8         12        16             32          544
 * +-----+-------+------+--------+-------+---------+---------+--------------+-----------+--------+
 * |flags|method | port |control |groups | sk mark | cgroup  | IPVS address | path      | groups |
 * +-----+-------+------+--------+-------+---------+---------+--------------+-----------+--------+
 */
export const KNOWN_FLAGS = 0; // u8 KNOWN_FLAG_*
export const KNOWN_IPVS_METHOD = 1; // u8 as IPVS_METHOD of payloads.ts
export const KNOWN_IPVS_PORT = 2; // u16
export const KNOWN_IPVS_CONTROL_PORT = 4; // u16
export const KNOWN_GROUP_COUNT = 6; // u16
export const KNOWN_SOCKET_MARK = 8; // u32
export const KNOWN_CGROUP = 12; // u32 class
export const KNOWN_IPVS_ADDRESS = 16; // 16
export const KNOWN_CGROUP_PATH = 32; // 512, zero-padded
export const KNOWN_CGROUP_PATH_BYTES = 512;
export const KNOWN_GROUPS = KNOWN_CGROUP_PATH + KNOWN_CGROUP_PATH_BYTES; // u32 x KNOWN_GROUPS_COUNT: of the socket's owner
export const KNOWN_GROUPS_COUNT = 64;
export const KNOWN_GENRE = KNOWN_GROUPS + 4 * KNOWN_GROUPS_COUNT; // 32, zero-padded: the system that its SYN looks to come from
export const KNOWN_GENRE_BYTES = 32;
export const KNOWN_PROGRAMS = KNOWN_GENRE + KNOWN_GENRE_BYTES; // 512: paths of bpf programs that take it, each with a zero behind
export const KNOWN_PROGRAMS_BYTES = 512;
export const KNOWN_SIZE = KNOWN_PROGRAMS + KNOWN_PROGRAMS_BYTES;
/** The socket is transparent; it listens on every address. */
export const KNOWN_FLAG_TRANSPARENT = 1;
export const KNOWN_FLAG_WILDCARD = 2;
/** IPVS has handled the packet; it has a connection for it; that one is controlled by another. */
export const KNOWN_FLAG_IPVS = 4;
export const KNOWN_FLAG_IPVS_CONNECTION = 8;
export const KNOWN_FLAG_IPVS_CONTROL = 16;

/** Values of PACKET_FLAGS. */
export const PACKET_FLAG_SOCKET = 1;
/** The transport header is cut short or the fragment offset is 1: exact netfilter drops in the middle of a rule. */
export const PACKET_FLAG_ODD = 2;
/** MORE_FRAGMENTS: first or middle fragment. */
export const PACKET_FLAG_MORE = 4;
/** PACKET_SOURCE_MAC is known. */
export const PACKET_FLAG_MAC = 8;
/** TCP's header says that it has less than 20 bytes, or more than there are: who looks at its options drops the packet. */
export const PACKET_FLAG_OPTIONS_CUT = 16;
/** TCP's options announce a segment of no bytes: PACKET_MSS is 0 and the option is there. */
export const PACKET_FLAG_MSS_ZERO = 32;
/** IPv6's headers cannot be read up to the transport's: a rule that names a protocol drops the packet. */
export const PACKET_FLAG_HEADERS_CUT = 64;
/** Set on the way: TCP's options are not what they were when the packet came. */
export const PACKET_FLAG_OPTIONS_REWRITTEN = 128;
/** What may be dropped in the middle of a rule, so that every rule has to see it. */
export const PACKET_FLAGS_DROPPED = PACKET_FLAG_ODD | PACKET_FLAG_OPTIONS_CUT | PACKET_FLAG_HEADERS_CUT;

/** Values of PACKET_PATH: which hooks the packet passes. */
export const PATH_IN = 0; // from PACKET_INPUT; routed to INPUT or FORWARD by the local addresses
export const PATH_OUT = 1; // from a local process
/** Values: one hook alone, PATH_HOOK + HOOK_*. */
export const PATH_HOOK = 16;

export const CT_STATE_INVALID = 1;
export const CT_STATE_ESTABLISHED = 2;
export const CT_STATE_RELATED = 4;
export const CT_STATE_NEW = 8;
export const CT_STATE_UNTRACKED = 64;
export const CT_STATE_SNAT = 128;
export const CT_STATE_DNAT = 256;

export const CT_STATUS_EXPECTED = 1;
export const CT_STATUS_SEEN_REPLY = 2;
export const CT_STATUS_ASSURED = 4;
export const CT_STATUS_CONFIRMED = 8;

/*
 * ---- Result: one a packet ----
 */
export const RESULT_VERDICT = 0; // u8 VERDICT_*
export const RESULT_HOOK = 1; // u8 the last hook walked
export const RESULT_TABLE = 2; // u8 the table that decided
export const RESULT_FLAGS = 3; // u8 RESULT_FLAG_*
export const RESULT_ROW = 4; // u32 row that gave the last verdict, absolute; 0 none
export const RESULT_MARK = 8; // u32
export const RESULT_CT_MARK = 12; // u32
export const RESULT_SOURCE = 16; // 16, after rewrites
export const RESULT_DESTINATION = 32; // 16
export const RESULT_SOURCE_PORT = 48; // u16
export const RESULT_DESTINATION_PORT = 50; // u16
export const RESULT_REJECT = 52; // u8 REJECT_* of payloads.ts
export const RESULT_EVENTS = 53; // u8 LOG and NFLOG rules that fired, at most 255
export const RESULT_QUEUE = 54; // u16
export const RESULT_GENERATION = 56; // u32 ruleset the packet saw
export const RESULT_MSS = 60; // u16 after TCPMSS
export const RESULT_TTL = 62; // u8 after TTL or HL
export const RESULT_TOS = 63; // u8 after TOS or DSCP
export const RESULT_PRIORITY = 64; // u32 after CLASSIFY
export const RESULT_CT_STATE = 68; // u16 CT_STATE_* at the end of the way
export const RESULT_ICMP_ID = 70; // u16 identifier after rewrites, where connections are tracked
/** What an ICMP error quotes, as NAT leaves it; only with RESULT_FLAG_QUOTED. An echo's identifier is its source port. */
export const RESULT_QUOTED_SOURCE = 72; // 16
export const RESULT_QUOTED_DESTINATION = 88; // 16
export const RESULT_QUOTED_SOURCE_PORT = 104; // u16
export const RESULT_QUOTED_DESTINATION_PORT = 106; // u16
export const RESULT_ROUTE = 108; // u8 what routing said last, RTN_* or ROUTED_* of routing.ts; 0 it was not asked
export const RESULT_FRAGMENTS = 109; // u8 FRAGMENTS_*: what became of a fragment, where they are put together
export const RESULT_OUTPUT = 112; // 16 name of the interface that it leaves by, where it got so far
export const RESULT_SIZE = 128;

/** Values of RESULT_FRAGMENTS: it waits for the others; was thrown away; was the last, and what follows is the whole packet's. */
export const FRAGMENTS_KEPT = 1;
export const FRAGMENTS_DISCARDED = 2;
export const FRAGMENTS_WHOLE = 3;

export const RESULT_FLAG_DNAT = 1;
export const RESULT_FLAG_SNAT = 2;
export const RESULT_FLAG_NOTRACK = 4;
export const RESULT_FLAG_CT_MARK = 8;
/** MASQUERADE met, but no address is known for the output interface: the source stays. */
export const RESULT_FLAG_MASQUERADE = 16;
/** Dropped by routing, not by a rule: no hop was left to forward it. */
export const RESULT_FLAG_EXPIRED = 32;
/** NAT has rewritten the packet that an ICMP error quotes: RESULT_QUOTED_*. */
export const RESULT_FLAG_QUOTED = 64;
/** Dropped by routing, not by a rule: there is no way, as RESULT_ROUTE says. */
export const RESULT_FLAG_UNROUTED = 128;

/* ---- Trace: one record a rule that matched, in order ---- */
export const TRACE_ROW = 0; // u32 row, absolute
export const TRACE_HOOK = 4; // u8
export const TRACE_TABLE = 5; // u8
export const TRACE_VERDICT = 6; // u8
export const TRACE_OWN = 7; // u8 0, or of a packet that the machine sent meanwhile: its number, from 1
/** The packet as the rule left it. NAT of a tracked connection shows in the steps behind its hook. */
export const TRACE_MARK = 8; // u32
export const TRACE_CT_MARK = 12; // u32
export const TRACE_SOURCE = 16; // 16
export const TRACE_DESTINATION = 32; // 16
export const TRACE_SOURCE_PORT = 48; // u16
export const TRACE_DESTINATION_PORT = 50; // u16
export const TRACE_CT_STATE = 52; // u16 CT_STATE_*
export const TRACE_TTL = 54; // u8
export const TRACE_TOS = 55; // u8
export const TRACE_SIZE = 56;
