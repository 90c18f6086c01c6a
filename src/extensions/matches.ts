/** Every match there is. */
import type { Extension } from "./extension.js";
import { addrtype } from "./matches/addrtype.js";
import { comment } from "./matches/comment.js";
import { connbytes } from "./matches/connbytes.js";
import { connlimit } from "./matches/connlimit.js";
import { connmark } from "./matches/connmark.js";
import { conntrack } from "./matches/conntrack.js";
import { cpu } from "./matches/cpu.js";
import { dccp } from "./matches/dccp.js";
import { devgroup } from "./matches/devgroup.js";
import { dscp } from "./matches/dscp.js";
import { ecn } from "./matches/ecn.js";
import { frag } from "./matches/frag.js";
import { hashlimit } from "./matches/hashlimit.js";
import { helper } from "./matches/helper.js";
import { icmp, icmp6 } from "./matches/icmp.js";
import { iprange } from "./matches/iprange.js";
import { length } from "./matches/length.js";
import { limit } from "./matches/limit.js";
import { mac } from "./matches/mac.js";
import { mark } from "./matches/mark.js";
import { multiport } from "./matches/multiport.js";
import { owner } from "./matches/owner.js";
import { physdev } from "./matches/physdev.js";
import { pkttype } from "./matches/pkttype.js";
import { policy } from "./matches/policy.js";
import { quota } from "./matches/quota.js";
import { realm } from "./matches/realm.js";
import { recent } from "./matches/recent.js";
import { rpfilter } from "./matches/rpfilter.js";
import { rt } from "./matches/rt.js";
import { sctp } from "./matches/sctp.js";
import { set } from "./matches/set.js";
import { socket } from "./matches/socket.js";
import { ah, ah6, esp, ipcomp } from "./matches/spi.js";
import { state } from "./matches/state.js";
import { statistic } from "./matches/statistic.js";
import { string } from "./matches/string.js";
import { tcp } from "./matches/tcp.js";
import { tcpmssMatch } from "./matches/tcpmss.js";
import { time } from "./matches/time.js";
import { tos } from "./matches/tos.js";
import { hl, ttl } from "./matches/ttl.js";
import { udp } from "./matches/udp.js";

export const MATCHES: Readonly<Record<string, Extension>> = {
  addrtype,
  ah,
  ah6,
  comment,
  connbytes,
  connlimit,
  connmark,
  conntrack,
  cpu,
  dccp,
  devgroup,
  dscp,
  ecn,
  esp,
  frag,
  hashlimit,
  helper,
  hl,
  icmp,
  icmp6,
  ipcomp,
  iprange,
  length,
  limit,
  mac,
  mark,
  multiport,
  owner,
  physdev,
  pkttype,
  policy,
  quota,
  realm,
  recent,
  rpfilter,
  rt,
  sctp,
  set,
  socket,
  state,
  statistic,
  string,
  tcp,
  tcpmss: tcpmssMatch,
  time,
  tos,
  ttl,
  udp,
};
