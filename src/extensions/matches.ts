/** Every match there is. */
import type { Extension } from "./extension.js";
import { addrtype } from "./matches/addrtype.js";
import { comment } from "./matches/comment.js";
import { connmark } from "./matches/connmark.js";
import { conntrack } from "./matches/conntrack.js";
import { mark } from "./matches/mark.js";
import { recent } from "./matches/recent.js";
import { state } from "./matches/state.js";
import { statistic } from "./matches/statistic.js";
import { tcp } from "./matches/tcp.js";
import { udp } from "./matches/udp.js";

export const MATCHES: Readonly<Record<string, Extension>> = {
  addrtype,
  comment,
  connmark,
  conntrack,
  mark,
  recent,
  state,
  statistic,
  tcp,
  udp,
};
