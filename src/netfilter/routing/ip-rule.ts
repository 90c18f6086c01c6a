/** What `ip rule` and `ip -6 rule` print. */
import type { RoutingRule } from "../../engine/routing.js";
import type { Family } from "../../ruleset/row-store.js";
import { PROTOCOL_NUMBERS } from "../packet-names.js";
import { blocksOf, familyOf, type Words } from "./ip-text.js";

type Draft = { -readonly [Key in keyof RoutingRule]: RoutingRule[Key] };

export interface RuleTextOptions {
  /** For messages; default "rules". */
  readonly file?: string;
  /** Default that of the first address in the text, IPv4 where there is none. */
  readonly family?: Family;
}

/** @throws RoutingTextError at the first word that does not belong there. */
export function readRules(
  text: string,
  { file = "rules", family = familyOf(text) }: RuleTextOptions = {},
): RoutingRule[] {
  return blocksOf(text, file).map(([words]) => readRule(words as Words, family));
}

/** "100: not from all fwmark 0x1/0xff iif eth0 lookup 100 suppress_prefixlength 0". */
function readRule(words: Words, family: Family): RoutingRule {
  const priority = /^(\d+):$/.exec(words.take())?.[1] ?? words.fail("the priority of a rule and a colon");
  const rule: Draft = { family, priority: Number(priority) };
  while (words.peek !== "") readWord(words, rule);
  if (rule.table === undefined && rule.answer === undefined) words.missing('"lookup" and a table');
  return rule;
}

function readWord(words: Words, rule: Draft): void {
  const word = words.take();
  if (word === "not") rule.not = true;
  else if (word === "from" || word === "to") {
    if (!words.skip("all")) rule[word] = words.prefix();
  } else if (word === "iif") rule.input = words.value("an interface");
  else if (word === "oif") rule.output = words.value("an interface");
  else if (word === "fwmark") {
    const [mark = "", mask] = words.value("a mark").split("/");
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(mark)) words.fail("a mark, or mark/mask");
    rule.mark = Number(mark);
    if (mask !== undefined) rule.markMask = Number(mask);
  } else if (word === "tos" || word === "dsfield") rule.tos = words.number(255);
  else if (word === "ipproto") {
    const name = words.value("a protocol");
    rule.protocol = PROTOCOL_NUMBERS[name] ?? (/^\d+$/.test(name) ? Number(name) : words.fail("a protocol"));
  } else if (word === "sport") rule.sourcePorts = words.range(65535);
  else if (word === "dport") rule.destinationPorts = words.range(65535);
  else if (word === "uidrange") rule.users = words.range(0xffffffff);
  else if (word === "lookup" || word === "table") rule.table = words.value("a table");
  else if (word === "suppress_prefixlength") rule.suppressPrefix = words.number(128);
  else if (word === "blackhole" || word === "unreachable" || word === "prohibit") rule.answer = word;
  else if (word === "proto" || word === "protocol") words.value("who made the rule");
  // Its interface is not there, so it never holds.
  else if (word !== "[detached]") words.fail("a word that `ip rule` prints and that the engine knows");
}
