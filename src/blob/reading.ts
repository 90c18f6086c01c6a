/**
 * The memory in which text is read: an instance of the module over memory of its own, one a thread. Same rules as
 * layout.ts. TypeScript lays it out (src/ruleset/reading/), `assembly/reading/` reads lines in it. An engine's memory has
 * the same part in front, up to the text, and room of fixed size behind it: there batches become edits as they stand.
 *
 *  READING_START READING_SHAPES text       slots      chains     offsets     owners     texts     rows
 * +--------+------------------+----------+----------+----------+-----------+----------+---------+-------- ...
 * | control| shapes           | the text | hash of  | text ref | of rows   | chain of | as in a | portable, but
 * | values |                  | itself   | all texts| a chain  |           | a row    | blob    | jumps by number
 * +--------+------------------+----------+----------+----------+-----------+----------+---------+-------- ...
 *
 * A region that is full is made larger by moving those behind it; nobody but the control block knows where they are.
 */

// ---- Control block ----

/** In front of it an engine's memory has its control block and its readers. */
export const READING_START = 16384;
/** Address of the next line, and of the byte behind the last one; every line ends with a newline. */
export const READING_AT = READING_START; // u32
export const READING_END = READING_AT + 4; // u32
export const READING_LINE = READING_END + 4; // u32 lines begun so far
export const READING_ROOT = READING_LINE + 4; // u32 first step of the shapes in use, 0 none
export const READING_NAMES = READING_ROOT + 4; // u32 NAMES_*
export const READING_BUILTINS = READING_NAMES + 4; // u32 chains below this number are built in
export const READING_HOOKS = READING_BUILTINS + 4; // u8 x 8: hook of each of them
export const READING_SLOTS = READING_HOOKS + 8; // u32 address
export const READING_SLOT_MASK = READING_SLOTS + 4; // u32 slots - 1
export const READING_SLOTS_USED = READING_SLOT_MASK + 4; // u32
export const READING_CHAINS = READING_SLOTS_USED + 4; // u32 address of the first chain's text reference
export const READING_CHAIN_COUNT = READING_CHAINS + 4; // u32
export const READING_CHAINS_MOST = READING_CHAIN_COUNT + 4; // u32
/** 1 while the chains that were declared, built-in ones aside, came in the order of their names' bytes. */
export const READING_SORTED = READING_CHAINS_MOST + 4; // u32
export const READING_OFFSETS = READING_SORTED + 4; // u32 address: byte offset of a row in the rows
export const READING_OWNERS = READING_OFFSETS + 4; // u32 address: chain of a row
export const READING_ROW_COUNT = READING_OWNERS + 4; // u32
export const READING_ROWS_MOST = READING_ROW_COUNT + 4; // u32
export const READING_TEXTS = READING_ROWS_MOST + 4; // u32 address
export const READING_TEXTS_END = READING_TEXTS + 4; // u32 bytes
export const READING_TEXTS_MOST = READING_TEXTS_END + 4; // u32 bytes
export const READING_ROWS = READING_TEXTS_MOST + 4; // u32 address
export const READING_ROWS_END = READING_ROWS + 4; // u32 bytes
export const READING_ROWS_BYTES = READING_ROWS_END + 4; // u32 bytes there is room for
/** 1 while rows come in the order of their chains and are laid out as a blob has them: see assembly/reading/placed.ts. */
export const READING_PLACING = READING_ROWS_BYTES + 4; // u32
export const READING_PLACED = READING_PLACING + 4; // u32 chains whose heads lie among the rows
export const READING_HEAD = READING_PLACED + 4; // u32 offset in the rows of the newest of them
export const READING_HEAD_ROWS = READING_HEAD + 4; // u32 rows in front of it
export const READING_POLICY_SIZE = READING_HEAD_ROWS + 4; // u32 bytes of a policy's row
export const READING_EDITS = READING_POLICY_SIZE + 4; // u32 address, of a batch: COMMAND_SIZE each (staged-batch.ts)
export const READING_EDIT_COUNT = READING_EDITS + 4; // u32
export const READING_EDITS_MOST = READING_EDIT_COUNT + 4; // u32
// Of a batch that is read in an engine's memory.
export const READING_FAMILY = READING_EDITS_MOST + 4; // u32 FAMILY_*
export const READING_TABLE = READING_FAMILY + 4; // u32 1 + number of the table that the next line is of, 0 between tables
export const READING_KNOWN = READING_TABLE + 4; // u32 lines that shapes have read, until the thread that learns shapes has counted them
/** Which shapes lie here: a number for each thread that learns, which grows with what it has learned. */
export const READING_STAMP = READING_KNOWN + 4; // u32
// What the line said that stopped the reading.
export const READING_COMMAND = READING_STAMP + 4; // u32 letter
export const READING_POSITION = READING_COMMAND + 4; // u32
export const READING_CHAIN = READING_POSITION + 4; // u32
export const READING_CHAIN_START = READING_CHAIN + 4; // u32 address of the chain's name in the line
export const READING_NAME_START = READING_CHAIN_START + 4; // u32 a name that is not known
export const READING_NAME_END = READING_NAME_START + 4; // u32
export const READING_CONTROL_END = READING_NAME_END + 4;

/** What does not change but for shapes that are learned: it comes to an engine's memory as one piece. */
export const READING_TAUGHT = READING_START + 512;
/** First steps of the shapes: u32 a table, those of IPv4 first. */
export const READING_ROOTS = READING_TAUGHT;
export const READING_TABLES = 8;
/** Hooks that the built-in chains of a table hang on, bit n of hook n: u32 a table. */
export const READING_TABLE_HOOKS = READING_ROOTS + 8 * READING_TABLES;
/** Names of tables by number, and of the hooks' chains in the order of the hooks: u16 length and bytes each. */
export const READING_NAME_SIZE = 16;
export const READING_TABLE_NAMES = READING_TABLE_HOOKS + 4 * READING_TABLES;
export const READING_HOOK_NAMES = READING_TABLE_NAMES + READING_NAME_SIZE * READING_TABLES;
export const READING_TAUGHT_END = READING_HOOK_NAMES + 8 * READING_NAME_SIZE;

/** How names of chains and declarations are taken. */
export const NAMES_ASKED = 0; // reading stops at a name that is not known, and at a declaration
export const NAMES_DECLARED = 1; // of a whole table: `:CHAIN -` makes a chain, and there are no others
export const NAMES_OPEN = 2; // of a batch that is carried out as it stands: whatever has a chain's place is one, lines become edits

/** Values of a line, READING_VALUE_SIZE each. */
export const READING_VALUES = READING_START + 1024;
export const READING_VALUE_SIZE = 64;
export const READING_VALUES_COUNT = 48;
/** Texts that are looked up a batch at a time, and names that were: records of assembly/reading/pending.ts. */
export const READING_PENDING = READING_VALUES + READING_VALUES_COUNT * READING_VALUE_SIZE;
export const READING_PENDING_SIZE = 20;
export const READING_PENDING_COUNT = 128;
export const READING_RECENT = READING_PENDING + READING_PENDING_SIZE * READING_PENDING_COUNT;
export const READING_RECENT_SIZE = 16;
export const READING_RECENT_COUNT = 64;
export const READING_SHAPES = READING_RECENT + READING_RECENT_SIZE * READING_RECENT_COUNT;
export const READING_SHAPES_BYTES = 1 << 20;
export const READING_TEXT = READING_SHAPES + READING_SHAPES_BYTES;
/** Bytes behind the text that reading may look at, and where arguments are put together. */
export const READING_SPARE = 12288;

/** Bytes of a batch that an engine reads and carries out at a time; how the room behind them is divided is said in assembly/piece-room.ts. */
export const PIECE_TEXT_BYTES = 32768;

/** What came of reading on in a batch. */
export const PIECE_DONE = 0; // the text is at its end, and no edits wait
export const PIECE_EDITS_READ = 1; // edits of a table are to be carried out, then there is more to read
export const PIECE_LAST = 2; // edits are to be carried out, then the text is at its end
export const PIECE_UNKNOWN = 3; // there is a line that shapes do not know

/** Why reading stopped. */
export const STOPPED_LINE = 0; // at a line that is not read here, or at the end
export const STOPPED_COMMAND = 1; // behind a line whose row, if it has one, is written: READING_COMMAND has to be carried out with it
export const STOPPED_NAME = 2; // at a line that names a chain nobody asked for yet
export const STOPPED_SLOTS = 3; // at a line: the hash table is full
export const STOPPED_CHAINS = 4; // at a line: no room for another chain
export const STOPPED_COLUMNS = 5; // at a line: no room for another row's number
export const STOPPED_TEXTS = 6; // at a line: no room for its text
export const STOPPED_ROWS = 7; // at a line: no room for its row
export const STOPPED_EDITS = 8; // at a line: no room for its edits

/*
 * ---- Slot of the hash of texts: chains' names and comments alike ----
 *
 *  0       4       8       12      16
 * +-------+-------+-------+-------+
 * | hash  | ref+1 | value | rsv   |   ref+1 is 0 where the slot is empty
 * +-------+-------+-------+-------+
 */
export const TEXT_HASH = 0; // u32
export const TEXT_REFERENCE = 4; // u32 1 + text reference
export const TEXT_VALUE = 8; // u32 NAME_*, or NAME_FIRST_CHAIN + number of the chain
export const TEXT_SLOT_SIZE = 16;
/** Nobody asked whether it names a chain. */
export const NAME_UNKNOWN = 0;
/** It names none. */
export const NAME_ABSENT = 1;
export const NAME_FIRST_CHAIN = 2;

/*
 * ---- Step of a shape: literal bytes, then a value ----
 *
 *  0      4       8       12      14   15   16
 * +------+-------+-------+-------+----+----+---------------------------+
 * | next | steps | shape | length|kind|name| literal, padded to 16      |
 * +------+-------+-------+-------+----+----+---------------------------+
 */
export const STEP_NEXT = 0; // u32 another step that may stand in its place
export const STEP_STEPS = 4; // u32 first of the steps that may follow
export const STEP_SHAPE = 8; // u32 the shape that ends here, with VALUE_END
export const STEP_LENGTH = 12; // u16 bytes of the literal
export const STEP_KIND = 14; // u8 VALUE_*
export const STEP_NAME = 15; // u8 with VALUE_TARGET: bytes of the target's name, which end the literal
export const STEP_LITERAL = 16;

/** ---- Shape: what a line of known form makes: a row, and where its values go ---- */
export const SHAPE_COMMAND = 0; // u32 letter
export const SHAPE_ROW_BYTES = 4; // u32; 0: the command is about the chain alone
export const SHAPE_HOOKS = 8; // u32 bit n: not in the built-in chain of hook n
export const SHAPE_VALUE_COUNT = 12; // u32
export const SHAPE_FIELDS = 16; // u32 x READING_VALUES_COUNT: VALUE_* << 16 | offset in the row; 0 for a value that the row does not hold
export const SHAPE_ROW = SHAPE_FIELDS + 4 * READING_VALUES_COUNT;

/** Kinds of values; what each writes into the row is said where it is read (assembly/reading/values.ts). */
export const VALUE_END = 0; // none: the line ends
export const VALUE_CHAIN = 1; // the chain that the command is about
export const VALUE_POSITION = 2; // the number of a rule behind it
export const VALUE_TARGET = 3; // the literal ends with the name of a target, and no chain may have it
export const VALUE_JUMP = 4;
export const VALUE_COMMENT = 5;
export const VALUE_ADDRESS = 6;
export const VALUE_ADDRESS6 = 7;
export const VALUE_INTERFACE = 8;
export const VALUE_PORTS = 9;
export const VALUE_PORTS_LOOSE = 10;
export const VALUE_PROBABILITY = 11;
export const VALUE_MARK = 12;
export const VALUE_NAT = 13;
export const VALUE_NAT6 = 14;
export const VALUE_NAT_PORT = 15;
export const VALUE_NAT6_PORT = 16;
export const VALUE_NAME = 17;
export const VALUE_PORT_LIST = 18;
/** Value: most bytes of a comment, of a chain's name, of a line. */
export const READING_COMMENT_LIMIT = 255;
export const READING_NAME_LIMIT = 28;
export const READING_LINE_LIMIT = 10239;
