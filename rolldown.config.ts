import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: Record<string, string> };

/** What is loaded by its name: the library, the program, what threads and processes of theirs begin with, and what tests start likewise. */
const STARTED = [
  "index",
  "cli/main",
  "linux/namespace",
  "linux/priority",
  "linux/real-time",
  "linux/resident",
  "measure/contender-task",
  "measure/reader-task",
  "measure/thread-number-task",
  "measure/updater-task",
];

/** Some hundred modules in as few files as go: to load each takes a millisecond, in each thread. */
export default defineConfig([
  {
    input: Object.fromEntries(STARTED.map((name) => [name, `src/${name}.ts`])),
    external: Object.keys(dependencies),
    platform: "node",
    // Files that lie beside are looked for from two folders below the package's, where chunks are as well.
    output: { dir: "dist", entryFileNames: "[name].js", chunkFileNames: "chunks/[name].js" },
  },
  {
    input: "src/report/page/page.ts",
    output: { file: "dist/report/page.bundle.js", format: "iife", minify: true },
  },
]);
