/** `ruleswap compare`, `merge` and `report`: what is done with results. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { COMPARE_METRICS, type CompareMetric, compareResults, CONTENTION_METRIC } from "../measure/compare.js";
import { mergeResults, readResult } from "../measure/read-result.js";
import { GROWTH_METRICS, type GrowthMetric, type ResultFile } from "../measure/result.js";
import { comparisonMarkdown, comparisonText, regressions } from "../report/comparison.js";
import { writeReport } from "../report/html.js";
import { renderText } from "../report/table.js";
import { EXIT_FINDING } from "./fault.js";
import { helpText } from "./help.js";
import { listOf, oneOf } from "./number-option.js";
import { print, wantsColor, writeOutput } from "./output.js";

export interface GateOptions {
  readonly failOver?: number;
}

const METRICS: readonly CompareMetric[] = [...(Object.keys(GROWTH_METRICS) as GrowthMetric[]), CONTENTION_METRIC];

const COMPARE_HELP = `
Example:
  ruleswap bench --rounds 5 --json before.json     then again, after a change, to after.json
  ruleswap compare before.json after.json --fail-over 5%

A ratio above 1 means that the second result is slower, or larger. "faster" and "slower" are said only where the difference
holds for all comparisons at once: two results of one build show none 19 times of 20. Each result needs two rounds or more.

Exit code: 0, 1 where --fail-over finds a cost whose whole interval lies beyond it, 2 bad use or no cell in common.`;

const MERGE_HELP = `
Example:
  for i in 1 2 3; do ruleswap bench --shard $i/3 --json part$i.json --no-report; done
  ruleswap merge part*.json --json whole.json

All must have been asked for the same, but for --shard. Where a part is missing, the result says that it is partial.`;

const REPORT_HELP = `
Example:
  ruleswap report whole.json --report page

Prints the table as well. The page is one file that needs no network.`;

export function addCompare(program: Command): void {
  program
    .command("compare")
    .description("two results: the ratio of each cost with its 95 % interval, and whether there is a difference at all")
    .argument("<before.json>", "what bench --json wrote")
    .argument("<after.json>", "what it wrote later")
    .option("--metrics <list>", `costs: ${METRICS.join(", ")}`, listOf(oneOf(METRICS)), [...COMPARE_METRICS])
    .option("--fail-over <share>", 'exit 1 when a cost certainly grew, by more than this: "5%"', readShare)
    .option("--markdown", "for a pull request", false)
    .option("--json <file>", 'write the comparison as JSON, "-" for standard output in place of the text')
    .addHelpText("after", helpText(COMPARE_HELP))
    .action(compare);
  program
    .command("merge")
    .description(
      "results of bench --shard, or of several runs of the same, put together as if one run had measured them",
    )
    .argument("<results...>", "what bench --json wrote, in any order")
    .option("--json <file>", 'where the whole result goes, "-" for standard output', "-")
    .addHelpText("after", helpText(MERGE_HELP))
    .action(async (paths: string[], { json }: { json: string }) => {
      await writeOutput(json, `${JSON.stringify(mergeResults(paths.map(readResult)), null, 2)}\n`);
    });
  program
    .command("report")
    .description("a result, or several shards of one, as a page")
    .argument("<results...>", "what bench --json wrote")
    .option("--report <folder>", "write index.html here", "ruleswap-report")
    .addHelpText("after", helpText(REPORT_HELP))
    .action(async (paths: string[], { report }: { report: string }) => {
      const result = paths.length === 1 ? readResult(paths[0] as string) : mergeResults(paths.map(readResult));
      await print(renderText(result, { color: wantsColor(process.stdout) }));
      process.stderr.write(`report: ${writeReport(result, report)}\n`);
    });
}

interface CompareArguments extends GateOptions {
  readonly metrics: CompareMetric[];
  readonly markdown: boolean;
  readonly json?: string;
}

async function compare(before: string, after: string, options: CompareArguments): Promise<void> {
  const comparison = compareResults(readResult(before), readResult(after), { metrics: options.metrics });
  if (options.json !== undefined) {
    const cells = comparison.cells.map(({ record, ...rest }) => {
      const { workload, services, rules, target, strategy, classifier } = record;
      return { workload, services, rules, target, strategy, classifier, ...rest };
    });
    await writeOutput(options.json, `${JSON.stringify({ ...comparison, cells }, null, 2)}\n`);
  }
  if (options.json !== "-") await print(options.markdown ? comparisonMarkdown(comparison) : comparisonText(comparison));
  gate(comparison, options);
}

/** Prints a result beside an earlier one. */
export async function compareWith(before: string, after: ResultFile, options: GateOptions): Promise<void> {
  const comparison = compareResults(readResult(before), after, { metrics: COMPARE_METRICS });
  await print(`\nbeside ${before}: ${comparisonText(comparison)}`);
  gate(comparison, options);
}

function gate(comparison: Parameters<typeof regressions>[0], { failOver }: GateOptions): void {
  if (failOver !== undefined && regressions(comparison, failOver).length > 0) process.exitCode = EXIT_FINDING;
}

/** "5%" or "0.05". */
export function readShare(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Expected a share such as "5%".');
  return Number(number) / (percent ? 100 : 1);
}
