import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Files shared with assembly/: they import nothing but each other. */
const SHARED = [
  "layout",
  "payloads",
  "memory",
  "tuple-space",
  "staged-batch",
  "state",
  "connections",
  "fragments",
  "sets",
  "hooks",
  "routing",
  "events",
  "reading",
  "fingerprints",
  "idle-timers",
].map((name) => `src/blob/${name}.ts`);

/** Each part may import those in front of it. The library's index and the program's entry come last. */
const ORDER = [
  ...SHARED,
  "src/extensions/",
  "src/ruleset/",
  "src/blob/",
  "src/engine/",
  "src/update/",
  "src/netfilter/",
  "src/linux/",
  "src/workload/",
  "src/verify/",
  "src/measure/",
  "src/report/",
  "src/cli/",
  "src/",
];

/** Files that are long for a reason. */
const LONG: Readonly<Record<string, string>> = {
  "src/blob/layout.ts": "every record that crosses, once, in one place",
  "src/blob/payloads.ts": "one table of constants",
  "src/ruleset/line-parser.ts": "one walk over the options of a line",
};

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")));
}

/** What a file imports, as paths from the root; packages as their names. Types are gone at run time. */
function importsOf(file: string, withTypes = true): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const found = [
    ...text.matchAll(/(?:^|\s)(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g),
  ].filter(([statement]) => withTypes || !/^\s*(import|export) type\b/.test(statement));
  return found.map((match) => {
    const name = (match[1] ?? match[2]) as string;
    if (!name.startsWith(".")) return name;
    const path = relative(ROOT, join(ROOT, dirname(file), name)).replaceAll("\\", "/");
    return path.replace(/\.js$/, ".ts").replace(/(?<!\.ts)$/, ".ts");
  });
}

const rank = (file: string): number => ORDER.findIndex((part) => file.startsWith(part));

describe("the source", () => {
  const sources = filesUnder("src");
  const assembly = filesUnder("assembly");

  it("imports one way along the pipeline", () => {
    const back = sources.flatMap((file) =>
      importsOf(file)
        .filter((imported) => imported.startsWith("src/") && rank(imported) > rank(file))
        .map((imported) => `${file} imports ${imported}`),
    );
    expect(back).toEqual([]);
  });

  it("has no circle of imports", () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" > "));
      else if (!done.has(file)) {
        for (const imported of importsOf(file, false)) if (imported.startsWith("src/")) visit(imported, [...way, file]);
        done.add(file);
      }
    };
    for (const file of sources) visit(file, []);
    expect(circles).toEqual([]);
  });

  it("shares with assembly the record files alone", () => {
    const strangers = assembly.flatMap((file) =>
      importsOf(file)
        .filter((imported) => !imported.startsWith("assembly/") && !SHARED.includes(imported))
        .map((imported) => `${file} imports ${imported}`),
    );
    const backwards = sources.filter((file) => importsOf(file).some((imported) => imported.startsWith("assembly/")));
    expect([...strangers, ...backwards]).toEqual([]);
  });

  it("has record files of integer constants below 2^31, or of 32 bits, that build on earlier ones", () => {
    for (const file of SHARED.filter((one) => existsSync(join(ROOT, one)))) {
      const text = readFileSync(join(ROOT, file), "utf8");
      const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
      const known = new Set<string>();
      const faults: string[] = [];
      for (const line of code
        .split("\n")
        .map((one) => one.trim())
        .filter(Boolean)) {
        if (/^import \{[^}]*\} from "\.\/[a-z]+(\.js)?";$/.test(line)) continue;
        const [, name, expression] = /^export const ([A-Z][A-Z0-9_]*) = ([^;]+);$/.exec(line) ?? [];
        if (!name || !expression) faults.push(line);
        else {
          const words = expression.match(/[A-Za-z_]\w*|0x[0-9a-fA-F]+|\d+/g) ?? [];
          if (!/^[\w\s+*()|<-]+$/.test(expression)) faults.push(line);
          for (const word of words)
            if (/^\d/.test(word) ? Number(word) > 0xffffffff || !Number.isInteger(Number(word)) : !known.has(word))
              faults.push(line);
          known.add(name);
        }
      }
      expect(faults, file).toEqual([]);
    }
  });

  it("has no file longer than 300 lines without a reason", () => {
    const long = [...sources, ...assembly, ...filesUnder("test")].filter(
      (file) => !(file in LONG) && readFileSync(join(ROOT, file), "utf8").split("\n").length > 301,
    );
    expect(long).toEqual([]);
  });

  it("runs programs in tests through run.ts alone, which gives each a limit", () => {
    const free = filesUnder("test").filter(
      (file) =>
        file !== "test/run.ts" && file !== "test/stall-reporter.ts" && importsOf(file).includes("node:child_process"),
    );
    expect(free).toEqual([]);
  });

  it("has no drawer of odds and ends", () => {
    const drawers = [...sources, ...assembly]
      .filter((file) => !file.startsWith("src/extensions/"))
      .filter((file) => /\/(utils?|common|helpers?|types|misc)\.ts$/.test(file));
    expect(drawers).toEqual([]);
  });
});
