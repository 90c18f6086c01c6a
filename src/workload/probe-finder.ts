/**
 * Finds out by trying whether a change shows in a packet's end: an engine of its own holds the ruleset, takes the change
 * and gives it back. Only ends that stay the same from packet to packet count, so nothing that hangs on chance or rate.
 */
import {
  PACKET_SIZE,
  RESULT_DESTINATION_PORT,
  RESULT_FLAG_DNAT,
  RESULT_FLAGS,
  RESULT_VERDICT,
} from "../blob/layout.js";
import type { AccountingObject } from "../engine/accounting.js";
import { Engine } from "../engine/engine.js";
import { type PacketPool, Reader } from "../engine/reader.js";
import type { TimeoutPolicy } from "../engine/timeout-policies.js";
import { FreshConnections } from "../netfilter/fresh-connections.js";
import { decodeResult, verdictName } from "../netfilter/result.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { Updater } from "../update/updater.js";
import type { Outcome, Probe } from "./workload.js";

/** How often a packet must end the same way. */
const TRIES = 4;
/** Where they are tracked, at a time. */
const CONNECTIONS = 4096;

/** What the engine has to know beside the ruleset. */
export interface ProbeMachine {
  readonly localAddresses: readonly string[];
  /** Text for `ipset restore`. */
  readonly sets: string;
  readonly accounting: readonly AccountingObject[];
  readonly timeoutPolicies: readonly TimeoutPolicy[];
  readonly track: boolean;
}

export class ProbeFinder {
  private readonly reader: Reader;
  private readonly pool: PacketPool;
  private readonly updater: Updater;
  private readonly track: boolean;
  private readonly fresh = new FreshConnections();

  constructor(
    private readonly ruleset: Ruleset,
    { localAddresses, sets, accounting, timeoutPolicies, track }: ProbeMachine,
  ) {
    this.track = track;
    const engine = Engine.create({
      classifier: "linear",
      localAddresses,
      accounting,
      timeoutPolicies,
      ...(track ? { connections: CONNECTIONS } : {}),
    });
    this.updater = new Updater(engine, { strategy: "incremental", family: ruleset.family });
    this.updater.updateSets({ sets });
    this.updater.load(ruleset);
    this.reader = new Reader(engine, 0);
    this.pool = this.reader.allocate(TRIES);
  }

  /** A packet among `packets` that ends otherwise once `batch` is in force. `undo` must lead back. */
  find(packets: readonly Uint8Array[], batch: string, undo: string): Probe | undefined {
    const before = packets.map((packet) => this.outcome(packet));
    if (before.every((outcome) => outcome === undefined)) return undefined;
    this.updater.update({ batch });
    try {
      for (const [nth, packet] of packets.entries()) {
        const was = before[nth];
        const is = was && this.outcome(packet);
        if (is && !isSame(was, is)) return { packet, before: was, after: is };
      }
      return undefined;
    } finally {
      this.updater.update({ batch: undo });
    }
  }

  /** Undefined where it changes from packet to packet; without destinations where only these do. */
  private outcome(packet: Uint8Array): Outcome | undefined {
    if (packet.length !== PACKET_SIZE) throw new RangeError(`a packet of ${packet.length} bytes`);
    const sent = packet.slice();
    for (let nth = 0; nth < TRIES; nth++) {
      if (this.track) this.fresh.renew(sent);
      this.pool.set(nth, sent);
    }
    this.reader.match(this.pool, 0, TRIES);
    let steady = this.read(this.pool.result(0));
    for (let nth = 1; nth < TRIES; nth++) {
      const outcome = this.read(this.pool.result(nth));
      if (outcome.verdict !== steady.verdict || outcome.dnat !== steady.dnat) return undefined;
      if (!isSame(outcome, steady)) steady = { verdict: outcome.verdict, dnat: outcome.dnat };
    }
    return steady;
  }

  private read(result: DataView): Outcome {
    const verdict = verdictName(result.getUint8(RESULT_VERDICT));
    if (!(result.getUint8(RESULT_FLAGS) & RESULT_FLAG_DNAT)) return { verdict, dnat: false };
    const { destination } = decodeResult(result, this.ruleset.family);
    const address = this.ruleset.family === "ipv4" ? destination : `[${destination}]`;
    return { verdict, dnat: true, destinations: [`${address}:${result.getUint16(RESULT_DESTINATION_PORT, true)}`] };
  }
}

/** Whether they tell nothing apart. */
function isSame(a: Outcome, b: Outcome): boolean {
  if (a.verdict !== b.verdict || a.dnat !== b.dnat) return false;
  return !a.destinations || !b.destinations || a.destinations[0] === b.destinations[0];
}
