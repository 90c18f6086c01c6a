/**
 * How often two runs of the same build show a difference, which should be one pair in twenty at most.
 *
 *     npm run build && npx tsc -p bench && node build/bench/same-build.js [PAIRS] [-- OPTIONS OF BENCH]
 *
 * Runs `ruleswap bench` twice for each pair, by processes of their own as people do, and `ruleswap compare` on the two. What is
 * printed is each pair's differences, the share of pairs without any, with its 95 % interval (Wilson's), and how large a
 * difference must be to be seen, since who never sees one is never wrong. Ends with 1 when even the interval's upper end is
 * below 19 in 20.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const WANTED = 19 / 20;
const PAIRS = 20;
/** Of a few seconds, so that twenty pairs are done in some minutes; as many rounds as a comparison worth quoting has. */
const SHORT = ["--sizes", "100,300", "--strategies", "full,incremental", "--rounds", "5", "--duration", "0.5"];

interface Compared {
  readonly machine: number;
  readonly cells: readonly {
    readonly services: number;
    readonly strategy: string;
    readonly classifier: string;
    readonly metric: string;
    readonly ratio: number;
    readonly allCi95: readonly [number, number];
    readonly verdict: "lower" | "higher" | "none";
  }[];
}

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const divider = process.argv.indexOf("--");
const [count = String(PAIRS)] = process.argv.slice(2, divider < 0 ? undefined : divider);
const pairs = Number(count);
if (!Number.isInteger(pairs) || pairs < 1) throw new RangeError(`pairs: a whole number from 1, not "${count}"`);
const options = divider < 0 ? SHORT : process.argv.slice(divider + 1);

function ruleswap(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`ruleswap ${args.join(" ")}: exit ${status}\n${stderr}`);
  return stdout;
}

const folder = mkdtempSync(join(tmpdir(), "ruleswap-same-"));
let [same, comparisons, differing] = [0, 0, 0];
/** How many times more each comparison would have had to show for a difference to be seen. */
const seen: number[] = [];
try {
  process.stdout.write(`ruleswap bench ${options.join(" ")}\n`);
  for (let pair = 1; pair <= pairs; pair++) {
    const files = ["before", "after"].map((name) => join(folder, `${name}.json`));
    for (const file of files) ruleswap("bench", ...options, "--no-report", "--json", file);
    const { cells, machine } = JSON.parse(ruleswap("compare", ...files, "--json", "-")) as Compared;
    const found = cells.filter(({ verdict }) => verdict !== "none");
    comparisons += cells.length;
    differing += found.length;
    if (found.length === 0) same++;
    seen.push(...cells.map(({ ratio, allCi95 }) => allCi95[1] / ratio));
    const said = found.map(
      ({ strategy, classifier, services, metric, ratio }) =>
        `${strategy}/${classifier}/${services} ${metric} x${ratio.toFixed(2)}`,
    );
    process.stdout.write(
      `pair ${pair}: ${said.length === 0 ? "no difference seen" : said.join(", ")} (${cells.length} comparisons, machine x${machine.toFixed(2)})\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
const [low, high] = wilson(same, pairs);
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
process.stdout.write(
  `${same} of ${pairs} pairs show no difference: ${percent(same / pairs)} (${percent(low)} to ${percent(high)}); ` +
    `${differing} of ${comparisons} comparisons differ; half of them would have shown a difference of ` +
    `${(seen.sort((a, b) => a - b)[seen.length >> 1] as number).toFixed(2)} times\n`,
);
if (high < WANTED) process.exitCode = 1;

function wilson(hits: number, of: number): [number, number] {
  const z = 1.96;
  const share = hits / of;
  const middle = share + (z * z) / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const whole = 1 + (z * z) / of;
  return [(middle - half) / whole, (middle + half) / whole];
}
