import { describe, expect, it } from "vitest";
import type { Batch, ChainScope } from "../src/ruleset/batch.js";
import { parseBatch } from "../src/ruleset/parse.js";
import { writeSpecification } from "../src/ruleset/print-rule.js";
import { ByteWriter } from "../src/extensions/byte-writer.js";
import type { ErrorCode } from "../src/ruleset/ruleset-error.js";

const KNOWN = ["INPUT", "FORWARD", "OUTPUT", "OLD"];
const scope: ChainScope = { hasChain: (table, chain) => table === "filter" && KNOWN.includes(chain) };
const listing: ChainScope = { ...scope, chains: () => KNOWN };

function batchOf(commands: readonly string[], chains = scope): Batch {
  return parseBatch(["*filter", ...commands, "COMMIT", ""].join("\n"), { family: "ipv4", scope: chains });
}

function editsOf(commands: readonly string[], chains = scope): unknown[] {
  return batchOf(commands, chains).tables[0]?.edits as unknown[];
}

function expectRefused(code: ErrorCode, commands: readonly string[]): void {
  expect(() => batchOf(commands)).toThrow(expect.objectContaining({ code, line: commands.length + 1 }));
}

describe("a batch", () => {
  it("holds its commands as edits, in their order and with their lines", () => {
    expect(
      editsOf([
        ":NEW - [0:0]",
        "-A NEW -j OLD",
        "-I INPUT 2 -g NEW",
        "-R INPUT 1 -s 1.1.1.1",
        "-D INPUT -s 1.1.1.1",
        "-D INPUT 3",
        "-C INPUT",
        "-N X",
        "-E X Y",
        "-F OLD",
        "-X OLD",
        "-P INPUT DROP",
        "-Z INPUT",
      ]),
    ).toEqual([
      { line: 2, chain: "NEW", op: "declare-chain" },
      { line: 3, chain: "NEW", op: "append", row: 0 },
      { line: 4, chain: "INPUT", op: "insert", row: 1, position: 2 },
      { line: 5, chain: "INPUT", op: "replace", row: 2, position: 1 },
      { line: 6, chain: "INPUT", op: "delete", row: 3 },
      { line: 7, chain: "INPUT", op: "delete-at", position: 3 },
      { line: 8, chain: "INPUT", op: "check", row: 4 },
      { line: 9, chain: "X", op: "new-chain" },
      { line: 10, chain: "X", op: "rename-chain", to: "Y" },
      { line: 11, chain: "OLD", op: "flush" },
      { line: 12, chain: "OLD", op: "delete-chain" },
      { line: 13, chain: "INPUT", op: "policy", policy: "DROP" },
      { line: 14, chain: "INPUT", op: "zero" },
    ]);
  });

  it("names the chains that its rules jump to", () => {
    const table = batchOf([":NEW - [0:0]", "-A INPUT -p tcp -j NEW", "-A INPUT -j OLD"]).tables[0];
    const printed = [0, 1].map((row) => {
      const out = new ByteWriter();
      if (table) writeSpecification(out, table.rows, row, (chain) => table.chainNames[chain] ?? "");
      return out.toString();
    });
    expect(printed).toEqual([" -p tcp -j NEW", " -j OLD"]);
  });

  it("sets a policy with its counters, and leaves one of - alone", () => {
    expect(editsOf([":INPUT DROP [1:2]", ":OUTPUT - [0:0]"])).toEqual([
      { line: 2, chain: "INPUT", op: "policy", policy: "DROP", counters: Uint32Array.of(1, 0, 2, 0) },
    ]);
  });

  it("keeps tables apart, the same one twice included", () => {
    const batch = parseBatch("*nat\nCOMMIT\n*filter\nCOMMIT\n*nat\nCOMMIT\n", { family: "ipv4", scope });
    expect(batch.tables.map(({ table }) => table)).toEqual(["nat", "filter", "nat"]);
  });

  it("knows in a table that comes again what it has made and deleted before", () => {
    const made = [":MADE - [0:0]", "-N GONE", "-X GONE", "COMMIT", "*filter"];
    expect(batchOf([...made, "-A MADE -j OLD"]).tables[1]?.edits).toMatchObject([{ op: "append", chain: "MADE" }]);
    expectRefused("unknown-target", [...made, "-A MADE -j GONE"]);
  });

  it("means every chain where the scope lists them", () => {
    expect(editsOf(["-N NEW", "-X"], listing)).toEqual([
      { line: 2, chain: "NEW", op: "new-chain" },
      { line: 3, chain: "OLD", op: "delete-chain" },
      { line: 3, chain: "NEW", op: "delete-chain" },
    ]);
    expect(editsOf(["-F"], listing)).toHaveLength(4);
    expectRefused("chain-list-unknown", ["-F"]);
  });

  it("knows which chains are there", () => {
    expectRefused("unknown-chain", ["-A NOWHERE"]);
    expectRefused("unknown-target", ["-A INPUT -j NOWHERE"]);
    expectRefused("unknown-target", ["-X OLD", "-A INPUT -j OLD"]);
    expectRefused("unknown-chain", ["-E OLD NEW", "-F OLD"]);
    expectRefused("chain-exists", ["-N OLD"]);
    expect(editsOf(["-X OLD", "-N OLD", "-A INPUT -j OLD"])).toHaveLength(3);
  });
});
