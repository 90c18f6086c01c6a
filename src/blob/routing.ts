/**
 * The routing image: the machine's interfaces, addresses, routes and rules, as the root in force names it. Same rules as
 * layout.ts. It is built whole by the user side and never changes; another one takes its place in an update, and this one is
 * freed after a grace period. Addresses of records are absolute.
 */

/** Header. Lists are by family: IPv4, then IPv6. */
export const ROUTING_BYTES = 0; // u32
export const ROUTING_FLAGS = 4; // u32 ROUTING_*
export const ROUTING_REVERSE_PATH = 8; // u32 0 off, 1 strict, 2 loose
export const ROUTING_INTERFACES = 12; // u32
export const ROUTING_INTERFACE_COUNT = 16; // u32
export const ROUTING_ADDRESSES = 20; // u32, in the order of the interfaces
export const ROUTING_ADDRESS_COUNT = 24; // u32
export const ROUTING_RULES = 28; // u32 x 2: in order of priority
export const ROUTING_RULE_COUNT = 36; // u32 x 2
export const ROUTING_LOCAL = 44; // u32 x 2: the table of local addresses
export const ROUTING_MAIN = 52; // u32 x 2: the main table
export const ROUTING_SIZE = 64;

/** Values of ROUTING_FLAGS. Without routes the packet's record says where it goes. */
export const ROUTING_KNOWN = 1;
export const ROUTING_FORWARDS = 2;
/** Rules beside the usual ones. */
export const ROUTING_CUSTOM_RULES = 4;

/** An interface. */
export const INTERFACE_NAME = 0; // 16
export const INTERFACE_GROUP = 16; // u32
export const INTERFACE_MTU = 20; // u32
export const INTERFACE_FLAGS = 24; // u32 bits: 1 loopback
export const INTERFACE_RECORD_SIZE = 32;
export const INTERFACE_LOOPBACK = 1;

/** An address of the machine; an empty name belongs to all interfaces. */
export const LOCAL_FAMILY = 0; // u8
export const LOCAL_PREFIX = 1; // u8 length
export const LOCAL_FLAGS = 2; // u8 LOCAL_*
export const LOCAL_INTERFACE = 8; // 16
export const LOCAL_ADDRESS = 24; // 16
export const LOCAL_SIZE = 40;
/** Values of LOCAL_FLAGS. */
export const LOCAL_SECONDARY = 1;
export const LOCAL_DEPRECATED = 2;
/** Of this link or host only: nothing else is sent from it. */
export const LOCAL_NARROW = 4;

/*
 * A table, for its family: the ranges into which its prefixes cut all addresses, in order. Keys are the ranges' first
 * addresses, as one u32 or two u64, the greater first; behind them the first route of each, 0 for none. Routes of one prefix
 * are linked in order of preference, and behind the last comes the first of the next shorter prefix.
 */
export const SEARCH_COUNT = 0; // u32
export const SEARCH_KEYS = 8;

/** A route. */
export const ROUTE_NEXT = 0; // u32 to try when this one does not do
export const ROUTE_TYPE = 4; // u8 RTN_*
export const ROUTE_PREFIX = 5; // u8 length
export const ROUTE_TOS = 6; // u8, 0 any
export const ROUTE_FLAGS = 7; // u8 ROUTE_*
export const ROUTE_WAYS = 8; // u16 records one after another among which a packet's addresses choose
export const ROUTE_WEIGHT = 10; // u16 of this one and those in front of it
export const ROUTE_REALM = 12; // u32
export const ROUTE_DEVICE = 16; // 16 name, as packets have it
export const ROUTE_GATEWAY = 32; // 16
export const ROUTE_SOURCE = 48; // 16 preferred source
export const ROUTE_MTU = 64; // u32, 0 the interface's
export const ROUTE_FIRST = 68; // u32 the first of its ways
export const ROUTE_SIZE = 72;
/** Values of ROUTE_FLAGS. */
export const ROUTE_HAS_GATEWAY = 1;
export const ROUTE_HAS_SOURCE = 2;
export const ROUTE_DEAD = 4;

/** A rule (ip rule). */
export const RULE_CONDITIONS = 0; // u32 RULE_*
export const RULE_TABLE = 4; // u32 SEARCH record, 0 for one without routes or an answer
export const RULE_ROUTE = 8; // u32 route that answers at once, 0 for a table
export const RULE_MARK = 12; // u32
export const RULE_MARK_MASK = 16; // u32
export const RULE_TOS = 20; // u8
export const RULE_SUPPRESS = 21; // u8: routes of a prefix this long or shorter are not taken
export const RULE_PROTOCOL = 22; // u8
export const RULE_SOURCE_PORTS = 24; // u16 least, u16 greatest
export const RULE_DESTINATION_PORTS = 28;
export const RULE_USERS = 32; // u32 least, u32 greatest
export const RULE_SOURCE = 40; // address 16, mask 16
export const RULE_DESTINATION = 72; // address 16, mask 16
export const RULE_INPUT = 104; // 16 name
export const RULE_OUTPUT = 120; // 16 name
export const RULE_SIZE = 136;
/** Values of RULE_CONDITIONS. */
export const RULE_INVERTED = 1;
export const RULE_HAS_MARK = 2;
export const RULE_HAS_TOS = 4;
export const RULE_HAS_SUPPRESS = 8;
export const RULE_HAS_PROTOCOL = 16;
export const RULE_HAS_SOURCE_PORTS = 32;
export const RULE_HAS_DESTINATION_PORTS = 64;
export const RULE_HAS_USERS = 128;
export const RULE_HAS_INPUT = 256;
export const RULE_HAS_OUTPUT = 512;

/** Values of ROUTE_TYPE and RESULT_ROUTE (linux/rtnetlink.h). */
export const RTN_UNICAST = 1;
export const RTN_LOCAL = 2;
export const RTN_BROADCAST = 3;
export const RTN_ANYCAST = 4;
export const RTN_MULTICAST = 5;
export const RTN_BLACKHOLE = 6;
export const RTN_UNREACHABLE = 7;
export const RTN_PROHIBIT = 8;
export const RTN_THROW = 9;
/** Values of RESULT_ROUTE alone: why there is no way. */
export const ROUTED_NOWHERE = 32; // no route
export const ROUTED_MARTIAN = 33; // such addresses may not come in
export const ROUTED_REVERSE = 34; // the answer would go out elsewhere
export const ROUTED_NOT_HERE = 35; // this machine does not forward
