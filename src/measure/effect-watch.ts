/**
 * When changes take effect, as one reader sees it: between two batches it sends the probe of the oldest change whose effect it
 * has not seen, in the order in which changes are made.
 *
 * A probe walks what its change is about, and who writes there meanwhile waits for the reader's cache. So one is sent only where
 * there may be something to see: its change has been made, or the last batch met a generation that none before it met.
 *
 * Who makes the changes waits for no reader, so a reader that stood still may find the rules of a later change in force, which
 * may have undone the effect it looks for. Such a change counts as superseded, with the moment at which the reader found out:
 * the first packet that was matched with this change made.
 */
import type { PacketPool, Reader } from "../engine/reader.js";
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
  private readonly pool: PacketPool;
  private readonly results: readonly DataView[];
  private readonly shows: readonly (((result: DataView) => boolean) | undefined)[];
  private readonly fresh: FreshConnections | undefined;
  /** Changes that nothing is looked for any more. */
  private settled = 0;
  /** What the last look knew. */
  private generation: number;
  private made = 0;

  constructor(
    private readonly probes: readonly (Probe | undefined)[],
    private readonly reader: Reader,
    private readonly signals: Signals,
    track: boolean,
  ) {
    this.fresh = track ? new FreshConnections() : undefined;
    this.generation = reader.generation();
    this.seen = { momentNs: new Float64Array(probes.length), superseded: new Uint8Array(probes.length) };
    this.pool = reader.allocate(Math.max(1, probes.length));
    this.results = probes.map((_, index) => this.pool.result(index));
    this.shows = probes.map((probe, index) => {
      if (probe === undefined) return undefined;
      this.pool.set(index, probe.packet);
      return effectOf(probe);
    });
  }

  look(): void {
    // Before the probes: what is made by now, they are matched with.
    const { made } = this.signals;
    const generation = this.reader.generation();
    const moved = generation !== this.generation;
    if (!moved && made === this.made) return;
    this.generation = generation;
    this.made = made;
    if (this.settled < made) this.settle(made);
    else if (moved) this.settle(made + 1);
  }

  /** Looks for the effects of the changes before `end`. */
  private settle(end: number): void {
    for (; this.settled < Math.min(end, this.probes.length); this.settled++) {
      const index = this.settled;
      const shows = this.shows[index];
      if (shows === undefined) {
        if (index >= this.made) return;
        continue;
      }
      const shown = shows(this.probe(index));
      if (!shown && index + 1 >= this.made) return;
      this.seen.momentNs[index] = nowNs();
      this.seen.superseded[index] = shown ? 0 : 1;
    }
  }

  /** What comes of the probe of a change now. */
  private probe(index: number): DataView {
    const { packet } = this.probes[index] as Probe;
    if (this.fresh) {
      this.fresh.renew(packet);
      this.pool.set(index, packet);
    }
    this.reader.match(this.pool, index, 1);
    return this.results[index] as DataView;
  }

  /** What was seen, once no more changes are made and the effects of the last have been looked for. */
  finish(): SeenEffects {
    const patient = nowNs() + PATIENCE_NS;
    this.made = this.signals.made;
    while (this.settled < this.made && nowNs() < patient) this.settle(this.made);
    return this.seen;
  }
}
