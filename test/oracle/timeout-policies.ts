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
      SYN_SENT: 110,
      SYN_RECV: 120,
      ESTABLISHED: 230,
      FIN_WAIT: 130,
      CLOSE_WAIT: 140,
      LAST_ACK: 150,
      TIME_WAIT: 160,
      CLOSE: 170,
      SYN_SENT2: 180,
      RETRANS: 210,
      UNACKNOWLEDGED: 190,
    },
  },
  sctp: {
    protocol: 132,
    timeouts: {
      CLOSED: 310,
      COOKIE_WAIT: 320,
      COOKIE_ECHOED: 330,
      ESTABLISHED: 340,
      SHUTDOWN_SENT: 350,
      SHUTDOWN_RECD: 360,
      SHUTDOWN_ACK_SENT: 370,
    },
  },
  udp: { protocol: 17, timeouts: { UNREPLIED: 410, REPLIED: 420 } },
  lite: { protocol: 136, timeouts: { UNREPLIED: 430, REPLIED: 440 } },
  gre: { protocol: 47, timeouts: { UNREPLIED: 510, REPLIED: 520 } },
  icmp: { protocol: 1, timeouts: { TIMEOUT: 610 } },
  icm6: { protocol: 58, timeouts: { TIMEOUT: 620 } },
  rest: { protocol: 255, timeouts: { TIMEOUT: 710 } },
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

/** What `nfct add timeout` is told of a policy. */
export function policyWords({ name, family, protocol, timeouts }: TimeoutPolicy): string {
  const seconds = Object.entries(timeouts).map(([timeout, value]) => `${timeout.toLowerCase()} ${value}`);
  const layer4 = { 58: "icmpv6", 255: "generic" }[protocol] ?? protocolName(protocol);
  return `${name} ${family === "ipv4" ? "inet" : "inet6"} ${layer4} ${seconds.join(" ")}`;
}
