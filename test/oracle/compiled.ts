/**
 * Worker threads load JavaScript, so those of test/oracle are built into a folder of their own, with what they import. The caller
 * removes it.
 */
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PART = join("test", "oracle");

/** The folder; a file `test/oracle/talk-worker.ts` is at `test/oracle/talk-worker.js` in it. */
export async function compileSources(): Promise<string> {
  const cache = join(ROOT, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "ruleswap-test-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  // What is looked for beside the program.
  for (const name of ["build", "dist"]) symlinkSync(join(ROOT, name), join(folder, name));
  const workers = readdirSync(join(ROOT, PART)).filter((name) => name.endsWith("-worker.ts"));
  const bundle = await rolldown({
    input: workers.map((name) => join(ROOT, PART, name)),
    external: (id) => !/^[./]/.test(id),
    platform: "node",
  });
  await bundle.write({ dir: join(folder, PART) });
  await bundle.close();
  return folder;
}

/**
 * Waits until so many workers have counted themselves in a word.
 * @throws what one of them ends with meanwhile.
 */
export async function allReady(word: Int32Array, workers: number, reports: readonly Promise<unknown>[]): Promise<void> {
  let failure: unknown;
  for (const report of reports)
    report.catch((error) => {
      failure ??= error;
    });
  while (Atomics.load(word, 0) < workers && failure === undefined) await sleep(5);
  if (failure !== undefined) throw failure;
}
