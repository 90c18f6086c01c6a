/** The live kernel beside the engines: iptables-legacy in a network namespace of its own, given the same batches. */
import { Namespace } from "../linux/namespace.js";
import type { Family } from "../ruleset/row-store.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { printTable } from "../ruleset/print.js";

export class KernelSubject {
  private constructor(
    private readonly namespace: Namespace,
    readonly program: string,
  ) {}

  /** @throws LinuxError where there is no such kernel or it refuses the ruleset. */
  static async open(family: Family, ruleset: string, sets: string): Promise<KernelSubject> {
    const program = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
    const others = sets === "" ? [] : ["ipset"];
    const namespace = await Namespace.open([`${program}-restore`, `${program}-save`, ...others]);
    try {
      if (sets !== "") await namespace.must({ argv: ["ipset", "restore"], input: sets });
      await namespace.must({ argv: [`${program}-restore`], input: ruleset });
    } catch (error) {
      await namespace.close();
      throw error;
    }
    return new KernelSubject(namespace, program);
  }

  /** Undefined when it is done, else what the program said. */
  async update(batch: string): Promise<string | undefined> {
    const { results } = await this.namespace.run([{ argv: [`${this.program}-restore`, "--noflush"], input: batch }]);
    const [result] = results;
    return result && result.status !== 0 ? result.stderr.trim() || `exit ${result.status}` : undefined;
  }

  /** The first table whose text is not the model's. Counters of policies are left out, as the namespace has no traffic. */
  async difference(model: Ruleset): Promise<{ table: string; wanted: string; got: string } | undefined> {
    const saved = await this.namespace.must({ argv: [`${this.program}-save`], output: true });
    const kernel = new Map(
      saved
        .replace(/^#.*\n/gm, "")
        .split(/(?<=^COMMIT\n)/m)
        .map((text) => [/^\*(\S+)/.exec(text)?.[1] ?? "", withoutCounters(text)]),
    );
    for (const [name, table] of model.tables) {
      const wanted = withoutCounters(printTable(table));
      const got = kernel.get(name) ?? "";
      if (wanted !== got) return { table: name, wanted, got };
    }
    return undefined;
  }

  close(): Promise<void> {
    return this.namespace.close();
  }
}

const withoutCounters = (text: string): string => text.replace(/^(:\S+ \S+) \[\d+:\d+\]$/gm, "$1 [0:0]");
