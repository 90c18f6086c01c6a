/** Policies of timeouts, for -j CT --timeout: who may name them, and how they come and go. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { addTimeoutPolicies, listTimeoutPolicies, type TimeoutPolicy } from "../src/engine/timeout-policies.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Family } from "../src/ruleset/row-store.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { deleteTimeoutPolicy } from "../src/update/delete-timeout-policy.js";
import { STRATEGIES, type Strategy, Updater } from "../src/update/updater.js";
import { Host } from "./oracle/host.js";
import { policiesOf, policyOf, POLICY_RULES, rawTable, routerWith } from "./oracle/timeout-policies.js";

const strategies = Object.keys(STRATEGIES) as Strategy[];
const ALL = policiesOf("ipv4");
const [, , UDP_RULE, , GRE_RULE] = POLICY_RULES as [string, string, string, string, string];
const UDP = "udp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0";
const GRE = "47 10.0.0.9 > 198.51.100.7 in eth1 out eth0";

describe("policies of timeouts", () => {
  it("are named by rules of their own family and protocol, where they are there", () => {
    const fault = (rule: string, given: readonly TimeoutPolicy[] = ALL, family: Family = "ipv4") => {
      try {
        new Host(rawTable(rule), { timeoutPolicies: given }, family);
        return "";
      } catch (error) {
        if (!(error instanceof RulesetError)) throw error;
        return `${error.code} ${error.line} ${error.found}`;
      }
    };
    const rule = (protocol: string, name: string) => `-A PREROUTING -p ${protocol} -j CT --timeout ${name}`;
    expect(fault(rule("tcp", "none"))).toBe("unknown-object 4 none");
    expect(fault(rule("tcp", "none"), [])).toBe("unknown-object 4 none");
    for (const [protocol, name] of [
      ["udp", "tcp"],
      ["udplite", "udp"],
      ["tcp", "rest"],
      ["icmpv6", "rest"],
      ["esp", "gre"],
    ] as const)
      expect(fault(rule(protocol, name))).toBe(`wrong-protocol 4 ${name}`);
    for (const protocol of ["esp", "dccp", "255"]) expect(fault(rule(protocol, "rest"))).toBe("");
    expect(fault(rule("tcp", "tcp"), ALL, "ipv6")).toBe("wrong-protocol 4 tcp");
    const icmp = { ...policyOf("in6", 1), family: "ipv6" } as const;
    expect(fault(rule("icmp", "in6"), [icmp], "ipv6")).toBe("");
    // Linux asks for nothing where nothing is tracked.
    expect(fault("-A PREROUTING -j CT --notrack --timeout none", [])).toBe("");
    expect(fault("-A PREROUTING -j CT --timeout tcp")).toBe("wrong-protocol 4 CT");
    expect(fault("-A PREROUTING ! -p tcp -j CT --timeout tcp")).toBe("wrong-protocol 4 CT");
  });

  it.each(strategies)("are named, with line and column, in errors of %s", (strategy) => {
    const updater = new Updater(routerWith([]).engine, { strategy });
    const text = (rule: string) => `*raw\n-A OUTPUT -p udp\n${rule}\nCOMMIT\n`;
    expect(() => updater.update({ batch: text("-A OUTPUT -p tcp -j CT --timeout tcq") })).toThrow(
      expect.objectContaining({ code: "unknown-object", line: 3, column: 34, found: "tcq" }),
    );
    expect(() => updater.update({ batch: text("-A OUTPUT -p udp -j CT --timeout tcp --zone 3") })).toThrow(
      expect.objectContaining({ code: "wrong-protocol", line: 3, column: 34, found: "tcp" }),
    );
  });

  it.each(strategies)("stay as rules change by %s, which prints them as before", (strategy) => {
    const one = routerWith();
    const updater = new Updater(one.engine, { strategy });
    const batch = (text: string) => updater.update({ batch: `*raw\n${text}COMMIT\n` });
    for (let i = 0; i < 4; i++) {
      batch(`-I PREROUTING 1 -p 99\n-A OUTPUT -p udp -j CT --timeout udp\n-D OUTPUT -p udp -j CT --timeout udp\n`);
      one.send(UDP.replace("1000", `${i}`));
      expect(one.list()).toHaveLength(i + 1);
      expect(one.list().every((line) => line.startsWith("udp      17 410"))).toBe(true);
      updater.update({ ruleset: printRuleset(one.engine.readRuleset()[0] as Ruleset) });
    }
    expect(printRuleset(one.engine.readRuleset()[0] as Ruleset)).toContain(POLICY_RULES.join("\n"));
    expect(() => batch("-F PREROUTING\n-A OUTPUT -p udp -j CT --timeout tcp\n")).toThrow();
    expect(() => deleteTimeoutPolicy(one.engine, "udp")).toThrow(expect.objectContaining({ code: "policy-in-use" }));
    batch("-F PREROUTING\n");
    for (const { name } of ALL) deleteTimeoutPolicy(one.engine, name);
    expect(listTimeoutPolicies(one.engine)).toEqual([]);
  });

  it("that are taken out leave their connections to the settings, but for those of GRE, which have theirs for good", () => {
    const one = routerWith([UDP_RULE, GRE_RULE]);
    one.send(UDP);
    one.send(GRE);
    new Updater(one.engine, { strategy: "incremental" }).update({ batch: "*raw\n-F\nCOMMIT\n" });
    for (const name of ["udp", "gre"]) deleteTimeoutPolicy(one.engine, name);
    const left = () =>
      one
        .list()
        .map((line) => line.slice(0, 15))
        .sort();
    expect(left()).toEqual(["gre      47 510", "udp      17 410"]);
    addTimeoutPolicies(one.engine, [policyOf("other", 17, { UNREPLIED: 999 })]);
    one.send(UDP);
    one.send(GRE);
    expect(left()).toEqual(["gre      47 510", "udp      17 30 "]);
  });

  it("are 255 at most; a number that became free is another's", () => {
    const one = routerWith([], []);
    const some = Array.from({ length: 255 }, (_, i) => policyOf(`p${i}`, 17, { UNREPLIED: i }));
    addTimeoutPolicies(one.engine, some);
    const last = policyOf("last", 17, { REPLIED: 3 });
    expect(() => addTimeoutPolicies(one.engine, [last])).toThrow(
      expect.objectContaining({ code: "too-many-policies" }),
    );
    for (const name of ["p0", "p100", "p254"]) deleteTimeoutPolicy(one.engine, name);
    addTimeoutPolicies(one.engine, [last]);
    const names = listTimeoutPolicies(one.engine).map(({ name }) => name);
    const left = some.map(({ name }) => name).filter((name) => !["p0", "p100", "p254"].includes(name));
    expect(names).toEqual([...left, "last"]);
    expect(listTimeoutPolicies(one.engine)[1]?.timeouts).toEqual({ UNREPLIED: 2, REPLIED: 120 });
  });

  it.each<[TimeoutPolicy, string]>([
    [policyOf("", 17), "bad-name"],
    [policyOf("n".repeat(32), 17), "bad-name"],
    [policyOf("udp", 17), "policy-exists"],
    [policyOf("a", 33), "unknown-protocol"],
    [policyOf("a", 17, { ESTABLISHED: 1 }), "bad-timeout"],
    [policyOf("a", 17, { REPLIED: -1 }), "bad-timeout"],
    [policyOf("a", 17, { REPLIED: 2_147_484 }), "bad-timeout"],
  ])("are checked: %j", (wrong, code) => {
    const { engine } = routerWith([]);
    expect(() => addTimeoutPolicies(engine, [wrong])).toThrow(expect.objectContaining({ code }));
    expect(listTimeoutPolicies(engine)).toHaveLength(ALL.length);
    expect(() => deleteTimeoutPolicy(engine, "none")).toThrow(expect.objectContaining({ code: "unknown-policy" }));
    expect(() => addTimeoutPolicies(Engine.create(), [policyOf("udp", 17)])).toThrow(
      expect.objectContaining({ code: "no-connections" }),
    );
  });
});
