/**
 * What each match and target record holds behind its four-byte record header. Offsets count from the record's start,
 * so the first field is at RECORD_PAYLOAD = 4. See layout.ts for the rules of this file.
 *
 * `*_STATE` and `*_OBJECT` are runtime fields: zero in a portable blob, an absolute address once linked.
 * Ranges are inclusive. "Name" fields are zero-padded text.
 */

// ---- Matches ----

/** -m comment: u32 text reference. */
export const MATCH_COMMENT = 1;
export const COMMENT_TEXT = 4; // u32
export const COMMENT_SIZE = 8;

/** -m tcp. Ports sit at the same place in tcp, udp, sctp, dccp and udplite. */
export const MATCH_TCP = 2;
export const PORTS_SOURCE_MIN = 4; // u16
export const PORTS_SOURCE_MAX = 6; // u16
export const PORTS_DESTINATION_MIN = 8; // u16
export const PORTS_DESTINATION_MAX = 10; // u16
export const TCP_OPTION = 12; // u8, 0 any
export const TCP_FLAG_MASK = 13; // u8
export const TCP_FLAG_COMPARE = 14; // u8
export const PORTS_INVERT = 15; // u8
export const TCP_SIZE = 16;
export const PORTS_INVERT_SOURCE = 1;
export const PORTS_INVERT_DESTINATION = 2;
export const TCP_INVERT_FLAGS = 4;
export const TCP_INVERT_OPTION = 8;

/** -m udp. */
export const MATCH_UDP = 3;
export const UDP_SIZE = 16;

/** -m sctp. */
export const MATCH_SCTP = 4;
export const SCTP_CHUNK_MAP = 16; // 32 bytes: bit n = chunk type n
export const SCTP_CHUNK_MATCH = 48; // u8 0 none, 1 any, 2 all, 3 only
export const SCTP_FLAG_COUNT = 49; // u8 entries used
export const SCTP_FLAGS = 50; // 20 x (u8 chunk type, u8 mask, u8 compare)
export const SCTP_FLAGS_COUNT = 20;
export const SCTP_SIZE = 112;
export const SCTP_INVERT_CHUNKS = 4; // in PORTS_INVERT
export const SCTP_HAS_SOURCE = 16; // in PORTS_INVERT: --sport given
export const SCTP_HAS_DESTINATION = 32;

/** -m icmp, and -m icmp6. Type 255 in icmp is any. */
export const MATCH_ICMP = 5;
export const MATCH_ICMP6 = 6;
export const ICMP_TYPE = 4; // u8
export const ICMP_CODE_MIN = 5; // u8
export const ICMP_CODE_MAX = 6; // u8
export const ICMP_INVERT = 7; // u8
export const ICMP_SIZE = 8;

/** -m mark, and -m connmark. */
export const MATCH_MARK = 7;
export const MATCH_CONNMARK = 8;
export const MARK_VALUE = 4; // u32
export const MARK_MASK = 8; // u32
export const MARK_INVERT = 12; // u8
export const MARK_SIZE = 16;

/** -m statistic. */
export const MATCH_STATISTIC = 9;
export const STATISTIC_MODE = 4; // u8 0 random, 1 nth
export const STATISTIC_INVERT = 5; // u8
export const STATISTIC_PROBABILITY = 8; // u32 of 2^31, as the kernel's
export const STATISTIC_EVERY = 12; // u32, as --every minus 1
export const STATISTIC_PACKET = 16; // u32
export const STATISTIC_STATE = 20; // u32 runtime
export const STATISTIC_SIZE = 24;

/** -m conntrack, xt_conntrack_mtinfo3. */
export const MATCH_CONNTRACK = 10;
export const CONNTRACK_MATCH = 4; // u16 CONNTRACK_HAS_*
export const CONNTRACK_INVERT = 6; // u16 the same bits
export const CONNTRACK_STATE_MASK = 8; // u16 CT_STATE_*
export const CONNTRACK_STATUS_MASK = 10; // u16 CT_STATUS_*
export const CONNTRACK_PROTOCOL = 12; // u16
export const CONNTRACK_ORIGIN_SOURCE = 16; // address 16, mask 16
export const CONNTRACK_ORIGIN_DESTINATION = 48;
export const CONNTRACK_REPLY_SOURCE = 80;
export const CONNTRACK_REPLY_DESTINATION = 112;
export const CONNTRACK_EXPIRES_MIN = 144; // u32 seconds
export const CONNTRACK_EXPIRES_MAX = 148; // u32
export const CONNTRACK_ORIGIN_SOURCE_PORT = 152; // u16 min, u16 max
export const CONNTRACK_ORIGIN_DESTINATION_PORT = 156;
export const CONNTRACK_REPLY_SOURCE_PORT = 160;
export const CONNTRACK_REPLY_DESTINATION_PORT = 164;
/** A record with states alone is cut behind the protocol. */
export const CONNTRACK_SHORT_SIZE = 16;
export const CONNTRACK_SIZE = 168;
export const CONNTRACK_HAS_STATE = 1;
export const CONNTRACK_HAS_PROTOCOL = 2;
export const CONNTRACK_HAS_ORIGIN_SOURCE = 4;
export const CONNTRACK_HAS_ORIGIN_DESTINATION = 8;
export const CONNTRACK_HAS_REPLY_SOURCE = 16;
export const CONNTRACK_HAS_REPLY_DESTINATION = 32;
export const CONNTRACK_HAS_STATUS = 64;
export const CONNTRACK_HAS_EXPIRES = 128;
export const CONNTRACK_HAS_ORIGIN_SOURCE_PORT = 256;
export const CONNTRACK_HAS_ORIGIN_DESTINATION_PORT = 512;
export const CONNTRACK_HAS_REPLY_SOURCE_PORT = 1024;
export const CONNTRACK_HAS_REPLY_DESTINATION_PORT = 2048;
/** --ctdir was given; its invert bit set means REPLY. */
export const CONNTRACK_HAS_DIRECTION = 4096;

/** -m state. */
export const MATCH_STATE = 11;
export const STATE_MASK = 4; // u16 CT_STATE_*
export const STATE_INVERT = 6; // u8
export const STATE_SIZE = 8;

/** -m addrtype. Bits of the masks are 1 << RTN_* (unspec 0, unicast 1, local 2, broadcast 3, anycast 4, multicast 5, blackhole 6, unreachable 7, prohibit 8, throw 9, nat 10, xresolve 11). */
export const MATCH_ADDRTYPE = 12;
export const ADDRTYPE_SOURCE = 4; // u16
export const ADDRTYPE_DESTINATION = 6; // u16
export const ADDRTYPE_FLAGS = 8; // u8 ADDRTYPE_*
export const ADDRTYPE_SIZE = 16;
export const ADDRTYPE_INVERT_SOURCE = 1;
export const ADDRTYPE_INVERT_DESTINATION = 2;
export const ADDRTYPE_LIMIT_IN = 4;
export const ADDRTYPE_LIMIT_OUT = 8;

/** -m multiport. */
export const MATCH_MULTIPORT = 13;
export const MULTIPORT_KIND = 4; // u8 0 source, 1 destination, 2 either
export const MULTIPORT_COUNT = 5; // u8 entries used; a range takes two
export const MULTIPORT_INVERT = 6; // u8
export const MULTIPORT_RANGES = 8; // u16 bit n: entry n begins a range that entry n+1 ends
export const MULTIPORT_PORTS = 10; // u16 x 15
export const MULTIPORT_PORTS_COUNT = 15;
export const MULTIPORT_SIZE = 40;

/** -m set. */
export const MATCH_SET = 14;
export const SET_NAME = 4; // 32 bytes
export const SET_NAME_BYTES = 32;
export const SET_DIMENSIONS = 36; // u8 how many of src/dst were given, 1 to 6
export const SET_DIRECTIONS = 37; // u8 bit n: dimension n is src
export const SET_FLAGS = 38; // u8 SET_*
export const SET_PACKETS_OPERATION = 39; // u8 0 none, 1 eq, 2 ne, 3 lt, 4 gt
export const SET_BYTES_OPERATION = 40; // u8
export const SET_OBJECT = 44; // u32 runtime
export const SET_PACKETS = 48; // u64
export const SET_BYTES = 56; // u64
export const SET_SIZE = 64;
export const SET_INVERT = 1;
export const SET_RETURN_NOMATCH = 2;
export const SET_NO_UPDATE_COUNTERS = 4;
export const SET_NO_UPDATE_SUBCOUNTERS = 8;

/** -m limit. */
export const MATCH_LIMIT = 15;
export const LIMIT_AVERAGE = 4; // u32, 10,000 / (packets a second): units of 1/10,000 s a packet
export const LIMIT_BURST = 8; // u32
export const LIMIT_STATE = 12; // u32 runtime
export const LIMIT_SIZE = 16;

/** -m recent. */
export const MATCH_RECENT = 16;
export const RECENT_SECONDS = 4; // u32
export const RECENT_HITCOUNT = 8; // u32
export const RECENT_CHECK = 12; // u8 bits: 1 --rcheck, 2 --set, 4 --update, 8 --remove, 16 --rttl, 32 --reap
export const RECENT_INVERT = 13; // u8
export const RECENT_SIDE = 14; // u8 0 --rsource, 1 --rdest
export const RECENT_OBJECT = 16; // u32 runtime
export const RECENT_MASK = 20; // 16 bytes
export const RECENT_NAME = 36; // 200 bytes
export const RECENT_NAME_BYTES = 200;
export const RECENT_SIZE = 240;

/** -m physdev. */
export const MATCH_PHYSDEV = 17;
export const PHYSDEV_INPUT = 4; // 16 name, 16 mask
export const PHYSDEV_OUTPUT = 36; // 16 name, 16 mask
export const PHYSDEV_INVERT = 68; // u8 the same bits
export const PHYSDEV_FLAGS = 69; // u8 bits: 1 in, 2 out, 4 bridged, 8 is-in, 16 is-out
export const PHYSDEV_SIZE = 72;

/** -m mac. */
export const MATCH_MAC = 18;
export const MAC_ADDRESS = 4; // 6 bytes
export const MAC_INVERT = 10; // u8
export const MAC_SIZE = 16;

/** -m iprange. */
export const MATCH_IPRANGE = 19;
export const IPRANGE_SOURCE_MIN = 4; // 16
export const IPRANGE_SOURCE_MAX = 20;
export const IPRANGE_DESTINATION_MIN = 36;
export const IPRANGE_DESTINATION_MAX = 52;
export const IPRANGE_FLAGS = 68; // u8 bits: 1 source, 2 destination, 16 invert source, 32 invert destination
export const IPRANGE_SIZE = 72;

/** -m owner. */
export const MATCH_OWNER = 20;
export const OWNER_UID_MIN = 4; // u32
export const OWNER_UID_MAX = 8;
export const OWNER_GID_MIN = 12;
export const OWNER_GID_MAX = 16;
export const OWNER_MATCH = 20; // u8 bits: 1 uid, 2 gid, 4 socket, 8 suppl-groups
export const OWNER_INVERT = 21; // u8
export const OWNER_SIZE = 24;

/** -m length: the whole IP packet in both families. */
export const MATCH_LENGTH = 21;
export const LENGTH_MIN = 4; // u16
export const LENGTH_MAX = 6; // u16
export const LENGTH_INVERT = 8; // u8
export const LENGTH_SIZE = 16;

/** -m ttl, and -m hl in IPv6. */
export const MATCH_TTL = 22;
export const MATCH_HL = 23;
export const TTL_VALUE = 4; // u8
export const TTL_MODE = 5; // u8 0 equal, 1 not equal, 2 less, 3 greater
export const TTL_SIZE = 8;

/** -m pkttype. */
export const MATCH_PKTTYPE = 24;
export const PKTTYPE_TYPE = 4; // u8, as PACKET_TYPE
export const PKTTYPE_INVERT = 5; // u8
export const PKTTYPE_SIZE = 8;

/** -m tcpmss. A SYN's segment size; a packet without the option has none. */
export const MATCH_TCPMSS = 25;
export const MSS_MIN = 4; // u16
export const MSS_MAX = 6; // u16
export const MSS_INVERT = 8; // u8
export const MSS_SIZE = 16;

/** -m tos: (tos & mask) == value. */
export const MATCH_TOS = 26;
export const TOS_VALUE = 4; // u8
export const TOS_MASK = 5; // u8
export const TOS_INVERT = 6; // u8
export const TOS_SIZE = 8;

/** -m dscp: the upper six bits of TOS. */
export const MATCH_DSCP = 27;
export const DSCP_VALUE = 4; // u8
export const DSCP_INVERT = 5; // u8
export const DSCP_SIZE = 8;

/** -m rpfilter. */
export const MATCH_RPFILTER = 28;
export const RPFILTER_FLAGS = 4; // u8 bits: 1 loose, 2 validmark, 4 accept-local, 8 invert
export const RPFILTER_SIZE = 8;

/** -m connlimit. */
export const MATCH_CONNLIMIT = 29;
export const CONNLIMIT_LIMIT = 4; // u32
export const CONNLIMIT_FLAGS = 8; // u8 bits: 1 --connlimit-upto, 2 --connlimit-daddr
export const CONNLIMIT_OBJECT = 12; // u32 runtime
export const CONNLIMIT_MASK = 16; // 16
export const CONNLIMIT_SIZE = 32;

/** -m hashlimit (hashlimit_cfg3). */
export const MATCH_HASHLIMIT = 30;
export const HASHLIMIT_MODE = 4; // u32 bits: 1 dstip, 2 dstport, 4 srcip, 8 srcport, 16 --hashlimit-above, 32 bytes, 64 rate match
export const HASHLIMIT_AVERAGE = 8; // u64 microseconds a packet; of bytes: 2^32 / (16-byte units a second + 1)
export const HASHLIMIT_BURST = 16; // u64 packets; of bytes: multiples of the rate, 0 when not given
export const HASHLIMIT_BUCKETS = 24; // u32
export const HASHLIMIT_MAX = 28; // u32 entries
export const HASHLIMIT_COLLECT = 32; // u32 milliseconds between collections
export const HASHLIMIT_EXPIRE = 36; // u32 milliseconds
export const HASHLIMIT_INTERVAL = 40; // u32 seconds, of rate match
export const HASHLIMIT_SOURCE_PREFIX = 44; // u8
export const HASHLIMIT_DESTINATION_PREFIX = 45; // u8
export const HASHLIMIT_OBJECT = 48; // u32 runtime
export const HASHLIMIT_NAME = 52; // 256
export const HASHLIMIT_NAME_BYTES = 255;
export const HASHLIMIT_SIZE = 312;

/** -m policy: IPsec policy in up to four elements. */
export const MATCH_POLICY = 31;
export const POLICY_FLAGS = 4; // u8 bits: 1 in, 2 out, 4 none, 8 strict
export const POLICY_COUNT = 5; // u8 elements used
export const POLICY_ELEMENTS = 8; // POLICY_ELEMENTS_COUNT x POLICY_ELEMENT_SIZE
export const POLICY_ELEMENTS_COUNT = 4;
export const POLICY_ELEMENT_SOURCE = 0; // address 16, mask 16
export const POLICY_ELEMENT_DESTINATION = 32; // address 16, mask 16
export const POLICY_ELEMENT_SPI = 64; // u32
export const POLICY_ELEMENT_REQID = 68; // u32
export const POLICY_ELEMENT_PROTOCOL = 72; // u8
export const POLICY_ELEMENT_MODE = 73; // u8 0 transport, 1 tunnel
export const POLICY_ELEMENT_MATCH = 74; // u8 bits: 1 source, 2 destination, 4 protocol, 8 mode, 16 spi, 32 reqid
export const POLICY_ELEMENT_INVERT = 75; // u8 the same bits
export const POLICY_ELEMENT_SIZE = 80;
export const POLICY_SIZE = 328;

/** -m time. */
export const MATCH_TIME = 32;
export const TIME_DATE_START = 4; // u32 seconds since 1970
export const TIME_DATE_STOP = 8; // u32
export const TIME_DAY_START = 12; // u32 seconds since midnight
export const TIME_DAY_STOP = 16; // u32
export const TIME_MONTHDAYS = 20; // u32 bit n: day n
export const TIME_WEEKDAYS = 24; // u8 bit n: day n, Monday is 1
export const TIME_FLAGS = 25; // u8 bits: 1 kernel's time zone, 2 contiguous
export const TIME_SIZE = 32;

/** -m rt: IPv6 routing header. */
export const MATCH_RT = 33;
export const RT_TYPE = 4; // u32
export const RT_SEGMENTS_MIN = 8; // u32
export const RT_SEGMENTS_MAX = 12; // u32
export const RT_LENGTH = 16; // u32
export const RT_FLAGS = 20; // u8 bits: 1 type, 2 segments, 4 length, 8 reserved field, 16 addresses, 32 not strict
export const RT_INVERT = 21; // u8 bits: 1 type, 2 segments, 4 length
export const RT_COUNT = 22; // u8 addresses used
export const RT_ADDRESSES = 24; // RT_ADDRESSES_COUNT x 16
export const RT_ADDRESSES_COUNT = 16;
export const RT_SIZE = 280;

/** -m string. */
export const MATCH_STRING = 34;
export const STRING_ALGORITHM = 4; // 16 name
export const STRING_FROM = 20; // u16 first byte looked at
export const STRING_TO = 22; // u16
export const STRING_LENGTH = 24; // u8 of the pattern
export const STRING_FLAGS = 25; // u8 bits: 1 invert, 2 ignore case
export const STRING_PATTERN = 26; // 128
export const STRING_PATTERN_BYTES = 128;
export const STRING_SIZE = 160;

/** -m helper: the name of the helper that expected the connection; an empty one is any. */
export const MATCH_HELPER = 35;
export const HELPER_NAME = 4; // 30
export const HELPER_NAME_BYTES = 30;
export const HELPER_INVERT = 34; // u8
export const HELPER_SIZE = 40;

/** -m esp, -m ah, -m ipcomp: security parameters index. Length and the reserved field are IPv6's ah and ipcomp. */
export const MATCH_ESP = 36;
export const MATCH_AH = 37;
export const MATCH_IPCOMP = 38;
export const SPI_MIN = 4; // u32
export const SPI_MAX = 8; // u32
export const SPI_INVERT = 12; // u8 bits: 1 index, 2 length
export const SPI_RESERVED = 13; // u8 1: the reserved field is zero
export const SPI_LENGTH = 16; // u32, 0 not given unless inverted
export const SPI_SIZE = 24;

/** -m dccp. Ports first; PORTS_INVERT has 4 types, 8 option. */
export const MATCH_DCCP = 39;
export const DCCP_TYPES = 16; // u16 bit n: packet type n; 10 and above are invalid
export const DCCP_OPTION = 18; // u8
export const DCCP_FLAGS = 19; // u8 bits: 1 source, 2 destination, 4 types, 8 option
export const DCCP_SIZE = 24;

/** -m connbytes. The lower end above the upper one inverts. */
export const MATCH_CONNBYTES = 40;
export const CONNBYTES_WHAT = 4; // u8 0 packets, 1 bytes, 2 average packet
export const CONNBYTES_DIRECTION = 5; // u8 0 original, 1 reply, 2 both
export const CONNBYTES_FROM = 8; // u64
export const CONNBYTES_TO = 16; // u64
export const CONNBYTES_SIZE = 24;

/** -m quota. */
export const MATCH_QUOTA = 41;
export const QUOTA_INVERT = 4; // u8
export const QUOTA_BYTES = 8; // u64
export const QUOTA_STATE = 16; // u32 runtime
export const QUOTA_SIZE = 24;

/** -m realm: of the route, with the fields of -m mark. */
export const MATCH_REALM = 42;

/** -m ecn. */
export const MATCH_ECN = 43;
export const ECN_OPERATION = 4; // u8 bits: 1 ECT, 16 ECE, 32 CWR
export const ECN_INVERT = 5; // u8 the same bits
export const ECN_ECT = 6; // u8
export const ECN_SIZE = 8;

/** -m socket. */
export const MATCH_SOCKET = 44;
export const SOCKET_FLAGS = 4; // u8 bits: 1 transparent, 2 nowildcard, 4 restore-skmark
export const SOCKET_SIZE = 8;

/** -m devgroup. */
export const MATCH_DEVGROUP = 45;
export const DEVGROUP_FLAGS = 4; // u8 bits: 1 source, 2 invert it, 4 destination, 8 invert it
export const DEVGROUP_SOURCE = 8; // u32
export const DEVGROUP_SOURCE_MASK = 12; // u32
export const DEVGROUP_DESTINATION = 16; // u32
export const DEVGROUP_DESTINATION_MASK = 20; // u32
export const DEVGROUP_SIZE = 24;

/** -m cpu. */
export const MATCH_CPU = 46;
export const CPU_NUMBER = 4; // u32
export const CPU_INVERT = 8; // u8
export const CPU_SIZE = 16;

/** -m frag: IPv6 fragment header. The kernel does not look at the length. */
export const MATCH_FRAG = 47;
export const FRAG_ID_MIN = 4; // u32
export const FRAG_ID_MAX = 8; // u32
export const FRAG_LENGTH = 12; // u32
export const FRAG_FLAGS = 16; // u8 bits: 1 id, 2 length, 4 reserved field is zero, 8 first, 16 more, 32 last
export const FRAG_INVERT = 17; // u8 bits: 1 id, 2 length
export const FRAG_SIZE = 24;

/** -m u32: words of the packet, found by arithmetic, against ranges (xt_u32). */
export const MATCH_U32 = 48;
export const U32_INVERT = 4; // u8
export const U32_COUNT = 5; // u8 tests, all of which must hold
/**
 * One test after another, each as its head, then its steps, then its ranges. A step takes what the one before it found:
 * the first gives a byte's place, U32_STEP_AT moves the origin there, the others are arithmetic on the word that lies
 * there in network order.
 */
export const U32_TESTS = 8;
export const U32_TEST_STEPS = 0; // u8 1 to U32_PARTS_COUNT
export const U32_TEST_RANGES = 1; // u8 1 to U32_PARTS_COUNT
export const U32_TEST_SIZE = 8;
export const U32_STEP_OPERATION = 0; // u32 U32_STEP_*
export const U32_STEP_NUMBER = 4; // u32
export const U32_STEP_SIZE = 8;
export const U32_RANGE_MIN = 0; // u32
export const U32_RANGE_MAX = 4; // u32
export const U32_RANGE_SIZE = 8;
export const U32_TESTS_COUNT = 10;
export const U32_PARTS_COUNT = 10;
/** With all tests full; a record ends behind its last range. */
export const U32_SIZE = 1688;
export const U32_STEP_FIRST = 0;
export const U32_STEP_AND = 1;
export const U32_STEP_LEFT = 2;
export const U32_STEP_RIGHT = 3;
export const U32_STEP_AT = 4;

/** -m ipvs: what IPVS knows of the packet's connection. */
export const MATCH_IPVS = 49;
export const IPVS_FLAGS = 4; // u8 bits: 1 --ipvs, 2 protocol, 4 address, 8 port, 16 direction, 32 method, 64 controlling port
export const IPVS_INVERT = 5; // u8 the same bits; of the direction: REPLY
export const IPVS_PROTOCOL = 6; // u8
export const IPVS_METHOD = 7; // u8 0 MASQ, 2 IPIP, 3 GATE
export const IPVS_PORT = 8; // u16
export const IPVS_CONTROL_PORT = 10; // u16
export const IPVS_ADDRESS = 16; // address 16, mask 16
export const IPVS_SIZE = 48;

/** -m srh: IPv6's segment routing header. */
export const MATCH_SRH = 50;
export const SRH_FLAGS = 4; // u16 SRH_HAS_*
export const SRH_INVERT = 6; // u16 the same bits
export const SRH_NEXT_HEADER = 8; // u8
export const SRH_LENGTH = 9; // u8
export const SRH_SEGMENTS_LEFT = 10; // u8
export const SRH_LAST_ENTRY = 11; // u8
export const SRH_TAG = 12; // u16
export const SRH_PREVIOUS = 16; // address 16, mask 16, as are the other two
export const SRH_NEXT = 48;
export const SRH_LAST = 80;
export const SRH_SIZE = 112;
export const SRH_HAS_NEXT_HEADER = 1;
export const SRH_HAS_LENGTH_EQUAL = 2;
export const SRH_HAS_LENGTH_GREATER = 4;
export const SRH_HAS_LENGTH_LESS = 8;
export const SRH_HAS_SEGMENTS_EQUAL = 16;
export const SRH_HAS_SEGMENTS_GREATER = 32;
export const SRH_HAS_SEGMENTS_LESS = 64;
export const SRH_HAS_LAST_EQUAL = 128;
export const SRH_HAS_LAST_GREATER = 256;
export const SRH_HAS_LAST_LESS = 512;
export const SRH_HAS_TAG = 1024;
export const SRH_HAS_PREVIOUS = 2048;
export const SRH_HAS_NEXT = 4096;
export const SRH_HAS_LAST = 8192;

/** -m rateest: rates that -j RATEEST measured, against each other or against bounds. */
export const MATCH_RATEEST = 51;
export const RATEEST_FLAGS = 4; // u8 bits: 1 invert, 2 second estimator, 4 difference, 8 bytes, 16 packets
export const RATEEST_COMPARE = 5; // u8 0 none, 1 less, 2 greater, 3 equal
export const RATEEST_FIRST_BYTES = 8; // u32 a second
export const RATEEST_FIRST_PACKETS = 12; // u32
export const RATEEST_SECOND_BYTES = 16; // u32
export const RATEEST_SECOND_PACKETS = 20; // u32
export const RATEEST_FIRST = 24; // 16 name
export const RATEEST_SECOND = 40; // 16 name
export const RATEEST_NAME_BYTES = 16;
export const RATEEST_FIRST_OBJECT = 56; // u32 runtime
export const RATEEST_SECOND_OBJECT = 60; // u32 runtime
export const RATEEST_SIZE = 64;

/** -m cgroup: of the sending socket. Without a path the record is cut in front of it. */
export const MATCH_CGROUP = 52;
export const CGROUP_FLAGS = 4; // u8 bits: 1 class, 2 path
export const CGROUP_INVERT = 5; // u8
export const CGROUP_CLASS = 8; // u32
export const CGROUP_PATH = 16; // 512, zero-padded
export const CGROUP_PATH_BYTES = 512;
export const CGROUP_SIZE = 528;

/** -m connlabel. */
export const MATCH_CONNLABEL = 53;
export const CONNLABEL_BIT = 4; // u16 0 to 127
export const CONNLABEL_FLAGS = 6; // u8 bits: 1 invert, 2 set
export const CONNLABEL_SIZE = 8;

/** -m mh: type of IPv6's mobility header. */
export const MATCH_MH = 54;
export const MH_MIN = 4; // u8
export const MH_MAX = 5; // u8
export const MH_INVERT = 6; // u8
export const MH_SIZE = 8;

/** -m cluster: the share of connections that is this node's. */
export const MATCH_CLUSTER = 55;
export const CLUSTER_TOTAL = 4; // u32 nodes
export const CLUSTER_MASK = 8; // u32 bit n: node n + 1
export const CLUSTER_SEED = 12; // u32 of the Jenkins hash
export const CLUSTER_INVERT = 16; // u8
export const CLUSTER_SIZE = 24;

/** -m dst, -m hbh: options of IPv6's destination and hop-by-hop headers. */
export const MATCH_DST = 56;
export const MATCH_HBH = 57;
export const HEADER_OPTIONS_LENGTH = 4; // u32 bytes of the header
export const HEADER_OPTIONS_FLAGS = 8; // u8 bits: 1 length, 2 options
export const HEADER_OPTIONS_INVERT = 9; // u8 1: the length
export const HEADER_OPTIONS_COUNT = 10; // u8
export const HEADER_OPTIONS = 12; // u16 x 16: type in the upper byte, length in the lower, 255 for any
export const HEADER_OPTIONS_LIMIT = 16;
export const HEADER_OPTIONS_SIZE = 48;

/** -m nfacct: counts the packet in a named object. */
export const MATCH_NFACCT = 58;
export const NFACCT_NAME = 4; // 32
export const NFACCT_NAME_BYTES = 32;
export const NFACCT_OBJECT = 36; // u32 runtime
export const NFACCT_SIZE = 40;

/** -m osf: the system that a SYN looks to come from. */
export const MATCH_OSF = 59;
export const OSF_FLAGS = 4; // u8 bits: 1 invert, 2 ttl, 4 log
export const OSF_TTL = 5; // u8
export const OSF_LOG = 6; // u8
export const OSF_GENRE = 8; // 32 name
export const OSF_GENRE_BYTES = 32;
export const OSF_SIZE = 40;

/** -m eui64: the source address ends in what the Ethernet source makes of it. */
export const MATCH_EUI64 = 60;
export const EUI64_SIZE = 8;

/** -m ipv6header: which extension headers there are. */
export const MATCH_IPV6HEADER = 61;
export const IPV6HEADER_MASK = 4; // u8 bits: 128 hop-by-hop, 64 dst, 32 route, 16 frag, 8 auth, 4 esp, 2 none, 1 proto
export const IPV6HEADER_INVERT = 5; // u8
export const IPV6HEADER_SOFT = 6; // u8 1: these at least, not these alone
export const IPV6HEADER_SIZE = 8;

/** -m bpf: a program of classic BPF, or the path of a pinned one. A record ends behind its last instruction, or its path. */
export const MATCH_BPF = 62;
export const BPF_COUNT = 4; // u16 instructions, 0 where there is a path
export const BPF_INSTRUCTIONS = 8; // BPF_INSTRUCTION_SIZE each, as struct sock_filter
export const BPF_INSTRUCTION_CODE = 0; // u16
export const BPF_INSTRUCTION_TRUE = 2; // u8 instructions to skip where a comparison holds
export const BPF_INSTRUCTION_FALSE = 3; // u8 where it does not
export const BPF_INSTRUCTION_K = 4; // u32
export const BPF_INSTRUCTION_SIZE = 8;
export const BPF_INSTRUCTIONS_COUNT = 64;
export const BPF_PATH = BPF_INSTRUCTIONS; // zero-padded
export const BPF_PATH_BYTES = BPF_INSTRUCTION_SIZE * BPF_INSTRUCTIONS_COUNT;
export const BPF_SIZE = BPF_INSTRUCTIONS + BPF_PATH_BYTES;

/** Value: one above the last match type. */
export const MATCH_TYPE_COUNT = 63;

// ---- Targets ----

/** A rule without -j: counts and goes on. */
export const TARGET_NONE = 0;
export const NONE_SIZE = 8;

/** ACCEPT, DROP, QUEUE, RETURN. */
export const TARGET_VERDICT = 1;
export const VERDICT_VALUE = 4; // u32 VERDICT_*
export const VERDICT_SIZE = 8;

/** -j CHAIN, and -g CHAIN (ROW_FLAG_GOTO): the chain's number in the order of the blob, in its table before compiling; absolute once linked. */
export const TARGET_JUMP = 2;
export const JUMP_CHAIN = 4; // u32
export const JUMP_SIZE = 8;

export const TARGET_REJECT = 3;
export const REJECT_WITH = 4; // u8
export const REJECT_SIZE = 8;
/** Values of REJECT_WITH: enum ipt_reject_with, and 64 + enum ip6t_reject_with. */
export const REJECT_ICMP_NET_UNREACHABLE = 0;
export const REJECT_ICMP_HOST_UNREACHABLE = 1;
export const REJECT_ICMP_PROT_UNREACHABLE = 2;
export const REJECT_ICMP_PORT_UNREACHABLE = 3;
export const REJECT_ICMP_ECHOREPLY = 4;
export const REJECT_ICMP_NET_PROHIBITED = 5;
export const REJECT_ICMP_HOST_PROHIBITED = 6;
export const REJECT_TCP_RESET = 7;
export const REJECT_ICMP_ADMIN_PROHIBITED = 8;
export const REJECT_ICMP6_NO_ROUTE = 64;
export const REJECT_ICMP6_ADM_PROHIBITED = 65;
export const REJECT_ICMP6_NOT_NEIGHBOUR = 66;
export const REJECT_ICMP6_ADDR_UNREACH = 67;
export const REJECT_ICMP6_PORT_UNREACH = 68;
export const REJECT_ICMP6_ECHOREPLY = 69;
export const REJECT_ICMP6_TCP_RESET = 70;
export const REJECT_ICMP6_POLICY_FAIL = 71;
export const REJECT_ICMP6_REJECT_ROUTE = 72;

export const TARGET_NFQUEUE = 4;
export const NFQUEUE_NUMBER = 4; // u16
export const NFQUEUE_TOTAL = 6; // u16, 1 for a single queue
export const NFQUEUE_FLAGS = 8; // u16 bits: 1 bypass, 2 cpu-fanout
export const NFQUEUE_SIZE = 16;

export const TARGET_MARK = 5;
export const SETMARK_VALUE = 4; // u32: mark = (mark & ~mask) ^ value
export const SETMARK_MASK = 8; // u32
export const SETMARK_SIZE = 16;

export const TARGET_CONNMARK = 6;
export const SETCONNMARK_VALUE = 4; // u32
export const SETCONNMARK_CT_MASK = 8; // u32
export const SETCONNMARK_NF_MASK = 12; // u32
export const SETCONNMARK_MODE = 16; // u8 0 set, 1 save, 2 restore
export const SETCONNMARK_SHIFT_DIRECTION = 17; // u8 0 left, 1 right
export const SETCONNMARK_SHIFT = 18; // u8 bits
export const SETCONNMARK_SIZE = 24;

/** DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP share a range (nf_nat_range2). */
export const TARGET_DNAT = 7;
export const TARGET_SNAT = 8;
export const TARGET_MASQUERADE = 9;
export const TARGET_REDIRECT = 10;
export const NAT_FLAGS = 4; // u32 NAT_FLAG_*
export const NAT_PORT_MIN = 8; // u16
export const NAT_PORT_MAX = 10; // u16
export const NAT_PORT_BASE = 12; // u16
export const NAT_ADDRESS_MIN = 16; // 16 bytes
export const NAT_ADDRESS_MAX = 32; // 16 bytes
/** MASQUERADE and REDIRECT are cut behind the ports. */
export const NAT_SHORT_SIZE = 16;
export const NAT_SIZE = 48;
export const NAT_FLAG_ADDRESS = 1;
export const NAT_FLAG_PORT = 2;
export const NAT_FLAG_RANDOM = 4;
export const NAT_FLAG_PERSISTENT = 8;
export const NAT_FLAG_RANDOM_FULLY = 16;
export const NAT_FLAG_PORT_OFFSET = 32;

export const TARGET_LOG = 11;
export const LOG_LEVEL = 4; // u8
export const LOG_FLAGS = 5; // u8 bits: 1 tcp-sequence, 2 tcp-options, 4 ip-options, 8 uid, 32 macdecode
export const LOG_PREFIX = 6; // 30 bytes
export const LOG_PREFIX_BYTES = 30;
export const LOG_SIZE = 40;

export const TARGET_NFLOG = 12;
export const NFLOG_GROUP = 4; // u16
export const NFLOG_THRESHOLD = 6; // u16
export const NFLOG_LENGTH = 8; // u32
export const NFLOG_FLAGS = 12; // u16 bits: 1 size given (--nflog-size)
export const NFLOG_PREFIX = 14; // 64 bytes
export const NFLOG_PREFIX_BYTES = 64;
export const NFLOG_SIZE = 80;

export const TARGET_NOTRACK = 13;
export const NOTRACK_SIZE = 8;

export const TARGET_CT = 14;
export const CT_FLAGS = 4; // u16 bits: 1 notrack, 2 notrack alias, 4 zone dir orig, 8 zone dir reply, 16 zone mark
export const CT_ZONE = 6; // u16
export const CT_EVENTS = 8; // u32
export const CT_EXPECT_EVENTS = 12; // u32
export const CT_HELPER = 16;
export const CT_HELPER_BYTES = 16;
export const CT_TIMEOUT = 32; // 32 bytes
export const CT_POLICY = 64; // u32 runtime: number of the policy of that name
export const CT_SIZE = 72;

export const TARGET_TCPMSS = 15;
export const TCPMSS_VALUE = 4; // u16, 65535 = clamp to path MTU
export const TCPMSS_SIZE = 8;

/** -j CHECKSUM --checksum-fill: changes nothing that a rule can see. */
export const TARGET_CHECKSUM = 16;
export const CHECKSUM_SIZE = 8;

export const TARGET_TPROXY = 17;
export const TPROXY_PORT = 4; // u16, 0 the packet's own
export const TPROXY_MARK_VALUE = 8; // u32: mark = (mark & ~mask) ^ value
export const TPROXY_MARK_MASK = 12; // u32
export const TPROXY_ADDRESS = 16; // 16, zero the interface's own
export const TPROXY_SIZE = 32;

/** A whole NAT range: the bits in which its two addresses agree are the new network. */
export const TARGET_NETMAP = 18;

export const TARGET_TRACE = 19;
export const TRACE_TARGET_SIZE = 8;

/** TTL, and HL in IPv6. */
export const TARGET_TTL = 20;
export const TARGET_HL = 21;
export const SETTTL_VALUE = 4; // u8
export const SETTTL_MODE = 5; // u8 0 set, 1 increase, 2 decrease
export const SETTTL_SIZE = 8;

/** tos = (tos & ~mask) ^ value. */
export const TARGET_TOS = 22;
export const SETTOS_VALUE = 4; // u8
export const SETTOS_MASK = 5; // u8
export const SETTOS_SIZE = 8;

export const TARGET_DSCP = 23;
export const SETDSCP_VALUE = 4; // u8
export const SETDSCP_SIZE = 8;

export const TARGET_CLASSIFY = 24;
export const CLASSIFY_PRIORITY = 4; // u32
export const CLASSIFY_SIZE = 8;

/** -j SET: adds to, deletes from or maps by sets. */
export const TARGET_SET = 25;
export const SETTARGET_ADD = 4; // SETTARGET_PART_SIZE bytes, as are the other two
export const SETTARGET_DELETE = 44;
export const SETTARGET_MAP = 84;
export const SETTARGET_PART_NAME = 0; // 32 bytes, SET_NAME_BYTES
export const SETTARGET_PART_DIMENSIONS = 32; // u8, 0 the part is not given
export const SETTARGET_PART_DIRECTIONS = 33; // u8 bit n: dimension n is src
export const SETTARGET_PART_OBJECT = 36; // u32 runtime
export const SETTARGET_PART_SIZE = 40;
export const SETTARGET_TIMEOUT = 124; // u32 seconds
export const SETTARGET_FLAGS = 128; // u8 bits: 1 timeout given, 2 exist, 4 map-mark, 8 map-prio, 16 map-queue
export const SETTARGET_SIZE = 136;

/** A copy of the packet goes to the gateway. */
export const TARGET_TEE = 26;
export const TEE_GATEWAY = 8; // 16
export const TEE_INTERFACE = 24; // 16 name, empty for any
export const TEE_SIZE = 40;

export const TARGET_ECN = 27;
export const SETECN_OPERATION = 4; // u8 bits: 1 ECT, 16 ECE, 32 CWR
export const SETECN_ECT = 5; // u8
export const SETECN_ECE = 6; // u8
export const SETECN_CWR = 7; // u8
export const SETECN_SIZE = 8;

export const TARGET_TCPOPTSTRIP = 28;
export const TCPOPTSTRIP_MAP = 4; // 32 bytes: bit n = option kind n
export const TCPOPTSTRIP_SIZE = 40;

export const TARGET_SYNPROXY = 29;
export const SYNPROXY_OPTIONS = 4; // u8 bits: 1 mss, 2 wscale, 4 sack-perm, 8 timestamp, 16 ecn
export const SYNPROXY_WSCALE = 5; // u8
export const SYNPROXY_MSS = 6; // u16
export const SYNPROXY_SIZE = 8;

/** A record in the audit log. */
export const TARGET_AUDIT = 30;
export const AUDIT_TYPE = 4; // u8 0 accept, 1 drop, 2 reject
export const AUDIT_SIZE = 8;

export const TARGET_CONNSECMARK = 31;
export const CONNSECMARK_MODE = 4; // u8 1 save, 2 restore
export const CONNSECMARK_SIZE = 8;

export const TARGET_SECMARK = 32;
export const SECMARK_CONTEXT = 4; // 256, zero-padded
export const SECMARK_CONTEXT_BYTES = 256;
export const SECMARK_SIZE = 264;

/** SNPT and DNPT: a prefix of at most 64 bits for another, checksum kept (RFC 6296). */
export const TARGET_SNPT = 33;
export const TARGET_DNPT = 34;
export const NPT_SOURCE = 8; // 16
export const NPT_DESTINATION = 24; // 16
export const NPT_SOURCE_LENGTH = 40; // u8 bits
export const NPT_DESTINATION_LENGTH = 41; // u8 bits
export const NPT_SIZE = 48;

/** Measures the rate of what passes. */
export const TARGET_RATEEST = 35;
export const SETRATEEST_INTERVAL = 4; // u8: 0.25 s << value
export const SETRATEEST_EWMA = 5; // u8: the average's time is interval << value
export const SETRATEEST_NAME = 8; // 16, RATEEST_NAME_BYTES
export const SETRATEEST_OBJECT = 24; // u32 runtime
export const SETRATEEST_SIZE = 32;

/** Starts a timer anew. */
export const TARGET_IDLETIMER = 36;
export const IDLETIMER_TIMEOUT = 4; // u32 seconds
export const IDLETIMER_ALARM = 8; // u8
export const IDLETIMER_LABEL = 12; // 28
export const IDLETIMER_LABEL_BYTES = 28;
export const IDLETIMER_OBJECT = 40; // u32 runtime
export const IDLETIMER_SIZE = 48;

/** Marks the packet by a hash of its ends. */
export const TARGET_HMARK = 37;
export const HMARK_FLAGS = 4; // u16 HMARK_HAS_*
export const HMARK_PROTOCOL_MASK = 6; // u16
export const HMARK_PORT_MASK = 8; // u32 in network order: source port, destination port; or an index of IPsec's
export const HMARK_PORT_SET = 12; // u32 the same: bits that are set
export const HMARK_SOURCE_MASK = 16; // 16
export const HMARK_DESTINATION_MASK = 32; // 16
export const HMARK_SEED = 48; // u32 of the Jenkins hash
export const HMARK_MODULUS = 52; // u32, not 0
export const HMARK_OFFSET = 56; // u32
export const HMARK_SIZE = 64;
/** What was given; the bits of enum xt_hmark_*. */
export const HMARK_HAS_SOURCE_MASK = 1;
export const HMARK_HAS_DESTINATION_MASK = 2;
export const HMARK_HAS_SPI = 4;
export const HMARK_HAS_SPI_MASK = 8;
export const HMARK_HAS_SPORT = 16;
export const HMARK_HAS_DPORT = 32;
export const HMARK_HAS_SPORT_MASK = 64;
export const HMARK_HAS_DPORT_MASK = 128;
export const HMARK_HAS_PROTOCOL_MASK = 256;
export const HMARK_HAS_SEED = 512;
export const HMARK_HAS_MODULUS = 1024;
export const HMARK_HAS_OFFSET = 2048;
export const HMARK_HAS_CONNECTION = 4096;

/** Lights a lamp. */
export const TARGET_LED = 38;
export const LED_DELAY = 4; // u32 milliseconds, 0xffffffff for ever
export const LED_ALWAYS_BLINK = 8; // u8
export const LED_TRIGGER = 9; // 17 name
export const LED_TRIGGER_BYTES = 17;
export const LED_SIZE = 32;

/** Shares an address with other machines; Linux has it no longer. */
export const TARGET_CLUSTERIP = 39;
export const CLUSTERIP_FLAGS = 4; // u8 1: --new, without it all else is nought
export const CLUSTERIP_HASH_MODE = 5; // u8 0 sourceip, 1 and its port, 2 and the destination's port
export const CLUSTERIP_TOTAL = 6; // u8
export const CLUSTERIP_LOCAL = 7; // u8
export const CLUSTERIP_MAC = 8; // 6
export const CLUSTERIP_SEED = 16; // u32
export const CLUSTERIP_SIZE = 24;

/** Value: one above the last target type. */
export const TARGET_TYPE_COUNT = 40;
