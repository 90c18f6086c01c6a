/** DPDK's librte_acl as a process that makes a pass over the trace when it is asked to. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Round } from "./statistics.js";

export type Algorithm = "scalar" | "avx2" | "avx512";

/** Memory in MiB that it may take for a table. */
const MEMORY = 3072;

export class Dpdk {
  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: AsyncIterator<string>,
    private readonly output: Interface,
    readonly buildMs: number,
    readonly results: Uint32Array,
  ) {}

  static async start(program: string, folder: string, ranges: Uint32Array, trace: Uint8Array): Promise<Dpdk> {
    const [rules, packets, found] = ["rules", "trace", "results"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(rules, ranges);
    writeFileSync(packets, trace);
    const eal = [
      "--no-huge",
      "--no-pci",
      "--no-telemetry",
      "--log-level=error",
      "-m",
      String(MEMORY),
      "-l",
      firstCpu(),
    ];
    const child = spawn(program, [...eal, "--force-max-simd-bitwidth=512", "--", rules, packets, found]);
    const end = (): boolean => child.kill();
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    const output = createInterface({ input: child.stdout });
    const lines = output[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error("librte_acl's program ended before it was ready");
      const ready = /^ready (\S+)/.exec(value);
      if (!ready) continue;
      const results = readFileSync(found);
      return new Dpdk(
        child,
        lines,
        output,
        Number(ready[1]),
        new Uint32Array(results.buffer, results.byteOffset, results.length / 4),
      );
    }
  }

  /** Undefined where the processor lacks the instructions. */
  async pass(algorithm: Algorithm, batch: number, section: number): Promise<Round | undefined> {
    this.child.stdin.write(`${algorithm} ${batch} ${section}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error("librte_acl's program ended");
    return value.startsWith("no ") ? undefined : value.trim().split(" ").map(Number);
  }

  close(): void {
    this.output.close();
    this.child.kill();
  }
}

/** The first processor that this process may run on. */
function firstCpu(): string {
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
}
