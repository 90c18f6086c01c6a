/** Every match there is. */
import type { Extension } from "./extension.js";
import { addrtype } from "./matches/addrtype.js";
import { bpf } from "./matches/bpf.js";
import { cgroup } from "./matches/cgroup.js";
import { cluster } from "./matches/cluster.js";
import { comment } from "./matches/comment.js";
import { connbytes } from "./matches/connbytes.js";
import { connlabel } from "./matches/connlabel.js";
import { connlimit } from "./matches/connlimit.js";
import { connmark } from "./matches/connmark.js";
import { conntrack } from "./matches/conntrack.js";
import { cpu } from "./matches/cpu.js";
import { dccp } from "./matches/dccp.js";
import { devgroup } from "./matches/devgroup.js";
import { dscp } from "./matches/dscp.js";
import { ecn } from "./matches/ecn.js";
import { eui64 } from "./matches/eui64.js";
import { frag } from "./matches/frag.js";
import { hashlimit } from "./matches/hashlimit.js";
import { dst, hbh } from "./matches/header-options.js";
import { helper } from "./matches/helper.js";
import { icmp, icmp6 } from "./matches/icmp.js";
import { iprange } from "./matches/iprange.js";
import { ipv6header } from "./matches/ipv6header.js";
import { ipvs } from "./matches/ipvs.js";
import { length } from "./matches/length.js";
import { limit } from "./matches/limit.js";
import { mac } from "./matches/mac.js";
import { mark } from "./matches/mark.js";
import { mh } from "./matches/mh.js";
import { multiport } from "./matches/multiport.js";
import { nfacct } from "./matches/nfacct.js";
import { osf } from "./matches/osf.js";
import { owner } from "./matches/owner.js";
import { physdev } from "./matches/physdev.js";
import { pkttype } from "./matches/pkttype.js";
import { policy } from "./matches/policy.js";
import { quota } from "./matches/quota.js";
import { rateest } from "./matches/rateest.js";
import { realm } from "./matches/realm.js";
import { recent } from "./matches/recent.js";
import { rpfilter } from "./matches/rpfilter.js";
import { rt } from "./matches/rt.js";
import { sctp } from "./matches/sctp.js";
import { set } from "./matches/set.js";
import { socket } from "./matches/socket.js";
import { ah, ah6, esp, ipcomp } from "./matches/spi.js";
import { srh } from "./matches/srh.js";
import { state } from "./matches/state.js";
import { statistic } from "./matches/statistic.js";
import { string } from "./matches/string.js";
import { tcp } from "./matches/tcp.js";
import { tcpmssMatch } from "./matches/tcpmss.js";
import { time } from "./matches/time.js";
import { tos } from "./matches/tos.js";
import { hl, ttl } from "./matches/ttl.js";
import { u32 } from "./matches/u32.js";
import { udp } from "./matches/udp.js";

export const MATCHES: Readonly<Record<string, Extension>> = {
  addrtype,
  ah,
  ah6,
  bpf,
  cgroup,
  cluster,
  comment,
  connbytes,
  connlabel,
  connlimit,
  connmark,
  conntrack,
  cpu,
  dccp,
  devgroup,
  dscp,
  dst,
  ecn,
  esp,
  eui64,
  frag,
  hashlimit,
  hbh,
  helper,
  hl,
  icmp,
  icmp6,
  ipcomp,
  iprange,
  ipv6header,
  ipvs,
  length,
  limit,
  mac,
  mark,
  mh,
  multiport,
  nfacct,
  osf,
  owner,
  physdev,
  pkttype,
  policy,
  quota,
  rateest,
  realm,
  recent,
  rpfilter,
  rt,
  sctp,
  set,
  socket,
  srh,
  state,
  statistic,
  string,
  tcp,
  tcpmss: tcpmssMatch,
  time,
  tos,
  ttl,
  u32,
  udp,
};
