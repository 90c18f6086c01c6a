/**
 * Events: what rules and the machine tell beside a verdict, in a ring of each reader's own. Same rules as layout.ts.
 *
 * Who writes: the reader the header's HEAD and LOST and the events, whoever listens TAIL. A full ring keeps what it has; the
 * events that found no room are counted.
 */

/** Header; events of EVENT_SIZE bytes lie behind it. */
export const EVENTS_MASK = 0; // u32 events it has room for, less 1
export const EVENTS_HEAD = 4; // u32, atomic: events ever written
export const EVENTS_TAIL = 8; // u32, atomic: events ever taken
export const EVENTS_LOST = 12; // u32, atomic
export const EVENTS_FIRST = 16;

/** An event: what happened, by which rule, and the packet as it was then. */
export const EVENT_KIND = 0; // u8 EVENT_*
export const EVENT_HOOK = 1; // u8
export const EVENT_TABLE = 2; // u8
export const EVENT_VERDICT = 3; // u8 of a traced rule
export const EVENT_LEVEL = 4; // u8 of LOG; AUDIT: its type
export const EVENT_FLAGS = 5; // u8 of LOG
export const EVENT_GROUP = 6; // u16 of NFLOG
export const EVENT_LINE = 8; // u32 of the rule, 0 unknown or a policy
export const EVENT_SOURCE = 12; // u32 address of the packet's record in its pool
export const EVENT_SEQUENCE = 16; // u32 of a TCP segment that answers
export const EVENT_ACKNOWLEDGE = 20; // u32
export const EVENT_CHAIN = 24; // 32 name
export const EVENT_PREFIX = 56; // 64
export const EVENT_PACKET = 120; // PACKET_SIZE bytes
export const EVENT_SIZE = 312;
/** Values of EVENT_KIND. */
export const EVENT_LOG = 1;
export const EVENT_NFLOG = 2;
export const EVENT_TRACE = 3;
/**
 * The packet answers one that REJECT dropped, or is one that SYNPROXY sends to either end, as it gets there: of the latter
 * EVENT_PREFIX holds the TCP header, EVENT_LEVEL bytes, where the numbers are known.
 */
export const EVENT_REPLY = 4;
/** The packet is the copy that TEE sends; EVENT_PREFIX holds the gateway's address, 16 bytes. */
export const EVENT_COPY = 5;
export const EVENT_AUDIT = 6;
/** What osf with --log takes the sender for is in EVENT_PREFIX; empty where it is not known. A match does not know its rule. */
export const EVENT_SYSTEM = 7;
