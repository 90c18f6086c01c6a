/** How each match shows in a listing, by its type. */
import * as P from "../../blob/payloads.js";
import { ICMP_NAMES, ICMPV6_NAMES } from "../values/icmp-types.js";
import * as connection from "./connection-listings.js";
import * as header from "./header-listings.js";
import { headed, type Lister } from "./listed.js";
import * as port from "./port-listings.js";
import * as security from "./security-listings.js";

export const MATCH_LISTINGS: Readonly<Record<number, Lister>> = {
  [P.MATCH_ADDRTYPE]: header.addrtypeListing,
  [P.MATCH_AH]: security.ahListing,
  [P.MATCH_COMMENT]: connection.commentListing,
  [P.MATCH_CONNBYTES]: connection.connbytesListing,
  [P.MATCH_CONNLIMIT]: connection.connlimitListing,
  [P.MATCH_CONNMARK]: connection.connmarkListing,
  [P.MATCH_CONNTRACK]: connection.conntrackListing,
  [P.MATCH_CPU]: connection.cpuListing,
  [P.MATCH_DCCP]: port.dccpListing,
  [P.MATCH_DEVGROUP]: connection.devgroupListing,
  [P.MATCH_DSCP]: header.dscpListing,
  [P.MATCH_ECN]: header.ecnListing,
  [P.MATCH_ESP]: security.espListing,
  [P.MATCH_FRAG]: security.fragListing,
  [P.MATCH_HASHLIMIT]: connection.hashlimitListing,
  [P.MATCH_HELPER]: connection.helperListing,
  [P.MATCH_HL]: header.hopsListing("HL"),
  [P.MATCH_ICMP]: header.icmpListing(" icmp", ICMP_NAMES),
  [P.MATCH_ICMP6]: header.icmpListing(" ipv6-icmp", ICMPV6_NAMES),
  [P.MATCH_IPCOMP]: security.ipcompListing,
  [P.MATCH_IPRANGE]: header.iprangeListing,
  [P.MATCH_LENGTH]: header.lengthListing,
  [P.MATCH_LIMIT]: connection.limitListing,
  [P.MATCH_MAC]: header.macListing,
  [P.MATCH_MARK]: connection.markListing,
  [P.MATCH_MULTIPORT]: port.multiportListing,
  [P.MATCH_OWNER]: connection.ownerListing,
  [P.MATCH_PHYSDEV]: header.physdevListing,
  [P.MATCH_PKTTYPE]: header.pkttypeListing,
  [P.MATCH_POLICY]: connection.policyListing,
  [P.MATCH_QUOTA]: connection.quotaListing,
  [P.MATCH_REALM]: connection.realmListing,
  [P.MATCH_RECENT]: connection.recentListing,
  [P.MATCH_RPFILTER]: headed(" rpfilter"),
  [P.MATCH_RT]: security.rtListing,
  [P.MATCH_SCTP]: port.sctpListing,
  [P.MATCH_SET]: headed(""),
  [P.MATCH_SOCKET]: connection.socketListing,
  [P.MATCH_STATE]: headed(""),
  [P.MATCH_STATISTIC]: connection.statisticListing,
  [P.MATCH_STRING]: header.stringListing,
  [P.MATCH_TCP]: port.tcpListing,
  [P.MATCH_TCPMSS]: header.tcpmssListing,
  [P.MATCH_TIME]: connection.timeListing,
  [P.MATCH_TOS]: header.tosListing,
  [P.MATCH_TTL]: header.hopsListing("TTL"),
  [P.MATCH_UDP]: port.udpListing,
};
