/**
 * A change as ruleswap makes it and, in turns on the same machine, as programs make it on the real kernel. Every round times
 * some of ruleswap's changes and one of each program's; what is told is the median of the rounds' ratios, with the interval
 * that holds it 96 times of 100 (the second least and the second greatest of nine).
 */
import { kernelAbsence, KERNEL_TARGETS, type KernelChange, type KernelTargetName, Namespace } from "ruleswap";
import { quantile } from "./task.js";

export interface Duel {
  /** "operation/classifier/workload/size". */
  readonly label: string;
  readonly open: () => Contest;
}

export interface Contest {
  readonly ruleset: string;
  /** There and back; ruleswap times both, a kernel's program the first. */
  readonly changes: readonly [KernelChange, KernelChange];
  /** Makes one of `changes` with ruleswap. */
  readonly apply: (change: KernelChange) => void;
  /** Programs and how they make the change; none where the kernel would take minutes. */
  readonly against: readonly (readonly [KernelTargetName, "one-by-one" | "partial" | "incremental"])[];
}

const ROUNDS = 9;
const CHANGES_A_ROUND = 40;
const WARM_UP = 2000;

export async function runDuel({ label, open }: Duel): Promise<void> {
  const contest = open();
  const { apply, changes } = contest;
  const own: number[] = [];
  for (let i = 0; i < WARM_UP; i++) apply(changes[i % 2] as KernelChange);
  const rivals = await openRivals(contest);
  try {
    const mediansUs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const samples = Array.from({ length: CHANGES_A_ROUND }, (_, i) => timeUs(apply, changes[i % 2] as KernelChange));
      own.push(...samples);
      mediansUs.push(quantile(samples, 0.5));
      for (const rival of rivals) await rival.round();
    }
    const us = (value: number): string => `${value.toFixed(1)} us`;
    process.stdout.write(
      `${label.padEnd(44)} p50 ${us(quantile(own, 0.5))}  p99 ${us(quantile(own, 0.99))}  min ${us(quantile(own, 0))}  max ${us(quantile(own, 1))}\n`,
    );
    for (const { name, timesUs } of rivals) {
      const ratios = timesUs.map((time, round) => time / (mediansUs[round] as number));
      process.stdout.write(
        `  ${name.padEnd(42)} p50 ${us(quantile(timesUs, 0.5))}, ${times(ratios, 0.5)} (${times(ratios, 0.125)} to ${times(ratios, 0.875)})\n`,
      );
    }
  } finally {
    for (const { close } of rivals) await close();
  }
}

interface Rival {
  readonly name: string;
  readonly timesUs: number[];
  readonly round: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function openRivals({ ruleset, changes, against }: Contest): Promise<Rival[]> {
  const rivals: Rival[] = [];
  for (const [name, strategy] of against) {
    const target = KERNEL_TARGETS[name];
    const absence = kernelAbsence(target.programs("ipv4"));
    if (absence) {
      process.stdout.write(`  ${name}: ${absence.message}\n`);
      continue;
    }
    const namespace = await Namespace.open();
    const session = target.session(namespace, "ipv4", "linear");
    await session.load({ ruleset: () => ruleset });
    const timesUs: number[] = [];
    const make = async (change: KernelChange): Promise<number> => {
      const commands = await session.prepare(change, strategy as never);
      const { begunNs, endedNs, results } = await namespace.run(commands);
      const failed = results.find(({ status }) => status !== 0);
      if (failed) throw new Error(`${name}: ${failed.stderr}`);
      await session.settle();
      return (endedNs - begunNs) / 1000;
    };
    rivals.push({
      name: `${name} ${strategy}`,
      timesUs,
      async round() {
        timesUs.push(await make(changes[0]));
        await make(changes[1]);
      },
      close: () => namespace.close(),
    });
  }
  return rivals;
}

function timeUs(apply: (change: KernelChange) => void, change: KernelChange): number {
  const begun = performance.now();
  apply(change);
  return (performance.now() - begun) * 1000;
}

const times = (ratios: readonly number[], share: number): string =>
  `${Math.round(quantile(ratios, share)).toLocaleString("en-US")} x`;
