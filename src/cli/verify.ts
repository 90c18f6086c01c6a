/** `ruleswap verify`: whether changing a ruleset in place leaves what loading it whole would. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { CLASSIFIERS, type Classifier } from "../engine/engine.js";
import { whole } from "../report/units.js";
import { parseRuleset } from "../ruleset/parse.js";
import { STRATEGIES, type Strategy } from "../update/updater.js";
import type { Reproduction } from "../verify/shrink.js";
import { verify, type VerifyResult } from "../verify/verify.js";
import { VERIFY_DEFAULTS, type VerifyOptions } from "../verify/verify-options.js";
import { EXIT_FINDING } from "./fault.js";
import { helpText } from "./help.js";
import { readInput } from "./input.js";
import { listOf, oneOf, wholeFrom } from "./number-option.js";
import { print, writeOutput } from "./output.js";
import { progressLine } from "./progress.js";
import {
  addObjectOptions,
  addSetOptions,
  type ObjectOptions,
  objectsOf,
  type SetOptions,
  setText,
} from "./set-options.js";

const FOLDER = "ruleswap-verify";
const SEPARATOR = "# batch\n";

const HELP = `
Examples:
  ruleswap verify rules.v4 --edits 10000
  ruleswap verify rules.v4 --strategies incremental --track --sets sets.txt
  sudo ruleswap verify rules.v4 --linux

After every batch, each strategy and classifier must have taken or refused it as a model does that no engine has part
in, and the chains that the batch names must print as the model's, counters included. At a full comparison, an engine
that has loaded the model whole gets the same random packets as each of the others: same verdict, same rewrites, same
rules in the same order, then the same counters and the same text of everything. Rules that remember packets (recent,
hashlimit, quota, nfacct, connlimit, statistic nth, slow limits, sets that change) forget on a full load, as in Linux; packets
that meet them are left out and counted. With --track all connections are forgotten before a full comparison, and each
packet is sent twice and answered. With --linux iptables-legacy in a network namespace of its own is given the same
sets and batches, and must print the same.

A mismatch is made small and written to the folder ${FOLDER}: ruleset.save, and edits.txt for --replay.

Exit code: 0 all equal, 1 a mismatch, 2 bad use or a ruleset that cannot be loaded.`;

/** As commander hands them over: replay and json are files. */
interface VerifyCommand
  extends Omit<VerifyOptions, "text" | "file" | "replay" | "sets" | "accounting" | "timeoutPolicies">,
    SetOptions,
    ObjectOptions {
  readonly replay?: string;
  readonly json?: string;
}

export function addVerify(program: Command): void {
  const strategies = Object.keys(STRATEGIES) as Strategy[];
  const classifiers = Object.keys(CLASSIFIERS) as Classifier[];
  const most = 2 ** 31;
  addObjectOptions(addSetOptions(program.command("verify")))
    .description("random edits, after which every strategy must have left what a full load would")
    .argument("<rules>", 'a ruleset as iptables-save prints it; "-" for standard input')
    .option("--edits <count>", "lines of random edits in all", wholeFrom(1, most), VERIFY_DEFAULTS.edits)
    .option(
      "--batch <count>",
      "lines of a batch, which is one atomic update",
      wholeFrom(1, most),
      VERIFY_DEFAULTS.batch,
    )
    .option("--seed <number>", "the same seed, the same edits and packets", wholeFrom(0, most), VERIFY_DEFAULTS.seed)
    .option(
      "--strategies <list>",
      `of ${strategies.join(", ")}`,
      listOf(oneOf(strategies)),
      VERIFY_DEFAULTS.strategies as Strategy[],
    )
    .option(
      "--classifiers <list>",
      `of ${classifiers.join(", ")}`,
      listOf(oneOf(classifiers)),
      VERIFY_DEFAULTS.classifiers as Classifier[],
    )
    .option(
      "--full-every <batches>",
      "batches between full comparisons; 0 is one for each 10,000 rules; the end always has one",
      wholeFrom(0, most),
      VERIFY_DEFAULTS.fullEvery,
    )
    .option("--packets <count>", "packets at a full comparison", wholeFrom(1, most), VERIFY_DEFAULTS.packets)
    .option("--family <name>", "ipv4 or ipv6", oneOf(["ipv4", "ipv6"]), "ipv4")
    .option("--track", "track connections: packets pass NAT, and are answered", VERIFY_DEFAULTS.track)
    .option("--linux", "the live kernel as well; needs root on Linux", VERIFY_DEFAULTS.linux)
    .option("--replay <file>", `batches to make instead of random ones, each behind a line "${SEPARATOR.trim()}"`)
    .option("--json <file>", 'write the result as JSON; to standard output, in place of text, for "-"')
    .addHelpText("after", helpText(HELP))
    .action(run);
}

async function run(path: string, command: VerifyCommand): Promise<void> {
  const { replay, json, sets: _, emptySets: __, nfacct: ___, nfct: ____, ...rest } = command;
  const input = readInput(path);
  const ruleset = parseRuleset(input.bytes, { family: rest.family, file: input.file });
  const options: VerifyOptions = {
    ...rest,
    text: input.bytes,
    file: input.file,
    sets: setText(ruleset, command),
    ...objectsOf(command),
    ...(replay === undefined ? {} : { replay: batchesIn(Buffer.from(readInput(replay).bytes).toString("utf8")) }),
  };
  const progress = progressLine();
  const began = performance.now();
  const result = await verify(options, {
    progress: (done, total) => progress.update({ done, total, label: `${whole(done)} of ${whole(total)} edits` }),
  }).finally(() => progress.end());
  const seconds = (performance.now() - began) / 1000;
  if (result.mismatch) process.exitCode = EXIT_FINDING;
  if (result.reproduction) writeReproduction(result.reproduction);
  if (json !== undefined) await writeOutput(json, `${JSON.stringify(asJson(options, result), null, 2)}\n`);
  if (json !== "-") await print(asText(input.file, { ...options, again: againWith(command) }, result, seconds));
}

function batchesIn(text: string): string[] {
  return text.split(SEPARATOR).filter((batch) => batch.trim() !== "");
}

function writeReproduction({ ruleset, batches }: Reproduction): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "ruleset.save"), ruleset);
  writeFileSync(join(FOLDER, "edits.txt"), batches.map((batch) => SEPARATOR + batch).join(""));
}

function asJson(options: VerifyOptions, { tally, mismatch, reproduction }: VerifyResult): object {
  const { text: _, replay: __, sets: ___, accounting: ____, timeoutPolicies: _____, ...asked } = options;
  const small = reproduction && { ...reproduction, mismatch: { ...reproduction.mismatch, packet: undefined } };
  return {
    schema: "ruleswap.verify/1",
    options: asked,
    equal: mismatch === undefined,
    tally,
    ...(mismatch ? { mismatch: { ...mismatch, packet: undefined }, reproduction: small } : {}),
  };
}

/** Options that a smallest case needs as well. */
function againWith({ family, sets, emptySets, nfacct, nfct, track }: VerifyCommand): string {
  return [
    `--family ${family}`,
    ...(sets === undefined ? [] : [`--sets ${sets}`]),
    ...(emptySets ? ["--empty-sets"] : []),
    ...(nfacct === undefined ? [] : [`--nfacct ${nfacct}`]),
    ...(nfct === undefined ? [] : [`--nfct ${nfct}`]),
    ...(track ? ["--track"] : []),
  ].join(" ");
}

function asText(
  file: string,
  options: VerifyOptions & { readonly again: string },
  result: VerifyResult,
  seconds: number,
): string {
  const { tally, mismatch, reproduction } = result;
  const kinds = [
    ...options.strategies.flatMap((strategy) => options.classifiers.map((classifier) => `${strategy}/${classifier}`)),
    ...(options.linux ? ["the live kernel"] : []),
  ].join(", ");
  const lines = [
    mismatch ? `${file}: NOT EQUAL after batch ${mismatch.batch}` : `${file}: equal`,
    `  ${kinds}`,
    `  ${whole(tally.edits)} edits in ${whole(tally.batches)} batches (${whole(tally.refused)} refused, as they must be), ${whole(tally.rules)} rules at the end, seed ${options.seed}, ${seconds.toFixed(1)} s`,
    `  compared: ${whole(tally.chains)} changed chains, each behind its batch; everything ${whole(tally.full)} times, with ${whole(tally.packets)} packets${tally.leftOut > 0 ? ` (${whole(tally.leftOut)} left out: rules that remember may decide them)` : ""}`,
  ];
  const told = reproduction?.mismatch ?? mismatch;
  if (told)
    lines.push(
      "",
      `${told.kind} of ${told.who}: ${told.where}`,
      `  wanted ${told.wanted}`,
      `  got    ${told.got}`,
      "",
      `the smallest case: ruleswap verify ${FOLDER}/ruleset.save ${options.again} --replay ${FOLDER}/edits.txt`,
      ...(reproduction?.batches ?? []).map((batch) => batch.trimEnd().replace(/^/gm, "  ")),
    );
  return `${lines.join("\n")}\n`;
}
