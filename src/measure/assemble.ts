/** From what threads recorded, round by round, to the records of the result file. */
import { PHASES, type Phase } from "../update/phases.js";
import type { BenchOptions } from "./bench-options.js";
import type { Cell, CellRound } from "./cell.js";
import { LatencyHistogram } from "./histogram.js";
import type { PhaseRecord } from "./reader-task.js";
import type { KernelCell, KernelRound } from "./kernel-cell.js";
import type { MatchResult, ResultRecord, RoundResult, UpdateResult } from "./result.js";
import { PHASE_IDLE, PHASE_UPDATING } from "./signals.js";
import { timelineOf } from "./timeline.js";

export function assembleRecord(cell: Cell, rounds: readonly CellRound[], options: BenchOptions): ResultRecord {
  const { workload } = cell.subject;
  const effects = new LatencyHistogram();
  for (const round of rounds) effects.add(LatencyHistogram.of(round.effects.effectNs));
  const live = Math.max(...rounds.map(liveBytes));
  return {
    workload: workload.name,
    services: workload.services ?? null,
    rules: workload.rules,
    strategy: cell.strategy,
    classifier: cell.classifier,
    target: "ruleswap",
    seed: options.seed,
    update: updateResult(rounds),
    timeToEffect: {
      ...effects.summary(),
      superseded: sum(rounds.map((round) => round.effects.superseded)),
      unseen: sum(rounds.map((round) => round.effects.unseen)),
      histogram: effects.encode(),
    },
    match: {
      idle: matchResult(rounds, PHASE_IDLE),
      updating: {
        ...matchResult(rounds, PHASE_UPDATING),
        timeline: timelineOf(rounds[0] as CellRound, PHASE_UPDATING),
      },
    },
    memory: {
      live_bytes: live,
      peak_bytes: Math.max(...rounds.map(({ updater, poolBytes }) => updater.memory.peakBytes - poolBytes)),
      live_bytes_per_rule: live / workload.rules,
    },
    rounds: rounds.map(roundResult),
  };
}

/** Of the real kernel. */
export function assembleKernelRecord(
  cell: KernelCell,
  rounds: readonly KernelRound[],
  options: BenchOptions,
): ResultRecord {
  const { workload } = cell;
  const firstFailure = rounds.find((round) => round.firstFailure)?.firstFailure;
  const all = (column: (round: KernelRound) => Float64Array): LatencyHistogram =>
    LatencyHistogram.of(rounds.flatMap((round) => [...column(round)]));
  const latencies = all(({ latencyNs }) => latencyNs);
  return {
    workload: workload.name,
    services: workload.services ?? null,
    rules: workload.rules,
    strategy: cell.strategy,
    classifier: cell.form,
    target: cell.target,
    seed: options.seed,
    update: {
      ...latencies.summary(),
      failed: sum(rounds.map(({ failed }) => failed)),
      ...(firstFailure === undefined ? {} : { first_failure: firstFailure }),
      unfinished: sum(rounds.map(({ unfinished }) => unfinished)),
      rate: sum(rounds.map(({ plan }) => plan.rate)) / rounds.length,
      service: all(({ serviceNs }) => serviceNs).summary(),
      wake: all(({ wakeNs }) => wakeNs).summary(),
      process: all(({ nothingNs }) => nothingNs).summary(),
      bytes_written_p50: null,
      bytes_written_max: null,
      records_touched_p50: null,
      records_walked_p50: null,
      phases_us: null,
      phases_p99_us: null,
      histogram: latencies.encode(),
    },
    timeToEffect: null,
    match: null,
    memory: null,
    rounds: rounds.map(({ latencyNs, yardstickNs, processor = null }) => ({
      update_p50_us: quantile([...latencyNs], 0.5) / 1000,
      time_to_effect_p50_us: null,
      bytes_written_p50: null,
      idle_ns_per_packet_p50: null,
      updating_ns_per_packet_p50: null,
      live_bytes: null,
      yardstick_ns: quantile(yardstickNs, 0.5),
      processor,
    })),
  };
}

function updateResult(rounds: readonly CellRound[]): UpdateResult {
  const latencies = new LatencyHistogram();
  const services = new LatencyHistogram();
  const wakes = new LatencyHistogram();
  for (const { updater } of rounds) {
    latencies.add(LatencyHistogram.of(updater.latencyNs));
    services.add(LatencyHistogram.of(updater.serviceNs));
    wakes.add(LatencyHistogram.of(updater.wakeNs));
  }
  const column = (name: "bytesWritten" | "recordsTouched" | "recordsWalked"): number[] =>
    rounds.flatMap(({ updater }) => [...updater[name]]);
  const firstFailure = rounds.find(({ updater }) => updater.firstFailure)?.updater.firstFailure;
  return {
    ...latencies.summary(),
    failed: sum(rounds.map(({ updater }) => updater.failedChanges.length)),
    ...(firstFailure === undefined ? {} : { first_failure: firstFailure }),
    unfinished: sum(rounds.map(({ updater }) => updater.unfinished)),
    rate: sum(rounds.map(({ plan }) => plan.rate)) / rounds.length,
    service: services.summary(),
    wake: wakes.summary(),
    bytes_written_p50: quantile(column("bytesWritten"), 0.5),
    bytes_written_max: quantile(column("bytesWritten"), 1),
    records_touched_p50: quantile(column("recordsTouched"), 0.5),
    records_walked_p50: quantile(column("recordsWalked"), 0.5),
    phases_us: phaseQuantiles(rounds, 0.5),
    phases_p99_us: phaseQuantiles(rounds, 0.99),
    histogram: latencies.encode(),
  };
}

function phaseQuantiles(rounds: readonly CellRound[], share: number): Record<Phase, number> {
  const values = PHASES.map((phase, nth): [Phase, number] => {
    const column = rounds.flatMap(({ updater }) =>
      Array.from(updater.bytesWritten, (_, change) => updater.phasesUs[change * PHASES.length + nth] as number),
    );
    return [phase, quantile(column, share)];
  });
  return Object.fromEntries(values) as Record<Phase, number>;
}

function matchResult(rounds: readonly CellRound[], phase: number): MatchResult {
  const perPacket = new LatencyHistogram();
  let packets = 0;
  let perSecond = 0;
  let worstGapNs = 0;
  for (const { readers } of rounds)
    for (const { phases } of readers) {
      const record = phases[phase] as PhaseRecord;
      perPacket.add(LatencyHistogram.decode(record.packetPs));
      packets += record.packets;
      if (record.lengthNs > 0) perSecond += record.packets / (record.lengthNs / 1e9) / rounds.length;
      worstGapNs = Math.max(worstGapNs, record.worstGapNs);
    }
  return {
    packets,
    ns_per_packet_p50: perPacket.percentileNs(50) / 1000,
    p99: perPacket.percentileNs(99) / 1000,
    mpps: perSecond / 1e6,
    worst_gap_us: worstGapNs / 1000,
    histogram: perPacket.encode(),
  };
}

function roundResult(round: CellRound): RoundResult {
  const { updater } = round;
  return {
    update_p50_us: quantile([...updater.latencyNs], 0.5) / 1000,
    time_to_effect_p50_us: quantile([...round.effects.effectNs], 0.5) / 1000,
    bytes_written_p50: quantile([...updater.bytesWritten], 0.5),
    idle_ns_per_packet_p50: matchResult([round], PHASE_IDLE).ns_per_packet_p50,
    updating_ns_per_packet_p50: matchResult([round], PHASE_UPDATING).ns_per_packet_p50,
    live_bytes: liveBytes(round),
    yardstick_ns: quantile(updater.yardstickNs, 0.5),
    processor: round.processor ?? null,
  };
}

const liveBytes = ({ updater, poolBytes }: CellRound): number => updater.memory.liveBytes - poolBytes;

/** The least value that `share` of all do not exceed, 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  return sortedQuantile(
    values.toSorted((a, b) => a - b),
    share,
  );
}

export function sortedQuantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
