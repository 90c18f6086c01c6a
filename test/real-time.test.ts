/** Who is measured runs at real-time priority, where that is allowed and does not last. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { allowedProcessors, numbersOf, quietProcessor } from "../src/linux/quiet-processor.js";
import { RealTime, threadNumber } from "../src/linux/real-time.js";
import { planRun, suitsRealTime } from "../src/measure/plan.js";
import { run, start } from "./run.js";

const MODULE = new URL("../dist/linux/real-time.js", import.meta.url).href;
const IS_ROOT = process.getuid?.() === 0;
const policyOf = (thread: number): string => run("chrt", ["-p", String(thread)]).stdout;
const processorsOf = (thread: number): number[] =>
  numbersOf(
    run("taskset", ["-p", "-c", String(thread)])
      .stdout.trim()
      .split(" ")
      .at(-1) as string,
  );
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

  it.skipIf(!allowed)(
    "comes with the processor that is interrupted least, and without it all are there again",
    async () => {
      const all = numbersOf(allowedProcessors());
      const realTime = (await RealTime.start()) as RealTime;
      const { child } = start("sleep", ["60"]);
      const pid = child.pid as number;
      const quiet = (await realTime.settle()) as number;
      expect(all).toContain(quiet);
      expect(policyOf(process.pid)).toContain("SCHED_OTHER");
      expect(processorsOf(process.pid)).toEqual(all);
      expect(await realTime.raise(pid)).toBe(true);
      expect(processorsOf(pid)).toEqual([quiet]);
      expect(await realTime.lower(pid)).toBe(true);
      expect(processorsOf(pid)).toEqual(all);
      await realTime.end();
    },
  );

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

describe("the processor that is interrupted least", () => {
  /** What each loses, turn by turn. */
  const quietest = async (lost: Readonly<Record<number, readonly number[]>>, forbidden: readonly number[] = []) => {
    const tried: number[] = [];
    const stay = async (processor: number): Promise<boolean> => {
      tried.push(processor);
      return !forbidden.includes(processor);
    };
    const turns = new Map<number, number>();
    const lostMs = (): number => {
      const at = tried.at(-1) as number;
      const turn = turns.get(at) ?? 0;
      turns.set(at, turn + 1);
      return lost[at]?.[turn] ?? 99;
    };
    return { quiet: await quietProcessor(Object.keys(lost).map(Number), stay, lostMs), tried };
  };

  it("is the one whose better turn lost least", async () => {
    expect((await quietest({ 0: [2, 2], 1: [9, 1], 3: [3, 3] })).quiet).toBe(1);
  });

  it("is none where a thread may stay on none, and not one where it may not", async () => {
    expect((await quietest({ 0: [1, 1], 1: [2, 2] }, [0])).quiet).toBe(1);
    expect((await quietest({ 0: [1, 1] }, [0])).quiet).toBeUndefined();
  });

  it("is one of four where there are many", async () => {
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, number) => [number, [64 - number, 64 - number]]));
    const { quiet, tried } = await quietest(many);
    expect(tried).toEqual([0, 16, 32, 48, 0, 16, 32, 48]);
    expect(quiet).toBe(48);
  });

  it("is named in lists as Linux has them", () => {
    expect(numbersOf("0-2,5,8-9")).toEqual([0, 1, 2, 5, 8, 9]);
    expect(numbersOf("3")).toEqual([3]);
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
