import { describe, expect, it } from "vitest";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import { type ErrorCode, RulesetError } from "../src/ruleset/ruleset-error.js";

function errorOf(text: string | Uint8Array, family: Family = "ipv4"): RulesetError {
  try {
    parseRuleset(text, { family, file: "rules.v4" });
  } catch (error) {
    if (error instanceof RulesetError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

/** A `^` marks the column in the line above it. */
function expectError(code: ErrorCode, marked: string, family: Family = "ipv4"): RulesetError {
  const lines = marked.split("\n");
  const mark = lines.findIndex((line) => /^ *\^$/.test(line));
  const error = errorOf(lines.filter((_, index) => index !== mark).join("\n"), family);
  expect({ code: error.code, line: error.line, column: error.column }).toEqual({
    code,
    line: mark,
    column: lines[mark]?.length ?? 0,
  });
  return error;
}

const inFilter = (marked: string): string => `*filter\n:USER - [0:0]\n${marked}\nCOMMIT\n`;

describe("an error says where it is", () => {
  it("shows the line with a caret, and what was probably meant", () => {
    expect(errorOf("*filter\n-A INPUT -p tcp\n-A INPUT -m tpc --dport 80\nCOMMIT\n").message).toBe(
      'rules.v4:3:13: unknown match "tpc" (did you mean "tcp"?)\n    -A INPUT -m tpc --dport 80\n                ^',
    );
  });

  it("cuts a long line around the caret", () => {
    const error = errorOf(
      inFilter(`-A INPUT -m comment --comment ${"x".repeat(200)} -p nope -m comment --comment ${"y".repeat(200)}`),
    );
    const [, line = "", caret = ""] = error.message.split("\n");
    expect(line.length).toBeLessThan(115);
    expect(line.slice(caret.indexOf("^")).startsWith("nope")).toBe(true);
  });

  it("counts columns in characters, not bytes", () => {
    expectError(
      "unknown-target",
      inFilter('-A INPUT -m comment --comment "é\t✓😀" -j NOWHERE\n                                        ^'),
    );
  });

  it("points into the line even where quotes and backslashes were taken off", () => {
    expectError(
      "unknown-match",
      inFilter('-A INPUT -m comment --comment "a\\"b" -m "n\\"ope"\n                                        ^'),
    );
  });
});

describe("values", () => {
  it.each<[ErrorCode, string]>([
    ["bad-port", "-A INPUT -p tcp --dport 70000\n                        ^"],
    ["bad-port", "-A INPUT -p tcp --dport 80:79\n                        ^"],
    ["bad-port", "-A INPUT -p udp --dport htpp\n                        ^"],
    ["bad-port", "-A INPUT -p udp --dport 0x10\n                        ^"],
    ["bad-port", "-A INPUT -p sctp --dport http\n                         ^"],
    ["bad-value", "-A INPUT -m owner --uid-owner 5-3\n                              ^"],
    [
      "bad-number",
      "-A INPUT -m connbytes --connbytes 08 --connbytes-dir both --connbytes-mode bytes\n                                  ^",
    ],
    ["bad-address", "-A INPUT -s 10.0.0.256\n            ^"],
    ["bad-address", "-A INPUT -s 1.1.1.1,example.org -j ACCEPT\n                    ^"],
    ["bad-address", "-A INPUT -s ! 10.0.0.1\n            ^"],
    ["bad-mask", "-A INPUT -s 10.0.0.1/33\n                     ^"],
    ["bad-protocol", "-A INPUT -p 256\n            ^"],
    ["bad-protocol", "-A INPUT ! -p all\n              ^"],
    ["bad-interface", "-A INPUT -i sixteencharacter\n            ^"],
    ["bad-mac-address", "-A INPUT -m mac --mac-source XX:XX:XX:XX:XX:XX\n                             ^"],
    ["bad-number", "-A INPUT -m mark --mark 0x1g\n                        ^"],
    ["bad-value", "-A INPUT -m state --state NEW,FOO\n                              ^"],
    ["bad-value", "-A INPUT -j REJECT --reject-with nonsense\n                                 ^"],
    ["comment-too-long", `-A INPUT -m comment --comment ${"c".repeat(300)}\n                              ^`],
    ["bad-counters", "[1:x] -A INPUT\n^"],
  ])("%s: %s", (code, marked) => {
    expectError(code, inFilter(marked));
  });

  it("of one family are none of the other", () => {
    expectError("bad-address", inFilter("-A INPUT -s 10.0.0.1\n            ^"), "ipv6");
    expectError("bad-address", inFilter("-A INPUT -s ::1\n            ^"));
    expectError("unknown-match", inFilter("-A INPUT -m hl --hl-eq 1\n            ^"));
    expectError("unknown-option", inFilter("-A INPUT -f\n         ^"), "ipv6");
  });
});

describe("options", () => {
  it.each<[ErrorCode, string]>([
    ["unknown-option", "-A INPUT --dport 80\n         ^"],
    ["unknown-option", "-A INPUT -p tcp --dprot 80\n                ^"],
    ["missing-argument", "-A INPUT -p tcp --dport\n                       ^"],
    ["missing-argument", "-A INPUT -p tcp --tcp-flags SYN --dport 1\n                           ^"],
    ["unwanted-argument", "-A INPUT -p tcp --syn=1\n                     ^"],
    ["repeated-option", "-A INPUT -s 1.1.1.1 -s 2.2.2.2\n                    ^"],
    ["repeated-option", "-A INPUT -p tcp --dport 1 --dport 2\n                          ^"],
    ["missing-option", "-A INPUT -m comment\n            ^"],
    ["missing-option", "-A INPUT -j MARK\n            ^"],
    ["conflicting-options", "-A INPUT -m recent --set --update\n            ^"],
    ["not-invertible", "-A INPUT ! -j ACCEPT\n           ^"],
    ["not-invertible", "-A INPUT -m comment ! --comment x\n                      ^"],
    ["misplaced-inversion", "-A INPUT ! ! -s 1.1.1.1\n           ^"],
    ["misplaced-inversion", "-A INPUT -s 1.1.1.1 !\n                    ^"],
    ["bad-argument", "-A INPUT -j ACCEPT # comment\n                   ^"],
    ["no-command", "-s 1.1.1.1\n^"],
    ["second-command", "-A INPUT -I OUTPUT\n         ^"],
    ["unsupported-command", "-L INPUT\n^"],
    ["misplaced-option", "-A INPUT -t nat\n         ^"],
    ["misplaced-option", "-N OTHER -s 1.1.1.1\n         ^"],
    ["not-invertible", "-A INPUT ! -s 1.1.1.1,2.2.2.2\n           ^"],
  ])("%s: %s", (code, marked) => {
    expectError(code, inFilter(marked));
  });

  it("that belong to a match or target say to which", () => {
    expect(errorOf(inFilter("-A INPUT --dport 80")).expected).toBe(
      "-m dccp or -m sctp or -m tcp or -m udp in front of it",
    );
  });
});

describe("chains and rules", () => {
  it.each<[ErrorCode, string]>([
    ["unknown-chain", "-A INPTU\n   ^"],
    ["unknown-target", "-A INPUT -j UESR\n            ^"],
    ["unknown-chain", "-A INPUT -g ACCEPT\n            ^"],
    ["chain-exists", "-N USER\n   ^"],
    ["chain-exists", ":USER - [0:0]\n ^"],
    ["bad-chain-name", `:${"x".repeat(29)} - [0:0]\n ^`],
    ["bad-chain-name", ":RETURN - [0:0]\n ^"],
    ["bad-chain-name", ":QUEUE - [0:0]\n ^"],
    ["bad-chain-name", "-N MARK\n   ^"],
    ["bad-policy", ":INPUT REJECT [0:0]\n       ^"],
    ["bad-policy", ":OTHER DROP [0:0]\n       ^"],
    ["bad-policy", "-P USER DROP\n   ^"],
    ["built-in-chain", "-X INPUT\n   ^"],
    ["no-such-rule", "-D INPUT 1\n   ^"],
    ["no-such-rule", "-D INPUT -s 1.1.1.1\n   ^"],
    ["no-such-rule", "-I INPUT 3 -s 1.1.1.1\n   ^"],
    ["bad-rule-number", "-I INPUT 0 -s 1.1.1.1\n         ^"],
  ])("%s: %s", (code, marked) => {
    expectError(code, inFilter(marked));
  });

  it("cannot go while they are used", () => {
    expect(errorOf(inFilter("-A INPUT -j USER\n-X USER")).code).toBe("chain-in-use");
    expect(errorOf(inFilter("-A USER -j DROP\n-X")).code).toBe("chain-not-empty");
  });
});

describe("where a rule may stand", () => {
  it.each<[ErrorCode, string]>([
    ["wrong-table", "*filter\n-A INPUT -j DNAT --to-destination 1.1.1.1\n            ^\nCOMMIT\n"],
    ["wrong-table", "*nat\n-A OUTPUT -j DROP\n             ^\nCOMMIT\n"],
    ["wrong-hook", "*nat\n-A OUTPUT -j MASQUERADE\n             ^\nCOMMIT\n"],
    ["wrong-hook", "*filter\n-A OUTPUT -i eth0\n   ^\nCOMMIT\n"],
    [
      "wrong-hook",
      "*filter\n-A OUTPUT -s 1.1.1.1 -m mac --mac-source 00:00:00:00:00:01\n                        ^\nCOMMIT\n",
    ],
    ["wrong-protocol", "*filter\n-A INPUT -m tcp --dport 1\n            ^\nCOMMIT\n"],
    ["wrong-protocol", "*filter\n-A INPUT -j REJECT --reject-with tcp-reset\n            ^\nCOMMIT\n"],
    ["wrong-protocol", "*nat\n-A OUTPUT -j REDIRECT --to-ports 1\n                                 ^\nCOMMIT\n"],
    ["wrong-protocol", "*mangle\n-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu\n                     ^\nCOMMIT\n"],
  ])("%s: %s", (code, marked) => {
    expectError(code, marked);
  });

  it("is checked along the jumps to a user's chain", () => {
    const chain = "*nat\n:A - [0:0]\n:B - [0:0]\n-A A -g B\n-A B -j MASQUERADE\n";
    expect(errorOf(`${chain}-A POSTROUTING -j A\n-A OUTPUT -s 1.1.1.1 -j A\nCOMMIT\n`)).toMatchObject({
      code: "wrong-hook",
      line: 5,
      column: 9,
    });
    expect(() => parseRuleset(`${chain}-A POSTROUTING -j A\nCOMMIT\n`, { family: "ipv4" })).not.toThrow();
    expect(() =>
      parseRuleset(`${chain}-A OUTPUT -j ACCEPT\n-A OUTPUT -j A\nCOMMIT\n`, { family: "ipv4" }),
    ).not.toThrow();
  });

  it("is not on a way that leads back to itself", () => {
    const loop = "*filter\n:A - [0:0]\n:B - [0:0]\n-A A -j B\n-A B -s 1.1.1.1 -j A\n";
    expect(errorOf(`${loop}-A INPUT -j A\nCOMMIT\n`)).toMatchObject({ code: "loop", line: 5 });
    expect(() => parseRuleset(`${loop}COMMIT\n`, { family: "ipv4" })).not.toThrow();
  });
});

describe("a damaged file", () => {
  it.each<[ErrorCode, string]>([
    ["unknown-table", "*fliter\n ^\nCOMMIT\n"],
    ["text-outside-table", "-A INPUT\n^\n"],
    ["missing-commit", "*filter\n*nat\n^\nCOMMIT\n"],
    ["bad-argument", "*filter\nCOMMIT \n^\n"],
    [
      "unterminated-quote",
      '*filter\n-A INPUT -m comment --comment "abc\n                                  ^\nCOMMIT\n',
    ],
  ])("%s: %s", (code, marked) => {
    expectError(code, marked);
  });

  it("that ends before COMMIT is an error behind its end", () => {
    expect(errorOf("*filter\n-A INPUT\n")).toMatchObject({ code: "missing-commit", line: 3, column: 1 });
    expect(errorOf("*filter\nCOMMIT")).toMatchObject({ code: "bad-argument", line: 2, column: 1 });
  });

  it("with an open quote shows its other mistakes first, as iptables-restore does", () => {
    expect(errorOf('*filter\n-A INPUT -m comment --comment "abc\n-A NOWHERE\nCOMMIT\n')).toMatchObject({
      code: "unknown-chain",
      line: 3,
    });
  });

  it("that is no text is an error at its first zero byte", () => {
    expect(errorOf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0))).toMatchObject({
      code: "not-text",
      line: 1,
      column: 8,
    });
    expect(errorOf("*filter\n-A INPUT \0\nCOMMIT\n")).toMatchObject({ code: "not-text", line: 2, column: 10 });
  });

  it("with lines longer than iptables-restore reads is an error", () => {
    const comments = Array.from({ length: 50 }, () => `-m comment --comment ${"x".repeat(230)}`).join(" ");
    expect(errorOf(inFilter(`-A INPUT ${comments}`)).code).toBe("line-too-long");
    expect(errorOf(inFilter(`-A INPUT ${"-m tcp ".repeat(130)}`)).code).toBe("too-many-arguments");
    expect(errorOf(inFilter(`-A INPUT -s ${"1".repeat(1100)}`)).code).toBe("argument-too-long");
  });
});
