/** Who is measured runs at real-time priority, where that is allowed and does not last. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { RealTime, threadNumber } from "../src/linux/real-time.js";
import { planRun, suitsRealTime } from "../src/measure/plan.js";
import { run, start } from "./run.js";

const MODULE = new URL("../dist/linux/real-time.js", import.meta.url).href;
const IS_ROOT = process.getuid?.() === 0;
const policyOf = (thread: number): string => run("chrt", ["-p", String(thread)]).stdout;
const allowed = process.platform === "linux" && run("chrt", ["-f", "1", "true"]).status === 0;

describe.skipIf(process.platform !== "linux")("real-time priority", () => {
  it.skipIf(!allowed)("is given to a process and taken from it, one after another", async () => {
    const realTime = (await RealTime.start()) as RealTime;
    const children = [1, 2].map(() => start("sleep", ["60"]));
    const [first, second] = children.map(({ child }) => child.pid as number) as [number, number];
    expect(await Promise.all([realTime.raise(first), realTime.raise(second), realTime.lower(first)])).toEqual(
      Array(3).fill(true),
    );
    expect(policyOf(first)).toContain("SCHED_OTHER");
    expect(policyOf(second)).toContain("SCHED_FIFO");
    children[1]?.child.kill();
    await children[1]?.ended;
    expect(await realTime.raise(second)).toBe(false);
    await realTime.end();
    expect(await realTime.raise(first)).toBe(false);
  });

  it.skipIf(!allowed)("tells of a thread that is no process", () => {
    expect(policyOf(threadNumber())).toContain("SCHED_OTHER");
  });

  it("is nobody's without the right to it", () => {
    const drop = IS_ROOT ? "process.setgid(65534); process.setuid(65534);" : "";
    const script = `${drop} const { RealTime } = await import(${JSON.stringify(MODULE)});
      console.log((await RealTime.start()) === undefined);`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const { stdout } = run(process.execPath, ["--input-type=module", "-e", script], { cwd });
    expect(stdout.trim()).toBe(IS_ROOT || !allowed ? "true" : "false");
  });
});

describe("a run that is short enough for real-time priority", () => {
  const plan = (serviceNs: number, duration = 0.5) =>
    suitsRealTime(planRun({ rate: "auto", duration, rounds: 2 }, 0, serviceNs), serviceNs);

  it("is the usual one of a quick strategy", () => {
    expect(plan(1e4)).toBe(true);
    expect(plan(5e7)).toBe(true);
  });

  it("is none whose changes take long, or whose duration is", () => {
    expect(plan(2e9)).toBe(false);
    expect(plan(1e4, 2)).toBe(false);
  });
});
