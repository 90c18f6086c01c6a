/**
 * Policies of timeouts: how long connections live that a rule of `-j CT --timeout` has seen begin, instead of what the
 * settings of tracking say. Made by name before the rules that name them, as `nfct add timeout` does.
 */
import * as C from "../blob/connections.js";
import * as M from "../blob/memory.js";
import { type Family, familyNumber } from "../ruleset/row-store.js";
import type { Engine } from "./engine.js";
import { SECONDS_MOST } from "./sysctls.js";
import { nameAt } from "./name-text.js";

export interface TimeoutPolicy {
  /** At most 31 bytes. */
  readonly name: string;
  readonly family: Family;
  /** One that Linux has a tracker for, such as 6, or 255, generic: all others. */
  readonly protocol: number;
  /** Seconds by the names that `nfct` prints: ESTABLISHED of TCP. Others are as the settings are when the policy is made. */
  readonly timeouts: Readonly<Record<string, number>>;
}

export type TimeoutPolicyErrorCode =
  | "bad-name"
  | "bad-timeout"
  | "no-connections"
  | "policy-exists"
  | "policy-in-use"
  | "too-many-policies"
  | "unknown-policy"
  | "unknown-protocol";

export class TimeoutPolicyError extends Error {
  override readonly name = "TimeoutPolicyError";

  constructor(
    readonly code: TimeoutPolicyErrorCode,
    message: string,
  ) {
    super(message);
  }
}

const UDP = { UNREPLIED: C.SYSCTL_UDP, REPLIED: C.SYSCTL_UDP_STREAM };

/** Timeouts of each protocol that has policies, in the order of `nfct`, and where the engine has them: SYSCTL_*. */
export const POLICY_TIMEOUTS: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  1: { TIMEOUT: C.SYSCTL_ICMP },
  6: {
    SYN_SENT: C.SYSCTL_TCP_TIMEOUTS + C.TCP_SYN_SENT,
    SYN_RECV: C.SYSCTL_TCP_TIMEOUTS + C.TCP_SYN_RECV,
    ESTABLISHED: C.SYSCTL_TCP_TIMEOUTS + C.TCP_ESTABLISHED,
    FIN_WAIT: C.SYSCTL_TCP_TIMEOUTS + C.TCP_FIN_WAIT,
    CLOSE_WAIT: C.SYSCTL_TCP_TIMEOUTS + C.TCP_CLOSE_WAIT,
    LAST_ACK: C.SYSCTL_TCP_TIMEOUTS + C.TCP_LAST_ACK,
    TIME_WAIT: C.SYSCTL_TCP_TIMEOUTS + C.TCP_TIME_WAIT,
    CLOSE: C.SYSCTL_TCP_TIMEOUTS + C.TCP_CLOSE,
    SYN_SENT2: C.SYSCTL_TCP_TIMEOUTS + C.TCP_SYN_SENT2,
    RETRANS: C.SYSCTL_TCP_RETRANSMITTED,
    UNACKNOWLEDGED: C.SYSCTL_TCP_UNACKNOWLEDGED,
  },
  17: UDP,
  47: { UNREPLIED: C.SYSCTL_GRE, REPLIED: C.SYSCTL_GRE_STREAM },
  58: { TIMEOUT: C.SYSCTL_ICMPV6 },
  132: {
    CLOSED: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_CLOSED,
    COOKIE_WAIT: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_COOKIE_WAIT,
    COOKIE_ECHOED: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_COOKIE_ECHOED,
    ESTABLISHED: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_ESTABLISHED,
    SHUTDOWN_SENT: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_SHUTDOWN_SENT,
    SHUTDOWN_RECD: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_SHUTDOWN_RECEIVED,
    SHUTDOWN_ACK_SENT: C.SYSCTL_SCTP_TIMEOUTS + C.SCTP_SHUTDOWN_ACK_SENT,
  },
  136: UDP,
  [C.POLICY_GENERIC]: { TIMEOUT: C.SYSCTL_GENERIC },
};

/**
 * Makes policies, all or, with a TimeoutPolicyError, those in front of the one at fault; there are 255 at most. Takes the
 * writers' lock.
 */
export function addTimeoutPolicies(engine: Engine, policies: readonly TimeoutPolicy[]): void {
  engine.locked(() => {
    for (const policy of policies) {
      const known = policyNumbers(engine);
      const fault = faultOf(policy, known);
      if (fault) throw fault;
      const number = freeNumber(engine);
      writePolicy(engine, policy, policyAddress(engine, number));
      const last = [...known.values()].pop();
      const link =
        last === undefined ? tableOf(engine) + C.CONNECTIONS_FIRST_POLICY : policyAddress(engine, last) + C.POLICY_NEXT;
      engine.data().setUint32(link, number, true);
    }
  });
}

/** All policies, with all their timeouts, in the order in which they were made. Takes the writers' lock. */
export function listTimeoutPolicies(engine: Engine): TimeoutPolicy[] {
  return engine.locked(() => Array.from(policyNumbers(engine), ([name, number]) => readPolicy(engine, name, number)));
}

/** The number of each policy, in the order in which they were made. The caller holds the writers' lock. */
export function policyNumbers(engine: Engine): Map<string, number> {
  const found = new Map<string, number>();
  if (tableOf(engine) === 0) return found;
  const view = engine.data();
  let number = view.getUint32(tableOf(engine) + C.CONNECTIONS_FIRST_POLICY, true);
  for (let at = 0; number !== 0; number = view.getUint32(at + C.POLICY_NEXT, true)) {
    at = policyAddress(engine, number);
    found.set(nameAt(view, at + C.POLICY_NAME, C.POLICY_NAME_BYTES), number);
  }
  return found;
}

/** Address of the record of a policy. */
export function policyAddress(engine: Engine, number: number): number {
  const policies = engine.data().getUint32(tableOf(engine) + C.CONNECTIONS_POLICIES, true);
  return policies + number * C.POLICY_SIZE;
}

/** The policy of a number. The caller holds the writers' lock. */
export function readPolicy(engine: Engine, name: string, number: number): TimeoutPolicy {
  const view = engine.data();
  const at = policyAddress(engine, number);
  const protocol = view.getUint8(at + C.POLICY_PROTOCOL);
  const milliseconds = (which: number) => view.getUint32(at + C.POLICY_TIMEOUTS + 4 * which, true);
  const timeouts = Object.entries(POLICY_TIMEOUTS[protocol] ?? {}).map(
    ([timeout, which]) => [timeout, milliseconds(which) / 1000] as const,
  );
  const family = view.getUint8(at + C.POLICY_FAMILY) === familyNumber("ipv4") ? "ipv4" : "ipv6";
  return { name, family, protocol, timeouts: Object.fromEntries(timeouts) };
}

function writePolicy(engine: Engine, { name, family, protocol, timeouts }: TimeoutPolicy, at: number): void {
  const sysctls = tableOf(engine) + C.CONNECTIONS_SYSCTLS;
  const bytes = engine.bytes();
  bytes.fill(0, at, at + C.POLICY_SIZE);
  bytes.set(new TextEncoder().encode(name), at + C.POLICY_NAME);
  bytes.copyWithin(at + C.POLICY_TIMEOUTS, sysctls, sysctls + 4 * C.SYSCTL_TIMEOUTS_COUNT);
  const view = engine.data();
  for (const [timeout, seconds] of Object.entries(timeouts)) {
    const which = POLICY_TIMEOUTS[protocol]?.[timeout] as number;
    view.setUint32(at + C.POLICY_TIMEOUTS + 4 * which, 1000 * seconds, true);
  }
  view.setUint8(at + C.POLICY_PROTOCOL, protocol);
  view.setUint8(at + C.POLICY_FAMILY, familyNumber(family));
}

function faultOf(policy: TimeoutPolicy, known: ReadonlyMap<string, number>): TimeoutPolicyError | undefined {
  const { name, protocol, timeouts } = policy;
  const fault = (code: TimeoutPolicyErrorCode, text: string) => new TimeoutPolicyError(code, text);
  const bytes = new TextEncoder().encode(name).length;
  if (bytes === 0 || bytes >= C.POLICY_NAME_BYTES)
    return fault("bad-name", `a name of 1 to ${C.POLICY_NAME_BYTES - 1} bytes, not ${JSON.stringify(name)}`);
  if (known.has(name)) return fault("policy-exists", `there is a policy ${name}`);
  const own = POLICY_TIMEOUTS[protocol];
  if (!own) return fault("unknown-protocol", `${name}: Linux follows no protocol ${protocol}; 255 is all others`);
  for (const [timeout, seconds] of Object.entries(timeouts)) {
    if (!Object.hasOwn(own, timeout))
      return fault("bad-timeout", `${name}: no timeout ${timeout}; there are ${Object.keys(own).join(", ")}`);
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > SECONDS_MOST)
      return fault(
        "bad-timeout",
        `${name}: ${timeout} must be whole seconds from 0 to ${SECONDS_MOST}, not ${seconds}`,
      );
  }
  return undefined;
}

/** A number that no policy has. */
function freeNumber(engine: Engine): number {
  if (tableOf(engine) === 0)
    throw new TimeoutPolicyError("no-connections", "timeouts are those of connections, and the engine tracks none");
  for (let number = 1; number < C.POLICIES_COUNT; number++)
    if (engine.data().getUint8(policyAddress(engine, number) + C.POLICY_FAMILY) === 0) return number;
  throw new TimeoutPolicyError("too-many-policies", `there are ${C.POLICIES_COUNT - 1} policies, as many as can be`);
}

function tableOf(engine: Engine): number {
  return engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true);
}
