/** Matches: whether the packet satisfies one match record. One function a match, chosen by the record's type. */
import * as P from "../src/blob/payloads";
import { matchConnlimit } from "./conntrack/counted";
import { matchConnlabel } from "./conntrack/labels";
import { matchHelper } from "./conntrack/helper-name";
import { matchAddrtype } from "./matches/addrtype";
import { matchDscp, matchEcn, matchPkttype, matchPolicy, matchTcpmss, matchTos, matchTtl } from "./matches/header";
import { matchBpf } from "./matches/bpf";
import { matchCluster } from "./matches/cluster";
import { matchDccp } from "./matches/dccp";
import { matchDst, matchHbh, matchIpv6header, matchMh } from "./matches/extension-headers";
import { matchFrag } from "./matches/frag";
import { matchHashlimit } from "./matches/hashlimit";
import { matchIprange } from "./matches/iprange";
import { matchCpu, matchDevgroup, matchRealm } from "./matches/machine";
import { matchEui64, matchLength, matchMac, matchMark } from "./matches/metadata";
import { matchConnbytes } from "./matches/connbytes";
import { matchConnmark, matchConntrack, matchState } from "./matches/conntrack";
import { matchLimit } from "./matches/limit";
import { matchIpvs } from "./matches/ipvs";
import { matchMultiport } from "./matches/multiport";
import { matchNfacct } from "./matches/nfacct";
import { matchOsf } from "./matches/osf";
import { matchPhysdev } from "./matches/physdev";
import { matchQuota } from "./matches/quota";
import { matchRateest } from "./matches/rateest";
import { matchRecent } from "./matches/recent";
import { matchRpfilter } from "./matches/rpfilter";
import { matchRt } from "./matches/rt";
import { matchAh, matchEsp, matchIpcomp } from "./matches/spi";
import { matchSrh } from "./matches/srh";
import { matchCgroup, matchOwner, matchSocket } from "./matches/socket";
import { matchSet } from "./matches/set";
import { matchStatistic } from "./matches/statistic";
import { matchString } from "./matches/string";
import { matchTime } from "./matches/time";
import { matchU32 } from "./matches/u32";
import { matchIcmp, matchSctp, matchTcp, matchUdp } from "./matches/transport";

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
      return matchSocket(record);
    case P.MATCH_CGROUP:
      return matchCgroup(record);
    case P.MATCH_IPVS:
      return matchIpvs(record);
    case P.MATCH_CONNLABEL:
      return matchConnlabel(record);
    case P.MATCH_BPF:
      return matchBpf(record);
    case P.MATCH_NFACCT:
      return matchNfacct(record);
    case P.MATCH_RATEEST:
      return matchRateest(record);
    case P.MATCH_OSF:
      return matchOsf(record);
    case P.MATCH_EUI64:
      return matchEui64();
    case P.MATCH_CLUSTER:
      return matchCluster(record);
    case P.MATCH_IPV6HEADER:
      return matchIpv6header(record);
    case P.MATCH_HBH:
      return matchHbh(record);
    case P.MATCH_DST:
      return matchDst(record);
    case P.MATCH_MH:
      return matchMh(record);
    case P.MATCH_SRH:
      return matchSrh(record);
    case P.MATCH_U32:
      return matchU32(record);
    default:
      return false;
  }
}
