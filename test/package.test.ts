/** What npm publishes is all that a user needs: packed, installed into an empty folder, and run there. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { run as runProgram } from "./run.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ruleswap-package-"));
const home = join(folder, "empty");
/** What npm says where neither its cache nor a registry has the dependencies. */
const OUT_OF_REACH = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED/;

/** kube-proxy's own canary chains are unreachable, as they are meant to be. */
const EXIT_FINDING = 1;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}
let packed: Packed;
let outOfReach = "";

function run(command: string, cwd = home, ends = 0): string {
  const { status, stdout, stderr } = runProgram("sh", ["-c", command], { cwd });
  expect(status, `${command}\n${stdout}${stderr}`).toBe(ends);
  return stdout;
}

function needsInstalled({ skip }: TestContext): void {
  if (outOfReach !== "") skip(`skipped: the dependencies cannot be fetched (${outOfReach})`);
}

beforeAll(() => {
  mkdirSync(home);
  // No scripts: others run on the same dist while this test does.
  [packed] = JSON.parse(run(`npm pack --ignore-scripts --json --pack-destination "${folder}"`, ROOT)) as [Packed];
  writeFileSync(join(home, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  const options = "--prefer-offline --no-audit --no-fund --fetch-retries=0 --fetch-timeout=15000";
  const tarball = join(folder, packed.filename);
  const { status, stderr } = runProgram("sh", ["-c", `npm install ${options} "${tarball}"`], { cwd: home });
  if (status === 0) return;
  outOfReach = OUT_OF_REACH.exec(stderr)?.[0] ?? "";
  if (outOfReach === "") throw new Error(stderr);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("the package", () => {
  it("holds the compiled code, the engine, the page's script, the guides and the licence, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of ["LICENSE", "README.md", "dist/index.d.ts", "dist/report/page.bundle.js", "docs/README.md"])
      expect(paths).toContain(path);
    const usual =
      /^(dist\/.+\.(js|d\.ts)|docs\/.+|build\/release\.wasm|(README|CHANGELOG|ARCHITECTURE)\.md|LICENSE|package\.json)$/;
    expect(paths.filter((path) => !usual.test(path))).toEqual([]);
  });

  it("has nothing that publint finds, and nothing that are-the-types-wrong does but that it is of ES modules alone", async () => {
    const tarball = readFileSync(join(folder, packed.filename));
    const { messages } = await publint({ pack: { tarball: Uint8Array.from(tarball).buffer }, strict: true });
    expect(messages).toEqual([]);
    const types = await checkPackage(createPackageFromTarballData(tarball));
    const problems = types.types ? types.problems.map(({ kind }) => kind) : ["no types"];
    // Node 20.19 and later, the least that is needed, load such from CommonJS as well.
    expect(problems).toEqual(["CJSResolvesToESM"]);
  });

  it("installs into an empty folder, without what only developers and profiles need", (context) => {
    needsInstalled(context);
    expect(existsSync(join(home, "node_modules", "uplot", "dist", "uPlot.min.css"))).toBe(true);
    for (const name of ["clinic", "typescript", "assemblyscript"])
      expect(existsSync(join(home, "node_modules", name)), name).toBe(false);
  });

  it("runs as a program", (context) => {
    needsInstalled(context);
    expect(run("npx ruleswap --version")).toMatch(/^\d+\.\d+\.\d+\n$/);
    const checked = run("npx ruleswap gen kube-proxy --size 2 | npx ruleswap check -", home, EXIT_FINDING);
    expect(checked).toMatch(/1 table, 30 rules, \d+ findings, no errors/);
    run("npx ruleswap bench --sizes 2 --duration 0.05 --rounds 1 --strategies incremental --classifiers linear");
    expect(existsSync(join(home, "ruleswap-report", "index.html"))).toBe(true);
  }, 180_000);

  it("is a library", (context) => {
    needsInstalled(context);
    const program = `
      import { Engine, parseRuleset, printRuleset, Updater } from "ruleswap";
      const text = "*filter\\n:INPUT DROP [0:0]\\n-A INPUT -i lo -j ACCEPT\\nCOMMIT\\n";
      const ruleset = parseRuleset(text, { family: "ipv4", file: "rules.v4" });
      new Updater(Engine.create({ readers: 1 }), { strategy: "full" }).load(ruleset);
      console.log(printRuleset(ruleset).includes("-A INPUT -i lo -j ACCEPT"));`;
    writeFileSync(join(home, "program.js"), program);
    expect(run("node program.js")).toBe("true\n");
  });
});
