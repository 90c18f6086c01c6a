import { describe, expect, it } from "vitest";
import { chainsInPrintOrder } from "../src/ruleset/arrangement.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRule, printRuleset, printRulesetBytes, printTable } from "../src/ruleset/print.js";
import type { Chain, Table } from "../src/ruleset/ruleset.js";

const TEXT = `*filter
:INPUT DROP [1:2]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [18446744073709551615:0]
:Zed - [0:0]
:abc - [0:0]
[3:4] -A INPUT -p tcp -m tcp --dport 22 -j Zed
[0:0] -A Zed -s 10.0.0.0/8 -m comment --comment "two words" -g abc
COMMIT
`;

const ruleset = parseRuleset(TEXT, { family: "ipv4" });
const table = ruleset.tables.get("filter") as Table;

describe("printing", () => {
  it("gives back what iptables-save -c wrote", () => {
    expect(printRuleset(ruleset, { counters: true })).toBe(TEXT);
  });

  it("leaves the rules' counters out, and keeps the policies', unless asked", () => {
    expect(printRuleset(ruleset)).toBe(TEXT.replace(/^\[\d+:\d+\] /gm, ""));
  });

  it("prints one table or one rule", () => {
    const input = table.chains.get("INPUT") as Chain;
    expect(printTable(table, { counters: true })).toBe(TEXT);
    expect(printRule(table, input, input.rules[0] as number)).toBe("-A INPUT -p tcp -m tcp --dport 22 -j Zed");
  });

  it("puts built-in chains first and the user's in the order of their bytes", () => {
    const shuffled = parseRuleset(
      "*filter\n:b - [0:0]\n:\u{1f600} - [0:0]\n:A - [0:0]\n:\uffee - [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n",
      { family: "ipv4" },
    );
    const names = chainsInPrintOrder(shuffled.tables.get("filter") as Table).map(({ name }) => name);
    expect(names).toEqual(["INPUT", "FORWARD", "OUTPUT", "A", "b", "\uffee", "\u{1f600}"]);
  });

  it("keeps bytes that are no UTF-8", () => {
    const bytes = Uint8Array.of(
      ...new TextEncoder().encode(
        '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m comment --comment "',
      ),
      0xff,
      0xfe,
      ...new TextEncoder().encode('"\nCOMMIT\n'),
    );
    expect(printRulesetBytes(parseRuleset(bytes, { family: "ipv4" }))).toEqual(bytes);
  });
});
