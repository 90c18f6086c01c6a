import { describe, expect, it } from "vitest";
import { HELPERS } from "../src/netfilter/connections.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Host } from "./oracle/host.js";
import { rawTable } from "./oracle/timeout-policies.js";
import { trafficMissing } from "./oracle/traffic.js";
import { run } from "./run.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const PROTOCOLS = ["-p tcp", "-p udp", "-p sctp", "-p gre", "! -p tcp", "! -p udp", ""];

describe("helpers of connections", () => {
  it.skipIf(missing).each(["ipv4", "ipv6"] as const)(
    `may be named in %s by the rules that may name them on Linux${skipped}`,
    (family) => {
      const program = `${family === "ipv4" ? "iptables" : "ip6tables"}-legacy -t raw`;
      const rules = [...HELPERS, "ftq"].flatMap((name) =>
        PROTOCOLS.map((protocol) => `${protocol} -j CT --helper ${name}`.trim()),
      );
      rules.push("-p udp -j CT --notrack --helper ftp");
      const tried = rules.map((rule) => `${program} -A PREROUTING ${rule} 2>&- && echo "${rule}"`);
      const { stdout } = run("unshare", ["--net", "sh"], { input: [...tried, ""].join("\n") });
      const loads = rules.filter((rule) => {
        try {
          new Host(rawTable(`-A PREROUTING ${rule}`), {}, family);
          return true;
        } catch (error) {
          if (!(error instanceof RulesetError)) throw error;
          return false;
        }
      });
      expect(loads).toEqual(stdout.split("\n").filter(Boolean));
    },
    120_000,
  );
});
