/** What each protocol makes of a packet of a connection: whether it belongs there, and how long the connection lives. */
import {
  CONNECTION_ACCOUNTED,
  CONNECTION_COUNTS_SIZE,
  CONNECTION_GRE_TIMEOUTS,
  CONNECTION_LOCK,
  CONNECTION_ORIGINAL,
  CONNECTION_PACKETS,
  CONNECTION_STATE,
  CONNECTION_STATUS,
  CONNECTION_STREAM_FROM,
  NODE_TUPLE,
  STATUS_ASSURED,
  STATUS_CONFIRMED,
  STATUS_NAT_CLASH,
  STATUS_SEEN_REPLY,
  SYSCTL_GENERIC,
  SYSCTL_GRE,
  SYSCTL_ICMP,
  SYSCTL_ICMPV6,
  SYSCTL_TCP_TIMEOUTS,
  SYSCTL_UDP,
  TCP_CLOSE,
  TUPLE_PROTOCOL,
} from "../../src/blob/connections";
import { PACKET_LENGTH } from "../../src/blob/layout";
import { packet } from "../packet";
import { icmpMayBegin } from "./icmp";
import { lock, unlock } from "./pool";
import { sctpBegin, sctpPacket, sctpValid } from "./sctp";
import { refresh, timeoutOf, timeoutsOf } from "./sysctl";
import { orStatus } from "./table";
import { GONE, NOT_TRACKED, TRACKED } from "./outcome";
import { tcpBegin, tcpPacket, tcpValid } from "./tcp";
import { GRE, ICMP, isIcmp, SCTP, TCP, UDP, UDPLITE, udpValid } from "./tuple";

/** TRACKED, NOT_TRACKED, START_OVER, GONE or PASSED_BY. */
export function followProtocol(record: usize, direction: u32, protocol: u8, now: u32): u32 {
  const begins = !(load<u32>(record, CONNECTION_STATUS) & STATUS_CONFIRMED);
  let outcome = TRACKED;
  if (protocol == TCP)
    outcome = tcpValid() && (!begins || tcpBegin(record)) ? tcpPacket(record, direction, now) : NOT_TRACKED;
  else if (protocol == UDP || protocol == UDPLITE) {
    if (udpValid()) followStream(record, protocol == UDP, timeoutsOf(record) + (SYSCTL_UDP << 2), now);
    else outcome = NOT_TRACKED;
  } else if (isIcmp(protocol)) {
    if (begins && !icmpMayBegin(protocol)) outcome = NOT_TRACKED;
    else refresh(record, now, timeoutOf(record, protocol == ICMP ? SYSCTL_ICMP : SYSCTL_ICMPV6));
  } else if (protocol == SCTP)
    outcome = sctpValid() && (!begins || sctpBegin(record)) ? sctpPacket(record, direction, now) : NOT_TRACKED;
  else if (protocol == GRE) {
    if (begins) store<u64>(record, load<u64>(timeoutsOf(record) + (SYSCTL_GRE << 2)), CONNECTION_GRE_TIMEOUTS);
    followStream(record, false, record + CONNECTION_GRE_TIMEOUTS, now);
  } else refresh(record, now, timeoutOf(record, SYSCTL_GENERIC));
  if ((outcome == TRACKED || outcome == GONE) && load<u8>(record, CONNECTION_ACCOUNTED)) account(record, direction);
  return outcome;
}

/** The machine answers a packet of a TCP connection by a reset (nf_conntrack_tcp_set_closing). */
export function closeByReset(record: usize, now: u32): void {
  if (!(load<u32>(record, CONNECTION_STATUS) & STATUS_CONFIRMED)) return;
  if (load<u8>(record + CONNECTION_ORIGINAL + NODE_TUPLE, TUPLE_PROTOCOL) != TCP) return;
  lock(record + CONNECTION_LOCK);
  store<u8>(record, TCP_CLOSE, CONNECTION_STATE);
  refresh(record, now, timeoutOf(record, SYSCTL_TCP_TIMEOUTS + TCP_CLOSE));
  unlock(record + CONNECTION_LOCK);
}

/**
 * An exchange is a stream, and assured, once it is answered; one of UDP when besides it goes on for more than two seconds. At
 * `timeouts` it says how long either lives: u32 ms unanswered, u32 ms a stream.
 */
function followStream(record: usize, slow: bool, timeouts: usize, now: u32): void {
  const status = load<u32>(record, CONNECTION_STATUS);
  const lasting = !slow || <i32>(now - load<u32>(record, CONNECTION_STREAM_FROM)) > 0;
  if (status & STATUS_SEEN_REPLY && lasting) {
    refresh(record, now, load<u32>(timeouts, 4));
    if (!(status & (STATUS_ASSURED | STATUS_NAT_CLASH))) orStatus(record, STATUS_ASSURED);
  } else if (!(status & STATUS_NAT_CLASH)) refresh(record, now, load<u32>(timeouts));
}

function account(record: usize, direction: u32): void {
  const counts = record + CONNECTION_PACKETS + direction * CONNECTION_COUNTS_SIZE;
  atomic.add<u64>(counts, 1);
  atomic.add<u64>(counts + 8, load<u32>(packet, PACKET_LENGTH));
}
