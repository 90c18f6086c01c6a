/**
 * The records of a tuple-space index (assembly/tuple-space.ts tells what they are for), in the engine's shared memory.
 * Same rules as layout.ts; the holder of the writers' lock writes them, readers read.
 */
/*
 * ---- Tuple-space index of a chain ----
 *
 * +--------+-----------+-------+--------+-------+-------+----------------+------+
 * | chunks | lastChunk | chain | tuples | prune |  ...  | tuple[32] u32  | rows |
 * +--------+-----------+-------+--------+-------+-------+----------------+------+
 *
 * The first two are a list of chunks (chunk.ts): rows that no tuple took, in order.
 */
export const INDEX_CHUNKS = 0; // u32
export const INDEX_LAST_CHUNK = INDEX_CHUNKS + 4; // u32
export const INDEX_CHAIN = INDEX_LAST_CHUNK + 4; // u32 head
export const INDEX_TUPLE_COUNT = INDEX_CHAIN + 4; // u32
export const INDEX_PRUNE = INDEX_TUPLE_COUNT + 4; // u32 what addresses occur in which tuple (PRUNE_*), 0 none
export const INDEX_ASCENDS = INDEX_PRUNE + 8; // u32 1: no tuple has a lesser order than those in front of it
export const INDEX_REST_ORDER = INDEX_ASCENDS + 8; // u64 no row outside of tuples has a lesser order
export const INDEX_TUPLES = INDEX_REST_ORDER + 8; // u32 x INDEX_TUPLES_COUNT
export const INDEX_TUPLES_COUNT = 32;
export const INDEX_ROWS = INDEX_TUPLES + 4 * INDEX_TUPLES_COUNT; // u32 rows in tuples: the writer's, apart from what packets look at
export const INDEX_SIZE = INDEX_ROWS + 8;

/**
 * Prune table: bit n of a word stands for tuple n. Four tables of 1 << bits words: for the first bits of source and
 * destination, for the folded ones of both; tuples that hold a rule which leaves such a part open are in its word of `any`
 * instead. Bits are only ever set.
 */
export const PRUNE_BITS = 0; // u32
export const PRUNE_ANY = PRUNE_BITS + 16; // u32 x 4
export const PRUNE_TABLES = PRUNE_ANY + 16;
/** Values: rows of an index from which on the table pays; bits below and from so many rules that are loaded at once. */
export const PRUNE_THRESHOLD = 128;
export const PRUNE_LARGE = 4096;
export const PRUNE_BITS_SMALL = 10;
export const PRUNE_BITS_LARGE = 12;

/** A tuple: four words of the packet (its lanes), the bits of them that it hashes, and a hash table to its rows. */
export const TUPLE_MASK = 0; // u32 x 4
export const TUPLE_LANES = TUPLE_MASK + 16; // u8 x 4 offsets in the packet
export const TUPLE_DIRECTORY = TUPLE_LANES + 4; // u32, atomic
export const TUPLE_MIN_ORDER = TUPLE_DIRECTORY + 4; // u64 bounds of the orders it may hold
export const TUPLE_MAX_ORDER = TUPLE_MIN_ORDER + 8; // u64
export const TUPLE_RANK = TUPLE_MAX_ORDER + 8; // u32 bits of the mask
export const TUPLE_SIZE = TUPLE_RANK + 8;

/**
 * Directory of a tuple's hash table: the segment of a hash is number hash >>> shift. Its address is a multiple of 16; the
 * low bits tell how many groups it has, as a power of two.
 */
export const DIRECTORY_SHIFT = 0; // u32
export const DIRECTORY_BYTES = DIRECTORY_SHIFT + 4; // u32
export const DIRECTORY_SEGMENTS = DIRECTORY_BYTES + 4; // u32 x 1 << (32 - shift)
/** Value: the most hash bits a directory tells apart. */
export const DIRECTORY_DEPTH = 20;

/**
 * Segment: slots of hashes that agree in their first `depth` bits, in groups of four: four hashes, 0 for a free slot, and
 * behind them four buckets, 0 where all rows are gone. A hash's last bits name its group; where that is full the next
 * ones are looked into. A group fills from its first slot on.
 */
export const SEGMENT_MASK = 0; // u32 groups - 1
export const SEGMENT_DEPTH = SEGMENT_MASK + 4; // u32
export const SEGMENT_USED = SEGMENT_DEPTH + 4; // u32 slots with a hash
export const SEGMENT_GROUPS = SEGMENT_USED + 8;
export const GROUP_SLOTS_COUNT = 4;
export const GROUP_SIZE = 32;
/** A slot is named by its hash's address. */
export const SLOT_HASH = 0; // u32
export const SLOT_BUCKET = SLOT_HASH + 16; // u32
/** Value: slots at which a segment is split in place of grown. */
export const SEGMENT_LARGEST = 64;

/*
 * ---- Entry of a bucket: what a row demands of its tuple's lanes, beside what the walk asks first ----
 *
 *  0               16              32      36      40      48      52      56      60
 * +---------------+---------------+-------+-------+-------+-------+-------+-------+-------+
 * | value u32 x 4 | mask u32 x 4  | least | most  | order | row   | born  | died  | flags |
 * +---------------+---------------+-------+-------+-------+-------+-------+-------+-------+
 *
 * least, most: ports as in the packet, source in the low half. flags: ENTRY_*, number in its bucket << 8, number of its
 * tuple << 16, in the first entry the bucket's capacity << 24. A bucket is entries in order, the last of them flagged; a
 * removed one has row 0 and died 0.
 */
export const ENTRY_VALUE = 0;
export const ENTRY_MASK = ENTRY_VALUE + 16;
export const ENTRY_LEAST = ENTRY_MASK + 16; // u32
export const ENTRY_MOST = ENTRY_LEAST + 4; // u32
export const ENTRY_ORDER = ENTRY_MOST + 4; // u64
export const ENTRY_ROW = ENTRY_ORDER + 8; // u32
export const ENTRY_BORN = ENTRY_ROW + 4; // u32
export const ENTRY_DIED = ENTRY_BORN + 4; // u32
export const ENTRY_FLAGS = ENTRY_DIED + 4; // u32
export const ENTRY_SIZE = ENTRY_FLAGS + 4;
/** Values of ENTRY_FLAGS. */
export const ENTRY_LAST = 1;
/** least and most say more than value and mask. */
export const ENTRY_RANGE = 2;
/** A packet with a transport header that passes the entry satisfies the row: nothing else is asked. */
export const ENTRY_WHOLE = 4;
/** Values: entries of a bucket before a finer tuple is looked for, and where there is none. */
export const BUCKET_WANTED = 16;
export const BUCKET_LARGEST = 64;

/** Value: rows of a chain from which on it is indexed. */
export const INDEX_THRESHOLD = 16;
/** Value: distance of neighbouring orders, as a power of two. */
export const ORDER_GAP_BITS = 32;
