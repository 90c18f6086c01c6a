import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acl } from "../src/workload/acl.js";
import { ClassBenchError, filterLines, parseClassBench } from "../src/workload/class-bench.js";
import { fileWorkload, isWorkloadName, workloads } from "../src/workload/workloads.js";
import { loadAndSave, tablesOf, whyNoKernel } from "./workload-linux.js";

const linesOf = (text: string): string[] => filterLines(parseClassBench(text), () => "DROP");

test.each([
  ["@10.1.2.3/32\t192.0.2.0/24\t0 : 65535\t80 : 80\t0x06/0xFF\t0x0000/0x0000\t", ["-p 6 -m tcp --dport 80:80"]],
  ["@10.1.2.3/32 192.0.2.0/24 1024 : 65535 53 : 60 0x11/0xFF", ["-p 17 -m udp --sport 1024:65535 --dport 53:60"]],
  ["@10.1.2.3/32 192.0.2.0/24 0 : 65535 0 : 65535 0x2f/0xFF", ["-p 47"]],
  [
    "@10.1.2.3/32 192.0.2.0/24 0 : 65535 80 : 80 0x00/0x00",
    ["-p 6 -m tcp --dport 80:80", "-p 17 -m udp --dport 80:80"],
  ],
])("%j becomes %j", (line, wanted) => {
  expect(linesOf(line)).toEqual(wanted.map((rule) => `-A FORWARD -s 10.1.2.3/32 -d 192.0.2.0/24 ${rule} -j DROP`));
});

test("a prefix loses the bits behind it", () => {
  expect(parseClassBench("@10.1.2.3/8 10.1.2.3/0 0 : 65535 0 : 65535 0x00/0x00")[0]).toMatchObject({
    source: "10.0.0.0/8",
    destination: "0.0.0.0/0",
  });
});

test.each([
  ["10.1.2.3/32 1.2.3.4/32 0 : 65535 0 : 65535 0x06/0xFF", 1],
  ["@10.1.2.3 1.2.3.4/32 0 : 65535 0 : 65535 0x06/0xFF", 1],
  ["@10.1.2.3/32 1.2.3.4/33 0 : 65535 0 : 65535 0x06/0xFF", 14],
  ["@10.1.2.3/32 1.2.3.4/32 0 : 65536 0 : 65535 0x06/0xFF", 25],
  ["@10.1.2.3/32 1.2.3.4/32 9 : 8 0 : 65535 0x06/0xFF", 25],
  ["@10.1.2.3/32 1.2.3.4/32 0 : 65535 0 - 65535 0x06/0xFF", 35],
  ["@10.1.2.3/32 1.2.3.4/32 0 : 65535 0 : 65535 0x06/0x0F", 45],
  ["@10.1.2.3/32 1.2.3.4/32 0 : 65535 0 : 65535", 44],
])("%j is refused at column %i", (line, column) => {
  try {
    parseClassBench(`\n${line}\n`, "set.rules");
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ClassBenchError);
    expect(error).toMatchObject({ code: "bad-filter", line: 2, column, file: "set.rules" });
  }
});

test("a made-up list has as many different rules as asked for, the same for the same seed", () => {
  const workload = acl({ rules: 2000 });
  const rules = workload.ruleset().match(/^-A FORWARD.*(?= -j)/gm) ?? [];
  expect(workload.rules).toBe(2000);
  expect(new Set(rules).size).toBe(2000);
  expect(acl({ rules: 2000 }).ruleset()).toBe(workload.ruleset());
  expect(acl({ rules: 2000, seed: 2 }).ruleset()).not.toBe(workload.ruleset());
});

test.skipIf(whyNoKernel !== "")(`the kernel saves an access list as it was printed ${whyNoKernel}`, () => {
  const text = acl({ rules: 1500 }).ruleset();
  expect(loadAndSave("ipv4", [{ text, kind: "whole" }])[0]).toEqual(tablesOf(text));
});

test("a file is read as what it is: a filter set, a ruleset of either family", () => {
  const folder = mkdtempSync(join(tmpdir(), "ruleswap-"));
  const file = (text: string): string => {
    writeFileSync(join(folder, "file"), text);
    return join(folder, "file");
  };
  try {
    expect(fileWorkload(file("@10.1.2.3/32 1.2.3.4/32 0 : 65535 80 : 80 0x06/0xFF\n")).ruleset()).toMatch(
      /^-A FORWARD -s 10/m,
    );
    expect(fileWorkload(file("*filter\n-A INPUT -s 10.0.0.1 -j DROP\nCOMMIT\n")).family).toBe("ipv4");
    expect(fileWorkload(file("*filter\n-A INPUT -s fd00::1 -j DROP\nCOMMIT\n")).family).toBe("ipv6");
    expect(() => fileWorkload(file("*filter\n-A INPUT -s nowhere.invalid -j DROP\nCOMMIT\n"))).toThrow(
      "nowhere.invalid",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every workload is found by its name, makes what its size says and names itself", () => {
  for (const [name, kind] of Object.entries(workloads)) {
    const workload = kind.make({ size: 20, seed: 1, family: "ipv4" });
    expect(isWorkloadName(name)).toBe(true);
    expect(workload.name).toBe(name);
    expect(name === "acl" ? workload.rules : workload.services).toBe(20);
  }
  expect(isWorkloadName("constructor")).toBe(false);
  expect(() => workloads.acl.make({ size: 20, seed: 1, family: "ipv6" })).toThrow(/^family: /);
});

const corpus = process.env.RULESWAP_CORPUS ?? join(import.meta.dirname, "../../shared/corpus");
const sets = join(corpus, "classbench");
const whyNotLoaded = whyNoKernel || (existsSync(sets) ? "" : "skipped: no corpus");
test.skipIf(whyNotLoaded !== "").each([
  ["acl1_1k", 942],
  ["fw1_1k", 857],
  ["ipc1_10k", 9518],
])(`the kernel saves the filter set %s as its %i rules were printed ${whyNotLoaded}`, (name, rules) => {
  const workload = fileWorkload(join(sets, `${name}.rules`));
  expect(workload.rules).toBe(rules);
  expect(loadAndSave("ipv4", [{ text: workload.ruleset(), kind: "whole" }])[0]).toEqual(tablesOf(workload.ruleset()));
});
