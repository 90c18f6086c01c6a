/**
 * "5,000 services: 11 minutes; 20,000 services: 5 hours", by both readings, here.
 *
 *     npm run build && npx tsc -p bench && sudo node build/bench/disputed.js
 *
 * Reading 1: one service is added at that size, every rule by a process of its own. One such rule is measured there, the
 * median of some. Reading 2: all rules of all services are added so, from nothing. That would take hours, so it is the sum over
 * straight lines between the sizes that were measured, and says so; by `incremental` it is done, and measured. Without root or
 * programs only the engine is.
 */
import { Engine, kernelAbsence, Namespace, parseRuleset, Updater, workloads } from "ruleswap";
import { SEED } from "./task.js";

const SIZES = [100, 1000, 5000, 20_000];
const ASKED = [5000, 20_000];
const SAMPLES = 7;
/** Rules and chains that one service is: as many calls of iptables. */
const CALLS_A_SERVICE = 15;

/** Seconds that one rule more takes at `services`, the median. */
type Adder = (services: number) => Promise<number>;

const rulesetOf = (size: number): string =>
  workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" }).ruleset();
const rule = (nth: number): string => `-A OUTPUT -d 192.0.2.${nth + 1}/32 -j RETURN`;

function byProgram(program: string): Adder {
  return async (services) => {
    const namespace = await Namespace.open();
    try {
      await namespace.must({ argv: [`${program}-restore`], input: rulesetOf(services) });
      const times: number[] = [];
      for (let nth = 0; nth < SAMPLES; nth++) {
        const { begunNs, endedNs } = await namespace.run([
          { argv: [program, "-w", "-t", "nat", ...rule(nth).split(" ")] },
        ]);
        times.push((endedNs - begunNs) / 1e9);
      }
      return median(times);
    } finally {
      await namespace.close();
    }
  };
}

const byEngine: Adder = async (services) => {
  const engine = Engine.create({});
  const updater = new Updater(engine, { strategy: "one-by-one" });
  updater.load(parseRuleset(rulesetOf(services), { family: "ipv4" }));
  const times = Array.from({ length: SAMPLES }, (_, nth) => {
    const begun = performance.now();
    updater.update({ batch: `*nat\n${rule(nth)}\nCOMMIT\n` });
    return (performance.now() - begun) / 1000;
  });
  return median(times);
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** Seconds for all services up to the last point, each call taking what lies on the line between its neighbours. */
function totalOf(points: readonly (readonly [number, number])[]): number {
  let [before, took] = [0, points[0]?.[1] ?? 0];
  let sum = 0;
  for (const [services, seconds] of points) {
    sum += (CALLS_A_SERVICE * (services - before) * (took + seconds)) / 2;
    [before, took] = [services, seconds];
  }
  return sum;
}

/** Seconds that all chains and rules take, each an update of its own, from nothing. */
function incrementally(services: number): number {
  const encoder = new TextEncoder();
  const batches: Uint8Array[] = [];
  let table = "";
  for (const line of rulesetOf(services).split("\n"))
    if (line.startsWith("*")) table = line;
    else if (/^(:[^ ]+ -|-A) /.test(line)) batches.push(encoder.encode(`${table}\n${line}\nCOMMIT\n`));
  const updater = new Updater(Engine.create({}), { strategy: "incremental", family: "ipv4" });
  const begun = performance.now();
  for (const batch of batches) updater.update({ batch });
  return (performance.now() - begun) / 1000;
}

function spoken(seconds: number): string {
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 100) return `${Number(seconds.toPrecision(3))} s`;
  return seconds < 6000
    ? `${Number((seconds / 60).toPrecision(3))} min`
    : `${Number((seconds / 3600).toPrecision(3))} h`;
}

const programs = ["iptables-legacy", "iptables-nft"];
const adders: [string, Adder][] = [["ruleswap, one-by-one", byEngine]];
for (const program of programs) {
  const absence = kernelAbsence([program, `${program}-restore`]);
  if (absence) process.stdout.write(`${program} is absent: ${absence.message}\n`);
  else adders.push([program, byProgram(program)]);
}
// Compiled before it is measured, as the programs are.
for (let nth = 0; nth < 10; nth++) await byEngine(SIZES[0] as number);
for (const [name, adder] of adders) {
  const points: [number, number][] = [];
  process.stdout.write(`\n${name}, one rule more: median of ${SAMPLES}\n`);
  for (const services of SIZES) {
    const seconds = await adder(services);
    points.push([services, seconds]);
    const service = `a service of ${CALLS_A_SERVICE} such calls ${spoken(CALLS_A_SERVICE * seconds)}`;
    process.stdout.write(`  at ${services} services ${spoken(seconds)}; ${service}`);
    const total = `all of them from nothing ${spoken(totalOf(points))} (summed over the lines between these points)`;
    process.stdout.write(ASKED.includes(services) ? `; ${total}\n` : "\n");
  }
}
process.stdout.write("\nruleswap, incremental, all of them from nothing, every chain and rule an update (measured)\n");
for (const services of ASKED) process.stdout.write(`  ${services} services ${spoken(incrementally(services))}\n`);
