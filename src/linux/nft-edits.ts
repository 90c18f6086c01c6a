/** Edits of iptables on a ruleset that nft keeps: statements that touch what the edits name. */
import { LinuxError } from "./linux-error.js";
import { elementOf, type NftChain, type NftRule, type NftWriter } from "./nft-script.js";
import type { SaveLine } from "./save-lines.js";

export class NftEditor {
  /** Chains whose rules are others than before. */
  readonly touched = new Set<NftChain>();
  private readonly statements: string[] = [];

  constructor(
    private readonly chains: Map<string, NftChain>,
    private readonly writer: NftWriter,
  ) {}

  /** Chains of which some handle must be known before the edits can be said. */
  asksFor(lines: readonly SaveLine[]): NftChain[] {
    return lines.flatMap((line) => {
      const chain = this.chains.get(`${line.table} ${line.chain}`);
      const byHandle = line.verb === "delete" || line.verb === "replace" || line.verb === "insert";
      return chain && byHandle && chain.rules.some(({ handle }) => handle === undefined) ? chain : [];
    });
  }

  /** One script for all of them; the chains are as they will be then. */
  edit(lines: readonly SaveLine[]): string {
    for (const line of lines) this.line(line);
    return `${this.statements.join("\n")}\n`;
  }

  private line(line: SaveLine): void {
    if (line.verb === "chain" || line.verb === "policy") {
      this.declare(line.table, line.chain, line.verb === "policy" ? line.policy : undefined);
      return;
    }
    const chain = this.chains.get(`${line.table} ${line.chain}`);
    if (!chain) throw new RangeError(`no chain ${line.chain} in table ${line.table}`);
    this.touched.add(chain);
    switch (line.verb) {
      case "append":
        return this.insert(chain, chain.rules.length, line.body);
      case "insert":
        return this.insert(chain, line.position - 1, line.body);
      case "replace":
        return this.replace(chain, line.position - 1, line.body);
      case "delete":
        return this.delete(chain, line.position === undefined ? this.find(chain, line.body) : line.position - 1);
      case "flush":
        return this.flush(chain);
      case "remove":
        this.say(
          `delete chain ${this.place(chain)}`,
          ...(chain.mapped ? [`delete map ${this.writer.mapOf(chain)}`] : []),
        );
        this.touched.delete(chain);
        this.chains.delete(`${chain.table} ${chain.name}`);
    }
  }

  /** A chain that is there is emptied, as iptables-restore does it; a built-in one gets its policy. */
  private declare(table: string, name: string, policy: string | undefined): void {
    const key = `${table} ${name}`;
    const known = this.chains.get(key);
    const chain: NftChain = known ?? { table, name, rules: [], mapped: false };
    if (policy !== undefined) chain.policy = policy;
    this.chains.set(key, chain);
    this.say(this.writer.addChain(chain));
    if (known && policy === undefined) this.flush(chain);
  }

  /** A map stays, empty, for the rules that come. */
  private flush(chain: NftChain): void {
    this.say(`flush chain ${this.place(chain)}`, ...(chain.mapped ? [`flush map ${this.writer.mapOf(chain)}`] : []));
    chain.rules = [];
  }

  private insert(chain: NftChain, at: number, body: string): void {
    const [before, behind] = [chain.rules[at - 1], chain.rules[at]];
    const isAsked = chain.rules.some((rule) => rule.element);
    const belongs = chain.mapped && (!isAsked || before?.element || behind?.element);
    const element = belongs ? elementOf(body) : undefined;
    const rule: NftRule = element ? { body, element } : { body };
    if (element) this.say(this.writer.elements(chain, [element], "add"));
    if (!element && before?.element && behind?.element) throw inMap(chain);
    if (!element || !isAsked) {
      const text = element ? this.writer.askMap(chain) : this.writer.rule(chain, body);
      if (at >= chain.rules.length) this.say(`add rule ${this.place(chain)} ${text}`);
      else if (at === 0) this.say(`insert rule ${this.place(chain)} ${text}`);
      else this.say(`add rule ${this.place(chain)} position ${handleOf(before)} ${text}`);
    }
    chain.rules.splice(at, 0, rule);
  }

  private replace(chain: NftChain, at: number, body: string): void {
    const old = chain.rules[at];
    if (old?.element) {
      this.delete(chain, at);
      this.insert(chain, at, body);
      return;
    }
    this.say(`replace rule ${this.place(chain)} handle ${handleOf(old)} ${this.writer.rule(chain, body)}`);
    chain.rules[at] = { body };
  }

  private delete(chain: NftChain, at: number): void {
    const rule = chain.rules[at];
    if (rule?.element) this.say(this.writer.elements(chain, [rule.element], "delete"));
    else this.say(`delete rule ${this.place(chain)} handle ${handleOf(rule)}`);
    chain.rules.splice(at, 1);
  }

  private find(chain: NftChain, body: string): number {
    const at = chain.rules.findIndex((rule) => rule.body === body);
    if (at < 0) throw new RangeError(`no such rule in chain ${chain.name}: ${body}`);
    return at;
  }

  private place(chain: NftChain): string {
    return this.writer.place(chain.table, chain.name);
  }

  private say(...statements: readonly string[]): void {
    this.statements.push(...statements);
  }
}

function handleOf(rule: NftRule | undefined): number {
  if (rule?.handle === undefined)
    throw new LinuxError("no-translation", "nft: an edit beside a rule made by the same batch");
  return rule.handle;
}

const inMap = (chain: NftChain): LinuxError =>
  new LinuxError("no-translation", `nft: a rule in the middle of the map of ${chain.name}`);
