import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = temporaryFolder();

function ruleswap(args: readonly string[], input = "") {
  return run(process.execPath, [MAIN, ...args], { cwd: folder, input });
}

function file(name: string, content: string): void {
  writeFileSync(join(folder, name), content);
}

const filter = (...lines: string[]): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n${lines.map((line) => `${line}\n`).join("")}COMMIT\n`;

describe("check", () => {
  it("finds nothing wrong with what gen prints, over a pipe", () => {
    const text = ruleswap(["gen", "kube-proxy", "--size", "20"]).stdout;
    // kube-proxy keeps chains that it only looks for, and one for what may come.
    expect(ruleswap(["check", "-", "--ignore", "unreachable-chain,jump-to-empty-chain"], text)).toEqual({
      status: 0,
      stdout: "standard input: 1 table, 228 rules, 0 findings, no errors\n",
      stderr: "",
    });
  });

  it("refuses no rule for being about connections, and knows policies of timeouts from what nfct lists", () => {
    const rule = "-A PREROUTING -p udp -j CT --timeout slow";
    file("raw.v4", `*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --zone 3\n${rule}\nCOMMIT\n`);
    const policy = ".slow = {\n\t.l3proto = 2,\n\t.l4proto = 17,\n\t.policy = {\n\t\t.REPLIED = 600,\n\t},\n};\n";
    file("slow.nfct", policy);
    file("wrong.nfct", policy.replace("REPLIED", "REPLEID"));
    expect(ruleswap(["check", "raw.v4", "--nfct", "slow.nfct"])).toMatchObject({ status: 0, stderr: "" });
    const unknown = ruleswap(["check", "raw.v4"]);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toMatch(/^raw\.v4:4:38: unknown object "slow"/);
    expect(ruleswap(["check", "raw.v4", "--nfct", "wrong.nfct"]).stderr).toMatch(/^wrong\.nfct:5:4: .*"REPLIED"/);
  });

  it("tells every wrong rule, not only the first", () => {
    file("two.v4", filter("-A INPUT -m tpc -j DROP", "-A INPUT -j ACCEPT", "-A INPUT -p tcp --dport 70000 -j DROP"));
    const { status, stderr } = ruleswap(["check", "two.v4"]);
    expect(status).toBe(2);
    expect(stderr.match(/^two\.v4:\d+/gm)).toEqual(["two.v4:3", "two.v4:5"]);
  });

  it("finds rules behind one that takes their packets, and chains that no hook leads to", () => {
    file(
      "odd.v4",
      filter(
        ":A - [0:0]",
        ":B - [0:0]",
        "-A INPUT -s 192.0.2.1 -j A",
        "-A INPUT -s 192.0.2.1 -j DROP",
        "-A INPUT -s 192.0.2.1 -j ACCEPT",
        "-A A -j DROP",
        "-A A -p tcp -j ACCEPT",
        "-A B -j DROP",
      ),
    );
    const { status, stdout } = ruleswap(["check", "odd.v4"]);
    expect(status).toBe(1);
    const inA = "rule 1 (line 5), A rule 1 (line 8)";
    expect(stdout.split("\n")).toEqual([
      `odd.v4:6:1: shadowed: rule 2 of filter INPUT never matches: its packets are taken by ${inA}`,
      "    -A INPUT -s 192.0.2.1 -j DROP",
      "    ^",
      "    line 5: -A INPUT -s 192.0.2.1 -j A",
      "    line 8: -A A -j DROP",
      `odd.v4:7:1: shadowed: rule 3 of filter INPUT never matches: its packets are taken by ${inA}`,
      "    -A INPUT -s 192.0.2.1 -j ACCEPT",
      "    ^",
      "    line 5: -A INPUT -s 192.0.2.1 -j A",
      "    line 8: -A A -j DROP",
      "odd.v4:9:1: behind end: rule 2 of filter A never matches: rule 1 (line 8) takes all packets",
      "    -A A -p tcp -j ACCEPT",
      "    ^",
      "    line 8: -A A -j DROP",
      "odd.v4:4:2: unreachable chain: no hook leads to chain B of table filter",
      "    :B - [0:0]",
      "     ^",
      "odd.v4: 1 table, 6 rules, 4 findings, no errors",
      "",
    ]);
    const json = JSON.parse(ruleswap(["check", "odd.v4", "--json", "-"]).stdout);
    expect(json).toMatchObject({ schema: "ruleswap.check/1", errors: [], unexamined: 0 });
    expect(json.findings[2]).toEqual({
      kind: "behind-end",
      table: "filter",
      chain: "A",
      rule: 2,
      line: 9,
      because: [{ chain: "A", rule: 1, line: 8 }],
    });
  });

  it("does not call a rule shadowed by chance, by a limit or by a mark that changes", () => {
    file(
      "fine.v4",
      filter(
        "-A INPUT -m statistic --mode random --probability 0.5 -j DROP",
        "-A INPUT -m statistic --mode random --probability 0.5 -j DROP",
        "-A INPUT -m limit --limit 1/sec -j ACCEPT",
        "-A INPUT -m limit --limit 1/sec -j ACCEPT",
        "-A INPUT -m mark --mark 0x1 -j ACCEPT",
        "-A INPUT -j MARK --set-mark 0x1",
        "-A INPUT -m mark --mark 0x1 -j ACCEPT",
        "-A INPUT -p tcp -j ACCEPT",
        "-A INPUT -p udp -j ACCEPT",
      ),
    );
    expect(ruleswap(["check", "fine.v4"])).toMatchObject({ status: 0, stderr: "" });
  });
});
