/** Settings of tracking, by the names of Linux' sysctls without `net.netfilter.nf_conntrack_`. */
import * as C from "../blob/connections.js";

/** Number of the setting, and what one of its units is in the table. */
type Setting = readonly [number, 1 | 1000];

const seconds = (number: number): Setting => [number, 1000];
const plain = (number: number): Setting => [number, 1];

export const SYSCTLS = {
  acct: plain(C.SYSCTL_ACCOUNTING),
  frag6_timeout: seconds(C.SYSCTL_FRAG6),
  generic_timeout: seconds(C.SYSCTL_GENERIC),
  gre_timeout: seconds(C.SYSCTL_GRE),
  gre_timeout_stream: seconds(C.SYSCTL_GRE_STREAM),
  icmp_timeout: seconds(C.SYSCTL_ICMP),
  icmpv6_timeout: seconds(C.SYSCTL_ICMPV6),
  sctp_timeout_closed: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_CLOSED),
  sctp_timeout_cookie_echoed: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_COOKIE_ECHOED),
  sctp_timeout_cookie_wait: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_COOKIE_WAIT),
  sctp_timeout_established: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_ESTABLISHED),
  sctp_timeout_heartbeat_sent: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_HEARTBEAT_SENT),
  sctp_timeout_shutdown_ack_sent: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_SHUTDOWN_ACK_SENT),
  sctp_timeout_shutdown_recd: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_SHUTDOWN_RECEIVED),
  sctp_timeout_shutdown_sent: seconds(C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_SHUTDOWN_SENT),
  tcp_be_liberal: plain(C.SYSCTL_TCP_LIBERAL),
  tcp_ignore_invalid_rst: plain(C.SYSCTL_TCP_IGNORE_INVALID_RST),
  tcp_loose: plain(C.SYSCTL_TCP_LOOSE),
  tcp_max_retrans: plain(C.SYSCTL_TCP_MAX_RETRANS),
  tcp_timeout_close: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_CLOSE),
  tcp_timeout_close_wait: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_CLOSE_WAIT),
  tcp_timeout_established: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_ESTABLISHED),
  tcp_timeout_fin_wait: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_FIN_WAIT),
  tcp_timeout_last_ack: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_LAST_ACK),
  tcp_timeout_max_retrans: seconds(C.SYSCTL_TCP_RETRANSMITTED),
  tcp_timeout_syn_recv: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_SYN_RECV),
  tcp_timeout_syn_sent: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_SYN_SENT),
  tcp_timeout_time_wait: seconds(C.SYSCTL_TCP_TIMEOUTS + C.TCP_TIME_WAIT),
  tcp_timeout_unacknowledged: seconds(C.SYSCTL_TCP_UNACKNOWLEDGED),
  udp_timeout: seconds(C.SYSCTL_UDP),
  udp_timeout_stream: seconds(C.SYSCTL_UDP_STREAM),
} as const satisfies Readonly<Record<string, Setting>>;
export type SysctlName = keyof typeof SYSCTLS;

/** Times wrap around after 2^32 ms of the virtual clock, and are told from past ones by half of that. */
export const SECONDS_MOST = 2_147_483;

/** @throws RangeError when there is no such setting, or it cannot have the value. */
export function checkSysctls(
  settings: Readonly<Record<string, number>>,
): asserts settings is Record<SysctlName, number> {
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(SYSCTLS, name))
      throw new RangeError(`no setting ${JSON.stringify(name)}; there are ${Object.keys(SYSCTLS).join(", ")}`);
    const [, unit] = SYSCTLS[name as SysctlName];
    const most = unit === 1 ? 255 : SECONDS_MOST;
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new RangeError(`${name} must be a whole number from 0 to ${most}, not ${value}`);
  }
}

/** Writes settings to the table of connections at `table`. */
export function writeSysctls(
  view: DataView,
  table: number,
  settings: Readonly<Partial<Record<SysctlName, number>>>,
): void {
  for (const [name, value] of Object.entries(settings)) {
    const [number, unit] = SYSCTLS[name as SysctlName];
    view.setUint32(table + C.CONNECTIONS_SYSCTLS + 4 * number, value * unit, true);
  }
}
