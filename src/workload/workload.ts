/**
 * A workload: a ruleset, an endless churn of changes to it, and traffic, all from a seed. The bench knows nothing else
 * about what it measures, and every generator in this folder makes one of these.
 *
 * The churn goes there and back: changes 0, p, 2p, ... each start from `ruleset()` and differ, p being the period; most
 * often it is 2, change 1 undoes change 0, and so on. So the size never drifts, and any number of changes can be measured.
 */
import {
  RESULT_DESTINATION,
  RESULT_DESTINATION_PORT,
  RESULT_FLAG_DNAT,
  RESULT_FLAGS,
  RESULT_VERDICT,
} from "../blob/layout.js";
import type { AccountingObject } from "../engine/accounting.js";
import type { TimeoutPolicy } from "../engine/timeout-policies.js";
import type { Routing } from "../engine/routing.js";
import { addressFamily, writeAddress } from "../netfilter/address.js";
import { type Verdict, verdictNumber } from "../netfilter/result.js";
import type { Family } from "../ruleset/row-store.js";
import type { Spread } from "./spread.js";

export interface Workload {
  /** The name in `workloads`, or the path of the file it came from. */
  readonly name: string;
  readonly family: Family;
  /** Services, containers, published ports: what the options count. Absent for files. */
  readonly services?: number;
  /** Lines `-A` of `ruleset()`: policies are not counted. */
  readonly rules: number;
  /** Changes after which the ruleset is again what it was before the first of them: 2 or more. */
  readonly period: number;
  /** "ADDRESS INTERFACE" of the machine: packets to them go to INPUT, they are LOCAL to addrtype, MASQUERADE takes them. */
  readonly localAddresses: readonly string[];
  /** The machine's interfaces, addresses and routes, where they are known; beside `localAddresses`. */
  readonly routing?: Routing;
  /** What `ipset restore` must read before the ruleset loads. */
  readonly sets?: string;
  /** Objects of nfacct that the ruleset's rules count in. */
  readonly accounting?: readonly AccountingObject[];
  /** Policies of timeouts that its rules name. */
  readonly timeoutPolicies?: readonly TimeoutPolicy[];
  /** What `iptables-save` prints once it is loaded into a new namespace, without lines of comment. */
  ruleset(): string;
  /** Endless. Each call starts anew from `ruleset()`; the same seed gives the same changes. Default seed: the workload's. */
  changes(seed?: number): IterableIterator<Change>;
  /**
   * `count` records of PACKET_SIZE bytes, one after another: what a reader's pool takes. They are first packets (NEW),
   * except where a file's rules ask for others. Default spread: uniform.
   */
  traffic(count: number, seed?: number, spread?: Spread): Uint8Array;
}

/** One update of the state that the change before it left. */
export interface Change {
  /** What happens, in a few words: "add service shop-3/cart-101:http". */
  readonly label: string;
  /** The least edits: text for `iptables-restore --noflush` of every table concerned. */
  readonly batch: string;
  /** What `ipset restore` must read first, where sets change as well. */
  readonly sets?: string;
  /** Rules in force once it is done. */
  readonly rules: number;
  /** The same change as the program itself states it: chains that may differ declared, hence flushed, and written whole. */
  restated(): string;
  /** The whole ruleset once it is done, as `Workload.ruleset` prints it. May be called at any time, also later. */
  whole(): string;
  /** Tells from outside whether it is done. Absent where no packet's end depends on the change. */
  readonly probe?: Probe;
}

/** A packet that ends otherwise after the change than before it. Plain data: may be sent to another thread. */
export interface Probe {
  /** Record of PACKET_SIZE bytes. */
  readonly packet: Uint8Array;
  readonly before: Outcome;
  readonly after: Outcome;
}

export interface Outcome {
  readonly verdict: Verdict;
  /** Whether the destination is rewritten. */
  readonly dnat: boolean;
  /** The ends "10.0.0.1:80" or "[fd00::1]:80" that chance chooses from, where `dnat` is true. */
  readonly destinations?: readonly string[];
}

/**
 * A test of RESULT_SIZE bytes: did the probe's packet end as it can only after the change? Allocates nothing when
 * called. Where both outcomes rewrite to some of the same ends, a packet sent to one of these says nothing, so false.
 */
export function effectOf(probe: Probe): (result: DataView) => boolean {
  const { before, after } = probe;
  const verdict = verdictNumber(after.verdict);
  const flag = after.dnat ? RESULT_FLAG_DNAT : 0;
  if (before.verdict !== after.verdict || before.dnat !== after.dnat)
    return (result) =>
      result.getUint8(RESULT_VERDICT) === verdict && (result.getUint8(RESULT_FLAGS) & RESULT_FLAG_DNAT) === flag;
  const fresh = (after.destinations ?? []).filter((end) => !before.destinations?.includes(end)).map(endWords);
  return (result) => {
    if (result.getUint8(RESULT_VERDICT) !== verdict) return false;
    for (const end of fresh) if (isSentTo(result, end)) return true;
    return false;
  };
}

/** Whether a result is one that `outcome` allows, all its destinations considered. */
export function isOutcome(result: DataView, outcome: Outcome): boolean {
  if (result.getUint8(RESULT_VERDICT) !== verdictNumber(outcome.verdict)) return false;
  if (((result.getUint8(RESULT_FLAGS) & RESULT_FLAG_DNAT) !== 0) !== outcome.dnat) return false;
  return outcome.destinations === undefined || outcome.destinations.some((end) => isSentTo(result, endWords(end)));
}

/** Four words of address and the port. */
function endWords(end: string): readonly number[] {
  const colon = end.lastIndexOf(":");
  const address = end.slice(0, colon).replace(/^\[|\]$/g, "");
  const bytes = new Uint8Array(16);
  writeAddress(bytes, 0, address, addressFamily(address) ?? "ipv4");
  const view = new DataView(bytes.buffer);
  return [0, 4, 8, 12].map((at) => view.getUint32(at, true)).concat(Number(end.slice(colon + 1)));
}

function isSentTo(result: DataView, end: readonly number[]): boolean {
  for (let word = 0; word < 4; word++)
    if (result.getUint32(RESULT_DESTINATION + 4 * word, true) !== end[word]) return false;
  return result.getUint16(RESULT_DESTINATION_PORT, true) === end[4];
}
