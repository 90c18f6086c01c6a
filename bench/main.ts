/**
 * Micro-benchmarks of single operations: `npm run bench [PART]` runs those whose label "operation/strategy/workload/size"
 * holds PART. What a change costs under traffic is `ruleswap bench`'s to say.
 */
import { Bench } from "tinybench";
import { BESIDE_LABEL, runBeside } from "./beside.js";
import { BULK_LABEL, runBulk } from "./bulk.js";
import { compileTasks } from "./compile.js";
import { COPY_LABEL, runCopy } from "./copy.js";
import { fullTasks } from "./full.js";
import { runDuel } from "./duel.js";
import { runGrowth } from "./growth.js";
import { incrementalDuels, incrementalGrowths } from "./incremental.js";
import { matchTasks } from "./match.js";
import { parseTasks } from "./parse.js";
import type { Task } from "./task.js";
import { updateTasks } from "./update.js";
import { wayGrowths, wayTasks } from "./way.js";

const SIZES = [100, 1000];
const FULL_SIZES = [1000, 10_000];
/** Services at which the way of a packet has to stay flat. */
const WAY_SIZES = [1000, 10_000, 50_000];

const part = process.argv[2] ?? "";
const tasks: Task[] = [
  ...[parseTasks, compileTasks, matchTasks, updateTasks].flatMap((make) => SIZES.flatMap(make)),
  ...FULL_SIZES.flatMap(fullTasks),
  ...WAY_SIZES.flatMap(wayTasks),
];
const chosen = tasks.filter(({ label }) => label.includes(part));
const duels = incrementalDuels();
const chosenDuels = duels.filter(({ label }) => label.includes(part));
const growths = [...incrementalGrowths(), ...wayGrowths(WAY_SIZES)];
const chosenGrowths = growths.filter(({ label }) => label.includes(part));
const bulk = BULK_LABEL.includes(part);
const copy = COPY_LABEL.includes(part);
const beside = BESIDE_LABEL.includes(part);
if (chosen.length + chosenDuels.length + chosenGrowths.length === 0 && !bulk && !copy && !beside) {
  const labels = [
    ...[...tasks, ...duels, ...growths].map(({ label }) => label),
    BULK_LABEL,
    COPY_LABEL,
    BESIDE_LABEL,
  ].map((label) => `  ${label}\n`);
  process.stderr.write(`no label holds "${part}"; there are\n${labels.join("")}`);
  process.exitCode = 2;
}
for (const { label, operations, prepare } of chosen) {
  // Each task is set up, run and dropped before the next, so that one engine's memory is not another's burden.
  const { run, check } = prepare();
  run();
  check();
  const bench = new Bench({ time: 300, iterations: 5, warmupTime: 100, warmupIterations: 2 }).add(label, run);
  const [task] = await bench.run();
  check();
  const result = task?.result;
  if (result?.state !== "completed") throw new Error(`${label}: ${result?.state ?? "did not run"}`);
  const each = (milliseconds: number): string => ((milliseconds * 1e6) / operations).toFixed(0).padStart(12);
  const { p50, p99, max, samplesCount } = result.latency;
  process.stdout.write(
    `${label.padEnd(44)} ns: p50 ${each(p50)}  p99 ${each(p99)}  max ${each(max)}  (${samplesCount} samples)\n`,
  );
}
for (const duel of chosenDuels) await runDuel(duel);
for (const growth of chosenGrowths) runGrowth(growth);
if (bulk) runBulk();
if (copy) runCopy();
if (beside) await runBeside();
