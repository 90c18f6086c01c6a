/** A ruleset of its own with the same rules and counters. Text would not do: iptables does not print `! --sport 0:65535`. */
import { Ruleset } from "../../src/ruleset/ruleset.js";

export function copyRuleset(ruleset: Ruleset): Ruleset {
  const copy = new Ruleset(ruleset.family);
  for (const table of ruleset.tables.values()) {
    const target = copy.table(table.name);
    const chainOf = new Map<number, number>();
    for (const chain of table.chains.values()) {
      const own = target.chains.get(chain.name) ?? target.addChain(chain.name);
      own.policy = chain.policy;
      own.policyCounters = chain.policyCounters.slice();
      chainOf.set(chain.id, own.id);
    }
    for (const chain of table.chains.values())
      for (const rule of chain.rules)
        target.chains
          .get(chain.name)
          ?.rules.push(target.rows.copy(table.rows, rule, (id) => chainOf.get(id) as number));
  }
  return copy;
}
