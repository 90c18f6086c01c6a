/**
 * A ruleset of iptables as nft keeps it, rule for rule: its script, and the scripts of edits to it.
 *
 * `linear`: every rule is a rule. `verdict-map`: rules of one chain that do nothing but send a destination, protocol and
 * port to a chain are elements of a map instead, and a single rule asks it, which is how kube-proxy's nftables mode keeps
 * its services. Only runs of many such rules become a map.
 *
 *     -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-X
 *     add element ip nat KUBE-SERVICES-map { 10.96.0.1 . tcp . 443 : jump KUBE-SVC-X }
 */
import type { Family } from "../ruleset/row-store.js";
import { BUILTIN_CHAINS, type TableName } from "../ruleset/ruleset.js";
import { commentOf, type NftExpressions } from "./nft-expressions.js";
import { saveLines } from "./save-lines.js";

export type NftForm = "linear" | "verdict-map";

export interface NftRule {
  readonly body: string;
  /** Its number in the table, once the kernel has been asked; elements of the map have none. */
  handle?: number;
  /** Key and verdict where it is an element of the chain's map. */
  readonly element?: Element;
}

export interface Element {
  readonly key: string;
  readonly verdict: string;
}

export interface NftChain {
  readonly table: string;
  readonly name: string;
  policy?: string;
  rules: NftRule[];
  /** Whether the chain has a map. */
  mapped: boolean;
}

/** Fewer rules in a row are not worth a map. */
const LEAST_ELEMENTS = 8;

const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, filter: 0, security: 50 };
const NAT_PRIORITIES: Readonly<Record<string, number>> = {
  PREROUTING: -100,
  INPUT: 100,
  OUTPUT: -100,
  POSTROUTING: 100,
};

/** Chains by "table chain", in the order of the text. */
export function chainsOf(text: string, form: NftForm): Map<string, NftChain> {
  const chains = new Map<string, NftChain>();
  for (const line of saveLines(text)) {
    const { table, chain: name } = line;
    const key = `${table} ${name}`;
    const chain = chains.get(key) ?? { table, name, rules: [], mapped: false };
    chains.set(key, chain);
    if (line.verb === "policy") chain.policy = line.policy;
    if (line.verb === "append") chain.rules.push({ body: line.body });
  }
  if (form === "verdict-map") for (const chain of chains.values()) mapRun(chain);
  return chains;
}

/** The longest run of rules that a map can hold becomes its elements. */
function mapRun(chain: NftChain): void {
  const elements = chain.rules.map(({ body }) => elementOf(body));
  let best = { from: 0, to: 0 };
  for (let from = 0; from < elements.length; ) {
    let to = from;
    const keys = new Set<string>();
    for (let one = elements[to]; one && !keys.has(one.key); one = elements[++to]) keys.add(one.key);
    if (to - from > best.to - best.from) best = { from, to };
    from = Math.max(to, from + 1);
  }
  if (best.to - best.from < LEAST_ELEMENTS) return;
  chain.mapped = true;
  chain.rules = chain.rules.map((rule, nth) =>
    nth >= best.from && nth < best.to ? { ...rule, element: elements[nth] as Element } : rule,
  );
}

const DISPATCH =
  /^-d ([^/ ]+)\/(?:32|128) -p (tcp|udp) (?:-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) )?-m \2 --dport (\d+) -j (\S+)$/;
const VERDICTS: Readonly<Record<string, string>> = { ACCEPT: "accept", DROP: "drop", RETURN: "return" };

export function elementOf(body: string): Element | undefined {
  const [, address, protocol, port, target] = DISPATCH.exec(body) ?? [];
  if (target === undefined || /^(REJECT|QUEUE|LOG|MASQUERADE|REDIRECT|MARK)$/.test(target)) return undefined;
  return {
    key: `${address} . ${protocol} . ${port}${commentOf(body)}`,
    verdict: VERDICTS[target] ?? `jump ${target}`,
  };
}

export class NftWriter {
  constructor(
    private readonly family: Family,
    private readonly expressions: NftExpressions,
    /** Whose tables these are where others have some as well. */
    private readonly owner?: string,
  ) {}

  get nftFamily(): "ip" | "ip6" {
    return this.family === "ipv4" ? "ip" : "ip6";
  }

  /** Everything, in the place of what there was. */
  whole(chains: ReadonlyMap<string, NftChain>): string {
    const tables = [...new Set([...chains.values()].map(({ table }) => table))];
    const lines = this.owner === undefined ? [`flush ruleset ${this.nftFamily}`] : [];
    for (const table of tables) {
      const add = `add table ${this.nftFamily} ${this.tableOf(table)}`;
      lines.push(...(this.owner === undefined ? [] : [add, add.replace("add", "delete")]), add);
    }
    for (const chain of chains.values()) lines.push(this.addChain(chain));
    for (const chain of chains.values()) lines.push(...this.addRules(chain));
    return `${lines.join("\n")}\n`;
  }

  addChain({ table, name, policy }: NftChain): string {
    const builtIn = (BUILTIN_CHAINS[table as TableName] as readonly string[]).includes(name);
    return `add chain ${this.place(table, name)}${builtIn ? ` ${hookOf(table, name, policy ?? "ACCEPT")}` : ""}`;
  }

  rule(chain: NftChain, body: string): string {
    return this.expressions.of({ table: chain.table, body });
  }

  place(table: string, name: string): string {
    return `${this.nftFamily} ${this.tableOf(table)} ${name}`;
  }

  mapOf({ table, name }: NftChain): string {
    return this.place(table, `${name}-map`);
  }

  /** The rule that stands for all elements of a chain's map. */
  askMap({ name }: NftChain): string {
    return `${this.nftFamily} daddr . meta l4proto . th dport vmap @${name}-map`;
  }

  /** Element by element or in one statement: nft is faster with one. */
  elements(chain: NftChain, elements: readonly Element[], verb: "add" | "delete"): string {
    const said = elements.map(({ key, verdict }) =>
      verb === "add" ? `${key} : ${verdict}` : key.replace(/ comment .*/, ""),
    );
    return `${verb} element ${this.mapOf(chain)} { ${said.join(", ")} }`;
  }

  private tableOf(table: string): string {
    return this.owner === undefined ? table : `${this.owner}-${table}`;
  }

  private addRules(chain: NftChain): string[] {
    const lines: string[] = [];
    const elements = chain.rules.flatMap(({ element }) => element ?? []);
    let asked = false;
    for (const { body, element } of chain.rules) {
      if (!element) lines.push(`add rule ${this.place(chain.table, chain.name)} ${this.rule(chain, body)}`);
      else if (!asked) {
        asked = true;
        const address = this.family === "ipv4" ? "ipv4_addr" : "ipv6_addr";
        lines.push(
          `add map ${this.mapOf(chain)} { type ${address} . inet_proto . inet_service : verdict; }`,
          this.elements(chain, elements, "add"),
          `add rule ${this.place(chain.table, chain.name)} ${this.askMap(chain)}`,
        );
      }
    }
    return lines;
  }
}

function hookOf(table: string, name: string, policy: string): string {
  const type = table === "nat" ? "nat" : table === "mangle" && name === "OUTPUT" ? "route" : "filter";
  const priority = table === "nat" ? NAT_PRIORITIES[name] : PRIORITIES[table];
  return `{ type ${type} hook ${name.toLowerCase()} priority ${priority}; policy ${policy.toLowerCase()}; }`;
}
