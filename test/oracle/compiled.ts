/**
 * Worker threads load JavaScript, so those of test/oracle are stripped of their types into a folder of their own, where what is
 * built stands for the sources that they import. The caller removes it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The folder; a file `test/oracle/talk.ts` is at `test/oracle/talk.js` in it. */
export function compileSources(): string {
  const cache = join(ROOT, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "ruleswap-test-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(join(ROOT, "dist"), join(folder, "src"));
  const part = join("test", "oracle");
  mkdirSync(join(folder, part), { recursive: true });
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  for (const name of readdirSync(join(ROOT, part)).filter((one) => one.endsWith(".ts"))) {
    const source = readFileSync(join(ROOT, part, name), "utf8");
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    writeFileSync(join(folder, part, name.replace(/\.ts$/, ".js")), outputText);
  }
  return folder;
}
