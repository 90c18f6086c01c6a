/** The Python scripts beside this file, each in a network namespace of its own, which is gone when the answer is there. */
import { fileURLToPath } from "node:url";
import { output } from "../run.js";

/** What the script makes of its orders. */
export function playScript(name: `${string}.py`, orders: unknown): unknown {
  const script = fileURLToPath(new URL(name, import.meta.url));
  // -B: no compiled copy of what scripts share is left beside them.
  return JSON.parse(output("unshare", ["--net", "python3", "-B", script], { input: JSON.stringify(orders) }));
}
