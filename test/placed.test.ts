/** Rows that are laid out while they are read are the blob that compiling them one by one gives. */
import { describe, expect, it } from "vitest";
import { compile, compileInto } from "../src/blob/compile.js";
import { BLOB_CHECKSUM } from "../src/blob/layout.js";
import { parseRuleset, useRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import { workloads } from "../src/workload/workloads.js";

/** The blobs of all tables of `text`, rows copied as they were laid out where they were, and how many of the tables that are. */
function blobsOf(text: string, family: Family): { placed: number; blobs: string[] } {
  return useRuleset(text, { family }, ({ tables }) => ({
    placed: [...tables.values()].filter(({ columns }) => columns?.placed && columns.sorted).length,
    blobs: [...tables.values()].map((table) =>
      hex(compileInto(table, {}, (bytes) => new Uint8Array(bytes).fill(0xa5))),
    ),
  }));
}

/** Of tables that were copied out, as they were laid out and, once someone has asked for a chain, row by row: the same. */
function compiledOf(text: string, family: Family): string[] {
  return [...parseRuleset(text, { family }).tables.values()].map((table) => {
    const copied = hex(compile(table, { counters: !table.builtIn.some(({ policyCounters }) => policyCounters[0]) }));
    expect(table.chains.size).toBeGreaterThan(0);
    const compiled = hex(compile(table));
    expect(copied).toBe(compiled);
    return compiled;
  });
}

/** All but the seal, which only `compile` sets. */
function hex(blob: Uint8Array): string {
  return Buffer.from(blob)
    .fill(0, BLOB_CHECKSUM, BLOB_CHECKSUM + 4)
    .toString("hex");
}

const CHAINS = `*filter
:INPUT DROP [1:2]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:a - [0:0]
:b - [0:0]
:c - [0:0]
`;

/** What is read, and how many of its tables are laid out while they are read. */
const TEXTS: readonly [string, string, number][] = [
  ["a table without rules", `${CHAINS}COMMIT\n`, 1],
  ["chains without rules between others and at the end", `${CHAINS}-A INPUT -j b\n-A b -j ACCEPT\nCOMMIT\n`, 1],
  ["jumps ahead and back", `${CHAINS}-A INPUT -j c\n-A OUTPUT -j a\n-A b -j a\n-A c -j a\n-A c -g b\nCOMMIT\n`, 1],
  ["a rule of a built-in chain behind others", `${CHAINS}-A b -j ACCEPT\n-A INPUT -j b\nCOMMIT\n`, 0],
  ["a rule that comes late", `${CHAINS}-A b -j ACCEPT\n-A c -j b\n-A b -j DROP\nCOMMIT\n`, 0],
  ["chains that are not in order", `${CHAINS.replace(":a", ":z")}-A z -j b\n-A b -j c\nCOMMIT\n`, 0],
  ["a rule inserted", `${CHAINS}-A a -j ACCEPT\n-A b -j ACCEPT\n-I b -p tcp -j DROP\n-A c -j a\nCOMMIT\n`, 0],
  ["a chain that was renamed", `${CHAINS}-A a -j b\n-E b d\n-A c -j d\nCOMMIT\n`, 0],
  ["a policy that is set behind the rules", `${CHAINS}-A INPUT -j a\n-A a -j b\n-P OUTPUT DROP\nCOMMIT\n`, 1],
  [
    "several addresses in a line",
    `${CHAINS}-A a -j b\n-A c -s 10.0.0.1,10.0.0.2 -d 10.1.0.0/16,10.2.0.0/16 -j b\nCOMMIT\n`,
    1,
  ],
  [
    "tables behind each other",
    `*raw\nCOMMIT\n${CHAINS}-A a -j b\nCOMMIT\n*nat\n:x - [0:0]\n-A x -j ACCEPT\nCOMMIT\n`,
    3,
  ],
  ["a table twice", `${CHAINS}-A a -j b\nCOMMIT\n*filter\n:b - [0:0]\n-A b -j DROP\nCOMMIT\n`, 1],
];

describe("rows laid out while they are read", () => {
  it.each(TEXTS)("are the blob of %s", (_, text, placed) => {
    // The second time all shapes are known.
    for (let time = 0; time < 2; time++)
      expect(blobsOf(text, "ipv4")).toEqual({ placed, blobs: compiledOf(text, "ipv4") });
  });

  it("are the blob of thousands of rules, whose memory grows meanwhile", () => {
    const empty = Array.from({ length: 3000 }, (_, n) => `:C${1000 + n} - [0:0]\n`).join("");
    const sparse = `*filter\n${empty}-A C2000 -j C1000\n-A C3999 -j C2000\nCOMMIT\n`;
    expect(blobsOf(sparse, "ipv4")).toEqual({ placed: 1, blobs: compiledOf(sparse, "ipv4") });
    for (const family of ["ipv4", "ipv6"] as const)
      for (const name of ["kube-proxy", "docker"] as const) {
        const text = workloads[name].make({ size: 300, seed: 4, family }).ruleset();
        const { placed, blobs } = blobsOf(text, family);
        expect(blobs).toEqual(compiledOf(text, family));
        expect(placed).toBeGreaterThan(0);
      }
  });
});
