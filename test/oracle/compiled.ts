/**
 * Worker threads load JavaScript, so the sources are stripped of their types into a folder of their own, next to the
 * packages that they import. The caller removes it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The folder; a file `src/engine/engine.ts` is at `src/engine/engine.js` in it. */
export function compileSources(): string {
  const cache = join(ROOT, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "ruleswap-test-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const part of ["src", "test/oracle"])
    for (const name of readdirSync(join(ROOT, part), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const source = readFileSync(join(ROOT, part, name), "utf8");
      const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
      const target = join(folder, part, name.replace(/\.ts$/, ".js"));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, ts.transpileModule(source, { compilerOptions: options }).outputText);
    }
  return folder;
}
