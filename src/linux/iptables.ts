/** iptables-legacy and iptables-nft: the same commands, told to x_tables or to nf_tables. */
import type { Family } from "../ruleset/row-store.js";
import type { Command } from "./resident-protocol.js";
import type { KernelChange, KernelRuleset, KernelSession, KernelTarget } from "./kernel-target.js";
import type { Namespace } from "./namespace.js";
import { argumentsOf, saveLines } from "./save-lines.js";

export type IptablesStrategy = "one-by-one" | "full" | "partial";

export function iptables(variant: "legacy" | "nft"): KernelTarget<IptablesStrategy, "linear"> {
  const program = (family: Family, name = ""): string =>
    `${family === "ipv4" ? "iptables" : "ip6tables"}-${variant}${name}`;
  return {
    strategies: ["one-by-one", "full", "partial"],
    forms: ["linear"],
    programs: (family) => ["", "-restore", "-save"].map((name) => program(family, name)),
    nothing: (family) => ({ argv: [program(family, "-restore"), "--noflush"], input: "" }),
    session: (namespace, family) => new IptablesSession(namespace, (name) => program(family, name)),
  };
}

class IptablesSession implements KernelSession<IptablesStrategy> {
  constructor(
    private readonly namespace: Namespace,
    private readonly program: (name?: string) => string,
  ) {}

  async load({ sets, ruleset }: KernelRuleset): Promise<void> {
    await this.namespace.must(...restoreSets(sets), { argv: [this.program("-restore")], input: ruleset() });
  }

  async prepare(change: KernelChange, strategy: IptablesStrategy): Promise<Command[]> {
    return [...restoreSets(change.sets), ...this.commands(change, strategy)];
  }

  async settle(): Promise<void> {}

  private commands(change: KernelChange, strategy: IptablesStrategy): Command[] {
    const restore = this.program("-restore");
    switch (strategy) {
      case "one-by-one":
        return [...saveLines(change.batch)].map((line) => ({ argv: [this.program(), "-w", ...argumentsOf(line)] }));
      case "full":
        return [{ argv: [restore, "-w"], input: change.whole() }];
      case "partial":
        return [{ argv: [restore, "-w", "--noflush"], input: change.restated() }];
    }
  }
}

export function restoreSets(sets: string | undefined): Command[] {
  return sets === undefined ? [] : [{ argv: ["ipset", "restore"], input: sets }];
}
