/** A result as bench makes one, for tests of what is made of it: two sizes, full and incremental. */
import { BENCH_DEFAULTS } from "../../src/measure/bench-options.js";
import type { ContenderRecord } from "../../src/measure/contender-task.js";
import { contentionOfRounds, type ContentionRecord, writerResult } from "../../src/measure/contention.js";
import { LatencyHistogram } from "../../src/measure/histogram.js";
import type { MatchResult, ResultFile, ResultRecord } from "../../src/measure/result.js";
import { PHASES } from "../../src/update/phases.js";

export function sampleRecord(services: number, strategy: ResultRecord["strategy"], us: number): ResultRecord {
  const histogram = LatencyHistogram.of([us * 1000, us * 1000, us * 1000]);
  const phases = Object.fromEntries(PHASES.map((phase) => [phase, us / 9])) as ResultRecord["update"]["phases_us"];
  const match: MatchResult = {
    packets: 32_000,
    ns_per_packet_p50: 254.4,
    p99: 300,
    mpps: 3.9,
    worst_gap_us: 40,
    histogram: histogram.encode(),
  };
  return {
    workload: "kube-proxy",
    services,
    rules: 11 * services + 8,
    strategy,
    classifier: "tuple-space",
    target: "ruleswap",
    seed: 1,
    update: {
      ...histogram.summary(),
      failed: 0,
      unfinished: 0,
      rate: 200,
      service: histogram.summary(),
      wake: histogram.summary(),
      bytes_written_p50: 742,
      bytes_written_max: 742,
      records_touched_p50: 15,
      records_walked_p50: 20,
      phases_us: phases,
      phases_p99_us: phases,
      histogram: histogram.encode(),
    },
    timeToEffect: { ...histogram.summary(), superseded: 0, unseen: 0, histogram: histogram.encode() },
    match: {
      idle: match,
      updating: {
        ...match,
        timeline: {
          bin_ms: 1,
          packets: [3800, 3900, 3700, 4000],
          updates_ms: [
            [0.5, 1.2],
            [2, 2.1],
          ],
        },
      },
    },
    memory: { live_bytes: 745_472, peak_bytes: 800_000, live_bytes_per_rule: 68 },
    rounds: [],
  };
}

export function sampleContention(
  services: number,
  strategy: ContentionRecord["strategy"],
  us: number,
): ContentionRecord {
  const lengthNs = 3 * us * 1000;
  const record = (timeouts: number): ContenderRecord => ({
    changeNs: Float64Array.of(lengthNs / 3, lengthNs / 3, lengthNs / 3),
    unfinished: 0,
    waitNs: Float64Array.of(0, lengthNs / 6, lengthNs / 6),
    timeouts: Float64Array.of(0, timeouts, 0),
    failed: 0,
    lengthNs,
  });
  return contentionOfRounds(
    { services, rules: 18 * services, strategy, classifier: "tuple-space", target: "ruleswap", seed: 1 },
    [[writerResult("kube-proxy", record(0)), writerResult("portmap", record(2))]],
  );
}

export const SAMPLE: ResultFile = {
  schema: "ruleswap.result/1",
  environment: {
    commit: "0123456789abcdef",
    versions: { ruleswap: "0.1.0", node: "20.19.0", v8: "11.3" },
    cpu: "Imaginary 9000",
    cores: 2,
    memory_bytes: 2 ** 34,
    free_memory_bytes: 2 ** 33,
    measured_first: true,
    real_time: true,
    load_average: 0.1,
    os: "Linux 6.1",
    arch: "x64",
    started: "2026-01-02T03:04:05.000Z",
  },
  options: BENCH_DEFAULTS,
  contention: [],
  absent: [],
  partial: false,
  elapsed_s: 50,
  stolen_s: 0.1,
  results: [
    sampleRecord(1000, "full", 26_600),
    sampleRecord(1000, "incremental", 9.2),
    sampleRecord(5000, "full", 212_000),
    sampleRecord(5000, "incremental", 9.2),
  ],
  growth: [
    {
      workload: "kube-proxy",
      strategy: "full",
      classifier: "tuple-space",
      target: "ruleswap",
      metric: "update.p50_us",
      exponent: 1.0213,
      ci95: [0.95, 1.09],
      observations: 6,
    },
    {
      workload: "kube-proxy",
      strategy: "incremental",
      classifier: "tuple-space",
      target: "ruleswap",
      metric: "update.p50_us",
      exponent: -0.001,
      ci95: null,
      observations: 2,
    },
  ],
};
