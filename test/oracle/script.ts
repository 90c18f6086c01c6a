/** The Python scripts beside this file, in network namespaces of their own, which are gone when the answer is there. */
import { fileURLToPath } from "node:url";
import { output } from "../run.js";

const LANES = fileURLToPath(new URL("lanes.py", import.meta.url));
/** Namespaces at a time. */
const MOST_LANES = 4;

/** Of a script: what is said once, and rounds, none of which needs another. */
export interface Orders {
  readonly rounds: readonly unknown[];
  readonly [what: string]: unknown;
}

/** What the script makes of its orders, round by round. */
export function playScript(name: `${string}.py`, orders: Orders): unknown {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return JSON.parse(output("python3", ["-B", LANES, script, String(MOST_LANES)], { input: JSON.stringify(orders) }));
}
