/** Matches that alter a packet, or remember that they were asked: what stands behind them is not called unreachable. */
import { describe, expect, it } from "vitest";
import { findings } from "../src/ruleset/check/findings.js";
import { parseRuleset } from "../src/ruleset/parse.js";

function found(...rules: string[]): string[] {
  const text = `*mangle\n${rules.map((rule) => `-A PREROUTING ${rule}\n`).join("")}COMMIT\n`;
  const table = parseRuleset(text, { family: "ipv4" }).table("mangle");
  return findings(table).findings.map(({ kind, rule }) => `${kind} ${rule}`);
}

describe("a rule that says the same as one in front", () => {
  it.each([
    ["nfacct --nfacct-name a"],
    ["connlabel ! --label 1 --set"],
    ["rateest --rateest a --rateest-lt --rateest-pps 9"],
    ['bpf --bytecode "2,32 0 0 4294963256,22 0 0 0"'],
  ])("may match where it asks %s again", (match) => {
    expect(found(`-m ${match} -j DROP`, `-m ${match} -j ACCEPT`)).toEqual([]);
  });

  it("never matches where it asks the same of a socket again", () => {
    for (const match of ["socket --transparent", "socket --restore-skmark"])
      expect(found(`-m ${match} -j DROP`, `-m ${match} -j ACCEPT`)).toEqual(["shadowed 2"]);
  });

  it("may match where a socket's rule restored the mark between, whatever else that asks", () => {
    const marked = (between: string) =>
      found("-m mark --mark 1 -j DROP", `-m socket ${between}-m ttl --ttl-eq 1`, "-m mark --mark 1 -j ACCEPT");
    expect(marked("--restore-skmark ")).toEqual([]);
    expect(marked("")).toEqual(["shadowed 3"]);
  });
});
