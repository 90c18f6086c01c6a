/** How the program ends: 0 fine, 1 a finding, 2 bad use or bad input with one message and no stack. */
import { ClassBenchError } from "../workload/class-bench.js";
import { WorkerFailure } from "../measure/crew.js";
import { LinuxError } from "../linux/linux-error.js";
import { CaptureError } from "../netfilter/capture.js";
import { PacketError } from "../netfilter/packet-error.js";
import { RoutingTextError } from "../netfilter/routing/ip-text.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import { AccountingError } from "../engine/accounting.js";
import { FingerprintError } from "../engine/fingerprints.js";
import { EngineError } from "../engine/engine-error.js";

export const EXIT_FINE = 0;
export const EXIT_FINDING = 1;
export const EXIT_BAD = 2;

/** Bad use or bad input, said in full by its message. */
export class CliError extends Error {
  override readonly name = "CliError";
}

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
  LinuxError,
  ClassBenchError,
  WorkerFailure,
  RangeError,
];

const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  ENOSPC: "no space left",
  EROFS: "read-only file system",
};

/** The message for standard error; a program fault keeps its stack, since someone has to mend it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && Object.hasOwn(SYSTEM, code)) return `${path ?? "input"}: ${SYSTEM[code]}`;
  return error.stack ?? error.message;
}

/** What the operating system had against reading or writing a file. */
export function systemMessage(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return SYSTEM[code ?? ""] ?? message;
}
