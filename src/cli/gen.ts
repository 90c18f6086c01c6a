/** `ruleswap gen`: a workload's ruleset, its changes or its traffic, as text. */
import { Argument, type Command } from "commander";
import { decodePacket } from "../netfilter/packet.js";
import { printPacket } from "../netfilter/packet-print.js";
import { PACKET_SIZE } from "../blob/layout.js";
import type { Family } from "../ruleset/row-store.js";
import { KUBE_PROXY_CHURNS, type KubeProxyChurn } from "../workload/kube-proxy-options.js";
import { type Spread, SPREADS } from "../workload/spread.js";
import type { Change, Workload } from "../workload/workload.js";
import { type WorkloadName, workloads } from "../workload/workloads.js";
import { CliError } from "./fault.js";
import { helpText } from "./help.js";
import { oneOf, wholeFrom } from "./number-option.js";
import { print } from "./output.js";

interface GenOptions {
  readonly size?: number;
  readonly seed: number;
  readonly family: Family;
  readonly changes?: number;
  readonly as: keyof typeof CHANGE_FORMS;
  readonly churn: KubeProxyChurn;
  readonly traffic?: number;
  readonly spread: Spread;
  readonly sets: boolean;
}

/** The same change as its least edits, as its program states it, or as the ruleset that it leads to. */
const CHANGE_FORMS = {
  batch: ({ batch }: Change) => batch,
  restated: (change: Change) => change.restated(),
  whole: (change: Change) => change.whole(),
} as const;

const SPREAD_NAMES = Object.keys(SPREADS) as Spread[];
const names = Object.keys(workloads) as WorkloadName[];

const HELP = `
Examples:
  ruleswap gen kube-proxy --size 1000 > rules.v4
  ruleswap gen kube-proxy --size 1000 --changes 10 --churn rolling-deploy
  ruleswap gen docker --changes 2 --as whole
  ruleswap gen kube-proxy --traffic 5 --spread zipf
  ruleswap gen kube-proxy-ipvs --sets > sets.txt

Each change begins with a line "# what it does" and is text for iptables-restore: as batch and restated for --noflush,
as whole without it. Each packet is a line that ruleswap trace --packet takes.`;

export function addGen(program: Command): void {
  const about = names.map((name) => `  ${name.padEnd(16)} ${workloads[name].about}`).join("\n");
  program
    .command("gen")
    .description(
      "a workload's ruleset as iptables-save prints it, or its changes, or its traffic; the same seed, the same text",
    )
    .addArgument(new Argument("<workload>", "its name").choices(names))
    .option(
      "--size <n>",
      "services, or what else the workload counts (default: the workload's first size)",
      wholeFrom(1, 1_000_000),
    )
    .option("--seed <n>", "of all chance", wholeFrom(0, 2 ** 32 - 1), 1)
    .option("--family <name>", "ipv4 or ipv6", oneOf(["ipv4", "ipv6"]), "ipv4")
    .option("--changes <n>", "the first n changes in place of the ruleset", wholeFrom(1, 1_000_000))
    .option(
      "--as <form>",
      `changes as ${Object.keys(CHANGE_FORMS).join(", ")}`,
      oneOf(Object.keys(CHANGE_FORMS) as GenOptions["as"][]),
      "batch",
    )
    .option(
      "--churn <name>",
      `what changes, of kube-proxy: ${KUBE_PROXY_CHURNS.join(", ")}`,
      oneOf(KUBE_PROXY_CHURNS),
      "single",
    )
    .option("--traffic <n>", "n packets, a line each, in place of the ruleset", wholeFrom(1, 10_000_000))
    .option(
      "--spread <name>",
      "of --traffic over services, or what else there is: uniform, or zipf, 1/rank",
      oneOf(SPREAD_NAMES),
      "uniform",
    )
    .option("--sets", "text for ipset restore that the ruleset needs, in place of the ruleset", false)
    .addHelpText("after", helpText(`\nWorkloads:\n${about}\n${HELP}`))
    .action((name: WorkloadName, options: GenOptions) => gen(name, options));
}

async function gen(name: WorkloadName, options: GenOptions): Promise<void> {
  const kind = workloads[name];
  const { size = kind.sizes[0] ?? 1, seed, family, churn } = options;
  if (churn !== "single" && name !== "kube-proxy") throw new CliError("--churn: only kube-proxy has a choice");
  const workload: Workload = kind.make({ size, seed, family, churn });
  if (options.sets) await print(workload.sets ?? "");
  else if (options.traffic !== undefined) await printTraffic(workload, options.traffic, options.spread);
  else if (options.changes !== undefined) await printChanges(workload, options.changes, CHANGE_FORMS[options.as]);
  else await print(workload.ruleset());
}

async function printChanges(workload: Workload, count: number, form: (change: Change) => string): Promise<void> {
  let left = count;
  for (const change of workload.changes()) {
    if (left-- === 0) break;
    await print(`# ${change.label}\n${form(change)}`);
  }
}

async function printTraffic(workload: Workload, count: number, spread: Spread): Promise<void> {
  const packets = workload.traffic(count, undefined, spread);
  const lines: string[] = [];
  for (let at = 0; at < packets.length; at += PACKET_SIZE)
    lines.push(`${printPacket(decodePacket(packets.subarray(at, at + PACKET_SIZE)))}\n`);
  await print(lines.join(""));
}
