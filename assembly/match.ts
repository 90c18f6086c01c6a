/**
 * Matches: whether the packet satisfies one match record. One function a match, chosen by the record's type; sizes and
 * values that a blob may hold are checked here too, so that a type the walk cannot do is refused when a blob is loaded.
 */
import * as P from "../src/blob/payloads";
import { matchConnlimit } from "./conntrack/counted";
import { matchHelper } from "./conntrack/helper-name";
import { connections } from "./conntrack/pool";
import { matchAddrtype } from "./matches/addrtype";
import {
  checkEcnMatch,
  checkPolicy,
  matchDscp,
  matchEcn,
  matchPkttype,
  matchPolicy,
  matchTcpmss,
  matchTos,
  matchTtl,
} from "./matches/header";
import { checkChunks } from "./matches/chunks";
import { checkDccp, matchDccp } from "./matches/dccp";
import { matchFrag } from "./matches/frag";
import { checkHashlimit, matchHashlimit } from "./matches/hashlimit";
import { matchIprange } from "./matches/iprange";
import { matchCpu, matchDevgroup, matchRealm } from "./matches/machine";
import { hasSocket, matchEui64, matchLength, matchMac, matchMark, matchOwner } from "./matches/metadata";
import { matchConnbytes } from "./matches/connbytes";
import { checkConntrack, matchConnmark, matchConntrack, matchState } from "./matches/conntrack";
import { matchLimit } from "./matches/limit";
import { matchMultiport } from "./matches/multiport";
import { matchPhysdev } from "./matches/physdev";
import { matchQuota } from "./matches/quota";
import { matchRecent } from "./matches/recent";
import { matchRpfilter } from "./matches/rpfilter";
import { checkRt, matchRt } from "./matches/rt";
import { matchAh, matchEsp, matchIpcomp } from "./matches/spi";
import { checkSet, matchSet } from "./matches/set";
import { matchStatistic } from "./matches/statistic";
import { checkString, matchString } from "./matches/string";
import { checkTime, matchTime } from "./matches/time";
import { matchIcmp, matchSctp, matchTcp, matchUdp } from "./matches/transport";

/** Whether a socket is transparent, or marked, the packet's record does not say. */
const SOCKET_NOWILDCARD: u8 = 2;

/** Whether the packet satisfies the match record at `record`. */
export function matches(type: u32, record: usize): bool {
  switch (type) {
    case P.MATCH_COMMENT:
      return true;
    case P.MATCH_TCP:
      return matchTcp(record);
    case P.MATCH_UDP:
      return matchUdp(record);
    case P.MATCH_SCTP:
      return matchSctp(record);
    case P.MATCH_ICMP:
      return matchIcmp(record, true);
    case P.MATCH_ICMP6:
      return matchIcmp(record, false);
    case P.MATCH_MARK:
      return matchMark(record);
    case P.MATCH_CONNMARK:
      return matchConnmark(record);
    case P.MATCH_STATISTIC:
      return matchStatistic(record);
    case P.MATCH_CONNTRACK:
      return matchConntrack(record);
    case P.MATCH_STATE:
      return matchState(record);
    case P.MATCH_ADDRTYPE:
      return matchAddrtype(record);
    case P.MATCH_MULTIPORT:
      return matchMultiport(record);
    case P.MATCH_LIMIT:
      return matchLimit(record);
    case P.MATCH_RECENT:
      return matchRecent(record);
    case P.MATCH_PHYSDEV:
      return matchPhysdev(record);
    case P.MATCH_MAC:
      return matchMac(record);
    case P.MATCH_IPRANGE:
      return matchIprange(record);
    case P.MATCH_OWNER:
      return matchOwner(record);
    case P.MATCH_LENGTH:
      return matchLength(record);
    case P.MATCH_TTL:
    case P.MATCH_HL:
      return matchTtl(record);
    case P.MATCH_PKTTYPE:
      return matchPkttype(record);
    case P.MATCH_TCPMSS:
      return matchTcpmss(record);
    case P.MATCH_TOS:
      return matchTos(record);
    case P.MATCH_DSCP:
      return matchDscp(record);
    case P.MATCH_POLICY:
      return matchPolicy(record);
    case P.MATCH_HASHLIMIT:
      return matchHashlimit(record);
    case P.MATCH_TIME:
      return matchTime(record);
    case P.MATCH_RT:
      return matchRt(record);
    case P.MATCH_STRING:
      return matchString(record);
    case P.MATCH_HELPER:
      return matchHelper(record);
    case P.MATCH_ESP:
      return matchEsp(record);
    case P.MATCH_AH:
      return matchAh(record);
    case P.MATCH_IPCOMP:
      return matchIpcomp(record);
    case P.MATCH_DCCP:
      return matchDccp(record);
    case P.MATCH_CONNLIMIT:
      return matchConnlimit(record);
    case P.MATCH_CONNBYTES:
      return matchConnbytes(record);
    case P.MATCH_QUOTA:
      return matchQuota(record);
    case P.MATCH_REALM:
      return matchRealm(record);
    case P.MATCH_ECN:
      return matchEcn(record);
    case P.MATCH_DEVGROUP:
      return matchDevgroup(record);
    case P.MATCH_CPU:
      return matchCpu(record);
    case P.MATCH_FRAG:
      return matchFrag(record);
    case P.MATCH_SET:
      return matchSet(record);
    case P.MATCH_RPFILTER:
      return matchRpfilter(record);
    case P.MATCH_SOCKET:
      return hasSocket();
    case P.MATCH_EUI64:
      return matchEui64();
    default:
      return false;
  }
}

/** Whether the walk can do a match of this type whose record has `bytes` bytes. */
export function matchSize(type: u32, bytes: u32): bool {
  switch (type) {
    case P.MATCH_COMMENT:
      return bytes == P.COMMENT_SIZE;
    case P.MATCH_TCP:
    case P.MATCH_UDP:
      return bytes == P.TCP_SIZE;
    case P.MATCH_SCTP:
      return bytes == P.SCTP_SIZE;
    case P.MATCH_ICMP:
    case P.MATCH_ICMP6:
      return bytes == P.ICMP_SIZE;
    case P.MATCH_MARK:
    case P.MATCH_CONNMARK:
      return bytes == P.MARK_SIZE;
    case P.MATCH_STATISTIC:
      return bytes == P.STATISTIC_SIZE;
    case P.MATCH_CONNTRACK:
      return bytes == P.CONNTRACK_SHORT_SIZE || (bytes == P.CONNTRACK_SIZE && connections() != 0);
    case P.MATCH_STATE:
      return bytes == P.STATE_SIZE;
    case P.MATCH_ADDRTYPE:
      return bytes == P.ADDRTYPE_SIZE;
    case P.MATCH_MULTIPORT:
      return bytes == P.MULTIPORT_SIZE;
    case P.MATCH_LIMIT:
      return bytes == P.LIMIT_SIZE;
    case P.MATCH_RECENT:
      return bytes == P.RECENT_SIZE;
    case P.MATCH_PHYSDEV:
      return bytes == P.PHYSDEV_SIZE;
    case P.MATCH_MAC:
      return bytes == P.MAC_SIZE;
    case P.MATCH_IPRANGE:
      return bytes == P.IPRANGE_SIZE;
    case P.MATCH_OWNER:
      return bytes == P.OWNER_SIZE;
    case P.MATCH_LENGTH:
      return bytes == P.LENGTH_SIZE;
    case P.MATCH_TTL:
    case P.MATCH_HL:
      return bytes == P.TTL_SIZE;
    case P.MATCH_PKTTYPE:
      return bytes == P.PKTTYPE_SIZE;
    case P.MATCH_TCPMSS:
      return bytes == P.MSS_SIZE;
    case P.MATCH_TOS:
      return bytes == P.TOS_SIZE;
    case P.MATCH_DSCP:
      return bytes == P.DSCP_SIZE;
    case P.MATCH_POLICY:
      return bytes == P.POLICY_SIZE;
    case P.MATCH_HASHLIMIT:
      return bytes == P.HASHLIMIT_SIZE;
    case P.MATCH_TIME:
      return bytes == P.TIME_SIZE;
    case P.MATCH_RT:
      return bytes == P.RT_SIZE;
    case P.MATCH_STRING:
      return bytes == P.STRING_SIZE;
    case P.MATCH_HELPER:
      return bytes == P.HELPER_SIZE;
    case P.MATCH_ESP:
    case P.MATCH_AH:
    case P.MATCH_IPCOMP:
      return bytes == P.SPI_SIZE;
    case P.MATCH_DCCP:
      return bytes == P.DCCP_SIZE;
    case P.MATCH_CONNLIMIT:
      return bytes == P.CONNLIMIT_SIZE && connections() != 0;
    case P.MATCH_CONNBYTES:
      return bytes == P.CONNBYTES_SIZE && connections() != 0;
    case P.MATCH_QUOTA:
      return bytes == P.QUOTA_SIZE;
    case P.MATCH_REALM:
      return bytes == P.MARK_SIZE;
    case P.MATCH_ECN:
      return bytes == P.ECN_SIZE;
    case P.MATCH_DEVGROUP:
      return bytes == P.DEVGROUP_SIZE;
    case P.MATCH_CPU:
      return bytes == P.CPU_SIZE;
    case P.MATCH_FRAG:
      return bytes == P.FRAG_SIZE;
    case P.MATCH_SET:
      return bytes == P.SET_SIZE;
    case P.MATCH_RPFILTER:
      return bytes == P.RPFILTER_SIZE;
    case P.MATCH_SOCKET:
      return bytes == P.SOCKET_SIZE;
    case P.MATCH_EUI64:
      return bytes == P.EUI64_SIZE;
    default:
      return false;
  }
}

/** Whether the values of a record of a known type are ones that the walk can do; run-time fields must be zero. */
export function checkMatch(type: u32, record: usize): bool {
  switch (type) {
    case P.MATCH_STATISTIC:
      return load<u8>(record, P.STATISTIC_MODE) <= 1 && load<u32>(record, P.STATISTIC_STATE) == 0;
    case P.MATCH_LIMIT:
      return load<u32>(record, P.LIMIT_STATE) == 0;
    case P.MATCH_RECENT:
      return load<u32>(record, P.RECENT_OBJECT) == 0 && load<u32>(record, P.RECENT_HITCOUNT) <= 0xffff;
    case P.MATCH_CONNTRACK:
      return checkConntrack(record);
    case P.MATCH_MULTIPORT:
      return (
        load<u8>(record, P.MULTIPORT_KIND) <= 2 && <i32>load<u8>(record, P.MULTIPORT_COUNT) <= P.MULTIPORT_PORTS_COUNT
      );
    case P.MATCH_SCTP:
      return checkChunks(record);
    case P.MATCH_OWNER:
      return (load<u8>(record, P.OWNER_MATCH) & ~15) == 0;
    case P.MATCH_SOCKET:
      return (load<u8>(record, P.SOCKET_FLAGS) & ~SOCKET_NOWILDCARD) == 0;
    case P.MATCH_TTL:
    case P.MATCH_HL:
      return load<u8>(record, P.TTL_MODE) <= 3;
    case P.MATCH_DSCP:
      return load<u8>(record, P.DSCP_VALUE) <= 63;
    case P.MATCH_POLICY:
      return checkPolicy(record);
    case P.MATCH_HASHLIMIT:
      return checkHashlimit(record);
    case P.MATCH_TIME:
      return checkTime(record);
    case P.MATCH_RT:
      return checkRt(record);
    case P.MATCH_STRING:
      return checkString(record);
    case P.MATCH_DCCP:
      return checkDccp(record);
    case P.MATCH_QUOTA:
      return load<u32>(record, P.QUOTA_STATE) == 0;
    case P.MATCH_CONNLIMIT:
      return load<u32>(record, P.CONNLIMIT_OBJECT) == 0;
    case P.MATCH_CONNBYTES:
      return load<u8>(record, P.CONNBYTES_WHAT) <= 2 && load<u8>(record, P.CONNBYTES_DIRECTION) <= 2;
    case P.MATCH_ECN:
      return checkEcnMatch(record);
    case P.MATCH_SET:
      return checkSet(record);
    default:
      return true;
  }
}
