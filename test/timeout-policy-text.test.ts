/** The text of policies of timeouts, as nfct lists them. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { addTimeoutPolicies, listTimeoutPolicies, type TimeoutPolicy } from "../src/engine/timeout-policies.js";
import { printTimeoutPolicies, readTimeoutPolicies } from "../src/engine/timeout-policy-text.js";
import type { RulesetError } from "../src/ruleset/ruleset-error.js";

const UDP: TimeoutPolicy = { name: "udp", family: "ipv4", protocol: 17, timeouts: { UNREPLIED: 401, REPLIED: 402 } };
const REST: TimeoutPolicy = { name: "sp ace", family: "ipv6", protocol: 255, timeouts: {} };

describe("the text of policies of timeouts", () => {
  it("is what nfct lists, and is read", () => {
    const engine = Engine.create({ connections: 1, timeoutPolicies: [UDP] });
    addTimeoutPolicies(engine, [REST]);
    const text = printTimeoutPolicies(listTimeoutPolicies(engine));
    expect(text).toBe(
      ".udp = {\n\t.l3proto = 2,\n\t.l4proto = 17,\n\t.policy = {\n\t\t.UNREPLIED = 401,\n\t\t.REPLIED = 402,\n\t},\n};\n" +
        ".sp ace = {\n\t.l3proto = 10,\n\t.l4proto = 255,\n\t.policy = {\n\t\t.TIMEOUT = 600,\n\t},\n};\n",
    );
    expect(readTimeoutPolicies(text)).toEqual([UDP, { ...REST, timeouts: { TIMEOUT: 600 } }]);
    expect(readTimeoutPolicies(`\r\n${text.replaceAll("\n", "\r\n").replaceAll("\t", " ")}\n\n`)).toEqual(
      readTimeoutPolicies(text),
    );
    expect(readTimeoutPolicies(" \n")).toEqual([]);
  });

  it.each([
    [/^\.udp/m, "udp", "bad-value 1:1 udp = {"],
    [/udp/, "", "bad-name 1:2 "],
    [/udp/, "n".repeat(32), `bad-name 1:2 ${"n".repeat(32)}`],
    [/= 2,/, "= 7,", "wrong-family 2:13 7"],
    [/l3proto/, "l2proto", "bad-value 2:2 .l2proto = 2,"],
    [/= 17,/, "= 33,", "bad-protocol 3:13 33"],
    [/policy/, "police", "bad-value 4:2 .police = {"],
    [/UNREPLIED/, "UNREPLEID", "unknown-option 5:4 UNREPLEID"],
    [/UNREPLIED/, "REPLIED", "repeated-option 6:4 REPLIED"],
    [/401,/, "2147484,", "bad-number 5:16 2147484"],
    [/401,/, "401", "bad-value 5:3 .UNREPLIED = 401"],
    [/};\n$/, "", "bad-value 7:1 "],
    [/$/, ".udp = {\n", "bad-name 9:2 udp"],
  ])("is refused with the place where it has not %s but %j", (from, to, expected) => {
    const text = printTimeoutPolicies([UDP]).replace(from, to);
    try {
      readTimeoutPolicies(text, "file");
      expect.unreachable();
    } catch (error) {
      const { code, line, column, found } = error as RulesetError;
      expect(`${code} ${line}:${column} ${found}`).toBe(expected);
    }
  });
});
