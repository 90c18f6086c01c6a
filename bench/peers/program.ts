/** C programs that are built when they are wanted. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Sources lie where the repository has them, not where this is compiled to. */
const SOURCES = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));

/** A folder for what this run makes, gone at its end. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ruleswap-peers-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Path of the program, or why there is none. */
export function buildProgram(
  folder: string,
  name: string,
  packages: readonly string[],
): { path: string } | { why: string } {
  const path = join(folder, name);
  const call = (program: string, argv: readonly string[]): string =>
    execFileSync(program, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  try {
    const flags = packages.length
      ? call("pkg-config", ["--cflags", "--libs", ...packages])
          .trim()
          .split(/\s+/)
      : [];
    call("cc", ["-O3", "-march=native", "-w", "-o", path, join(SOURCES, `${name}.c`), ...flags]);
    return { path };
  } catch (error) {
    return { why: (error as Error).message.split("\n").slice(0, 2).join(": ") };
  }
}
