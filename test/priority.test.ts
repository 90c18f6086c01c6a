/** Who is measured goes first, where that is allowed. */
import { getPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run } from "./run.js";

const MODULE = new URL("../dist/linux/priority.js", import.meta.url).href;
const IS_ROOT = process.getuid?.() === 0;
const USUAL = getPriority();

/** What a process of its own prints. */
function said(script: string, uid?: number): unknown {
  const code = `const p = await import(${JSON.stringify(MODULE)}); const { getPriority } = await import("node:os");
    const told = []; ${script}; console.log(JSON.stringify(told));`;
  const drop = uid === undefined ? "" : `process.setgid(${uid}); process.setuid(${uid});`;
  const argv = ["--input-type=module", "-e", `${drop}${code}`];
  return JSON.parse(run(process.execPath, argv, { cwd: fileURLToPath(new URL("..", import.meta.url)) }).stdout);
}

describe.skipIf(process.platform !== "linux")("who is measured", () => {
  it.skipIf(!IS_ROOT)("goes before others, and a reader behind a writer", () => {
    expect(said("p.goFirst(); told.push(getPriority()); p.goSecond(); told.push(getPriority())")).toEqual([-20, -14]);
  });

  it.skipIf(!IS_ROOT)("leaves the process as it was where it only finds out whether it may", () => {
    expect(said("told.push(p.mayGoFirst(), getPriority())")).toEqual([true, USUAL]);
  });

  it("stays where it is without the right to go first", () => {
    const script = "told.push(p.mayGoFirst()); p.goFirst(); told.push(getPriority())";
    expect(said(script, IS_ROOT ? 65534 : undefined)).toEqual([false, USUAL]);
  });
});
