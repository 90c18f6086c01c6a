/** One micro-benchmark. Everything it needs is made by `prepare`, outside of what is timed. */
export interface Task {
  /** "operation/strategy/workload/size"; "-" for a part that does not apply. */
  readonly label: string;
  /** Operations (packets, updates) that one run makes. */
  readonly operations: number;
  readonly prepare: () => Prepared;
}

export interface Prepared {
  readonly run: () => void;
  /** Throws when what the last run left behind is not what it should be. */
  readonly check: () => void;
}

/** Throws unless `found` is `wanted`. */
export function expect(what: string, found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${what}: ${found} in place of ${wanted}`);
}

export const SEED = 1;

/** The value that `share` of all values lie below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}
