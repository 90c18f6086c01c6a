/**
 * "5,000 services: 11 minutes; 20,000 services: 5 hours", by both readings, here.
 *
 *     npm run build && npx tsc -p bench && sudo node build/bench/disputed.js
 *
 * Reading 1: one service is added at that size, every rule by a process of its own. Reading 2: all rules of all services
 * are added so, from nothing. Adding one rule is measured at a few sizes, the median of some, and a line is fitted: a
 * process costs something, and each rule that is there costs something more. What is printed for a size that was not
 * measured, and every total, follows from that line and says so. Without root or programs only the engine is measured.
 */
import { Engine, kernelAbsence, Namespace, parseRuleset, Updater, workloads } from "ruleswap";
import { SEED } from "./task.js";

const MEASURED = [100, 500, 1000, 2000];
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

/** Least squares of y = fixed + each * x, relative errors weighing alike. */
function lineThrough(points: readonly (readonly [number, number])[]): { fixed: number; each: number } {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const [x, y] of points) {
    const weight = 1 / (y * y);
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const each = Math.max(0, (w * wxy - wx * wy) / (w * wxx - wx * wx));
  return { fixed: Math.max(0, (wy - each * wx) / w), each };
}

function spoken(seconds: number): string {
  if (seconds < 100) return `${Number(seconds.toPrecision(3))} s`;
  return seconds < 6000
    ? `${Number((seconds / 60).toPrecision(3))} min`
    : `${Number((seconds / 3600).toPrecision(3))} h`;
}

const programs = ["iptables-legacy", "iptables-nft"];
const adders: [string, Adder][] = [["ruleswap", byEngine]];
for (const program of programs) {
  const absence = kernelAbsence([program, `${program}-restore`]);
  if (absence) process.stdout.write(`${program} is absent: ${absence.message}\n`);
  else adders.push([program, byProgram(program)]);
}
for (const [name, adder] of adders) {
  const points: [number, number][] = [];
  for (const services of MEASURED) points.push([services, await adder(services)]);
  const { fixed, each } = lineThrough(points);
  const measured = points.map(([services, seconds]) => `${services}: ${(seconds * 1000).toFixed(1)} ms`).join(", ");
  process.stdout.write(`\n${name}: one rule more at ${measured} (measured, medians of ${SAMPLES})\n`);
  for (const services of ASKED) {
    const one = CALLS_A_SERVICE * (fixed + each * services);
    const all = CALLS_A_SERVICE * services * (fixed + (each * services) / 2);
    process.stdout.write(
      `  ${services} services: one service, rule by rule ${spoken(one)}; all of them from nothing ${spoken(all)} (extrapolated)\n`,
    );
  }
}
