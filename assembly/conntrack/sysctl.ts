/** The sysctls of tracking, and how long connections live by them, or by a policy of their own. */
import {
  CONNECTION_EXPIRES,
  CONNECTION_POLICY,
  CONNECTIONS_POLICIES,
  CONNECTIONS_SYSCTLS,
  POLICY_SIZE,
  POLICY_TIMEOUTS,
  SYSCTL_ACCOUNTING,
  SYSCTL_FRAG6,
  SYSCTL_GENERIC,
  SYSCTL_GRE,
  SYSCTL_GRE_STREAM,
  SYSCTL_ICMP,
  SYSCTL_ICMPV6,
  SYSCTL_SCTP_TIMEOUTS,
  SYSCTL_TCP_LOOSE,
  SYSCTL_TCP_MAX_RETRANS,
  SYSCTL_TCP_TIMEOUTS,
  SYSCTL_TCP_UNACKNOWLEDGED,
  SYSCTL_UDP,
  SYSCTL_UDP_STREAM,
} from "../../src/blob/connections";
import { connections } from "./pool";

/** The value of SYSCTL_* number `which`. */
export function sysctl(which: u32): u32 {
  return load<u32>(connections() + CONNECTIONS_SYSCTLS + (which << 2));
}

/** Where the timeouts of a connection stand, in the order of SYSCTL_*. */
export function timeoutsOf(record: usize): usize {
  const table = connections();
  const policy = <usize>load<u8>(record, CONNECTION_POLICY);
  if (!policy) return table + CONNECTIONS_SYSCTLS;
  return <usize>load<u32>(table, CONNECTIONS_POLICIES) + policy * POLICY_SIZE + POLICY_TIMEOUTS;
}

/** One of them, that of SYSCTL_* number `which`. */
export function timeoutOf(record: usize, which: u32): u32 {
  return load<u32>(timeoutsOf(record) + (which << 2));
}

/** What Linux has until someone says otherwise (nf_conntrack_standalone.c, nf_conntrack_proto_*.c). */
export function sysctlDefaults(table: usize): void {
  const values = table + CONNECTIONS_SYSCTLS;
  // Timeouts in seconds: none, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2.
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 0, 0);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 1, 120);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 2, 60);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 3, 432_000);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 4, 120);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 5, 60);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 6, 30);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 7, 120);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 8, 10);
  setSeconds(values, SYSCTL_TCP_TIMEOUTS + 9, 120);
  setSeconds(values, SYSCTL_TCP_UNACKNOWLEDGED, 300);
  setSeconds(values, SYSCTL_TCP_UNACKNOWLEDGED + 1, 300);
  // None, CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, SHUTDOWN_SENT, SHUTDOWN_RECD, SHUTDOWN_ACK_SENT, HEARTBEAT_SENT.
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 0, 0);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 1, 10);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 2, 3);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 3, 3);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 4, 210);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 5, 3);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 6, 3);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 7, 3);
  setSeconds(values, SYSCTL_SCTP_TIMEOUTS + 8, 30);
  setSeconds(values, SYSCTL_UDP, 30);
  setSeconds(values, SYSCTL_UDP_STREAM, 120);
  setSeconds(values, SYSCTL_ICMP, 30);
  setSeconds(values, SYSCTL_ICMPV6, 30);
  setSeconds(values, SYSCTL_GRE, 30);
  setSeconds(values, SYSCTL_GRE_STREAM, 180);
  setSeconds(values, SYSCTL_GENERIC, 600);
  setSeconds(values, SYSCTL_FRAG6, 60);
  store<u32>(values + (SYSCTL_TCP_LOOSE << 2), 1);
  store<u32>(values + (SYSCTL_TCP_MAX_RETRANS << 2), 3);
  store<u32>(values + (SYSCTL_ACCOUNTING << 2), 0);
}

/** The connection lives until `timeout` milliseconds from `now`. */
export function refresh(record: usize, now: u32, timeout: u32): void {
  store<u32>(record, now + timeout, CONNECTION_EXPIRES);
}

function setSeconds(values: usize, which: u32, seconds: u32): void {
  store<u32>(values + (which << 2), seconds * 1000);
}
