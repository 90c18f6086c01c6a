/** Rules that ask for connections, where the engine tracks none. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";

const RULES = [
  ["filter", "FORWARD -p tcp -m connlimit --connlimit-above 3 -j DROP"],
  ["filter", "FORWARD -m connbytes --connbytes 1:9 --connbytes-mode packets --connbytes-dir both -j DROP"],
  ["filter", "FORWARD -m connlabel --label 3 -j DROP"],
  ["filter", "INPUT -m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1 -j DROP"],
  ["filter", "FORWARD -m conntrack --ctproto 6 -j DROP"],
  ["filter", "FORWARD -m ipvs --vdir REPLY -j DROP"],
  ["filter", "INPUT -p tcp -m tcp --dport 80 -j SYNPROXY --mss 1460"],
  ["mangle", "PREROUTING -j HMARK --hmark-tuple ct --hmark-mod 7 --hmark-rnd 1"],
  ["raw", "PREROUTING -j CT --zone 3"],
  ["raw", "PREROUTING -p tcp -j CT --helper ftp"],
] as const;

describe("a rule that asks for connections", () => {
  it.each(RULES)("%s: %s", (table, rule) => {
    const load = (connections: number, rules: string) => {
      const updater = new Updater(Engine.create({ connections }), { strategy: "incremental" });
      updater.load(parseRuleset(`*${table}\n${rules}COMMIT\n`, { family: "ipv4", file: "rules.v4" }));
      return updater;
    };
    const expected = `unsupported rule "-A ${rule.slice(0, 20)}`;
    const wanted = "expected an engine that tracks connections (--track)";
    const refusal = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        return String(error);
      }
      return "";
    };
    const loaded = refusal(() => load(0, `-A ${rule}\n`));
    expect(loaded).toContain(expected);
    expect(loaded).toContain(wanted);
    const edited = refusal(() => load(0, "").update({ batch: `*${table}\n-A ${rule}\nCOMMIT\n` }));
    expect(edited).toContain(wanted);
    expect(refusal(() => load(16, `-A ${rule}\n`))).toBe("");
  });
});
