/**
 * The engine's own records in shared memory: what is not part of a blob. Same rules as layout.ts. Who writes: the holder of
 * the writers' lock, except a reader's line, scratch, stack and counters (that reader) and state cells and objects (readers).
 */

// ---- Control block, at a fixed address ----
export const CONTROL_ADDRESS = 1024;
// Packets look at these, at the root each of them; of what a change stores only the root is here.
export const CONTROL_MAGIC = 0; // u32: CONTROL_MAGIC_VALUE once initialised
export const CONTROL_ROOT = 4; // u32, atomic: the root record in force
export const CONTROL_READERS = 8; // u32 reader lines
export const CONTROL_CLASSIFIER = 12; // u32 CLASSIFIER_*
export const CONTROL_SEED = 16; // u32
export const CONTROL_STACK_DEPTH = 20; // u32 chains that every reader's stack can nest
export const CONTROL_EPOCH = 24; // u32 seconds since 1970 when the virtual clock was 0
export const CONTROL_BASE_DIRECTORY = 28; // u32 directory of the writer's bases
export const CONTROL_FRAGMENTS = 32; // u32 fragments that wait (fragments.ts)
export const CONTROL_OBJECTS = 36; // u32 first named object
export const CONTROL_HASH_TABLES = 40; // u32 first table of hashlimit
export const CONTROL_SETS = 44; // u32 first set (sets.ts)
export const CONTROL_ACCOUNTS = 48; // u32 first object of nfacct
export const CONTROL_ESTIMATORS = 52; // u32 first estimator of RATEEST
export const CONTROL_FINGERPRINTS = 56; // u32 image of fingerprints, 0 none
export const CONTROL_CONNECTIONS = 60; // u32 table of connections (connections.ts), 0 when none are tracked
export const CONTROL_TIMERS = 64; // u32 first timer of IDLETIMER (idle-timers.ts)
// These are the writers' own and stored with every change: on cache lines of their own, or each store and each packet would wait for the other.
export const CONTROL_LOCK = 128; // i32, atomic: 0 free, 1 held, 2 held and waited for
export const CONTROL_HEAP_TOP = 132; // u32 first byte never handed out
export const CONTROL_HEAP_FREE = 136; // u32 first free run, by address
export const CONTROL_LIVE_BYTES = 140; // u32 bytes in runs handed out
export const CONTROL_PEAK_BYTES = 144; // u32
export const CONTROL_ARENA = 148; // u32 the engine's arena: roots, retired entries, state
export const CONTROL_RETIRED_FIRST = 152; // u32 queue of what waits for its grace period
export const CONTROL_RETIRED_LAST = 156; // u32
export const CONTROL_RETIRED_COUNT = 160; // u32 entries of that queue
export const CONTROL_URGENT_UNTIL = 164; // u32 generation of the last entry of that queue that does more than take memory: what names an object keeps it, and others see that; 0 none
export const CONTROL_COUNTER_TOP = 168; // u32 first counter never handed out
export const CONTROL_COUNTER_FREE = 172; // u32 numbers in the stack of free ones
export const CONTROL_COUNTER_SEGMENTS = 176; // u32 segments each directory holds
export const CONTROL_UNDO = 180; // u32 first segment of the undo log
export const CONTROL_SCRATCH = 184; // u32 the writer's staging area
export const CONTROL_SCRATCH_BYTES = 188; // u32
export const CONTROL_SIZE = 256;
export const CONTROL_MAGIC_VALUE = 0x43575352; // value: "RSWC"

/** Values of CONTROL_CLASSIFIER. */
export const CLASSIFIER_LINEAR = 0;
export const CLASSIFIER_TUPLE_SPACE = 1;

/*
 * ---- Reader line: one a reader, two cache lines wide so that no two share one ----
 *
 * SEQUENCE is odd inside a walk. GENERATION is the one taken at the last entry.
 */
export const READER_SEQUENCE = 0; // u32, atomic
export const READER_GENERATION = 4; // u32, atomic
export const READER_QUIESCENT = 8; // u32, atomic: grows at every quiescent state
export const READER_ONLINE = 12; // u32, atomic: 1 while the thread runs its loop
export const READER_STACK = 16; // u32 jump stack, atomic (the writer replaces it by a deeper one)
export const READER_COUNTERS = 20; // u32 directory of counter segments
export const READER_SCRATCH = 24; // u32 the packet being walked, behind it those that the machine sends (assembly/own.ts)
export const READER_TUPLES = 28; // u32 tuples that the packet's connection is worked out in
export const READER_RANDOM = 32; // u64 state of the seeded generator
export const READER_EVENTS = 40; // u32 ring of events (events.ts), 0 when nobody listens
export const READER_WHOLE = 44; // u32 what fragments were put together to (fragments.ts)
export const READER_HITS = 48; // u32 notes of rules that are yet to be counted (assembly/hits.ts), and behind them ahead.ts's room
export const READER_REWRITTEN = 116; // u32 room for what assembly/rewritten.ts writes over a packet's bytes
export const READER_TIME = 120; // u32 the time of the packet it walked last
export const READER_SIZE = 128;
export const READERS_ADDRESS = CONTROL_ADDRESS + CONTROL_SIZE;
export const READERS_COUNT = 64;

/** ---- Root record: immutable once published ---- */
export const ROOT_GENERATION = 0; // u32
export const ROOT_ROUTING = 4; // u32 routing image (routing.ts), 0 none
export const ROOT_TABLES = 8; // u32 x ROOT_FAMILY_COUNT x TABLE_COUNT: blobs, 0 absent
export const ROOT_FAMILY_COUNT = 4; // by ROOT_IPV4 ...
export const ROOT_IPV4 = 0;
export const ROOT_IPV6 = 1;
export const ROOT_HOOKS = 136; // u32 hook registry
export const ROOT_SIZE = 144;

/** Jump stack frame: where to go on after RETURN. */
export const FRAME_INDEX = 0; // u32 tuple-space index, 0 chunks, FRAME_RUN
export const FRAME_CHUNK = 4; // u32 chunk, or the next row of a run
export const FRAME_BITS = 8; // u64 hits left in the chunk, the order of the last row, or the rows left of a run
export const FRAME_SIZE = 16;
/** Values: of FRAME_INDEX where rows are taken as they lie in the blob; the most rules of a chain that is walked so. */
export const FRAME_RUN = 1;
export const RUN_MOST = 8;

/*
 * ---- Chunk: up to CHUNK_ROWS rules of a chain, in order ----
 *
 *  0       4         8       12      14      16      18      20
 * +-------+---------+-------+-------+-------+-------+-------+-----+
 * | next  | previous| chain | cap   | used  | word  | live  | node|
 * +-------+---------+-------+-------+-------+-------+-------+-----+
 * | row[cap] u32 | value[cap] u32 | mask[cap] u32                 |
 *
 * Slot i can match a packet only when (packet word & mask[i]) == value[i]. A free slot has row 0, value 1, mask 0.
 * `word` never changes while the chunk is linked.
 */
export const CHUNK_NEXT = 0; // u32
export const CHUNK_PREVIOUS = 4; // u32
export const CHUNK_CHAIN = 8; // u32 head, or the index whose unindexed rows these are
export const CHUNK_CAPACITY = 12; // u16 slots, a multiple of 4
export const CHUNK_USED = 14; // u16 slots from 0 that were ever taken
export const CHUNK_WORD = 16; // u16 offset in the packet
export const CHUNK_LIVE = 18; // u16 rows in force in the writer's view
export const CHUNK_NODE = 20; // u32 leaf of the chain's directory, 0 where it has none
export const CHUNK_ROW_SLOTS = 32;
/** Values: most slots of a chunk, and what a free one has. */
export const CHUNK_ROWS = 64;
export const CHUNK_FREE_VALUE = 1;

/** Node of a chain's directory: the writer's way to a rule by its position. */
export const NODE_PARENT = 0; // u32, 0 for the root
export const NODE_COUNT = 4; // u32 entries
export const NODE_LEVEL = 8; // u32: 0 where entries are chunks, else nodes of the level below
export const NODE_ENTRIES = 16; // (u32 chunk or node, u32 rules in force there) x NODE_ENTRIES_COUNT
export const NODE_ENTRIES_COUNT = 32;
export const NODE_SIZE = NODE_ENTRIES + 8 * NODE_ENTRIES_COUNT;

/** Hash table of chain names: u32 mask, u32 used, then slots of u32 hash, u32 head, 0 where a slot is free. */
export const NAMES_MASK = 0;
export const NAMES_COUNT = 4;
export const NAMES_FIRST = 8;
export const NAMES_HEAD = 4;
export const NAMES_SLOT = 8;

/** Arena: memory that is freed as a whole; size classes of 16 bytes up to ARENA_LARGEST. */
export const ARENA_SLABS = 0; // u32 first slab
export const ARENA_NEXT = 4; // u32 first free byte of the newest slab
export const ARENA_END = 8; // u32
export const ARENA_BYTES = 12; // u32 handed out and not freed
export const ARENA_FREE = 16; // u32 x ARENA_CLASSES
export const ARENA_CLASSES = 128;
export const ARENA_LARGEST = 2048;
export const ARENA_SIZE = ARENA_FREE + 4 * ARENA_CLASSES;

/** Slab: u32 next, u32 previous, u32 bytes; then memory. */
export const SLAB_NEXT = 0;
export const SLAB_PREVIOUS = 4;
export const SLAB_BYTES = 8;
export const SLAB_FIRST = 16;
export const SLAB_SIZE = 65536;

/** What waits for its grace period. */
export const RETIRED_NEXT = 0; // u32
export const RETIRED_KIND = 4; // u32 of those below
export const RETIRED_GENERATION = 8; // u32: free once no reader is inside with an older one
export const RETIRED_ADDRESS = 12; // u32
export const RETIRED_ARENA = 16; // u32
export const RETIRED_BYTES = 20; // u32
export const RETIRED_SIZE = 24;
export const RETIRED_ROW = 1; // unlink the row, then retire its memory
export const RETIRED_MEMORY = 2; // give back to the arena
export const RETIRED_TABLE = 3; // free the whole table
export const RETIRED_BODY = 4; // free a set's body and all that is in it
export const RETIRED_RUN = 5; // give back to the heap
export const RETIRED_CHAIN = 6; // free a chain, and the rules of its run, that ended with it

/** Counters: (u64 packets, u64 bytes); a directory of segments. */
export const COUNTER_PACKETS = 0;
export const COUNTER_BYTES = 8;
export const COUNTER_SIZE = 16;
export const COUNTER_SEGMENT_BITS = 12;
export const COUNTER_SEGMENT_SIZE = 65536;
export const COUNTER_DIRECTORY_COUNT = 1024;

/** Error codes of exports that can fail; 0 is success. */
export const FAULT_NONE = 0;
export const FAULT_MEMORY = 1;
export const FAULT_MAGIC = 2;
export const FAULT_VERSION = 3;
export const FAULT_LENGTH = 4;
export const FAULT_CHECKSUM = 5;
export const FAULT_HEADER = 6;
export const FAULT_CHAIN = 7;
export const FAULT_ROW = 8;
export const FAULT_MATCH = 9;
export const FAULT_TARGET = 10;
export const FAULT_JUMP = 11;
export const FAULT_LOOP = 12;
export const FAULT_TEXT = 13;
export const FAULT_HOOK = 14;
export const FAULT_UNSUPPORTED_MATCH = 15;
export const FAULT_UNSUPPORTED_TARGET = 16;
export const FAULT_CHAIN_EXISTS = 17;
export const FAULT_CHAIN_MISSING = 18;
export const FAULT_CHAIN_REFERENCED = 19;
export const FAULT_CHAIN_NOT_EMPTY = 20;
export const FAULT_CHAIN_BUILTIN = 21;
export const FAULT_POSITION = 22;
export const FAULT_RULE_MISSING = 23;
export const FAULT_COUNTERS = 24;
export const FAULT_REACHED = 25;
export const FAULT_CALLEE_MISSING = 26;
export const FAULT_POLICY = 27;
export const FAULT_SET = 28;
export const FAULT_ACCOUNT = 29;
export const FAULT_ESTIMATOR = 30;
export const FAULT_TIMER = 31;
export const FAULT_TIMEOUT_POLICY = 32;
export const FAULT_HELPER = 33;
export const FAULT_UNTRACKED = 34;

/** A list of `recent`, by name: linked from CONTROL_OBJECTS, shared by the rules that name it. */
export const LIST_NEXT = 0; // u32
export const LIST_REFERENCES = 4; // u32 rules
export const LIST_LOCK = 8; // i32, atomic: readers take turns
export const LIST_COUNT = 12; // u32 entries in use
export const LIST_STAMPS = 16; // u32 stamps an entry keeps, a power of two
export const LIST_CLOCK = 20; // u32 grows at every touch
export const LIST_ENTRIES = 24; // u32 address of LIST_ENTRIES_COUNT entries
export const LIST_MASK = 32; // 16 bytes, of the first rule
export const LIST_NAME = 48; // 200 bytes
export const LIST_SIZE = 248;
/** Value: addresses a list keeps (xt_recent's ip_list_tot). */
export const LIST_ENTRIES_COUNT = 100;
/** An entry: address, when it was touched, TTL, and its stamps. */
export const ENTRY_ADDRESS = 0; // 16
export const ENTRY_TOUCHED = 16; // u32 LIST_CLOCK at the last touch
export const ENTRY_TTL = 20; // u8
export const ENTRY_STAMP_COUNT = 24; // u32 stamps in use
export const ENTRY_STAMP_NEXT = 28; // u32 where the next one goes
export const ENTRY_STAMPS = 32; // u32 ms x LIST_STAMPS

/**
 * A table of `hashlimit`: linked from CONTROL_HASH_TABLES, shared by the rules that name it in one family. Behind it lie
 * its buckets (u32 first entry each) and HASH_TABLE_MAX entries.
 */
export const HASH_TABLE_NEXT = 0; // u32
export const HASH_TABLE_REFERENCES = 4; // u32 rules
export const HASH_TABLE_LOCK = 8; // i32, atomic: readers take turns
export const HASH_TABLE_COUNT = 12; // u32 entries in buckets
export const HASH_TABLE_TOP = 16; // u32 entries ever taken
export const HASH_TABLE_FREE = 20; // u32 first free entry
export const HASH_TABLE_SWEPT = 24; // u32 ms: time of the collection that was last done for all entries
export const HASH_TABLE_ADDRESS_BYTES = 28; // u32
export const HASH_TABLE_BUCKETS = 32; // u32
export const HASH_TABLE_MAX = 36; // u32 entries
export const HASH_TABLE_SEED = 40; // u32 mixed into every hash
export const HASH_TABLE_BYTES = 44; // u32 of all its memory
export const HASH_TABLE_CREDIT = 48; // u64 of a fresh entry
export const HASH_TABLE_CAP = 56; // u64 ENTRY's cap of a fresh entry
export const HASH_TABLE_COST = 64; // u64 of a packet; of bytes: of 16 bytes
export const HASH_TABLE_RATE = 72; // u64 rate match: packets or bytes a second
export const HASH_TABLE_BURST = 80; // u64 rate match: the most of an interval
export const HASH_TABLE_ENTRIES = 88; // u32 address of the first entry
export const HASH_TABLE_SOURCE_MASK = 96; // 16
export const HASH_TABLE_DESTINATION_MASK = 112; // 16
export const HASH_TABLE_RECORD = 128; // the match record of the rule that made it, HASHLIMIT_SIZE bytes
export const HASH_TABLE_SIZE = 448;
/** Values: buckets where the rule says none, as of a machine with more than 1 GiB; entries a bucket where it says none. */
export const HASH_TABLE_BUCKETS_DEFAULT = 8192;
export const HASH_TABLE_ENTRIES_A_BUCKET = 8;

/** An entry: its key, its bucket's list, its credit. */
export const HASH_ENTRY_NEXT = 0; // u32
export const HASH_ENTRY_EXPIRES = 4; // u32 ms
export const HASH_ENTRY_PREVIOUS = 8; // u32 ms when the credit was last renewed
export const HASH_ENTRY_WINDOW = 12; // u32 rate match: 1 when the last interval was over the rate
export const HASH_ENTRY_SOURCE = 16; // 16
export const HASH_ENTRY_DESTINATION = 32; // 16
export const HASH_ENTRY_PORTS = 48; // u32 source and destination port
export const HASH_ENTRY_CREDIT = 56; // u64; rate match: seen in this interval
export const HASH_ENTRY_CAP = 64; // u64 packets: the most credit; bytes: how often it may still be filled up
export const HASH_ENTRY_SIZE = 72;

/** What `nfacct add` makes: linked from CONTROL_ACCOUNTS, counted by every rule that names it, of either family. */
export const ACCOUNT_NEXT = 0; // u32
export const ACCOUNT_REFERENCES = 4; // u32 rules
export const ACCOUNT_FLAGS = 8; // u32 ACCOUNT_FLAG_*
export const ACCOUNT_NAME = 16; // 32
export const ACCOUNT_PACKETS = 48; // u64, atomic
export const ACCOUNT_BYTES = 56; // u64, atomic
export const ACCOUNT_QUOTA = 64; // u64
export const ACCOUNT_SIZE = 72;
/** There is a quota, of packets or of bytes. */
export const ACCOUNT_FLAG_PACKETS = 1;
export const ACCOUNT_FLAG_BYTES = 2;

/** What the first -j RATEEST of a name makes: linked from CONTROL_ESTIMATORS, shared by the rules that name it. */
export const ESTIMATOR_NEXT = 0; // u32
export const ESTIMATOR_REFERENCES = 4; // u32 rules
export const ESTIMATOR_LOCK = 8; // i32, atomic: readers take turns
export const ESTIMATOR_INTERVAL = 12; // u8 as SETRATEEST_INTERVAL
export const ESTIMATOR_EWMA = 13; // u8 as SETRATEEST_EWMA
export const ESTIMATOR_TICK = 16; // u32 ms: end of the interval that is being measured
export const ESTIMATOR_NAME = 24; // 16
export const ESTIMATOR_BYTES = 40; // u64 seen
export const ESTIMATOR_PACKETS = 48; // u64
export const ESTIMATOR_LAST_BYTES = 56; // u64 seen up to the last tick
export const ESTIMATOR_LAST_PACKETS = 64; // u64
export const ESTIMATOR_BYTE_RATE = 72; // u64 average a second, times 256
export const ESTIMATOR_PACKET_RATE = 80; // u64
export const ESTIMATOR_SIZE = 88;
