/**
 * ruleswap beside its peers, in turns on one machine: `npm run bench:peers -- [--rules FOLDER] [--only PART] [--rounds N]
 * [--packets N] [--json FILE]`. FOLDER holds acl1_1k.rules and the like in ClassBench's format; PART names the sets to
 * take. Best run on one quiet processor (taskset -c 1). Tables in Markdown go to stdout.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Dpdk } from "./dpdk.js";
import { KernelWalk, LONG, OurWalk, rulesOf, SHAPES, slope } from "./kernel.js";
import { Ours } from "./ours.js";
import { buildProgram, workFolder } from "./program.js";
import { PUBLISHED } from "./published.js";
import { filterSets, rangesOf, type RuleSet, SERVICE_COUNTS, services, traceOf } from "./sets.js";
import { compare, type Ratio, type Round, type Summary, summarize } from "./statistics.js";

const BATCH = 32;
const SECTION = 2048;

const { values: options } = parseArgs({
  options: {
    rules: { type: "string" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "9" },
    packets: { type: "string", default: "131072" },
    json: { type: "string" },
  },
});
const rounds = wholeNumber("rounds", options.rounds, 1);
const packets = wholeNumber("packets", options.packets, SECTION) & ~(SECTION - 1);

interface SetResult {
  readonly name: string;
  readonly rules: number;
  readonly classify: Summary;
  readonly walk: Summary;
  readonly dpdk: Record<string, Summary | string>;
  readonly toAvx2?: Ratio;
  readonly toTupleMerge?: number;
  readonly effort: { tuples: number; entries: number; chunks: number };
  readonly loadMs: number;
  readonly dpdkBuildMs?: number;
  readonly bytesPerRule: number;
  readonly differ: number;
}

interface WalkResult {
  readonly shape: string;
  readonly ours: Summary;
  readonly kernel: Summary | string;
  readonly ratio?: Ratio;
}

const folder = workFolder();
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const sets = [...SERVICE_COUNTS.map(services), ...filterSets(options.rules)].filter(({ name }) =>
  name.includes(options.only),
);
const setResults: SetResult[] = [];
const program = buildProgram(folder, "dpdk", ["libdpdk"]);
for (const set of sets) {
  say(set.name);
  setResults.push(await measureSet(set));
}
const walkResults: WalkResult[] = [];
if ("linear".includes(options.only)) await measureWalks();
const cpu = cpus()[0]?.model ?? "unknown processor";
const result = {
  schema: "ruleswap.peers/1",
  cpu,
  node: process.version,
  rounds,
  packets,
  sets: setResults,
  linear: walkResults,
};
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(markdown());

async function measureSet({ name, rules }: RuleSet): Promise<SetResult> {
  const ranges = rangesOf(rules);
  const trace = traceOf(ranges, packets);
  const ours = Ours.start(rules, trace, "tuple-space");
  const peer = "path" in program ? await Dpdk.start(program.path, folder, ranges, trace) : undefined;
  const classify: Round[] = [];
  const walk: Round[] = [];
  const theirs: Record<"scalar" | "avx2" | "avx512", Round[]> = { scalar: [], avx2: [], avx512: [] };
  for (let round = -1; round < rounds; round++) {
    const lookUps = ours.classify(BATCH, SECTION);
    const avx2 = await peer?.pass("avx2", BATCH, SECTION);
    const walks = ours.walk(BATCH, SECTION);
    const others = {
      scalar: await peer?.pass("scalar", 1, SECTION),
      avx512: await peer?.pass("avx512", BATCH, SECTION),
    };
    if (round < 0) continue; // The first one warms up.
    classify.push(lookUps);
    walk.push(walks);
    for (const [algorithm, passed] of Object.entries({ avx2, ...others }))
      if (passed) theirs[algorithm as "avx2"].push(passed);
  }
  peer?.close();
  const why = "why" in program ? program.why : "not on this processor";
  const toAvx2 = theirs.avx2.length === rounds ? compare(classify, theirs.avx2) : undefined;
  const published = PUBLISHED[name];
  return {
    name,
    rules: rules.length,
    classify: summarize(classify),
    walk: summarize(walk),
    dpdk: Object.fromEntries(
      Object.entries(theirs).map(([key, all]) => [key, all.length === rounds ? summarize(all) : why]),
    ),
    ...(toAvx2 && { toAvx2 }),
    ...(toAvx2 && published && { toTupleMerge: (toAvx2.min * published.dpdk) / published.tupleMerge }),
    effort: ours.effort(1000),
    loadMs: ours.loadMs,
    ...(peer && { dpdkBuildMs: peer.buildMs }),
    bytesPerRule: ours.bytesPerRule,
    differ: peer ? differing(ours.results(BATCH), peer.results, trace) : 0,
  };
}

/** Packets of TCP and UDP for which the two do not name the same rule; ports of other protocols are no business of iptables. */
function differing(ours: Uint32Array, theirs: Uint32Array, trace: Uint8Array): number {
  return ours.filter((rule, nth) => [6, 17].includes(trace[16 * nth + 12] as number) && rule !== theirs[nth]).length;
}

async function measureWalks(): Promise<void> {
  const blast = buildProgram(folder, "blast", []);
  const kernel = "path" in blast ? await KernelWalk.open(blast.path) : blast;
  for (const shape of Object.keys(SHAPES)) {
    say(`linear, ${shape}`);
    const [empty, long] = [new OurWalk(shape, 0), new OurWalk(shape, LONG)];
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = -1; round < rounds; round++) {
      const walked = slope(long.measure(), empty.measure());
      const passed =
        "why" in kernel
          ? undefined
          : slope(await kernel.measure(rulesOf(shape, LONG)), await kernel.measure(rulesOf(shape, 0)));
      if (round < 0) continue;
      ours.push(walked);
      if (passed) theirs.push(passed);
    }
    const found = theirs.length > 0 ? { kernel: summarize(theirs), ratio: compare(ours, theirs) } : undefined;
    walkResults.push({ shape, ours: summarize(ours), ...(found ?? { kernel: "why" in kernel ? kernel.why : "" }) });
  }
  if (!("why" in kernel)) await kernel.close();
}

function markdown(): string {
  const ns = (summary: Summary | string | undefined, digits = 0): string =>
    typeof summary === "object"
      ? `${summary.min.toFixed(digits)} / ${summary.median.toFixed(digits)}`
      : (summary ?? "-");
  const of = (ratio: Ratio | undefined): string =>
    ratio
      ? `${ratio.min.toFixed(2)} / ${ratio.median.toFixed(2)} (${ratio.ci95.map((end) => end.toFixed(2)).join(" to ")})`
      : "-";
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const lookUps = table(
    [
      "set",
      "rules",
      "ruleswap classify",
      "DPDK avx2",
      "ratio",
      "to TupleMerge*",
      "ruleswap walk",
      "DPDK scalar, one",
      "DPDK avx512",
      "probes, entries",
      "B a rule",
      "differ",
    ],
    setResults.map((one) => [
      one.name,
      String(one.rules),
      ns(one.classify),
      ns(one.dpdk.avx2),
      of(one.toAvx2),
      one.toTupleMerge?.toFixed(2) ?? "-",
      ns(one.walk),
      ns(one.dpdk.scalar),
      ns(one.dpdk.avx512),
      `${one.effort.tuples.toFixed(1)}, ${one.effort.entries.toFixed(1)}`,
      one.bytesPerRule.toFixed(0),
      String(one.differ),
    ]),
  );
  const walks = table(
    ["rules fail on", "ruleswap linear", "kernel", "ratio"],
    walkResults.map(({ shape, ours, kernel, ratio }) => [shape, ns(ours, 2), ns(kernel, 2), of(ratio)]),
  );
  return `${cpu}, ${rounds} rounds in turns, ${packets} packets, batches of ${BATCH}. Nanoseconds: least (mean of each ${SECTION} packets'
least) / median of rounds. Ratio: ours over theirs, least / median (95 % interval).

${setResults.length > 0 ? lookUps : "no set of that name"}

\\* Published figure, measured on an EPYC 9004 beside DPDK, scaled by what DPDK takes here.

Walk of ${LONG} rules where nothing matches, nanoseconds a rule:

${walkResults.length > 0 ? walks : "not asked for"}
`;
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new RangeError(`--${name}: a whole number from ${least}, not ${text}`);
  return value;
}
