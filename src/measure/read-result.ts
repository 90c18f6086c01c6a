/** Result files, read and put together. */
import { readFileSync } from "node:fs";
import { assembleGrowth } from "./assemble-growth.js";
import { parseShard } from "./bench-options.js";
import { cellKey } from "./compare.js";
import {
  contentionKey,
  type ContentionRecord,
  contentionTogether,
  type EarlierContentionRecord,
} from "./contention.js";
import { LatencyHistogram } from "./histogram.js";
import { RESULT_SCHEMA, type ResultFile, type ResultRecord } from "./result.js";

/** @throws RangeError that names the file when it is no result. */
export function readResult(path: string): ResultFile {
  let value: unknown;
  const text = readFileSync(path, "utf8");
  try {
    value = JSON.parse(text);
  } catch {
    throw new RangeError(`${path}: not JSON`);
  }
  const { schema, results } = (value ?? {}) as Partial<ResultFile>;
  if (schema !== RESULT_SCHEMA || !Array.isArray(results))
    throw new RangeError(`${path}: not a result of ${RESULT_SCHEMA}`);
  // Results of earlier versions do not have all of it, or know less.
  const file = value as Omit<ResultFile, "contention"> & { contention?: readonly EarlierContentionRecord[] };
  const contention = (file.contention ?? []).map((record) => contentionTogether([record]));
  return { ...file, stolen_s: file.stolen_s ?? null, contention };
}

/**
 * Shards of one matrix, as if one run had measured them, or several runs of it, whose rounds then stand together: cells in
 * the order of the options, growth fitted anew.
 * @throws RangeError when they were not asked for the same.
 */
export function mergeResults(files: readonly ResultFile[]): ResultFile {
  const [first] = files;
  if (!first) throw new RangeError("merge: no results");
  const asked = (file: ResultFile): string => JSON.stringify({ ...file.options, shard: null });
  const other = files.findIndex((file) => asked(file) !== asked(first));
  if (other > 0) throw new RangeError(`merge: result ${other + 1} was made with other options than the first`);
  const cells = new Map<string, ResultRecord[]>();
  for (const record of files.flatMap((file) => file.results))
    cells.set(cellKey(record), [...(cells.get(cellKey(record)) ?? []), record]);
  const results = [...cells.values()].map(together).sort((a, b) => place(a, first) - place(b, first));
  const parts = new Set(files.map(({ options }) => options.shard));
  const wanted = first.options.shard === null ? 1 : parseShard(first.options.shard).of;
  return {
    ...first,
    options: { ...first.options, shard: null },
    partial: files.some(({ partial }) => partial) || parts.size < wanted,
    elapsed_s: files.reduce((sum, { elapsed_s }) => sum + elapsed_s, 0),
    stolen_s: files.reduce<number | null>(
      (sum, { stolen_s }) => (sum === null || stolen_s === null ? null : sum + stolen_s),
      0,
    ),
    results,
    growth: assembleGrowth(results),
    contention: contentionOfAll(files),
    absent: [...new Map(files.flatMap(({ absent }) => absent).map((one) => [JSON.stringify(one), one])).values()],
  };
}

/** How programs of the kernel have their rules found, in the order of measuring. */
const LOOKUPS = ["linear", "verdict-map"] as const;

/** Cells of several writers, in the order of the options. */
function contentionOfAll(files: readonly ResultFile[]): ContentionRecord[] {
  const cells = new Map<string, ContentionRecord[]>();
  for (const record of files.flatMap(({ contention }) => contention))
    cells.set(contentionKey(record), [...(cells.get(contentionKey(record)) ?? []), record]);
  const { sizes, strategies, classifiers, linux } = (files[0] as ResultFile).options;
  const keys = sizes.flatMap((services) =>
    [
      ...strategies.flatMap((strategy) =>
        classifiers.map((classifier) => ({ target: "ruleswap", strategy, classifier }) as const),
      ),
      ...linux.flatMap((target) =>
        LOOKUPS.flatMap((classifier) => strategies.map((strategy) => ({ target, strategy, classifier }) as const)),
      ),
    ].map((cell) => contentionKey({ services, ...cell })),
  );
  return keys.flatMap((key) => {
    const records = cells.get(key);
    return records ? [contentionTogether(records)] : [];
  });
}

/**
 * One cell that several runs measured. Latencies are put together and rounds stand one after another; what a record holds
 * without its distribution is that of the run in the middle.
 */
function together(records: readonly ResultRecord[]): ResultRecord {
  const ordered = records.toSorted((a, b) => a.update.p50_us - b.update.p50_us);
  const middle = ordered[(ordered.length - 1) >> 1] as ResultRecord;
  if (records.length === 1) return middle;
  const latencies = new LatencyHistogram();
  for (const { update } of records) latencies.add(LatencyHistogram.decode(update.histogram));
  const total = (name: "failed" | "unfinished"): number => records.reduce((sum, { update }) => sum + update[name], 0);
  return {
    ...middle,
    update: {
      ...middle.update,
      ...latencies.summary(),
      failed: total("failed"),
      unfinished: total("unfinished"),
      histogram: latencies.encode(),
    },
    rounds: records.flatMap(({ rounds }) => rounds),
  };
}

/** Where a run that is not split would list the record. */
function place(record: ResultRecord, { options }: ResultFile): number {
  const { sizes, strategies, classifiers, linux } = options;
  const size = sizes.indexOf(record.services ?? record.rules);
  const target = record.target === "ruleswap" ? 0 : 1 + linux.indexOf(record.target);
  const strategy = strategies.indexOf(record.strategy);
  const lookup =
    record.classifier === "verdict-map"
      ? classifiers.length
      : Math.max(0, (classifiers as readonly string[]).indexOf(record.classifier));
  // The engine goes by strategy and then classifier, programs of the kernel by form and then strategy.
  const within = target === 0 ? strategy * 8 + lookup : (record.classifier === "verdict-map" ? 64 : 0) + strategy;
  return (size * 8 + target) * 256 + within;
}
