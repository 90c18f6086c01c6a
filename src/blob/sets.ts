/**
 * Sets of ipset's in shared memory. Same rules as layout.ts.
 *
 * A set is a name with a body. Rules and lists refer to the name's record; swapping two sets swaps their bodies. Readers
 * look at a body without a lock; who changes its elements, the writer or a reader that -j SET tells to, takes the body's
 * lock. Everything else is the writer's.
 */

/** A set by name: linked from CONTROL_SETS in the order in which sets were made. */
export const IPSET_NEXT = 0; // u32
export const IPSET_BODY = 4; // u32, atomic
export const IPSET_REFERENCES = 8; // u32 rules and lists
export const IPSET_FED = 12; // u32: 1 once packets may add to it: then all room is there from the start
export const IPSET_NAME = 16; // 32 bytes
export const IPSET_NAME_BYTES = 32;
export const IPSET_SIZE = IPSET_NAME + IPSET_NAME_BYTES;

/*
 * ---- Body: how the set was made, then what it holds ----
 *
 * The part up to BODY_MADE_SIZE is laid out by who makes the set, and copied. Offsets in a node of what the set does not
 * keep are 0.
 */
export const BODY_LOCK = 0; // i32, atomic
export const BODY_TYPE = 4; // u8: place of the type among the types' names
export const BODY_KIND = 5; // u8: BODY_HASH ...
export const BODY_DIMENSIONS = 6; // u8: directions that a rule must give at least
export const BODY_FAMILY = 7; // u8: FAMILY_*, 0 either
export const BODY_PARTS = 8; // u32: four bits a part from the lowest, PART_*
export const BODY_OPTIONS = 12; // u32 bits: OPTION_*
export const BODY_HASHSIZE = 16; // u32
export const BODY_MAXELEM = 20; // u32
export const BODY_NETMASK = 24; // u8 prefix length
export const BODY_BUCKETSIZE = 25; // u8
export const BODY_NETS = 26; // u8 bits: 1 the first address is a net, 2 the second is
export const BODY_VECTORS = 27; // u8: vectors of 16 bytes that make up a key
export const BODY_MARKMASK = 28; // u32
export const BODY_TIMEOUT = 32; // u32 seconds
export const BODY_INITVAL = 36; // u32
export const BODY_FIRST = 40; // u32 of a bitmap
export const BODY_LAST = 44; // u32
export const BODY_LIST_SIZE = 48; // u32
export const BODY_MASK = 64; // 16: address bits that are kept
export const BODY_MADE_SIZE = 80;
export const BODY_COUNT = 80; // u32 elements, those that expired and were not met again included
export const BODY_NODE_SIZE = 84; // u32
export const BODY_EXPIRES_AT = 88; // u32 offset in a node of u64 ms, 0 for ever
export const BODY_COUNTERS_AT = 92; // u32 offset of u64 packets, u64 bytes
export const BODY_INFO_AT = 96; // u32 offset of u32 mark, mask, priority, queue
export const BODY_COMMENT_AT = 100; // u32 offset of u8 length, 255 bytes
export const BODY_TABLE = 104; // u32, atomic. Hash: its table; bitmap: its bits; list: its members
export const BODY_SEGMENTS = 108; // u32 hash: first segment of nodes; bitmap: nodes
export const BODY_FREE = 112; // u32 first free node, linked by NODE_FLAGS
export const BODY_FRESH = 116; // u32 first node never used
export const BODY_FRESH_END = 120; // u32
export const BODY_ROOM = 124; // u32 nodes in all segments
export const BODY_RELINKED = 128; // u32 generation from which on no reader uses the links before the last
export const BODY_BYTES = 132; // u32 bitmap: bytes of bits and nodes
export const BODY_PREFIXES = 136; // u64 x 3 x 2: bit n: the set has nets of n bits, in the first and second net
export const BODY_PREFIX_COUNTS = BODY_PREFIXES + 48; // u32 x BODY_PREFIX_COUNT x 2
export const BODY_PREFIX_COUNT = 129;
export const BODY_SIZE = BODY_PREFIX_COUNTS + 8 * BODY_PREFIX_COUNT;

/** Values of BODY_KIND. */
export const BODY_HASH = 0;
export const BODY_BITMAP = 1;
export const BODY_LIST = 2;

/** Values of a part. */
export const PART_IP = 1;
export const PART_NET = 2;
export const PART_PORT = 3;
export const PART_MAC = 4;
export const PART_MARK = 5;
export const PART_DEVICE = 6;
/** A port of TCP or UDP, whichever. */
export const PART_PLAIN_PORT = 7;

/** Values of BODY_OPTIONS. */
export const OPTION_TIMEOUT = 1;
export const OPTION_COUNTERS = 2;
export const OPTION_COMMENT = 4;
export const OPTION_INFO = 8;
export const OPTION_FORCEADD = 16;
export const OPTION_NETMASK = 32;
export const OPTION_BITMASK = 64;
export const OPTION_INITVAL = 128;

/*
 * ---- Key: what an element is, in one to three vectors ----
 *
 *  0          4              8       10      11      12      13
 * +----------+--------------+-------+-------+-------+-------+---------+
 * | IPv4     | second IPv4, | port  | proto-| prefix| prefix| physical|
 * | address  | mark, MAC .. | .. MAC| col   |       | 2     |         |
 * +----------+--------------+-------+-------+-------+-------+---------+
 * IPv6: the address and, where there are two, the second follow as vectors. A device is the last vector.
 */
export const KEY_ADDRESS = 0; // u32
export const KEY_SECOND = 4; // u32 address or mark
export const KEY_MAC = 4; // 6 bytes
export const KEY_PORT = 8; // u16
export const KEY_PROTOCOL = 10; // u8
export const KEY_PREFIX = 11; // u8 of the first net
export const KEY_PREFIX2 = 12; // u8 of the second
export const KEY_PHYSICAL = 13; // u8 the device is a bridge's port
export const KEY_VECTORS = 16; // further vectors
export const KEY_SIZE = 48;

/** Node of a hash: in one bucket's list; key, then extensions. Never given back before its body. */
export const NODE_NEXT = 0; // u32, atomic; u32 for the table after this one
export const NODE_VERSION = 8; // u32, atomic: even and not 0 in force, grows whenever the node becomes free or taken
export const NODE_FLAGS = 12; // u32: ELEMENT_NOMATCH, ELEMENT_WILDCARD; of a free node the next free one
export const NODE_KEY = 16;

/** Table of a hash: its buckets hold the first node, 0 none; a list ends with TABLE_END_BIT and twice the bucket's number. */
export const TABLE_MASK = 0; // u32 buckets - 1
export const TABLE_LINK = 4; // u32 0 or 4: which of a node's links it uses
export const TABLE_BYTES = 8; // u32
export const TABLE_BUCKETS = 16;
export const TABLE_END_BIT = 1;
/** Value: the most buckets. */
export const TABLE_LARGEST = 4194304;

/** Segment of nodes. */
export const SEGMENT_NEXT = 0; // u32
export const SEGMENT_COUNT = 4; // u32 nodes
export const SEGMENT_BYTES = 8; // u32
export const SEGMENT_NODES = 16;

/** Node of a bitmap: MAC address and, in byte 6, whether it is known; then extensions. */
export const PLACE_MAC = 0; // u64, atomic
export const PLACE_SIZE = 16;

/** Members of a list: u32 how many, then the address of a record for each; the array is never changed, only replaced. */
export const MEMBERS_COUNT = 0; // u32
export const MEMBERS_FIRST = 4; // u32 x count
/** Member: its set, then extensions. */
export const MEMBER_SET = 0; // u32
export const MEMBER_SIZE = 16;

/*
 * ---- Element: how an element crosses, in either direction ----
 *
 * Of a list KEY is the member's name, and BESIDE the name of another.
 */
export const ELEMENT_KEY = 0; // KEY_SIZE
export const ELEMENT_FLAGS = 48; // u32
export const ELEMENT_TIMEOUT = 52; // u32 seconds that are left, 0 for ever
export const ELEMENT_EXPIRES = 56; // u64 ms on the packets' clock
export const ELEMENT_PACKETS = 64; // u64
export const ELEMENT_BYTES = 72; // u64
export const ELEMENT_MARK = 80; // u32
export const ELEMENT_MARK_MASK = 84; // u32
export const ELEMENT_PRIORITY = 88; // u32
export const ELEMENT_QUEUE = 92; // u32
export const ELEMENT_COMMENT = 96; // u8 length, 255 bytes
export const ELEMENT_COMMENT_BYTES = 256;
export const ELEMENT_BESIDE = ELEMENT_COMMENT + ELEMENT_COMMENT_BYTES; // 32
export const ELEMENT_SIZE = ELEMENT_BESIDE + IPSET_NAME_BYTES;

/** Values of ELEMENT_FLAGS. */
export const ELEMENT_NOMATCH = 1;
export const ELEMENT_WILDCARD = 2;
/** A MAC address is said. */
export const ELEMENT_HAS_MAC = 4;
export const ELEMENT_HAS_PACKETS = 8;
export const ELEMENT_HAS_BYTES = 16;
/** One that is there already may be there. */
export const ELEMENT_EXIST = 32;
/** As it was before: ELEMENT_EXPIRES says when it ends, and all fields are said. */
export const ELEMENT_RESTORE = 64;
export const ELEMENT_BEFORE = 128;
export const ELEMENT_AFTER = 256;

/** What an operation on a set comes to. */
export const SETS_DONE = 0;
/** The element was there, and is changed; how it was is told. */
export const SETS_CHANGED = 1;
export const SETS_MEMORY = 2;
export const SETS_ELEMENT_EXISTS = 3;
export const SETS_ELEMENT_MISSING = 4;
export const SETS_FULL = 5;
export const SETS_BESIDE_MISSING = 6;
