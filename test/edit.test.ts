import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CommandError, runCommand } from "../src/ruleset/command-line.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { argumentsOf } from "./edit/iptables.js";
import { run as runProgram } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const SAVED = `*filter
:INPUT ACCEPT [1:2]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:web - [0:0]
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j web
-A web -j ACCEPT
COMMIT
`;

function run(command: string, text = SAVED): string {
  const ruleset = parseRuleset(text, { family: "ipv4" });
  const { listing } = runCommand(ruleset, argumentsOf(command));
  return listing ? Buffer.from(listing).toString() : printRuleset(ruleset);
}

function refused(command: string): CommandError {
  const ruleset = parseRuleset(SAVED, { family: "ipv4" });
  try {
    runCommand(ruleset, argumentsOf(command));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    expect(printRuleset(ruleset)).toBe(printRuleset(parseRuleset(SAVED, { family: "ipv4" })));
    return error;
  }
  throw new Error(`${command} is not refused`);
}

describe("a command", () => {
  it("takes -t wherever it stands, and makes the table that was not there", () => {
    const expected =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n";
    expect(run("-A POSTROUTING -j MASQUERADE -t nat")).toContain(`${expected}-A POSTROUTING -j MASQUERADE\nCOMMIT\n`);
    expect(run("-tnat -N x")).toContain(":x - [0:0]");
  });

  it("that only lists or checks makes no table", () => {
    const ruleset = parseRuleset(SAVED, { family: "ipv4" });
    expect(runCommand(ruleset, ["-t", "raw", "-S"])).toMatchObject({ changes: false });
    expect([...ruleset.tables.keys()]).toEqual(["filter"]);
  });

  it("takes arguments longer than a line of a file may hold", () => {
    const addresses = Array.from({ length: 2000 }, (_, n) => `10.1.${n >> 8}.${n & 255}`);
    const text = run(`-A web -s ${addresses.join(",")} -j DROP`);
    expect(text.match(/^-A web -s .* -j DROP$/gm)).toHaveLength(2000);
  });

  it("keeps spaces, quotes and backslashes of an argument", () => {
    const ruleset = parseRuleset(SAVED, { family: "ipv4" });
    runCommand(ruleset, ["-A", "INPUT", "-m", "comment", "--comment", 'a "b" \\c']);
    expect(printRuleset(ruleset)).toContain('-A INPUT -m comment --comment "a \\"b\\" \\\\c"\n');
  });

  const refusals: [string, string, number, number][] = [
    ["-D INPUT 3", "no-such-rule", 1, 4],
    ["-C INPUT -s 10.0.0.0/9 -j ACCEPT", "no-such-rule", 1, 4],
    ["-A nowhere -j ACCEPT", "unknown-chain", 1, 4],
    ["-X web", "chain-not-empty", 1, 4],
    ["-N web", "chain-exists", 1, 4],
    ["-I web -j web", "loop", 1, 4],
    ["-A INPUT -p udp -m tcp --dport 1", "wrong-protocol", 1, 20],
    ["-A INPUT -j SNAT --to-source 1.2.3.4", "wrong-table", 1, 13],
    ["-A INPUT -j NOWHERE", "unknown-target", 2, 13],
    ["-A INPUT -p tcp --dprt 1", "unknown-option", 2, 17],
    ["-t filtre -L", "unknown-table", 2, 4],
    ["-t nat -P OUTPUT DROP", "wrong-table", 2, 18],
    ["-A INPUT -o eth0", "wrong-hook", 2, 4],
    ["-A INPUT -w 5", "misplaced-option", 2, 10],
    ["-A INPUT -n", "misplaced-option", 2, 4],
    ["-v -A INPUT", "misplaced-option", 2, 7],
    ["-6 -L", "misplaced-option", 2, 1],
    ["-A INPUT -D INPUT", "second-command", 2, 10],
    ["-p tcp", "no-command", 2, 1],
  ];
  for (const [command, code, status, column] of refusals)
    it(`${command} is refused: ${code}, status ${status}`, () => {
      expect(refused(command)).toMatchObject({ code, status, column, line: 0 });
    });

  it("that asks for several deletions makes all of them or none", () => {
    expect(refused("-D INPUT -s 10.0.0.0/8,11.0.0.0/8 -j ACCEPT")).toMatchObject({ code: "no-such-rule" });
  });

  it("shows itself with a caret where it is wrong", () => {
    expect(refused("-A INPUT -m tpc").message).toBe(
      'command:13: unknown match "tpc" (did you mean "tcp"?)\n    -A INPUT -m tpc\n                ^',
    );
  });
});

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

function ruleswap(args: readonly string[], input = "") {
  return runProgram(process.execPath, [MAIN, "edit", ...args], { input });
}

function fileOf(text: string): string {
  const path = join(temporaryFolder(), "rules.v4");
  writeFileSync(path, text);
  return path;
}

describe("ruleswap edit", () => {
  it("prints the ruleset behind the command and leaves the file alone", () => {
    const path = fileOf(SAVED);
    const { status, stdout, stderr } = ruleswap([path, "--", "-D", "INPUT", "1"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(SAVED.replace("[1:2]", "[0:0]").replace("-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", ""));
    expect(readFileSync(path, "utf8")).toBe(SAVED);
  });

  it("reads standard input", () => {
    expect(ruleswap(["-", "--", "-S", "web"], SAVED).stdout).toBe("-N web\n-A web -j ACCEPT\n");
  });

  it("writes in place through a link, keeping the mode and leaving no other file", () => {
    const path = fileOf(`# Generated by iptables-save\n${SAVED}`);
    chmodSync(path, 0o640);
    symlinkSync(path, `${path}.link`);
    expect(ruleswap([`${path}.link`, "--in-place", "--", "-P", "INPUT", "DROP"])).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(path, "utf8")).toBe(SAVED.replace("ACCEPT [1:2]", "DROP [0:0]"));
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(path, "..")).sort()).toEqual(["rules.v4", "rules.v4.link"]);
  });

  it("leaves the file alone when the command fails", () => {
    const path = fileOf(SAVED);
    const { status, stdout, stderr } = ruleswap([path, "--in-place", "--", "-X", "web"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^command:4: chain not empty "web"/);
    expect(readFileSync(path, "utf8")).toBe(SAVED);
  });

  it("prints counters where the file has them, or where they are asked for", () => {
    const counted = SAVED.replace("-A INPUT -s", "[7:8] -A INPUT -s");
    expect(ruleswap(["-", "--", "-N", "x"], counted).stdout).toContain("[7:8] -A INPUT -s 10.0.0.0/8");
    expect(ruleswap(["-", "--", "-N", "x"], SAVED).stdout).not.toContain("] -A");
    expect(ruleswap(["-", "--counters", "--", "-N", "x"], SAVED).stdout).toContain("[0:0] -A web -j ACCEPT");
  });

  it("says that comments are lost", () => {
    const { status, stderr } = ruleswap(["-", "--", "-N", "x"], `# mine\n${SAVED}`);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: "standard input: lines of comment that are not kept, as a ruleset has none: 1\n",
    });
  });

  it("does not mix a listing with a ruleset", () => {
    expect(ruleswap(["-", "--", "-L", "-Z"], SAVED)).toMatchObject({ status: 2, stdout: "" });
    const path = fileOf(SAVED);
    expect(ruleswap([path, "--in-place", "--", "-L", "web", "-n", "-Z"])).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(path, "utf8")).toContain(":INPUT ACCEPT [0:0]");
  });

  it("tells what is wrong with the file", () => {
    expect(ruleswap(["-", "--", "-S"], "*filter\n-A INPUT -j X\nCOMMIT\n").status).toBe(2);
    expect(ruleswap(["-", "--in-place", "--", "-N", "x"], SAVED)).toMatchObject({ status: 2, stdout: "" });
  });
});
