/** `ruleswap bench`: the main job. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CLASSIFIERS } from "../engine/engine.js";
import { KERNEL_TARGETS, type KernelTargetName } from "../linux/kernel-targets.js";
import { runBench } from "../measure/bench.js";
import { BENCH_DEFAULTS, type BenchOptions, checkBenchOptions, parseShard } from "../measure/bench-options.js";
import { CREW_TASKS } from "../measure/crew.js";
import { ARRIVALS } from "../measure/open-loop.js";
import type { ResultFile } from "../measure/result.js";
import { hasFindings } from "../report/cautions.js";
import { writeReport } from "../report/html.js";
import { renderText } from "../report/table.js";
import { QUIESCE } from "../update/quiesce.js";
import { STRATEGIES } from "../update/updater.js";
import { KUBE_PROXY_CHURNS } from "../workload/kube-proxy-options.js";
import { isSpread, SPREADS } from "../workload/spread.js";
import { fileWorkload, isWorkloadName, type WorkloadName, workloads } from "../workload/workloads.js";
import type { Workload } from "../workload/workload.js";
import { CliError, EXIT_FINDING } from "./fault.js";
import { helpText } from "./help.js";
import { addMachineOptions, type MachineOptions, readMachine } from "./machine-options.js";
import { listOf, numberFrom, oneOf, wholeFrom } from "./number-option.js";
import { readInput } from "./input.js";
import { compareWith, readShare } from "./compare.js";
import { print, wantsColor, writeOutput } from "./output.js";
import { progressLine } from "./progress.js";
import { keepThreadsLogsApart } from "./profile.js";
import { addObjectOptions, addSetOptions, type ObjectOptions, objectsOf, type SetOptions } from "./set-options.js";

/** As commander hands them over. */
type BenchArguments = Omit<BenchOptions, "sizes" | "linux" | "shard" | "writers" | "lockTimeout"> &
  MachineOptions &
  SetOptions &
  ObjectOptions & {
    sizes?: number[];
    /** True where no program is named: all. */
    linux?: KernelTargetName[] | true;
    shard?: string;
    writers?: WorkloadName[];
    lockTimeout?: number;
    writer: "thread" | "main";
    saveBaseline?: string;
    baseline?: string;
    failOver?: number;
    json?: string;
    report: string | false;
  };

const BASELINE_FOLDER = "ruleswap-baselines";
const REPORT_FOLDER = "ruleswap-report";
const d = BENCH_DEFAULTS;
const names = <T extends object>(table: T): (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

const HELP = `
Examples:
  ruleswap bench                                                     under a minute on two cores
  ruleswap bench --sizes 5000 --strategies full,incremental --rounds 9
  ruleswap bench --workload rules.v4 --traffic capture.pcap          your own ruleset and packets
  ruleswap bench --workload rules.v4 --empty-sets --track             with sets to fill, and connections
  sudo ruleswap bench --writers kube-proxy,portmap,docker --linux    who waits for whom
  sudo ruleswap bench --linux                                        the real kernel beside it

What is printed: the answer in a sentence a size, what to know before believing it, then a table a size.
  p50, p99   how long one change took, from the moment it was meant to begin until it was in force
  written    bytes that the change wrote to shared memory: counted, not timed
  effect     from the same moment until a packet first got the new verdict
  match ns   nanoseconds to match a packet: nothing else going on / while changes are made
  growth     the exponent over sizes: 1 as size grows, 0 not at all; +- half its 95 % interval

Ctrl-C keeps what has been measured so far, marked partial.

Exit code: 0 fine, 1 changes failed or --fail-over found something, 2 bad use or bad input.`;

export function addBench(program: Command): void {
  const command = addObjectOptions(addSetOptions(program.command("bench")))
    .description("measure what one change costs, each strategy and size beside the others, while readers match packets")
    .option("--workload <name|file>", `${names(workloads).join(", ")}, or a ruleset's file`, d.workload)
    .option(
      "--sizes <list>",
      "services, or what else the workload counts (default: the workload's own)",
      listOf(wholeFrom(1, 1_000_000)),
    )
    .option("--family <name>", "ipv4 or ipv6; a file has its own", oneOf(["ipv4", "ipv6"]), d.family)
    .addOption(listOption("--strategies <list>", "how changes are made", names(STRATEGIES), d.strategies))
    .addOption(listOption("--classifiers <list>", "how readers search the rules", names(CLASSIFIERS), d.classifiers))
    .option(
      "--rate <n|auto>",
      "changes a second; auto: 4236, or what keeps a strategy busy a fifth of the time",
      readRate,
      d.rate,
    )
    .option(
      "--arrivals <name>",
      `how changes are spaced: ${names(ARRIVALS).join(", ")} (20 at once)`,
      oneOf(names(ARRIVALS)),
      d.arrivals,
    )
    .option(
      "--duration <s>",
      "seconds of changes for each combination, all rounds together; below 0.1 a round a trial, not warmed up",
      numberFrom(0.01, 86_400),
      d.duration,
    )
    .option("--rounds <n>", "times that all is measured, in turns", wholeFrom(1, 100), d.rounds)
    .option(
      "--churn <name>",
      `what changes, of kube-proxy: ${KUBE_PROXY_CHURNS.join(", ")}`,
      oneOf(KUBE_PROXY_CHURNS),
      d.churn,
    )
    .option(
      "--traffic <name|file>",
      `what readers match: ${names(SPREADS).join(", ")} (1/rank) over services, or the packets of a pcap or pcapng file`,
      readTraffic,
      d.traffic,
    )
    .option(
      "--track",
      "track connections: readers match packets of some that exist, and probes begin new ones",
      d.track,
    )
    .option("--readers <n>", "threads that match packets, 1 to 64", wholeFrom(1, 64), d.readers)
    .option(
      "--quiesce <name>",
      `how a writer waits for readers: ${names(QUIESCE).join(", ")}`,
      oneOf(names(QUIESCE)),
      d.quiesce,
    )
    .option(
      "--writers <list>",
      `also programs that change one ruleset at once, each with its rules, as fast as they can unless --rate says; with --linux the real ones as well: ${names(workloads).join(", ")}`,
      listOf(oneOf(names(workloads))),
    )
    .option(
      "--lock-timeout <s>",
      `with --writers: seconds until one gives up waiting for the lock, and tries again (default: ${d.lockTimeout}, as kube-proxy)`,
      numberFrom(0.001, 3600),
    )
    .option(
      "--linux [programs]",
      `the same changes in the real kernel, in a namespace of its own: ${names(KERNEL_TARGETS).join(", ")}`,
      listOf(oneOf(names(KERNEL_TARGETS))),
    )
    .option("--shard <i/n>", "only part i of n of the matrix, for ruleswap merge", readShard)
    .option("--seed <n>", "of rulesets, changes, traffic and arrivals", wholeFrom(0, 2 ** 32 - 1), d.seed)
    .option("--writer <thread|main>", "where updates are made; main for profilers", oneOf(["thread", "main"]), "thread")
    .option("--save-baseline <name>", `keep the result under this name, in ${BASELINE_FOLDER}`, readName)
    .option("--baseline <name>", "compare with the result kept under this name", readName)
    .option(
      "--fail-over <share>",
      'with --baseline: exit 1 when a cost certainly grew, by more than this: "5%"',
      readShare,
    )
    .option("--json <file>", 'write the result as JSON, "-" for standard output in place of the table')
    .option("--report <folder>", "write index.html here", REPORT_FOLDER)
    .option("--no-report", "write no page")
    .addHelpText("after", helpText(HELP));
  addMachineOptions(command).action((options: BenchArguments) => bench(options));
}

async function bench(all: BenchArguments): Promise<void> {
  const { json, report, writer, saveBaseline, baseline, failOver, addresses, routes, rules, ...given } = all;
  const { options, workload: bare } = resolveWorkload(given);
  if (baseline !== undefined && !existsSync(baselineFile(baseline)))
    throw new CliError(`--baseline: no ${baselineFile(baseline)}; --save-baseline ${baseline} makes one`);
  if (failOver !== undefined && baseline === undefined) throw new CliError("--fail-over: only with --baseline");
  const machine = { ...(addresses ? { addresses } : {}), ...(routes ? { routes } : {}), ...(rules ? { rules } : {}) };
  const routing = readMachine(machine);
  const own = addresses ? { localAddresses: [] } : {};
  const workload = (size: number): Workload => ({ ...bare(size), ...own, routing });
  checkBenchOptions(options);
  if (writer === "main" && options.writers.length > 0)
    throw new CliError("--writers: several have threads of their own; not with --writer main");
  if (writer === "main") keepThreadsLogsApart();
  const progress = progressLine();
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once("SIGINT", interrupt);
  let result: ResultFile;
  try {
    result = await runBench(options, workload, {
      signal: abort.signal,
      onProgress: progress.update,
      tasks: { ...CREW_TASKS, writerHere: writer === "main" },
    });
  } finally {
    progress.end();
    process.removeListener("SIGINT", interrupt);
  }
  if (json !== undefined) await writeOutput(json, `${JSON.stringify(result, null, 2)}\n`);
  if (json !== "-") await print(renderText(result, { color: wantsColor(process.stdout) }));
  if (report !== false) process.stderr.write(`report: ${writeReport(result, report)}\n`);
  if (saveBaseline !== undefined) {
    mkdirSync(BASELINE_FOLDER, { recursive: true });
    writeFileSync(baselineFile(saveBaseline), `${JSON.stringify(result)}\n`);
  }
  if (baseline !== undefined)
    await compareWith(baselineFile(baseline), result, failOver === undefined ? {} : { failOver });
  if (hasFindings(result)) process.exitCode = EXIT_FINDING;
}

/** The workload by name or file, and the sizes that go with it. */
function resolveWorkload(
  given: Omit<
    BenchArguments,
    "json" | "report" | "writer" | "saveBaseline" | "baseline" | "failOver" | keyof MachineOptions
  >,
): {
  options: BenchOptions;
  workload: (size: number) => Workload;
} {
  const { sets, emptySets = false, nfacct, nfct, linux = [], shard = null, writers = [], ...rest } = given;
  const { lockTimeout = d.lockTimeout } = rest;
  const options = { ...rest, linux: linux === true ? names(KERNEL_TARGETS) : linux, shard, writers, lockTimeout };
  if (rest.lockTimeout !== undefined && writers.length === 0) throw new CliError("--lock-timeout: only with --writers");
  const { workload: name, sizes, family, seed, churn, track } = options;
  if (churn !== "single" && name !== "kube-proxy") throw new CliError("--churn: only kube-proxy has a choice");
  if (isWorkloadName(name)) {
    const kind = workloads[name];
    if (nfacct !== undefined) throw new CliError(`--nfacct: rules of ${name} count in no objects`);
    if (nfct !== undefined) throw new CliError(`--nfct: rules of ${name} name no policies`);
    if (sets !== undefined || emptySets) throw new CliError(`--sets, --empty-sets: ${name} brings its own sets`);
    return {
      options: { ...options, sizes: sizes ?? kind.sizes },
      workload: (size) => kind.make({ size, seed, family, churn }),
    };
  }
  if (!existsSync(name))
    throw new CliError(`--workload: no file and no workload "${name}"; workloads are ${names(workloads).join(", ")}`);
  if (writers.length > 0) throw new CliError(`--writers: ${name} has one size, its own; name a workload`);
  if (nfacct !== undefined && options.linux.length > 0)
    throw new CliError("--nfacct: not with --linux, whose namespaces have no such objects");
  if (nfct !== undefined && options.linux.length > 0)
    throw new CliError("--nfct: not with --linux, whose namespaces have no such policies");
  if (nfct !== undefined && !track) throw new CliError("--nfct: only with --track, as no connections live by them");
  if (sizes) throw new CliError(`--sizes: ${name} has one size, its own`);
  const text = sets === undefined ? {} : { sets: Buffer.from(readInput(sets).bytes).toString("utf8") };
  const made = fileWorkload(name, {
    seed,
    emptySets,
    ...objectsOf({ ...(nfacct === undefined ? {} : { nfacct }), ...(nfct === undefined ? {} : { nfct }) }),
    track,
    ...text,
  }); // Whatever reading it throws names the file.
  return { options: { ...options, family: made.family, sizes: [made.rules] }, workload: () => made };
}

const baselineFile = (name: string): string => join(BASELINE_FOLDER, `${name}.json`);

function readName(text: string): string {
  if (!/^[\w.-]+$/.test(text)) throw new InvalidArgumentError("Expected letters, digits, dots and hyphens.");
  return text;
}

function readShard(text: string): string {
  try {
    parseShard(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function readTraffic(text: string): string {
  if (!isSpread(text) && !existsSync(text))
    throw new InvalidArgumentError(`Expected ${names(SPREADS).join(", ")}, or a capture that is there.`);
  return text;
}

function readRate(text: string): number | "auto" {
  return text === "auto" ? "auto" : numberFrom(0.01, 100_000)(text);
}

function listOption<T extends string>(flags: string, about: string, all: readonly T[], usual: readonly T[]): Option {
  return new Option(flags, `${about}: ${all.join(", ")}`).default(usual, "all").argParser(listOf(oneOf(all)));
}
