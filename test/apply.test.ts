import { describe, expect, it } from "vitest";
import { applyBatch } from "../src/ruleset/apply.js";
import { parseBatch, parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";

describe("a batch that cannot be carried out", () => {
  it("leaves counters that it had set to zero as they were", () => {
    const text =
      "*filter\n:INPUT ACCEPT [7:700]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[5:300] -A INPUT -j DROP\nCOMMIT\n";
    const ruleset = parseRuleset(text, { family: "ipv4" });
    const scope = { hasChain: () => true };
    const batch = parseBatch("*filter\n-Z INPUT\n-D INPUT 9\nCOMMIT\n", { family: "ipv4", scope });
    expect(() => applyBatch(ruleset, batch)).toThrow("no such rule");
    expect(printRuleset(ruleset, { counters: true })).toBe(text);
  });
});
