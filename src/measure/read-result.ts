/** Result files, read and put together. */
import { readFileSync } from "node:fs";
import { assembleGrowth } from "./assemble-growth.js";
import { cellKey } from "./compare.js";
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
  return value as ResultFile;
}

/**
 * Shards of one matrix, as if one run had measured them: cells in the order of the options, growth fitted anew.
 * @throws RangeError when they were not asked for the same, or hold a cell twice.
 */
export function mergeResults(files: readonly ResultFile[]): ResultFile {
  const [first] = files;
  if (!first) throw new RangeError("merge: no results");
  const asked = (file: ResultFile): string => JSON.stringify({ ...file.options, shard: null });
  const other = files.findIndex((file) => asked(file) !== asked(first));
  if (other > 0) throw new RangeError(`merge: result ${other + 1} was made with other options than the first`);
  const results = files.flatMap((file) => file.results).sort((a, b) => place(a, first) - place(b, first));
  const keys = results.map(cellKey);
  const twice = keys.find((key, nth) => keys.indexOf(key) !== nth);
  if (twice !== undefined) throw new RangeError(`merge: ${twice} is there twice`);
  const { linux, shard } = first.options;
  const parts = shard === null ? 1 : Number(shard.split("/")[1]);
  return {
    ...first,
    options: { ...first.options, linux, shard: null },
    partial: files.some(({ partial }) => partial) || files.length < parts,
    elapsed_s: files.reduce((sum, { elapsed_s }) => sum + elapsed_s, 0),
    results,
    growth: assembleGrowth(results),
    absent: [...new Map(files.flatMap(({ absent }) => absent).map((one) => [JSON.stringify(one), one])).values()],
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
