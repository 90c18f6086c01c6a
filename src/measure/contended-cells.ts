/** Cells of several writers: of the engine by strategy and classifier, of the kernel's programs by form and strategy. */
import { KERNEL_TARGETS, type KernelTargetName } from "../linux/kernel-targets.js";
import { LinuxError } from "../linux/linux-error.js";
import type { Strategy } from "../update/updater.js";
import type { BenchCell, CellContext } from "./bench-cell.js";
import type { BenchOptions } from "./bench-options.js";
import type { ContentionRecord, WriterResult } from "./contention.js";
import { assembleContention, type ContentionSubject, measureContention } from "./contention-cell.js";
import { PROCESS_SECONDS, SECONDS_A_SERVICE } from "./expected-seconds.js";
import {
  assembleKernelContention,
  CONTENDED_STRATEGIES,
  type ContendedKernelCell,
  measureKernelContention,
} from "./kernel-contention-cell.js";
import { once } from "./once.js";
import type { Absence } from "./result.js";

export function contendedCells(options: BenchOptions, size: number, make: () => ContentionSubject): BenchCell[] {
  const { writers, strategies, classifiers, linux } = options;
  if (writers.length === 0) return [];
  const subject = once(make);
  return [
    ...strategies.flatMap((strategy) =>
      classifiers.map((classifier) => {
        const made = once(() => ({ subject: subject(), strategy, classifier }));
        return new SeveralWriters(options, size, SECONDS_A_SERVICE[strategy] * size, {
          label: `${strategy}/${classifier}`,
          measure: (context) => measureContention(made(), { ...context, options }),
          assemble: (rounds) => assembleContention(made(), rounds, options),
        });
      }),
    ),
    ...linux.flatMap((target) =>
      kernelWays(target, strategies).map(({ form, strategy }) => {
        const made = once((): ContendedKernelCell => ({ subject: subject(), target, strategy, form }));
        const [each, fixed] = PROCESS_SECONDS[strategy];
        return new SeveralWriters(options, size, each * size + fixed, {
          label: `${target}/${strategy}/${form}`,
          target,
          measure: (context) => measureKernelContention(made(), { ...context, options }),
          assemble: (rounds) => assembleKernelContention(made(), rounds, options),
        });
      }),
    ),
  ];
}

function kernelWays(
  target: KernelTargetName,
  asked: readonly Strategy[],
): Pick<ContendedKernelCell, "form" | "strategy">[] {
  const { forms, strategies } = KERNEL_TARGETS[target];
  return forms.flatMap((form) =>
    strategies
      .filter((strategy) => asked.includes(strategy) && CONTENDED_STRATEGIES.includes(strategy))
      .map((strategy) => ({ form, strategy })),
  );
}

interface Contended {
  /** What goes in front of the writers' names. */
  readonly label: string;
  /** Of the kernel only. */
  readonly target?: KernelTargetName;
  readonly measure: (context: CellContext) => Promise<WriterResult[]>;
  readonly assemble: (rounds: readonly WriterResult[][]) => ContentionRecord;
}

class SeveralWriters implements BenchCell {
  readonly label: string;
  readonly weight: number;
  absence: Absence | undefined;
  private readonly rounds: WriterResult[][] = [];

  constructor(
    { writers, duration, rounds }: BenchOptions,
    private readonly size: number,
    changeSeconds: number,
    private readonly contended: Contended,
  ) {
    this.label = `${contended.label}/${writers.join("+")}/${size}`;
    this.weight = 1 + size * 1e-4 + duration / rounds + writers.length * changeSeconds;
  }

  async measure(context: CellContext): Promise<void> {
    const { target, measure } = this.contended;
    try {
      const measured = await measure(context);
      if (!context.signal.aborted) this.rounds.push(measured);
    } catch (error) {
      if (target === undefined || !(error instanceof LinuxError)) throw error;
      if (!context.signal.aborted) this.absence = { target, services: this.size, reason: error.message };
    }
  }

  record(): undefined {
    return undefined;
  }

  contention(): ContentionRecord | undefined {
    return this.rounds.length > 0 ? this.contended.assemble(this.rounds) : undefined;
  }
}
