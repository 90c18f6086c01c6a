/**
 * nft: a script a change, read by one process and put in force at once.
 *
 * `full` states the whole ruleset. `incremental` states what the change names: rules that go are named by their handles,
 * which a program that manages rules knows (firewalld keeps them, kube-proxy avoids them). Here they are asked for between
 * changes, outside the time that is measured, since nft tells them at once only when it reads the whole ruleset first.
 *
 * Beside others each program has tables of its own, as programs have that were written for nft.
 */
import type { Family } from "../ruleset/row-store.js";
import type { Command } from "./resident-protocol.js";
import { restoreSets } from "./iptables.js";
import type { Beside, KernelChange, KernelRuleset, KernelSession, KernelTarget } from "./kernel-target.js";
import { LinuxError } from "./linux-error.js";
import type { Namespace } from "./namespace.js";
import { NftEditor } from "./nft-edits.js";
import { NftExpressions } from "./nft-expressions.js";
import { chainsOf, type NftChain, type NftForm, NftWriter } from "./nft-script.js";
import { saveLines } from "./save-lines.js";

export type NftStrategy = "full" | "incremental";

export const nft: KernelTarget<NftStrategy, NftForm> = {
  strategies: ["full", "incremental"],
  forms: ["linear", "verdict-map"],
  programs: (family) => ["nft", family === "ipv4" ? "iptables-restore-translate" : "ip6tables-restore-translate"],
  nothing: () => ({ argv: ["nft", "-f", "-"], input: "" }),
  locks: false,
  session: (namespace, family, form, beside) => new NftSession(namespace, family, form, beside),
};

const apply = (script: string): Command => ({ argv: ["nft", "-f", "-"], input: script });

class NftSession implements KernelSession<NftStrategy> {
  private readonly expressions: NftExpressions;
  private readonly writer: NftWriter;
  private chains = new Map<string, NftChain>();
  /** Chains whose rules got handles that are not known yet. */
  private unknown = new Set<NftChain>();

  constructor(
    private readonly namespace: Namespace,
    family: Family,
    private readonly form: NftForm,
    beside: Beside | undefined,
  ) {
    this.expressions = new NftExpressions(namespace, family);
    this.writer = new NftWriter(family, this.expressions, beside?.owner);
  }

  async load({ sets, ruleset }: KernelRuleset): Promise<void> {
    if (sets !== undefined) throw new LinuxError("no-translation", "nft does not know sets of ipset");
    await this.namespace.must(apply(await this.state(ruleset())));
    await this.settle();
  }

  async prepare(change: KernelChange, strategy: NftStrategy): Promise<Command[]> {
    const script = strategy === "full" ? await this.state(change.whole()) : await this.edit(change.batch);
    return [...restoreSets(change.sets), apply(script)];
  }

  async settle(): Promise<void> {
    const touched = [...this.unknown].filter((chain) => this.chains.get(`${chain.table} ${chain.name}`) === chain);
    this.unknown = new Set();
    if (touched.length === 0) return;
    const list = (place: string): Command => ({
      argv: ["nft", "-a", "list", "chain", ...place.split(" ")],
      output: true,
    });
    const commands = touched.map(({ table, name }) => list(this.writer.place(table, name)));
    const { results } = await this.namespace.run(commands);
    for (const [nth, chain] of touched.entries()) giveHandles(chain, results[nth]?.stdout ?? "");
  }

  private async state(text: string): Promise<string> {
    this.chains = chainsOf(text, this.form);
    // A program that states everything never needs a handle; edits ask for those of the chains that they touch.
    for (const chain of this.chains.values()) for (const rule of chain.rules) delete rule.handle;
    const rules = [...this.chains.values()].flatMap(({ table, rules }) =>
      rules.flatMap(({ body, element }) => (element ? [] : { table, body })),
    );
    await this.expressions.learn(rules);
    return this.writer.whole(this.chains);
  }

  private async edit(batch: string): Promise<string> {
    const lines = [...saveLines(batch)];
    await this.expressions.learn(lines.flatMap((line) => ("body" in line && line.body !== "" ? line : [])));
    const editor = new NftEditor(this.chains, this.writer);
    for (const chain of editor.asksFor(lines)) this.unknown.add(chain);
    await this.settle();
    const script = editor.edit(lines);
    for (const chain of editor.touched) this.unknown.add(chain);
    return script;
  }
}

/** The rules of a listing stand in the chain's order; one of them asks the map. */
function giveHandles(chain: NftChain, listing: string): void {
  const handles = [...listing.matchAll(/^\t\t(?!type ).* # handle (\d+)$/gm)].map(([, handle]) => Number(handle));
  let nth = 0;
  let asked: number | undefined;
  for (const rule of chain.rules) {
    const handle: number | undefined = rule.element && asked !== undefined ? asked : handles[nth++];
    if (rule.element) asked = handle;
    if (handle === undefined)
      throw new LinuxError(
        "tool-failed",
        `nft lists ${handles.length} rules in ${chain.name}, not ${chain.rules.length}`,
      );
    rule.handle = handle;
  }
}
