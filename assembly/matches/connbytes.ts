/** connbytes (xt_connbytes.c): what a connection has carried so far. A rule that asks makes the engine count from then on. */
import {
  CONNECTION_ACCOUNTED,
  CONNECTION_COUNTS_SIZE,
  CONNECTION_PACKETS,
  CONNECTIONS_SYSCTLS,
  SYSCTL_ACCOUNTING,
} from "../../src/blob/connections";
import { CONNBYTES_DIRECTION, CONNBYTES_FROM, CONNBYTES_TO, CONNBYTES_WHAT } from "../../src/blob/payloads";
import { connections } from "../conntrack/pool";
import { connection } from "../conntrack/track";

const PACKETS: u8 = 0;
const BYTES: u8 = 1;
const ORIGINAL: u8 = 0;
const REPLY: u8 = 1;

/** Connections that begin from now on are counted. */
export function startAccounting(): void {
  store<u32>(connections() + CONNECTIONS_SYSCTLS + (SYSCTL_ACCOUNTING << 2), 1);
}

export function matchConnbytes(record: usize): bool {
  if (!connection || !load<u8>(connection, CONNECTION_ACCOUNTED)) return false;
  const counts = connection + CONNECTION_PACKETS;
  const direction = load<u8>(record, CONNBYTES_DIRECTION);
  let packets: u64 = 0;
  let bytes: u64 = 0;
  if (direction != REPLY) {
    packets = load<u64>(counts);
    bytes = load<u64>(counts, 8);
  }
  if (direction != ORIGINAL) {
    packets += load<u64>(counts + CONNECTION_COUNTS_SIZE);
    bytes += load<u64>(counts + CONNECTION_COUNTS_SIZE, 8);
  }
  const what = load<u8>(record, CONNBYTES_WHAT);
  const value = what == PACKETS ? packets : what == BYTES ? bytes : packets ? bytes / packets : 0;
  const from = load<u64>(record, CONNBYTES_FROM);
  const to = load<u64>(record, CONNBYTES_TO);
  return to >= from ? value >= from && value <= to : value < to || value > from;
}
