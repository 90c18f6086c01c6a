/**
 * One reader thread of the bench: matches the workload's traffic in batches, as fast as it can, until told to stop.
 * Between batches it looks whether changes have taken effect, so time to effect is exact to one batch.
 */
import { PACKET_SIZE } from "../blob/layout.js";
import { Engine, type EngineHandle } from "../engine/engine.js";
import { type PacketPool, Reader } from "../engine/reader.js";
import { goSecond } from "../linux/priority.js";
import type { Probe } from "../workload/workload.js";
import { nowNs } from "./clock.js";
import { EffectWatch, type SeenEffects } from "./effect-watch.js";
import { establish } from "./established.js";
import { type EncodedHistogram, LatencyHistogram } from "./histogram.js";
import { PHASE_COUNT, PHASE_NONE, Signals } from "./signals.js";

export interface ReaderTask {
  readonly engine: EngineHandle;
  readonly reader: number;
  /** Packet records, BATCH_PACKETS or more. */
  readonly traffic: Uint8Array;
  /** The probe of each change that will be made, where it has one. */
  readonly probes: readonly (Probe | undefined)[];
  readonly signals: SharedArrayBuffer;
  /** Whether the engine tracks connections: `traffic` then belongs to some that exist, and probes begin new ones. */
  readonly track: boolean;
  /** Milliseconds to match for nothing first, so that the code is compiled. Default 0. */
  readonly warmUpMs?: number;
}

export interface ReaderRecord {
  /** In the order of the phases' numbers. */
  readonly phases: readonly PhaseRecord[];
  readonly effects: SeenEffects;
}

/** What one reader did in one phase. */
export interface PhaseRecord {
  readonly packets: number;
  /** Nanoseconds from the first batch of the phase to the last. */
  readonly lengthNs: number;
  /** Nanoseconds a packet, one sample a batch; in thousandths, so that the histogram's whole numbers suffice. */
  readonly packetPs: EncodedHistogram;
  /** The longest time from the end of one batch to the end of the next. */
  readonly worstGapNs: number;
  /** When the first batch began. */
  readonly startNs: number;
  /** Packets of each millisecond since, the first BINS_COUNT of them. */
  readonly bins: Uint32Array;
}

/** Milliseconds of a phase that are kept one by one. */
export const BINS_COUNT = 8192;

/** Packets that are matched between two looks at the clock. */
export const BATCH_PACKETS = 32;

export default function runReader(task: ReaderTask): ReaderRecord {
  goSecond();
  const signals = new Signals(task.signals);
  const reader = new Reader(Engine.attach(task.engine), task.reader);
  const count = Math.floor(task.traffic.length / PACKET_SIZE / BATCH_PACKETS) * BATCH_PACKETS;
  const traffic = reader.allocate(count);
  traffic.set(0, task.traffic.subarray(0, count * PACKET_SIZE));
  const watch = new EffectWatch(task.probes, reader, signals, task.track);

  const recorders = Array.from({ length: PHASE_COUNT }, () => new Recorder());
  reader.online();
  if (task.track) establish(reader, traffic, task.traffic.subarray(0, count * PACKET_SIZE));
  if (task.warmUpMs) warmUp(reader, traffic, count, task.warmUpMs, signals);
  signals.reportReady();
  const matching = new Matching(reader, traffic, count, recorders, watch, signals);
  while (!signals.stopped) matching.some();
  const effects = watch.finish();
  reader.offline();
  return { phases: recorders.map((one) => one.record()), effects };
}

/**
 * Batches to one call: a task has but one loop, which the compiler would begin anew in each, and have its threads run on the cores of
 * those who are measured; what is called often is compiled once, while nothing is measured.
 */
const BATCHES_TO_A_CALL = 64;

/** The reader's rounds through its traffic. */
class Matching {
  private first = 0;
  private recorder: Recorder | undefined;

  constructor(
    private readonly reader: Reader,
    private readonly traffic: PacketPool,
    private readonly count: number,
    private readonly recorders: readonly Recorder[],
    private readonly watch: EffectWatch,
    private readonly signals: Signals,
  ) {}

  some(): void {
    for (let batch = 0; batch < BATCHES_TO_A_CALL && !this.signals.stopped; batch++) {
      const phase = this.signals.phase;
      const current = phase === PHASE_NONE ? undefined : this.recorders[phase];
      if (current !== this.recorder) {
        this.recorder = current;
        current?.begin();
      }
      matchBatch(this.reader, this.traffic, this.first, current);
      this.watch.look();
      this.first = (this.first + BATCH_PACKETS) % this.count;
    }
  }
}

/** Has the code compiled before anything is measured: compilers' threads would run on the cores of those who are. */
function warmUp(reader: Reader, traffic: PacketPool, count: number, milliseconds: number, signals: Signals): void {
  const recorder = new Recorder();
  recorder.begin();
  const end = nowNs() + milliseconds * 1e6;
  for (let first = 0; nowNs() < end && !signals.stopped; first = (first + BATCH_PACKETS) % count)
    matchBatch(reader, traffic, first, recorder);
  recorder.record();
}

function matchBatch(reader: Reader, traffic: PacketPool, first: number, recorder: Recorder | undefined): void {
  const begun = nowNs();
  reader.match(traffic, first, BATCH_PACKETS);
  recorder?.batch(begun, nowNs());
}

class Recorder {
  private readonly histogram = new LatencyHistogram();
  private start = 0;
  private last = 0;
  private length = 0;
  private worstGap = 0;
  private readonly bins = new Uint32Array(BINS_COUNT);

  begin(): void {
    this.start = this.last = nowNs();
  }

  batch(begun: number, ended: number): void {
    this.histogram.record(((ended - begun) * 1000) / BATCH_PACKETS);
    const gap = ended - this.last;
    if (gap > this.worstGap) this.worstGap = gap;
    this.last = ended;
    this.length = ended - this.start;
    const bin = Math.trunc(this.length / 1e6);
    if (bin < BINS_COUNT) this.bins[bin] = (this.bins[bin] as number) + BATCH_PACKETS;
  }

  record(): PhaseRecord {
    return {
      packets: this.histogram.count * BATCH_PACKETS,
      lengthNs: this.length,
      packetPs: this.histogram.encode(),
      worstGapNs: this.worstGap,
      startNs: this.start,
      bins: this.bins.slice(0, Math.min(BINS_COUNT, Math.trunc(this.length / 1e6))),
    };
  }
}
