/** What a reader must know before believing a result. */
import { isTrial } from "../measure/plan.js";
import type { ResultFile, ResultRecord } from "../measure/result.js";
import { sizeOf } from "./answer.js";
import { labelOf } from "./page-data.js";
import { digits, whole } from "./units.js";

/** Of changes, above which time to effect is less than it seems. */
const SUPERSEDED_SHARE = 0.05;

/** Of a run's length, from which on what others had of the machine is seen in a 99th percentile. */
const STOLEN_SHARE = 0.005;

/** Sentences; none when there is nothing to say. */
export function cautions(result: ResultFile): string[] {
  const { environment, results, partial, stolen_s, elapsed_s } = result;
  const said: string[] = [];
  if (partial) said.push("Stopped early: only part of what was asked for has been measured.");
  if (isTrial(result.options))
    said.push(
      "A trial: with so short rounds nothing was compiled before they began, so times are longer than they need be.",
    );
  if (environment.load_average > environment.cores / 2)
    said.push(
      `The machine was busy before the run (load ${digits(environment.load_average)} on ${environment.cores} cores): ` +
        "times are longer than they need be.",
    );
  if (stolen_s !== null && stolen_s > STOLEN_SHARE * elapsed_s)
    said.push(
      `The host kept ${digits(stolen_s)} s of processors' time from this machine in ${whole(elapsed_s)} s: latencies' tails are ` +
        "as much its doing as that of what was measured.",
    );
  for (const { target, services, reason } of result.absent)
    said.push(`${target} is absent${services === null ? "" : ` at size ${whole(services)}`}: ${reason}`);
  const threads = result.options.readers + Math.max(1, result.options.writers.length);
  if (threads > environment.cores)
    said.push(`${threads} threads shared ${environment.cores} cores: matching and updates waited for each other.`);
  for (const record of results) {
    const { failed, unfinished, count, first_failure } = record.update;
    if (failed > 0)
      said.push(`${nameOf(record)}: ${whole(failed)} of ${whole(count)} changes failed: ${first_failure}`);
    if (unfinished > 0)
      said.push(
        `${nameOf(record)}: fell behind; ${whole(unfinished)} of ${whole(count)} changes were not done at the end and count ` +
          "with their age.",
      );
    if (!record.timeToEffect) continue;
    const { unseen, superseded, count: seen } = record.timeToEffect;
    if (unseen > 0) said.push(`${nameOf(record)}: no reader saw the effect of ${whole(unseen)} changes in time.`);
    if (superseded > SUPERSEDED_SHARE * seen)
      said.push(
        `${nameOf(record)}: readers came so late to ${whole(superseded)} of ${whole(seen)} changes that the next one was in ` +
          "force; their time to effect runs until a reader saw that.",
      );
  }
  for (const { writers, strategy, classifier, services } of result.contention)
    for (const { workload, failed, changes, first_failure } of writers)
      if (failed > 0)
        said.push(
          `${workload} beside others, ${strategy}, ${classifier}, ${whole(services)}: ${whole(failed)} of ` +
            `${whole(failed + changes)} changes failed: ${first_failure}`,
        );
  return said;
}

/** Whether something went wrong that a script should stop at. */
export function hasFindings(result: ResultFile): boolean {
  const contended = result.contention.flatMap(({ writers }) => writers);
  return result.results.some(({ update }) => update.failed > 0) || contended.some(({ failed }) => failed > 0);
}

const nameOf = (record: ResultRecord): string => `${labelOf(record)}, ${sizeOf(record)}`;
