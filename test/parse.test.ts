import { describe, expect, it } from "vitest";
import { ROW_LINE } from "../src/blob/layout.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Family } from "../src/ruleset/row-store.js";
import type { Chain, Table, TableName } from "../src/ruleset/ruleset.js";

/** The rules of one chain as they print, behind the chain's name. */
function rulesOf(text: string, table: TableName = "filter", chain = "INPUT", family: Family = "ipv4"): string[] {
  const printed = printRuleset(parseRuleset(text, { family }));
  const part = printed.split(/^(?=\*)/m).find((one) => one.startsWith(`*${table}\n`)) ?? "";
  return part
    .split("\n")
    .filter((line) => line.startsWith(`-A ${chain} `))
    .map((line) => line.slice(`-A ${chain} `.length));
}

/** How one rule of INPUT, or of a chain given in front as "table CHAIN:", prints. */
function expectPrinted(rule: string, printed: string | readonly string[], family: Family = "ipv4"): void {
  const [, table = "filter", chain = "INPUT", text = ""] = /^(?:(\w+) (\w+): )?(.*)$/s.exec(rule) ?? [];
  const found = rulesOf(`*${table}\n:USER - [0:0]\n-A ${chain} ${text}\nCOMMIT\n`, table as TableName, chain, family);
  expect(found).toEqual(typeof printed === "string" ? [printed] : printed);
}

function tableOf(text: string, name: TableName = "filter"): Table {
  return parseRuleset(text, { family: "ipv4" }).tables.get(name) as Table;
}

describe("a rule comes back in canonical form", () => {
  it.each([
    ["-s 10.0.0.1", "-s 10.0.0.1/32"],
    ["-s 10.0.0.1/8 -d 10/8", "-s 10.0.0.0/8 -d 10.0.0.0/8"],
    ["--dst any/0", ""],
    ["! -s 0/0", "! -s 0.0.0.0/0"],
    ["-s 1.2.3.4/255.255.0.0", "-s 1.2.0.0/16"],
    ["-s 1.2.3.4/255.0.255.0", "-s 1.0.3.0/255.0.255.0"],
    ["-s 0x0a.1.2.3", "-s 10.1.2.3/32"],
    ["-i eth+ -j ACCEPT", "-i eth+ -j ACCEPT"],
    ["-i + -j ACCEPT", "-j ACCEPT"],
    ["-p 6 -j DROP", "-p tcp -j DROP"],
    ["-p TCP -j DROP", "-p tcp -j DROP"],
    ["-p all", ""],
    ["-p 47", "-p gre"],
    ["-p 99", "-p 99"],
    ["! -p udp", "! -p udp"],
    ["-p tcp --dport ssh", "-p tcp -m tcp --dport 22"],
    ["-p tcp --dport 010 --sport 0x10", "-p tcp -m tcp --sport 16 --dport 8"],
    ["-p udp --dport 010", "-p udp -m udp --dport 10"],
    ["-p tcp --syn ! --dport 1024:", "-p tcp -m tcp ! --dport 1024:65535 --tcp-flags FIN,SYN,RST,ACK SYN"],
    ["-m tcp --dport 80 -p tcp", "-p tcp -m tcp --dport 80"],
    ["-p tcp --dport=80 --sport=:1023", "-p tcp -m tcp --sport 0:1023 --dport 80"],
    ["-p tcp -m tcp --tcp-flags ALL NONE", "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE"],
    ["-p udp --dport 5:3", "-p udp -m udp --dport 5:3"],
    ["--match state --state RELATED,NEW", "-m state --state NEW,RELATED"],
    ["-m conntrack --ctstate est,rel", "-m conntrack --ctstate RELATED,ESTABLISHED"],
    ["-m mac --mac-source 00:1A:2B:3C:4D:5E", "-m mac --mac-source 00:1a:2b:3c:4d:5e"],
    ["-m comment --comment plain", "-m comment --comment plain"],
    ['-m comment --comment "a \\" \\\\ b"', '-m comment --comment "a \\" \\\\ b"'],
    ["-m comment --comment it's", '-m comment --comment "it\\\'s"'],
    ['-m comment --comment ""', '-m comment --comment ""'],
    ["-m limit --limit 10/s", "-m limit --limit 10/sec"],
    ["-p icmp --icmp-type ping", "-p icmp -m icmp --icmp-type 8"],
    ["-j REJECT", "-j REJECT --reject-with icmp-port-unreachable"],
    ["-j MARK --or-mark 0x10", "-j MARK --set-xmark 0x10/0x10"],
    ["-jUSER", "-j USER"],
    ["--goto USER", "-g USER"],
    ["-v -4 -s 1.1.1.1", "-s 1.1.1.1/32"],
    ["nat OUTPUT: -p tcp -j DNAT --to 10.0.0.1:80", "-p tcp -j DNAT --to-destination 10.0.0.1:80"],
    ["nat POSTROUTING: -j MASQUERADE --random-fully", "-j MASQUERADE --random-fully"],
    ["mangle INPUT: -j MARK --set-xmark 0x4000/0x0", "-j MARK --set-xmark 0x4000/0x0"],
    ["raw OUTPUT: -j NOTRACK", "-j NOTRACK"],
  ])("%s", (rule, printed) => {
    if (printed === "") expect(rulesOf(`*filter\n-A INPUT ${rule}\nCOMMIT\n`)).toEqual([]);
    else expectPrinted(rule, printed);
  });

  it.each([
    ["-s 2001:DB8:0:0:1:0:0:1", "-s 2001:db8::1:0:0:1/128"],
    ["-s ::ffff:1.2.3.4/ffff::", "-s ::/16"],
    ["-p icmpv6 --icmpv6-type echo-request", "-p ipv6-icmp -m icmp6 --icmpv6-type 128"],
    ["-m hl --hl 5", "-m hl --hl-eq 5"],
    ["-j REJECT", "-j REJECT --reject-with icmp6-port-unreachable"],
    [
      "nat OUTPUT: -p tcp -j DNAT --to-destination [2001:db8::1]:80",
      "-p tcp -j DNAT --to-destination [2001:db8::1]:80",
    ],
  ])("in IPv6: %s", (rule, printed) => expectPrinted(rule, printed, "ipv6"));
});

describe("addresses with commas", () => {
  it("make a rule of every source and every destination", () => {
    expectPrinted("-s 1.1.1.1,2.2.2.2 -d 3.3.3.3,4.4.4.4/24 -j DROP", [
      "-s 1.1.1.1/32 -d 3.3.3.3/32 -j DROP",
      "-s 1.1.1.1/32 -d 4.4.4.0/24 -j DROP",
      "-s 2.2.2.2/32 -d 3.3.3.3/32 -j DROP",
      "-s 2.2.2.2/32 -d 4.4.4.0/24 -j DROP",
    ]);
  });

  it("are inserted one in front of the other", () => {
    expect(rulesOf("*filter\n-I INPUT -s 1.1.1.1,2.2.2.2\nCOMMIT\n")).toEqual(["-s 2.2.2.2/32", "-s 1.1.1.1/32"]);
  });
});

describe("commands", () => {
  const text = (...commands: string[]): string => ["*filter", ":USER - [0:0]", ...commands, "COMMIT", ""].join("\n");

  it("insert, replace, delete and check rules", () => {
    const rules = rulesOf(
      text(
        "-A INPUT -s 1.1.1.1",
        "-I INPUT -s 2.2.2.2",
        "-I INPUT 2 -s 3.3.3.3",
        "-R INPUT 1 -s 4.4.4.4",
        "-A INPUT -s 5.5.5.5",
        "-C INPUT -s 1.1.1.1",
        "-D INPUT -s 1.1.1.1",
        "--delete INPUT 3",
      ),
    );
    expect(rules).toEqual(["-s 4.4.4.4/32", "-s 3.3.3.3/32"]);
  });

  it("make, rename, flush and delete chains", () => {
    const table = tableOf(text("-N NEW", "-A NEW -j USER", "-A INPUT -j NEW", "-E NEW OTHER", "-F OTHER", "-X USER"));
    expect([...table.chains.keys()]).toEqual(["INPUT", "FORWARD", "OUTPUT", "OTHER"]);
    expect(printRuleset(parseRuleset(text("-N A", "-A INPUT -g A", "-E A B"), { family: "ipv4" }))).toContain(
      "-A INPUT -g B\n",
    );
  });

  it("delete all chains of the user's, flush all and zero all without a name", () => {
    const table = tableOf(text("[5:6] -A INPUT -s 1.1.1.1", "-N X", "-X", ":OUTPUT DROP [1:2]", "-Z"));
    expect(table.chains.size).toBe(3);
    expect([...table.rows.counters.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect([...(table.chains.get("OUTPUT") as Chain).policyCounters]).toEqual([0, 0, 0, 0]);
    expect(rulesOf(text("-A INPUT", "-F"))).toEqual([]);
  });

  it("set policies", () => {
    expect(tableOf(text("-P INPUT DROP -c 3 4")).chains.get("INPUT")).toMatchObject({
      policy: "DROP",
      policyCounters: Uint32Array.of(3, 0, 4, 0),
    });
  });

  it("for the other family are left out", () => {
    expect(rulesOf(text("-6 -A INPUT -s ::1", "-A INPUT -4 -s 1.1.1.1"))).toEqual(["-s 1.1.1.1/32"]);
  });
});

describe("counters", () => {
  it("are kept to the last of their 64 bits", () => {
    const table = tableOf(
      "*filter\n:INPUT DROP [18446744073709551615:4294967296]\n[9007199254740993:1] -A INPUT\n-A INPUT -c 7 8\nCOMMIT\n",
    );
    expect([...(table.chains.get("INPUT") as Chain).policyCounters]).toEqual([0xffffffff, 0xffffffff, 0, 1]);
    expect([...table.rows.counters.subarray(0, 8)]).toEqual([1, 0x200000, 1, 0, 7, 0, 8, 0]);
  });
});

describe("a file", () => {
  it("may hold a table twice: the second counts", () => {
    expect(rulesOf("*filter\n-A INPUT -s 1.1.1.1\nCOMMIT\n*filter\n-A INPUT -s 2.2.2.2\nCOMMIT\n")).toEqual([
      "-s 2.2.2.2/32",
    ]);
  });

  it("may hold comments, empty lines and several tables, in their order", () => {
    const ruleset = parseRuleset("# one\n\n*nat\nCOMMIT\n# two\n*filter\n\n# three\nCOMMIT\n", { family: "ipv4" });
    expect([...ruleset.tables.keys()]).toEqual(["nat", "filter"]);
  });

  it("gives every rule its line", () => {
    const { rows } = tableOf("*filter\n# comment\n-A INPUT -s 1.1.1.1,2.2.2.2\n\n-A INPUT\nCOMMIT\n");
    expect([0, 1, 2].map((row) => rows.view.getUint32((rows.offsets[row] as number) + ROW_LINE, true))).toEqual([
      3, 3, 5,
    ]);
  });

  it("reads the same from bytes as from a string, which it leaves alone", () => {
    const text = '*filter\n-A INPUT -p TCP -m comment --comment "a\\"é" -j ACCEPT\nCOMMIT\n';
    const bytes = new TextEncoder().encode(text);
    const before = bytes.slice();
    expect(printRuleset(parseRuleset(bytes, { family: "ipv4" }))).toBe(
      printRuleset(parseRuleset(text, { family: "ipv4" })),
    );
    expect(bytes).toEqual(before);
  });
});
