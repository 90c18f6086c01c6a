/** The result file, schema ruleswap.result/1: what every measuring command writes and every report reads. */
import type { Classifier } from "../engine/engine.js";
import type { KernelTargetName } from "../linux/kernel-targets.js";
import type { NftForm } from "../linux/nft-script.js";
import type { Phase } from "../update/phases.js";
import type { Strategy } from "../update/updater.js";
import type { BenchOptions } from "./bench-options.js";
import type { ContentionRecord } from "./contention.js";
import type { Environment } from "./environment.js";
import type { EncodedHistogram, LatencySummary } from "./histogram.js";

export const RESULT_SCHEMA = "ruleswap.result/1";

export interface ResultFile {
  readonly schema: typeof RESULT_SCHEMA;
  readonly environment: Environment;
  readonly options: BenchOptions;
  /** True when the run was stopped before all was measured. */
  readonly partial: boolean;
  /** Seconds. */
  readonly elapsed_s: number;
  /** Seconds that the machine's host kept from its processors meanwhile, all together; null where nobody says. */
  readonly stolen_s: number | null;
  readonly results: readonly ResultRecord[];
  readonly growth: readonly GrowthRecord[];
  /** Several writers of one ruleset; none where the bench had one. */
  readonly contention: readonly ContentionRecord[];
  /** What was asked for and could not be measured here. */
  readonly absent: readonly Absence[];
}

export interface Absence {
  /** Whose rules were to be changed. */
  readonly target: Target;
  /** Services, or what else the workload counts; null where it concerns every size. */
  readonly services: number | null;
  readonly reason: string;
}

/** Whose rules are changed: the engine's, or the real kernel's by one of its programs. */
export type Target = "ruleswap" | KernelTargetName;

/** How packets find their rule; `verdict-map` of nft alone. */
export type Lookup = Classifier | NftForm;

/** Of the real kernel only updates are measured, from outside: what is null there was not measured. */
export interface ResultRecord {
  readonly workload: string;
  /** Services, or what else the workload counts; null where it is a file. */
  readonly services: number | null;
  readonly rules: number;
  readonly strategy: Strategy;
  readonly classifier: Lookup;
  readonly target: Target;
  readonly seed: number;
  readonly update: UpdateResult;
  readonly timeToEffect:
    | (LatencySummary & {
        /** Changes of which no reader saw the effect before a later one was in force; they count as seen then. */
        readonly superseded: number;
        /** Changes in force that no reader's probe showed in time. */
        readonly unseen: number;
        readonly histogram: EncodedHistogram;
      })
    | null;
  readonly match: { readonly idle: MatchResult; readonly updating: MatchResult } | null;
  readonly memory: {
    /** Of shared memory without the bench's own packets, once all changes are made. */
    readonly live_bytes: number;
    /** The most during an update. */
    readonly peak_bytes: number;
    readonly live_bytes_per_rule: number;
  } | null;
  /** The same of each round alone, in the order of measuring: what spread there is between them. */
  readonly rounds: readonly RoundResult[];
}

/** From the intended arrival, in microseconds. */
export interface UpdateResult extends LatencySummary {
  readonly failed: number;
  /** What the first that failed said. */
  readonly first_failure?: string;
  /** Changes that had arrived but were not done at the end; they are in the percentiles with their age, a lower bound. */
  readonly unfinished: number;
  /** Changes a second that arrived. */
  readonly rate: number;
  /** From the moment work began: without waiting behind earlier changes. */
  readonly service: LatencySummary;
  /** How late the idle thread woke up for an arrival: in the percentiles above, though no update took it. */
  readonly wake: LatencySummary;
  /** Of the real kernel only: a process of the same program that changes nothing, one beside each change. */
  readonly process?: LatencySummary;
  readonly bytes_written_p50: number | null;
  readonly bytes_written_max: number | null;
  readonly records_touched_p50: number | null;
  readonly records_walked_p50: number | null;
  readonly phases_us: Readonly<Record<Phase, number>> | null;
  readonly phases_p99_us: Readonly<Record<Phase, number>> | null;
  readonly histogram: EncodedHistogram;
}

export interface MatchResult {
  readonly packets: number;
  readonly ns_per_packet_p50: number;
  /** Nanoseconds a packet, of batches of 32. */
  readonly p99: number;
  /** Million packets a second, all readers together. */
  readonly mpps: number;
  /** The longest time in which some reader finished no batch. */
  readonly worst_gap_us: number;
  /** Of the first reader in the first round, while updates are made. */
  readonly timeline?: MatchTimeline;
  /** Of picoseconds a packet. */
  readonly histogram: EncodedHistogram;
}

export interface MatchTimeline {
  readonly bin_ms: number;
  /** Packets matched in each bin, from the first batch beside updates on. */
  readonly packets: readonly number[];
  /** When each update began and ended, in milliseconds from the first bin's start. */
  readonly updates_ms: readonly (readonly [number, number])[];
}

export interface RoundResult {
  readonly update_p50_us: number;
  readonly time_to_effect_p50_us: number | null;
  readonly bytes_written_p50: number | null;
  readonly idle_ns_per_packet_p50: number | null;
  readonly updating_ns_per_packet_p50: number | null;
  readonly live_bytes: number | null;
  /** What a fixed piece of work took beside it: how fast the machine was. */
  readonly yardstick_ns: number;
  /** The number of the processor that who made changes was kept on at real-time priority (see linux/real-time.ts); null for any. */
  readonly processor: number | null;
}

export interface GrowthRecord {
  readonly workload: string;
  readonly strategy: Strategy;
  readonly classifier: Lookup;
  readonly target: Target;
  /** Path of the number in a result record. */
  readonly metric: GrowthMetric;
  readonly exponent: number;
  /** Null where there are too few observations. */
  readonly ci95: readonly [number, number] | null;
  readonly observations: number;
}

/** What growth is fitted for, by its path in a record, and where each round keeps it. */
export const GROWTH_METRICS = {
  "update.p50_us": "update_p50_us",
  "update.bytes_written_p50": "bytes_written_p50",
  "timeToEffect.p50_us": "time_to_effect_p50_us",
  "match.idle.ns_per_packet_p50": "idle_ns_per_packet_p50",
  "match.updating.ns_per_packet_p50": "updating_ns_per_packet_p50",
  "memory.live_bytes": "live_bytes",
} as const satisfies Record<string, keyof RoundResult>;
export type GrowthMetric = keyof typeof GROWTH_METRICS;
