/** The guides' examples run, and print what the comments behind them say. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "./run.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
// Inside the package, where "ruleswap" is the package itself.
const folder = mkdtempSync(join(ROOT, "build", "docs-"));
const GUIDES = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => join("docs", name))].filter((name) =>
  name.endsWith(".md"),
);

interface Example {
  readonly name: string;
  readonly code: string;
  readonly prints: readonly string[];
}

function examples(guide: string): Example[] {
  const text = readFileSync(join(ROOT, guide), "utf8");
  return [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = ""], nth) => ({
    name: `${guide}, example ${nth + 1}`,
    code,
    prints: [...code.matchAll(/^.*console\.log\(.*; \/\/ (.*)$/gm)].map(([, said = ""]) => said),
  }));
}

describe("the guides", () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const [nth, { name, code, prints }] of GUIDES.flatMap(examples).entries())
    it(`run: ${name}`, () => {
      const file = join(folder, `${nth}.mjs`);
      writeFileSync(file, code);
      const { status, stdout, stderr } = run(process.execPath, [file], { cwd: ROOT });
      expect(stderr).toBe("");
      expect(status).toBe(0);
      for (const said of prints.filter((one) => !one.startsWith("as "))) expect(stdout.split("\n")).toContain(said);
    });

  it("link to what is there", () => {
    const broken = GUIDES.flatMap((guide) => {
      const text = readFileSync(join(ROOT, guide), "utf8");
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(guide), target)))
        .map((target) => `${guide}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});
