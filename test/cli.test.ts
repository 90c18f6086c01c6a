import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commandsIn } from "./command-line.js";
import { start } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = temporaryFolder();

/** In a process of its own. */
const startedByNode = (args: readonly string[]) => start(process.execPath, args, { cwd: folder });
const started = (args: readonly string[]) => startedByNode([MAIN, ...args]);
/** Has a program say what it says to somebody who watches. */
const ON_A_TERMINAL = ["--import", "data:text/javascript,process.stderr.isTTY = true"];

const command = commandsIn(folder);
const ruleswap = (args: readonly string[]) => command(...args);

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

const filter = (...lines: string[]): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n${lines.map((line) => `${line}\n`).join("")}COMMIT\n`;

describe("a bad ruleset", () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    [
      "cut off in a rule",
      "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.1 -j DR",
      /^bad:3:26: unknown target "DR"/,
    ],
    ["cut off before COMMIT", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n", /^bad:4:1: missing commit/],
    ["that is binary", Uint8Array.from([0x2a, 0x66, 0, 1, 2, 0xff, 0x0a]), /^bad:1:3: not text/],
    [
      "with an unknown match",
      filter("-A INPUT -p tcp -m tpc --dport 80 -j DROP"),
      /^bad:3:20: unknown match "tpc" \(did you mean "tcp"\?\)/,
    ],
    ["with a jump to a chain that is not there", filter("-A INPUT -j NOWHERE"), /^bad:3:13: unknown target "NOWHERE"/],
    [
      "with a loop between chains",
      filter(":A - [0:0]", ":B - [0:0]", "-A INPUT -j A", "-A A -j B", "-A B -j A"),
      /^bad:\d+.*loop/,
    ],
    ["with port 70000", filter("-A INPUT -p tcp --dport 70000 -j DROP"), /^bad:3:25: bad port "70000"/],
    [
      "with a comment of 300 characters",
      filter(`-A INPUT -m comment --comment ${"x".repeat(300)} -j DROP`),
      /^bad:3:31: comment too long/,
    ],
    ["that is empty", "", /bad: the file is empty/],
  ];
  for (const [what, content, message] of cases)
    it(`${what} is refused with its place, code 2 and no stack`, async () => {
      file("bad", content);
      for (const args of [
        ["check", "bad"],
        ["bench", "--workload", "bad", "--no-report"],
        ["trace", "bad", "--packet", "tcp 192.0.2.1:1 > 192.0.2.2:2 in eth0"],
      ]) {
        const { status, stdout, stderr } = await ruleswap(args);
        expect(status, args[0]).toBe(2);
        if (!content.length && args[0] === "bench") continue; // A file without rules has its own words.
        expect(stderr).toMatch(message);
        expect(stderr).not.toMatch(/\bat .*:\d+:\d+\)?$/m);
        expect(stdout).toBe("");
      }
    });

  it("that is not there, or a folder, is named", async () => {
    expect(await started(["check", "nowhere.v4"]).ended).toMatchObject({
      status: 2,
      stderr: "ruleswap: nowhere.v4: no such file or directory\n",
    });
    expect(await ruleswap(["check", "."])).toMatchObject({ status: 2, stderr: "ruleswap: .: is a directory\n" });
  });
});

describe("bad use", () => {
  const cases: [string[], RegExp][] = [
    [[], /Usage: ruleswap/],
    [["brench"], /unknown command 'brench'/],
    [["bench", "--sizes", "0"], /'--sizes <list>' argument '0' is invalid. Expected a whole number from 1/],
    [["bench", "--sizes", "10,,20"], /'--sizes/],
    [["bench", "--sizes", "10,10"], /twice/],
    [["bench", "--strategies", "incremental,quick"], /Expected one-by-one, full, partial, incremental/],
    [["bench", "--classifiers", "trie"], /Expected linear, tuple-space/],
    [["bench", "--rate", "fast"], /'--rate/],
    [["bench", "--duration", "-1"], /'--duration/],
    [["bench", "--readers", "1.5"], /'--readers/],
    [["bench", "--seed", "0x10"], /'--seed/],
    [["bench", "--frobnicate"], /unknown option '--frobnicate'/],
    [["bench", "more"], /too many arguments/],
    [["bench", "--workload", "nowhere"], /no file and no workload "nowhere"; workloads are kube-proxy/],
    [["gen", "nothing"], /Allowed choices are kube-proxy/],
    [["trace", "main.v4"], /no such file or directory/],
    [["trace", "-"], /no packet: give --packet or --pcap/],
    [["check"], /missing required argument 'rules'/],
  ];
  for (const [args, message] of cases)
    it(`is said and ends with code 2: ruleswap ${args.join(" ")}`, async () => {
      // Only a process has a standard input of its own.
      const { status, stdout, stderr } = args.includes("-") ? await started(args).ended : await ruleswap(args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\bat .*:\d+:\d+\)?$/m);
    });

  it("of a packet shows where", async () => {
    file("fine.v4", filter("-A INPUT -j DROP"));
    const { status, stderr } = await ruleswap(["trace", "fine.v4", "--packet", "tcp 192.0.2.1:1 >> 192.0.2.2:2"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/packet:17: expected ">"/);
    const typo = await ruleswap(["trace", "fine.v4", "--packet", "tpc 192.0.2.1:1 > 192.0.2.2:2"]);
    expect(typo.stderr).toMatch(/found "tpc" \(did you mean "tcp"\?\)/);
  });
});

describe("help", () => {
  it("goes to standard output, with units and defaults, and ends with code 0", async () => {
    const { status, stdout, stderr } = await started(["bench", "--help"]).ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/--duration <s>\s+seconds[\s\S]*default:\s+0\.5/);
    expect((await started(["--version"]).ended).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("fits 80 columns and shows each command as one would call it", async () => {
    const { stdout } = await ruleswap(["--help"]);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name = ""]) => name);
    expect(commands.sort()).toEqual([
      "bench",
      "check",
      "compare",
      "dump",
      "edit",
      "gen",
      "help",
      "merge",
      "profile",
      "report",
      "trace",
      "verify",
    ]);
    for (const name of commands.filter((one) => one !== "help")) {
      const { stdout: help } = await ruleswap([name, "--help"]);
      expect(help.split("\n").filter((line) => line.length > 80)).toEqual([]);
      expect(help).toMatch(new RegExp(`^ +(sudo |iptables-save \\| )?ruleswap ${name} |^ .*; do ruleswap`, "m"));
    }
    expect(await ruleswap(["help", "dump"])).toEqual(await ruleswap(["dump", "--help"]));
  });
});

describe("gen", () => {
  it("prints the same for the same seed", async () => {
    const command = (seed: string): string[] => ["gen", "docker", "--size", "3", "--seed", seed];
    const first = await ruleswap(command("5"));
    expect(await started(command("5")).ended).toEqual(first);
    expect((await ruleswap(command("6"))).stdout).not.toBe(first.stdout);
  });

  it("prints changes and packets", async () => {
    const changes = await ruleswap(["gen", "kube-proxy", "--size", "2", "--changes", "2"]);
    expect(changes.stdout.match(/^# (add|remove) service/gm)).toEqual(["# add service", "# remove service"]);
    const traffic = await ruleswap(["gen", "kube-proxy", "--size", "2", "--traffic", "5"]);
    expect(traffic.stdout.trim().split("\n")).toHaveLength(5);
  });

  it("does not mind when its reader goes away", async () => {
    const { child, ended } = started(["gen", "kube-proxy", "--size", "5000"]);
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await ended).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("bench", () => {
  const quick = [
    "bench",
    "--sizes",
    "10",
    "--strategies",
    "full,incremental",
    "--classifiers",
    "linear",
    "--duration",
    "0.02",
    "--rounds",
    "1",
  ];

  it("prints the answer, writes the page and the result, and shows no progress where nobody looks", async () => {
    const args = [...quick, "--json", "result.json", "--report", "page"];
    const { status, stdout, stderr } = await started(args).ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^one service change at 10 services: full .*, incremental .*\s+times\)\n/);
    expect(stderr).toBe(`report: ${join("page", "index.html")}\n`);
    expect(existsSync(join(folder, "page", "index.html"))).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, "result.json"), "utf8"))).toMatchObject({
      schema: "ruleswap.result/1",
      options: { sizes: [10], seed: 1 },
    });
  });

  it("prints nothing but the result when that goes to standard output", async () => {
    const { status, stdout, stderr } = await started([...quick, "--json", "-", "--no-report"]).ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout).results).toHaveLength(2);
  });

  it("measures a ruleset of one's own", async () => {
    file(
      "own.v4",
      filter("-A INPUT -s 192.0.2.1 -j DROP", "-A INPUT -s 192.0.2.2 -j DROP", "-A INPUT -s 192.0.2.3 -j DROP"),
    );
    const args = quick.filter((_, nth) => nth !== 1 && nth !== 2);
    const { status, stdout } = await ruleswap([...args, "--workload", "own.v4", "--no-report"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^one rule change at 3 rules: /);
    expect(await ruleswap([...quick, "--workload", "own.v4"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--sizes/),
    });
  });

  it("keeps what it has measured when it is interrupted", async () => {
    // Rounds enough for minutes, each of which takes no time to speak of.
    const short = ["--sizes", "10", "--duration", "4", "--rounds", "100", "--json", "partial.json", "--no-report"];
    const { child, ended } = startedByNode([...ON_A_TERMINAL, MAIN, "bench", ...short]);
    let progress = "";
    child.stderr.on("data", (part: string) => {
      progress += part;
    });
    // The first cell has been measured when another one is.
    await expect.poll(() => progress, { timeout: 50_000 }).toMatch(/left {2}(?!one-by-one\/linear)/);
    child.kill("SIGINT");
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    expect(stdout).toContain("Stopped early");
    const result = JSON.parse(readFileSync(join(folder, "partial.json"), "utf8"));
    expect(result.partial).toBe(true);
    expect(result.results.length).toBeGreaterThan(0);
  });
});
