/**
 * When changes take effect, as one reader sees it: between two batches it sends the probe of the oldest change whose effect it
 * has not seen, in the order in which changes are made.
 *
 * Who makes the changes waits for no reader, so a reader that stood still may find the rules of a later change in force, which
 * may have undone the effect it looks for. Such a change counts as superseded, with the moment at which the reader found out:
 * the first packet that was matched with this change made.
 */
import type { Reader } from "../engine/reader.js";
import { FreshConnections } from "../netfilter/fresh-connections.js";
import { effectOf, type Probe } from "../workload/workload.js";
import { nowNs } from "./clock.js";
import type { Signals } from "./signals.js";

/** What one reader saw, an element a change. */
export interface SeenEffects {
  /** Nanoseconds by the clock of all threads; 0 where the change has no probe or its effect was not seen. */
  readonly momentNs: Float64Array;
  /** 1 where a later change was in force by then. */
  readonly superseded: Uint8Array;
}

/** How long after the last change a reader goes on looking for effects. */
const PATIENCE_NS = 1e9;

export class EffectWatch {
  private readonly seen: SeenEffects;
  private readonly effects: ((() => boolean) | undefined)[];
  /** Changes that nothing is looked for any more. */
  private settled = 0;

  constructor(
    probes: readonly (Probe | undefined)[],
    reader: Reader,
    private readonly signals: Signals,
    track: boolean,
  ) {
    const fresh = track ? new FreshConnections() : undefined;
    this.seen = { momentNs: new Float64Array(probes.length), superseded: new Uint8Array(probes.length) };
    const pool = reader.allocate(Math.max(1, probes.length));
    this.effects = probes.map((probe, index) => {
      if (probe === undefined) return undefined;
      const { packet } = probe;
      pool.set(index, packet);
      const shows = effectOf(probe);
      const result = pool.result(index);
      return () => {
        if (fresh) {
          fresh.renew(packet);
          pool.set(index, packet);
        }
        reader.match(pool, index, 1);
        return shows(result);
      };
    });
  }

  look(): void {
    // Before the probes: what is made by now, they are matched with.
    const { made, begun } = this.signals;
    for (; this.settled < begun; this.settled++) {
      const index = this.settled;
      const effect = this.effects[index];
      if (effect === undefined) {
        if (index >= made) return;
        continue;
      }
      const shown = effect();
      if (!shown && index + 1 >= made) return;
      this.seen.momentNs[index] = nowNs();
      this.seen.superseded[index] = shown ? 0 : 1;
    }
  }

  /** What was seen, once no more changes are made and the effects of the last have been looked for. */
  finish(): SeenEffects {
    const patient = nowNs() + PATIENCE_NS;
    while (this.settled < this.signals.begun && nowNs() < patient) this.look();
    return this.seen;
  }
}
