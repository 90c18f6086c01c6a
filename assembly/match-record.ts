/**
 * What a match record may look like: its size, and the values of its fields. What the walk cannot do is refused here when a
 * blob is loaded, and never asked by a packet.
 */
import { FAULT_ACCOUNT, FAULT_NONE, FAULT_SET } from "../src/blob/memory";
import * as P from "../src/blob/payloads";
import { checkConnlabel } from "./conntrack/labels";
import { wantsConnections } from "./conntrack/pool";
import { checkBpf } from "./matches/bpf";
import { checkChunks } from "./matches/chunks";
import { checkCluster } from "./matches/cluster";
import { checkConntrack } from "./matches/conntrack";
import { checkDccp } from "./matches/dccp";
import { checkHeaderOptions, checkIpv6header } from "./matches/extension-headers";
import { checkHashlimit } from "./matches/hashlimit";
import { checkEcnMatch, checkPolicy } from "./matches/header";
import { checkIpvs } from "./matches/ipvs";
import { checkCgroup } from "./matches/socket";
import { accountFind } from "./matches/nfacct";
import { checkRateest } from "./matches/rateest";
import { checkRt } from "./matches/rt";
import { checkSet } from "./matches/set";
import { checkSrh } from "./matches/srh";
import { knowsSet } from "./sets/known";
import { checkString } from "./matches/string";
import { checkTime } from "./matches/time";
import { checkU32 } from "./matches/u32";

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
      return bytes == P.CONNTRACK_SHORT_SIZE || (bytes == P.CONNTRACK_SIZE && wantsConnections());
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
      return bytes == P.CONNLIMIT_SIZE && wantsConnections();
    case P.MATCH_CONNBYTES:
      return bytes == P.CONNBYTES_SIZE && wantsConnections();
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
    case P.MATCH_CGROUP:
      return bytes == P.CGROUP_SIZE || bytes == P.CGROUP_PATH;
    case P.MATCH_IPVS:
      return bytes == P.IPVS_SIZE;
    case P.MATCH_CONNLABEL:
      return bytes == P.CONNLABEL_SIZE && wantsConnections();
    case P.MATCH_BPF:
      return bytes <= <u32>P.BPF_SIZE;
    case P.MATCH_NFACCT:
      return bytes == P.NFACCT_SIZE;
    case P.MATCH_RATEEST:
      return bytes == P.RATEEST_SIZE;
    case P.MATCH_OSF:
      return bytes == P.OSF_SIZE;
    case P.MATCH_EUI64:
      return bytes == P.EUI64_SIZE;
    case P.MATCH_CLUSTER:
      return bytes == P.CLUSTER_SIZE && wantsConnections();
    case P.MATCH_IPV6HEADER:
      return bytes == P.IPV6HEADER_SIZE;
    case P.MATCH_HBH:
    case P.MATCH_DST:
      return bytes == P.HEADER_OPTIONS_SIZE;
    case P.MATCH_MH:
      return bytes == P.MH_SIZE;
    case P.MATCH_SRH:
      return bytes == P.SRH_SIZE;
    case P.MATCH_U32:
      return bytes <= <u32>P.U32_SIZE;
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
      return (load<u8>(record, P.SOCKET_FLAGS) & ~7) == 0;
    case P.MATCH_CGROUP:
      return checkCgroup(record);
    case P.MATCH_IPVS:
      return checkIpvs(record);
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
    case P.MATCH_CONNLABEL:
      return checkConnlabel(record);
    case P.MATCH_BPF:
      return checkBpf(record);
    case P.MATCH_NFACCT:
      return load<u32>(record, P.NFACCT_OBJECT) == 0;
    case P.MATCH_RATEEST:
      return checkRateest(record);
    case P.MATCH_OSF:
      return load<u8>(record, P.OSF_TTL) <= 2 && load<u8>(record, P.OSF_LOG) <= 2;
    case P.MATCH_SET:
      return checkSet(record);
    case P.MATCH_CLUSTER:
      return checkCluster(record);
    case P.MATCH_IPV6HEADER:
      return checkIpv6header(record);
    case P.MATCH_HBH:
    case P.MATCH_DST:
      return checkHeaderOptions(record);
    case P.MATCH_SRH:
      return checkSrh(record);
    case P.MATCH_U32:
      return checkU32(record);
    default:
      return true;
  }
}

/** Why what the record names will not do, a FAULT_*. */
export function missingName(type: u32, record: usize): u32 {
  if (!knowsSet(type, record)) return FAULT_SET;
  return type == P.MATCH_NFACCT && !accountFind(record + P.NFACCT_NAME) ? FAULT_ACCOUNT : FAULT_NONE;
}
