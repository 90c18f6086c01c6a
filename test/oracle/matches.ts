/** Every match of the oracle by its number, and the fixed part of a rule: ip_packet_match and ip6_packet_match. */
import {
  ROW_FLAG_FRAGMENT,
  ROW_INVERT_DESTINATION,
  ROW_INVERT_FRAGMENT,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
} from "../../src/blob/layout.js";
import * as payloads from "../../src/blob/payloads.js";
import { underMask } from "./address.js";
import { matchRt, matchString } from "./match-bytes.js";
import { matchConnmark, matchConntrack, matchMark, matchState } from "./match-connection.js";
import { matchDst, matchHbh, matchIpv6header, matchMh, matchSrh } from "./match-extension-headers.js";
import { matchHashlimit } from "./match-hashlimit.js";
import { matchDccp } from "./match-dccp.js";
import { matchDscp, matchEcn, matchPkttype, matchPolicy, matchTcpmss, matchTos, matchTtl } from "./match-header.js";
import { matchAddrtype, matchIprange, matchLength, matchMac, matchOwner, matchPhysdev } from "./match-origin.js";
import { matchCpu, matchDevgroup, matchHelper, matchQuota, matchRealm } from "./match-machine.js";
import { matchIcmp, matchMultiport, matchSctp, matchTcp, matchUdp } from "./match-ports.js";
import { matchLimit, matchStatistic } from "./match-rate.js";
import { matchRecent } from "./match-recent.js";
import { matchSet } from "./match-set.js";
import { matchAh, matchEsp, matchFrag, matchIpcomp } from "./match-spi.js";
import { matchTime } from "./match-time.js";
import { matchU32 } from "./match-u32.js";
import type { Rule } from "./rule.js";
import { inverted, type Match, nameMatches, type Walk } from "./walk.js";

const MATCHES: Readonly<Record<number, Match>> = {
  [payloads.MATCH_COMMENT]: () => true,
  [payloads.MATCH_TCP]: matchTcp,
  [payloads.MATCH_UDP]: matchUdp,
  [payloads.MATCH_SCTP]: matchSctp,
  [payloads.MATCH_ICMP]: matchIcmp,
  [payloads.MATCH_ICMP6]: matchIcmp,
  [payloads.MATCH_MARK]: matchMark,
  [payloads.MATCH_CONNMARK]: matchConnmark,
  [payloads.MATCH_STATISTIC]: matchStatistic,
  [payloads.MATCH_CONNTRACK]: matchConntrack,
  [payloads.MATCH_STATE]: matchState,
  [payloads.MATCH_ADDRTYPE]: matchAddrtype,
  [payloads.MATCH_MULTIPORT]: matchMultiport,
  [payloads.MATCH_LIMIT]: matchLimit,
  [payloads.MATCH_RECENT]: matchRecent,
  [payloads.MATCH_PHYSDEV]: matchPhysdev,
  [payloads.MATCH_MAC]: matchMac,
  [payloads.MATCH_IPRANGE]: matchIprange,
  [payloads.MATCH_OWNER]: matchOwner,
  [payloads.MATCH_LENGTH]: matchLength,
  [payloads.MATCH_TTL]: matchTtl,
  [payloads.MATCH_HL]: matchTtl,
  [payloads.MATCH_PKTTYPE]: matchPkttype,
  [payloads.MATCH_TCPMSS]: matchTcpmss,
  [payloads.MATCH_TOS]: matchTos,
  [payloads.MATCH_DSCP]: matchDscp,
  [payloads.MATCH_POLICY]: matchPolicy,
  [payloads.MATCH_HASHLIMIT]: matchHashlimit,
  [payloads.MATCH_TIME]: matchTime,
  [payloads.MATCH_RT]: matchRt,
  [payloads.MATCH_STRING]: matchString,
  [payloads.MATCH_HELPER]: matchHelper,
  [payloads.MATCH_ESP]: matchEsp,
  [payloads.MATCH_AH]: matchAh,
  [payloads.MATCH_IPCOMP]: matchIpcomp,
  [payloads.MATCH_DCCP]: matchDccp,
  [payloads.MATCH_QUOTA]: matchQuota,
  [payloads.MATCH_REALM]: matchRealm,
  [payloads.MATCH_ECN]: matchEcn,
  [payloads.MATCH_DEVGROUP]: matchDevgroup,
  [payloads.MATCH_CPU]: matchCpu,
  [payloads.MATCH_FRAG]: matchFrag,
  [payloads.MATCH_SET]: matchSet,
  [payloads.MATCH_U32]: matchU32,
  [payloads.MATCH_IPV6HEADER]: matchIpv6header,
  [payloads.MATCH_HBH]: matchHbh,
  [payloads.MATCH_DST]: matchDst,
  [payloads.MATCH_MH]: matchMh,
  [payloads.MATCH_SRH]: matchSrh,
};

export function ruleMatches(rule: Rule, walk: Walk): boolean {
  if (!fixedPartMatches(rule, walk)) return false;
  // Not `every` over a copy: a match with side effects must not run behind one that said no.
  for (const record of rule.matches) {
    const match = MATCHES[record.type];
    if (!match) throw new Error(`the oracle does not know match ${record.type}`);
    if (!match(record, walk)) return false;
  }
  return true;
}

function fixedPartMatches(rule: Rule, walk: Walk): boolean {
  const { packet } = walk;
  const { invert } = rule;
  const source = underMask(packet.source, rule.sourceMask, rule.source);
  const destination = underMask(packet.destination, rule.destinationMask, rule.destination);
  if (!inverted(source, invert, ROW_INVERT_SOURCE) || !inverted(destination, invert, ROW_INVERT_DESTINATION))
    return false;
  if (rule.input && !inverted(nameMatches(walk.input, rule.input.name, rule.input.mask), invert, ROW_INVERT_INPUT))
    return false;
  if (rule.output && !inverted(nameMatches(walk.output, rule.output.name, rule.output.mask), invert, ROW_INVERT_OUTPUT))
    return false;
  if (rule.protocol && !inverted(packet.protocol === rule.protocol, invert, ROW_INVERT_PROTOCOL)) return false;
  const laterFragment = packet.fragmentOffset !== 0;
  return !(rule.flags & ROW_FLAG_FRAGMENT) || inverted(laterFragment, invert, ROW_INVERT_FRAGMENT);
}
