/** A policy of timeouts for each protocol, every timeout another, and rules that give connections theirs. */
import type { TimeoutPolicy } from "../../src/engine/timeout-policies.js";
import { protocolName } from "../../src/extensions/values/protocols.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Host, OPEN } from "./host.js";

/** Linux shows no more of a name than four bytes. */
const POLICIES = {
  tcp: {
    protocol: 6,
    timeouts: {
      SYN_SENT: 201,
      SYN_RECV: 202,
      ESTABLISHED: 203,
      FIN_WAIT: 204,
      CLOSE_WAIT: 205,
      LAST_ACK: 206,
      TIME_WAIT: 207,
      CLOSE: 208,
      SYN_SENT2: 209,
      RETRANS: 250,
      UNACKNOWLEDGED: 210,
    },
  },
  sctp: {
    protocol: 132,
    timeouts: {
      CLOSED: 301,
      COOKIE_WAIT: 302,
      COOKIE_ECHOED: 303,
      ESTABLISHED: 304,
      SHUTDOWN_SENT: 305,
      SHUTDOWN_RECD: 306,
      SHUTDOWN_ACK_SENT: 307,
    },
  },
  udp: { protocol: 17, timeouts: { UNREPLIED: 401, REPLIED: 402 } },
  lite: { protocol: 136, timeouts: { UNREPLIED: 403, REPLIED: 404 } },
  gre: { protocol: 47, timeouts: { UNREPLIED: 501, REPLIED: 502 } },
  icmp: { protocol: 1, timeouts: { TIMEOUT: 601 } },
  icm6: { protocol: 58, timeouts: { TIMEOUT: 602 } },
  rest: { protocol: 255, timeouts: { TIMEOUT: 701 } },
} as const;

export function policiesOf(family: Family): TimeoutPolicy[] {
  return Object.entries(POLICIES).map(([name, policy]) => ({ name, family, ...policy }));
}

export const POLICY_RULES = Object.entries(POLICIES).map(
  ([name, { protocol }]) =>
    `-A PREROUTING -p ${protocol === 255 ? "dccp" : protocolName(protocol)} -j CT --timeout ${name}`,
);

export const rawTable = (...rules: string[]): string =>
  `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n${OPEN}`;

export const policyOf = (name: string, protocol: number, timeouts: TimeoutPolicy["timeouts"] = {}): TimeoutPolicy => ({
  name,
  family: "ipv4",
  protocol,
  timeouts,
});

/** A router with such rules and policies. */
export const routerWith = (
  rules: readonly string[] = POLICY_RULES,
  timeoutPolicies: readonly TimeoutPolicy[] = policiesOf("ipv4"),
): Host => new Host(rawTable(...rules), { timeoutPolicies });
