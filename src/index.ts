/** What `import ... from "ruleswap"` gives. */
export { compile, type CompileOptions } from "./blob/compile.js";
export {
  AccountingError,
  type AccountingErrorCode,
  type AccountingObject,
  addAccounting,
  deleteAccounting,
  listAccounting,
  type NewAccountingObject,
  printAccounting,
  readAccounting,
} from "./engine/accounting.js";
export {
  addTimeoutPolicies,
  listTimeoutPolicies,
  type TimeoutPolicy,
  TimeoutPolicyError,
  type TimeoutPolicyErrorCode,
} from "./engine/timeout-policies.js";
export { printTimeoutPolicies, readTimeoutPolicies } from "./engine/timeout-policy-text.js";
export { deleteTimeoutPolicy } from "./update/delete-timeout-policy.js";
export {
  CLASSIFIERS,
  type Classifier,
  Engine,
  ENGINE_DEFAULTS,
  type EngineHandle,
  type EngineOptions,
} from "./engine/engine.js";
export { EngineError, FAULT_NAMES, type FaultName } from "./engine/engine-error.js";
export { FingerprintError } from "./engine/fingerprints.js";
export { type IdleTimer, listIdleTimers } from "./engine/idle-timers.js";
export { type EventKind, EventQueue, type PacketEvent } from "./engine/events.js";
export { type HookEntry, PRIORITIES } from "./engine/hook-registry.js";
export type { Interface, InterfaceAddress, NextHop, Route, Routing, RoutingRule } from "./engine/routing.js";
export { PacketPool, Reader, type TraceStep } from "./engine/reader.js";
export { kernelAbsence } from "./linux/absence.js";
export type { KernelChange, KernelSession, KernelTarget } from "./linux/kernel-target.js";
export { KERNEL_TARGETS, type KernelTargetName } from "./linux/kernel-targets.js";
export { LinuxError, type LinuxErrorCode } from "./linux/linux-error.js";
export { Namespace } from "./linux/namespace.js";
export type { Command, Outcome as CommandOutcome } from "./linux/resident-protocol.js";
export { type BenchHooks, type BenchProgress, runBench } from "./measure/bench.js";
export { BENCH_DEFAULTS, type BenchOptions, checkBenchOptions } from "./measure/bench-options.js";
export { WorkerFailure } from "./measure/threads.js";
export type { Environment } from "./measure/environment.js";
export { fitGrowth, type GrowthFit, type Observation } from "./measure/growth.js";
export { type EncodedHistogram, LatencyHistogram, type LatencySummary } from "./measure/histogram.js";
export {
  ARRIVALS,
  type Arrivals,
  type OpenLoopOptions,
  type OpenLoopResult,
  type OpenLoopWork,
  runOpenLoop,
  type ScheduleOptions,
  scheduleNs,
} from "./measure/open-loop.js";
export {
  type GrowthMetric,
  type GrowthRecord,
  type MatchResult,
  RESULT_SCHEMA,
  type ResultFile,
  type ResultRecord,
  type RoundResult,
  type UpdateResult,
} from "./measure/result.js";
export {
  type Connection,
  type Expectation,
  expectConnection,
  flushConnections,
  forgetMasqueraded,
  listConnections,
  type Tuple,
} from "./netfilter/connections.js";
export { printConnection } from "./netfilter/print-connection.js";
export { SYSCTLS, type SysctlName } from "./engine/sysctls.js";
export { decodePacket, encodePacket, type Packet, PACKET_DEFAULTS } from "./netfilter/packet.js";
export { encodeKnown, type IpvsMethod, type Known, type SocketTrait } from "./netfilter/packet-known.js";
export { type Capture, CaptureError, readCapture } from "./netfilter/capture.js";
export { type Journey, journeyOf } from "./netfilter/journey.js";
export { PacketError, type PacketErrorCode } from "./netfilter/packet-error.js";
export { parsePacket } from "./netfilter/packet-grammar.js";
export { printPacket } from "./netfilter/packet-print.js";
export { decodeResult, type PacketResult, type Routed, type Verdict } from "./netfilter/result.js";
export { readAddresses } from "./netfilter/routing/ip-address.js";
export { readRoutes } from "./netfilter/routing/ip-route.js";
export { readRules } from "./netfilter/routing/ip-rule.js";
export { RoutingTextError } from "./netfilter/routing/ip-text.js";
export { renderHtml, writeReport } from "./report/html.js";
export { renderText, type TextOptions } from "./report/table.js";
export { applySetText, type IpSets, parseSets } from "./ruleset/ipset/apply-sets.js";
export type { ElementPart, IpSet, SetCommand, SetEntry, SetHeader } from "./ruleset/ipset/ip-set.js";
export { printSet, printSets } from "./ruleset/ipset/print-sets.js";
export { applyBatch } from "./ruleset/apply.js";
export type { Batch, ChainScope, Edit, TableBatch } from "./ruleset/batch.js";
export { CommandError, type CommandResult, runCommand } from "./ruleset/command-line.js";
export { parseBatch, type ParseBatchOptions, type ParseOptions, parseRuleset } from "./ruleset/parse.js";
export { printRule, printRuleset, printRulesetBytes, printTable, type PrintOptions } from "./ruleset/print.js";
export type { Family, RowStore } from "./ruleset/row-store.js";
export {
  BUILTIN_CHAINS,
  type Chain,
  HOOK_NAMES,
  type HookName,
  type Policy,
  Ruleset,
  Table,
  TABLE_NAMES,
  type TableName,
} from "./ruleset/ruleset.js";
export { ERROR_CODES, type ErrorCode, RulesetError, type RulesetErrorDetails } from "./ruleset/ruleset-error.js";
export type { Finding, FindingKind, RulePlace } from "./ruleset/check/finding.js";
export { type Findings, findings } from "./ruleset/check/findings.js";
export { hooksOf, registeredTable, registerTable, type RegisterTableOptions, setHooks } from "./update/hooks.js";
export { PHASES, type Phase, type UpdateCosts, type UpdateReport } from "./update/phases.js";
export { QUIESCE, type Quiesce } from "./update/quiesce.js";
export { LockTimeout } from "./update/transaction.js";
export {
  STRATEGIES,
  type Strategy,
  type SetUpdateRequest,
  Updater,
  type UpdaterOptions,
  type UpdateRequest,
} from "./update/updater.js";
export { filterLines, type FilterRule, parseClassBench } from "./workload/class-bench.js";
export { FilterSource } from "./workload/filter-source.js";
export { type Spread, SPREADS } from "./workload/spread.js";
export type { Change, Outcome, Probe, Workload } from "./workload/workload.js";
export {
  fileWorkload,
  isWorkloadName,
  type WorkloadKind,
  type WorkloadName,
  type WorkloadRequest,
  workloads,
} from "./workload/workloads.js";
export { effectOf, isOutcome } from "./workload/workload.js";
export { PACKET_SIZE, RESULT_SIZE } from "./blob/layout.js";
export { verify, type VerifyResult } from "./verify/verify.js";
export { VERIFY_DEFAULTS, type VerifyOptions } from "./verify/verify-options.js";
