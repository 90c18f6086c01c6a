/** Real packets through the machine's own netfilter, in a namespace of its own, and what its rules have counted. */
import { existsSync } from "node:fs";
import type { Family } from "../../src/ruleset/row-store.js";
import { BUILTIN_CHAINS, TABLE_NAMES } from "../../src/ruleset/ruleset.js";
import { kernelMissing } from "./kernel.js";
import { LOCAL_ADDRESSES } from "./random-pool.js";
import { run } from "../run.js";
import { playScript } from "./script.js";

/** Where packets come in, and where those that are forwarded go out: back where they came from would be answered. */
export const WIRES = ["eth0", "eth1", "eth10", "abcdefghijklmno"];
export const WAY_OUT = "ens3";

export interface TrafficRound {
  readonly family: Family;
  readonly text: string;
  /** Shell commands that make what the rules need. */
  readonly setup?: string;
  /** For `ipset restore`, before the rules. */
  readonly sets?: string;
  /** `wait`: milliseconds before it is sent. */
  readonly packets: readonly { device: string; bytes: string; wait?: number }[];
}

export function trafficMissing(): string | undefined {
  const missing = kernelMissing();
  if (missing) return missing;
  if (!existsSync("/dev/net/tun")) return "needs /dev/net/tun";
  const tools = ["python3", "ip", "conntrack", "sysctl"].filter((tool) => run("which", [tool]).status !== 0);
  return tools.length > 0 ? `needs ${tools.join(", ")}` : undefined;
}

/** Which of iptables' two kinds loads the rules. */
export type Tool = "legacy" | "nft";

/** What Linux made of a round, or what iptables-restore said. */
export type Played =
  | {
      /** By "table chain rule", rule 0 the policy. */
      readonly counters: Map<string, string>;
      /** What came out at WAY_OUT for each packet, null where nothing did. */
      readonly outputs: readonly (Uint8Array | null)[];
      /** What `ipset save` prints at the end, of rounds with sets. */
      readonly sets: string;
    }
  | { readonly refused: string };

export function playTraffic(rounds: readonly TrafficRound[], tool: Tool = "legacy"): Played[] {
  const orders = {
    tool,
    devices: [...WIRES, WAY_OUT],
    output: WAY_OUT,
    addresses: LOCAL_ADDRESSES,
    rounds: rounds.map((round) => ({ ...round, text: silent(`${emptyTables(round.text)}${round.text}`) })),
  };
  return (
    playScript("inject.py", orders) as { refused: string; saved: string; sets: string; outputs: (string | null)[] }[]
  ).map(({ refused, saved, sets, outputs }) =>
    refused
      ? { refused }
      : {
          counters: readCounters(saved),
          sets,
          outputs: outputs.map((hex) => (hex === null ? null : Buffer.from(hex, "hex"))),
        },
  );
}

/** The tables that the text leaves out, empty: what the round before left there must not count. */
function emptyTables(text: string): string {
  return TABLE_NAMES.filter((table) => !text.includes(`*${table}\n`))
    .map((table) => `*${table}\n${BUILTIN_CHAINS[table].map((chain) => `:${chain} ACCEPT [0:0]\n`).join("")}COMMIT\n`)
    .join("");
}

/** Nothing of the machine's own leaves raw OUTPUT: IPv6 tells routers of its groups whenever it likes. */
function silent(text: string): string {
  return text.replace(/(\*raw\n:PREROUTING \S+ \[0:0\]\n:OUTPUT )\S+/, "$1DROP");
}

/** Of what iptables-save --counters prints, as playTraffic gives them. */
export function readCounters(saved: string): Map<string, string> {
  const counters = new Map<string, string>();
  const rules = new Map<string, number>();
  let table = "";
  for (const line of saved.split("\n")) {
    const policy = /^:(\S+) (?:ACCEPT|DROP) \[(\d+:\d+)\]/.exec(line);
    const rule = /^\[(\d+:\d+)\] -A (\S+)/.exec(line);
    if (line.startsWith("*")) table = line.slice(1);
    if (policy) counters.set(`${table} ${policy[1]} 0`, policy[2] as string);
    if (rule) {
      const chain = `${table} ${rule[2]}`;
      rules.set(chain, (rules.get(chain) ?? 0) + 1);
      counters.set(`${chain} ${rules.get(chain)}`, rule[1] as string);
    }
  }
  return counters;
}
