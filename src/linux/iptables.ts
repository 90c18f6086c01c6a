/** iptables-legacy and iptables-nft: the same commands, told to x_tables or to nf_tables. */
import type { Family } from "../ruleset/row-store.js";
import type { Command } from "./resident-protocol.js";
import type { Beside, KernelChange, KernelRuleset, KernelSession, KernelTarget } from "./kernel-target.js";
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
    locks: variant === "legacy",
    session: (namespace, family, _, beside) => new IptablesSession(namespace, (name) => program(family, name), beside),
  };
}

class IptablesSession implements KernelSession<IptablesStrategy> {
  constructor(
    private readonly namespace: Namespace,
    private readonly program: (name?: string) => string,
    private readonly beside: Beside | undefined,
  ) {}

  async load({ sets, ruleset }: KernelRuleset): Promise<void> {
    const restore = [this.program("-restore"), ...(this.beside ? ["--noflush"] : [])];
    await this.namespace.must(...restoreSets(sets), { argv: restore, input: ruleset() });
  }

  async prepare(change: KernelChange, strategy: IptablesStrategy): Promise<Command[]> {
    return [...restoreSets(change.sets), ...this.commands(change, strategy)];
  }

  async settle(): Promise<void> {}

  private commands(change: KernelChange, strategy: IptablesStrategy): Command[] {
    const restore = this.program("-restore");
    const wait = this.beside ? ["-w", String(this.beside.lockTimeout)] : ["-w"];
    switch (strategy) {
      case "one-by-one":
        return [...saveLines(change.batch)].map((line) => ({ argv: [this.program(), ...wait, ...argumentsOf(line)] }));
      case "full":
        return [{ argv: [restore, ...wait], input: change.whole() }];
      case "partial":
        // A program that states its chains whole would take from shared ones what others have put there.
        return [{ argv: [restore, ...wait, "--noflush"], input: this.beside ? change.batch : change.restated() }];
    }
  }
}

export function restoreSets(sets: string | undefined): Command[] {
  return sets === undefined ? [] : [{ argv: ["ipset", "restore"], input: sets }];
}
