/**
 * A router's access list: one long FORWARD chain of prefixes, port ranges and protocols, as classifiers are studied on.
 * The rules come from a file in ClassBench's format, or are made up from a seed; what each does is drawn from the seed:
 * three in four ACCEPT, the others DROP.
 *
 * Rules that are made up draw their prefixes from sites (/16) with subnets (/24) and hosts, so that they overlap as those
 * of an organisation do; they claim no likeness to ClassBench's own sets.
 */
import { FilterSource } from "./filter-source.js";
import { type FilterRule, filterLines, parseClassBench } from "./class-bench.js";
import { Random } from "./random.js";
import { saveFile } from "./save-file.js";
import { checkWhole } from "./whole-number.js";
import type { Workload } from "./workload.js";

export interface AclOptions {
  /** Rules to make up, 1 to 1,000,000; ignored where `filters` is given. Default 1,000. */
  readonly rules: number;
  /** Default 1. */
  readonly seed: number;
  /** A filter set in ClassBench's format. */
  readonly filters?: string;
  /** What to call the filter set, in errors as well. Default "acl". */
  readonly name: string;
}

export const ACL_DEFAULTS: AclOptions = Object.freeze({ rules: 1000, seed: 1, name: "acl" });

/** IPv4 only. @throws ClassBenchError when the filter set has a line that is no rule. */
export function acl(options: Partial<AclOptions> = {}): Workload {
  const { rules, seed, filters, name } = { ...ACL_DEFAULTS, ...options };
  checkWhole("rules", rules, 1, 1_000_000);
  const list = filters === undefined ? new FilterSource(seed).rules(rules) : parseClassBench(filters, name);
  return saveFile({ name, text: saveText(list, seed), seed });
}

function saveText(rules: readonly FilterRule[], seed: number): string {
  const random = new Random(seed, 0x7461);
  const targets = rules.map(() => (random.below(4) > 0 ? "ACCEPT" : "DROP"));
  const lines = filterLines(rules, (nth) => targets[nth] as string);
  return ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]", ...lines, "COMMIT", ""].join(
    "\n",
  );
}
