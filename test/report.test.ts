import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ResultFile } from "../src/measure/result.js";
import { answers } from "../src/report/answer.js";
import { cautions, hasFindings } from "../src/report/cautions.js";
import { renderHtml, writeReport } from "../src/report/html.js";
import { renderText } from "../src/report/table.js";
import { bytes, duration, times, whole } from "../src/report/units.js";
import { SAMPLE, sampleRecord } from "./report/sample-result.js";
import { temporaryFolder } from "./temporary-folder.js";

describe("a quantity", () => {
  const cases: [string, string][] = [
    [duration(0), "0 us"],
    [duration(0.5), "500 ns"],
    [duration(9.18), "9.18 us"],
    [duration(999.6), "1 ms"],
    [duration(212_345), "212 ms"],
    [duration(999_600), "1 s"],
    [duration(5_096_079), "5.1 s"],
    [bytes(742), "742 B"],
    [bytes(11_557_044), "11.6 MB"],
    [bytes(999_600), "1 MB"],
    [whole(55_008), "55,008"],
    [times(1.34), "1.3"],
    [times(23_043), "23,000"],
  ];
  for (const [found, wanted] of cases) it(`reads ${wanted}`, () => expect(found).toBe(wanted));
});

describe("the answer", () => {
  it("is a sentence a size: full against incremental", () => {
    expect(answers(SAMPLE)).toEqual([
      "one service change at 1,000 services: full 26.6 ms, incremental 9.2 us (2,900 times)",
      "one service change at 5,000 services: full 212 ms, incremental 9.2 us (23,000 times)",
    ]);
  });

  it("sets the slowest against the quickest where these are not both there", () => {
    const results = [
      sampleRecord(10, "one-by-one", 900),
      sampleRecord(10, "partial", 300),
      sampleRecord(10, "full", 400),
    ];
    expect(answers({ ...SAMPLE, results: results.slice(0, 2) })).toEqual([
      "one service change at 10 services: one-by-one 900 us, partial 300 us (3 times)",
    ]);
    expect(answers({ ...SAMPLE, results: results.slice(2) })).toEqual([
      "one service change at 10 services: full 400 us",
    ]);
  });

  it("counts what the workload counts, rules where it is a file", () => {
    const [record] = SAMPLE.results;
    const of = (workload: string, services: number | null): string[] =>
      answers({ ...SAMPLE, results: [{ ...(record as (typeof SAMPLE.results)[0]), workload, services }] });
    expect(of("portmap", 1)).toEqual(["one container change at 1 container: full 26.6 ms"]);
    expect(of("host-firewall", 10)).toEqual(["one banned address change at 10 banned addresses: full 26.6 ms"]);
    expect(of("rules.v4", null)).toEqual(["one rule change at 11,008 rules: full 26.6 ms"]);
  });
});

describe("what a reader must know", () => {
  const damaged: ResultFile = {
    ...SAMPLE,
    partial: true,
    environment: { ...SAMPLE.environment, load_average: 5.2 },
    options: { ...SAMPLE.options, readers: 4, duration: 0.1, rounds: 2 },
    results: SAMPLE.results.map((record, nth) =>
      nth > 0 ? record : { ...record, update: { ...record.update, failed: 1, first_failure: "<loop>", unfinished: 2 } },
    ),
  };

  it("is nothing where nothing is wrong", () => {
    expect(cautions(SAMPLE)).toEqual([]);
    expect(hasFindings(SAMPLE)).toBe(false);
  });

  it("is that a run was cut short or a trial, the machine busy or too small, and changes failed or late", () => {
    const said = cautions(damaged);
    expect(said).toHaveLength(6);
    expect(said.join("\n")).toMatch(
      /Stopped early[\s\S]*A trial[\s\S]*load 5.2 on 2[\s\S]*5 threads shared 2[\s\S]*1 of 3 changes failed: <loop>[\s\S]*2 of 3/,
    );
    expect(hasFindings(damaged)).toBe(true);
  });

  it("is that the host had the machine, from half a hundredth of the run on", () => {
    expect(cautions({ ...SAMPLE, stolen_s: 13.2 })).toEqual([
      expect.stringMatching(/^The host kept 13.2 s of processors' time from this machine in 50 s/),
    ]);
    expect(cautions({ ...SAMPLE, stolen_s: 0.24 })).toEqual([]);
    expect(cautions({ ...SAMPLE, stolen_s: null })).toEqual([]);
  });

  it("is that effects were seen late, or not at all", () => {
    const [first, ...others] = SAMPLE.results;
    if (!first?.timeToEffect) throw new Error("the sample has effects");
    const said = (late: object): string[] =>
      cautions({
        ...SAMPLE,
        results: [{ ...first, timeToEffect: { ...first.timeToEffect, ...late } } as typeof first, ...others],
      });
    expect(said({ superseded: 1 })).toEqual([
      expect.stringMatching(/readers came so late to 1 of 3 changes that the next one was in force/),
    ]);
    expect(said({ count: 100, superseded: 5 })).toEqual([]);
    expect(said({ unseen: 2 })).toEqual([expect.stringMatching(/no reader saw the effect of 2 changes in time/)]);
  });

  it("fits a terminal's width and a page, escaped", () => {
    const lines = renderText(damaged, { color: false }).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const page = renderHtml(damaged);
    expect(page).toContain("changes failed: &lt;loop&gt;");
    expect(page).not.toContain("<loop>");
  });
});

describe("the text for a terminal", () => {
  it("answers first, then shows a table a size and the growth", () => {
    const lines = renderText(SAMPLE, { color: false }).split("\n");
    expect(
      lines
        .slice(0, 4)
        .map((line) => line.trim())
        .join(" "),
    ).toEqual(answers(SAMPLE).join(" "));
    expect(lines).toContain("kube-proxy, 5,000 services, 55,008 rules");
    expect(
      lines
        .find((line) => /^full .*212 ms/.test(line))
        ?.trim()
        .split(/ {2,}/),
    ).toEqual(["full", "tuple-space", "212 ms", "212 ms", "742 B", "212 ms", "254 / 254", "##########"]);
    expect(lines.find((line) => /^full .*\+-/.test(line))).toMatch(/1\.02 \+-0\.07/);
    expect(lines.find((line) => /^incremental .*0\.00/.test(line))).not.toMatch(/-0\.00|\+-/);
  });

  it("is plain ASCII without colours unless it is asked for them", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(renderText(SAMPLE, { color: false })).not.toMatch(/[^\x0a\x20-\x7e]/);
    expect(renderText(SAMPLE, { color: true })).toContain("\u001b[1m");
  });
});

describe("the page", () => {
  it("folds what is to be known before believing it, where that is more than a few sentences", () => {
    const behind = SAMPLE.results.map((record) => ({ ...record, update: { ...record.update, unfinished: 1 } }));
    const few = renderHtml({ ...SAMPLE, results: behind });
    expect(few.match(/<p class="caution">/g)).toHaveLength(5);
    expect(few).not.toContain("more to know");
    const many = renderHtml({ ...SAMPLE, partial: true, results: behind });
    expect(many.match(/<p class="caution">/g)).toHaveLength(6);
    expect(many).toContain("2 more to know");
  });

  it("is one file that asks for nothing from elsewhere", () => {
    const path = writeReport(SAMPLE, join(temporaryFolder(), "deep", "report"));
    const page = readFileSync(path, "utf8");
    for (const part of answers(SAMPLE)[1]
      ?.replace(" us", " µs")
      .split(/(?<=:) /) ?? ["-"])
      expect(page.includes(part)).toBe(true);
    expect(/<[^>]*\b(?:src|href)\s*=|@import|url\(/.test(page)).toBe(false);
    expect(page).toContain("Imaginary 9000");
    expect(page.includes("u-wrap")).toBe(true);
  });

  it("holds no text of a workload's name as markup, in tables and script alike", () => {
    const name = "</script><img onerror=x>&";
    const page = renderHtml({ ...SAMPLE, results: SAMPLE.results.map((record) => ({ ...record, workload: name })) });
    expect(page).not.toContain("<img");
    expect(page).toContain("&lt;img onerror=x&gt;&amp;");
    expect(page.match(/<\/script>/g)).toHaveLength(2);
  });
});
