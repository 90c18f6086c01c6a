/** What is said of an error. Apart from the errors that commands throw themselves: this one knows those of every stage. */
import { ClassBenchError } from "../workload/class-bench.js";
import { WorkerFailure } from "../measure/threads.js";
import { LinuxError } from "../linux/linux-error.js";
import { CaptureError } from "../netfilter/capture.js";
import { PacketError } from "../netfilter/packet-error.js";
import { RoutingTextError } from "../netfilter/routing/ip-text.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import { AccountingError } from "../engine/accounting.js";
import { FingerprintError } from "../engine/fingerprints.js";
import { TimeoutPolicyError } from "../engine/timeout-policies.js";
import { EngineError } from "../engine/engine-error.js";
import { CliError, systemText } from "./fault.js";

/** Errors whose message is for the user: each says what is wrong and where. */
const EXPECTED = [
  CliError,
  RulesetError,
  PacketError,
  CaptureError,
  RoutingTextError,
  EngineError,
  AccountingError,
  FingerprintError,
  TimeoutPolicyError,
  LinuxError,
  ClassBenchError,
  WorkerFailure,
  RangeError,
];

/** The line for standard error; a program fault keeps its stack, since someone has to mend it. */
export function faultText(error: unknown): string {
  // A fault in a file begins with the file's name and place, as compilers have it.
  return error instanceof RulesetError ? error.message : `ruleswap: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  const said = systemText(error);
  if (said !== undefined) return `${(error as NodeJS.ErrnoException).path ?? "input"}: ${said}`;
  return error.stack ?? error.message;
}
