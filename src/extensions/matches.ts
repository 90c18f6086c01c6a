/** Every match there is. */
import type { Extension } from "./extension.js";
import { addrtype } from "./matches/addrtype.js";
import { comment } from "./matches/comment.js";
import { connmark } from "./matches/connmark.js";
import { conntrack } from "./matches/conntrack.js";
import { icmp, icmp6 } from "./matches/icmp.js";
import { iprange } from "./matches/iprange.js";
import { length } from "./matches/length.js";
import { limit } from "./matches/limit.js";
import { mac } from "./matches/mac.js";
import { mark } from "./matches/mark.js";
import { multiport } from "./matches/multiport.js";
import { owner } from "./matches/owner.js";
import { physdev } from "./matches/physdev.js";
import { recent } from "./matches/recent.js";
import { sctp } from "./matches/sctp.js";
import { set } from "./matches/set.js";
import { state } from "./matches/state.js";
import { statistic } from "./matches/statistic.js";
import { tcp } from "./matches/tcp.js";
import { udp } from "./matches/udp.js";

export const MATCHES: Readonly<Record<string, Extension>> = {
  addrtype,
  comment,
  connmark,
  conntrack,
  icmp,
  icmp6,
  iprange,
  length,
  limit,
  mac,
  mark,
  multiport,
  owner,
  physdev,
  recent,
  sctp,
  set,
  state,
  statistic,
  tcp,
  udp,
};
