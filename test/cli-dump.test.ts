/** `ruleswap dump` lists every record of the blob, one behind the other. */
import { describe, expect, it } from "vitest";
import { compile } from "../src/blob/compile.js";
import { dump } from "../src/blob/dump.js";
import { BLOB_HEADER_SIZE } from "../src/blob/layout.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Table } from "../src/ruleset/ruleset.js";

const TEXT = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -i eth0 -m comment --comment "in" -j services
-A services -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`;

describe("a dump", () => {
  const table = parseRuleset(TEXT, { family: "ipv4" }).tables.get("filter") as Table;
  const blob = compile(table);
  const lines = [...dump(table, blob)];
  const records = lines
    .map((line) => /^ *(\d+) +(\d+) {2}(.*)$/.exec(line))
    .filter((found) => found !== null)
    .map(([, at, bytes, text]) => ({ at: Number(at), bytes: Number(bytes), text }));

  it("covers the records from the header to the text without a gap", () => {
    let next = BLOB_HEADER_SIZE;
    for (const record of records) {
      expect(record.at).toBe(next);
      next += record.bytes;
    }
    expect(lines.join("\n")).toContain(`records   ${BLOB_HEADER_SIZE} to ${next}:`);
  });

  it("shows chains, rules as iptables-save prints them, jumps with their offset, and policies", () => {
    const services = records.find(({ text }) => text === "chain services")?.at;
    expect(records.map(({ text }) => text?.trim())).toEqual([
      "chain INPUT (hook INPUT)",
      `-i eth0 -m comment --comment in -j services  (to ${services})`,
      "policy DROP",
      "chain FORWARD (hook FORWARD)",
      "policy ACCEPT",
      "chain OUTPUT (hook OUTPUT)",
      "policy ACCEPT",
      "chain services",
      "-p tcp -m tcp --dport 443 -j ACCEPT",
    ]);
  });
});
