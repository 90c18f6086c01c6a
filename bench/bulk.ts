/**
 * Services in bulk: SERVICES of them added to a ruleset of a few, in one batch each and all in one batch, beside one `full`
 * update to the same ruleset, in turns.
 */
import { Engine, parseRuleset, Updater, type UpdateRequest, workloads } from "ruleswap";
import { expect, quantile, SEED } from "./task.js";

const SERVICES = 10_000;
const BASE = 100;
const ROUNDS = 9;

export const BULK_LABEL = `incremental-bulk/tuple-space/kube-proxy/${SERVICES}`;

export function runBulk(): void {
  const [before, after] = [BASE, BASE + SERVICES].map((size) =>
    workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" }),
  );
  if (!before || !after) throw new Error("no workloads");
  const text = before.ruleset();
  const batches = servicesBetween(text, after.ruleset());
  const encoder = new TextEncoder();
  const batchOf = (parts: readonly Service[]): UpdateRequest => ({
    batch: encoder.encode(
      `*nat\n${parts.map(({ chains, rules }) => chains + rules).join("")}${parts.map(({ entry }) => entry).join("")}COMMIT\n`,
    ),
  });
  const ways: Readonly<Record<string, readonly UpdateRequest[]>> = {
    "one full": [{ ruleset: encoder.encode(after.ruleset()) }],
    "one batch": [batchOf(batches)],
    "a batch each": batches.map((service) => batchOf([service])),
  };
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [way, requests] of Object.entries(ways)) {
      const engine = Engine.create({ localAddresses: before.localAddresses });
      const updater = new Updater(engine, { strategy: way === "one full" ? "full" : "incremental", family: "ipv4" });
      updater.load(parseRuleset(text, { family: "ipv4" }));
      const begun = performance.now();
      for (const request of requests) updater.update(request);
      times.set(way, [...(times.get(way) ?? []), performance.now() - begun]);
      expect("rules in force", engine.readRuleset()[0]?.tables.get("nat")?.rows.count ?? 0, after.rules);
    }
  const full = times.get("one full") as number[];
  for (const [way, list] of times) {
    const ratios = list.map((time, round) => time / (full[round] as number));
    process.stdout.write(
      `${`${BULK_LABEL} ${way}`.padEnd(60)} ms: p50 ${quantile(list, 0.5).toFixed(0)}  min ${quantile(list, 0).toFixed(0)}, ` +
        `${quantile(ratios, 0.5).toFixed(2)} (${quantile(ratios, 0.125).toFixed(2)} to ${quantile(ratios, 0.875).toFixed(2)}) of one full\n`,
    );
  }
}

interface Service {
  /** Declarations, rules of its own chains, and the rule of KUBE-SERVICES. */
  readonly chains: string;
  readonly rules: string;
  readonly entry: string;
}

/** What the greater ruleset has and the smaller has not, service by service. */
function servicesBetween(before: string, after: string): Service[] {
  const known = new Set(before.split("\n"));
  const own = new Map<string, string[]>();
  const entries: string[] = [];
  for (const line of after.split("\n")) {
    if (known.has(line) || !line.startsWith("-A ")) continue;
    const chain = line.split(" ", 2)[1] as string;
    if (chain === "KUBE-SERVICES") entries.push(line);
    else own.set(chain, [...(own.get(chain) ?? []), line]);
  }
  // Behind the services that are there, in front of the rule for node ports.
  const position = [...known].filter((line) => line.startsWith("-A KUBE-SERVICES ")).length;
  return entries.map((entry, nth) => {
    const chains: string[] = [];
    collect(entry, own, chains);
    return {
      chains: chains.map((chain) => `:${chain} - [0:0]\n`).join(""),
      rules: chains
        .flatMap((chain) => own.get(chain) ?? [])
        .map((line) => `${line}\n`)
        .join(""),
      entry: `${entry.replace("-A KUBE-SERVICES", `-I KUBE-SERVICES ${position + nth}`)}\n`,
    };
  });
}

/** Adds the chains that a rule leads to, of those that are `own`. */
function collect(rule: string, own: ReadonlyMap<string, readonly string[]>, chains: string[]): void {
  const chain = /-j (\S+)$/.exec(rule)?.[1];
  if (chain === undefined || !own.has(chain) || chains.includes(chain)) return;
  chains.push(chain);
  for (const next of own.get(chain) ?? []) collect(next, own, chains);
}
