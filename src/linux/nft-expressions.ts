/**
 * Rules of iptables in nft's words. iptables-restore-translate knows these; around it, what it gets wrong (1.8.9) is set
 * right: it forgets the protocol of "-p tcp -m tcp -j DNAT", and does not escape quotes in comments.
 */
import type { Family } from "../ruleset/row-store.js";
import { LinuxError } from "./linux-error.js";
import type { Namespace } from "./namespace.js";

/** nft takes comments of 128 bytes with the end, and has no escape for a quote. */
const COMMENT_LIMIT = 127;
const COMMENT = / ?-m comment --comment (?:"((?:[^"\\]|\\.)*)"|(\S+))/;

export interface TableRule {
  readonly table: string;
  /** What stands behind the chain's name. */
  readonly body: string;
}

export class NftExpressions {
  private readonly known = new Map<string, string>();

  constructor(
    private readonly namespace: Namespace,
    private readonly family: Family,
  ) {}

  /** Asks for all that are not known yet, in one process. */
  async learn(rules: Iterable<TableRule>): Promise<void> {
    const asked: string[] = [];
    const lines: string[] = [];
    let table = "";
    for (const rule of rules) {
      const key = keyOf(rule);
      if (this.known.has(key)) continue;
      this.known.set(key, "");
      asked.push(key);
      if (rule.table !== table) lines.push(...(table === "" ? [] : ["COMMIT"]), `*${rule.table}`);
      table = rule.table;
      lines.push(`-A X ${plain(rule.body)}`);
    }
    if (asked.length === 0) return;
    const program = `${this.family === "ipv4" ? "iptables" : "ip6tables"}-restore-translate`;
    const input = `${lines.join("\n")}\nCOMMIT\n`;
    const printed = await this.namespace.must({ argv: [program, "-f", "/dev/stdin"], input, output: true });
    const answers = printed.split("\n").filter((line) => line.startsWith("add rule ") || line.startsWith("# -t "));
    if (answers.length !== asked.length)
      throw new LinuxError("no-translation", `${program}: ${answers.length} answers to ${asked.length} rules`);
    for (const [nth, key] of asked.entries()) {
      const said = answers[nth] as string;
      const [, body = ""] = key.split("\0");
      if (said.startsWith("#")) throw new LinuxError("no-translation", `nft has no words for the rule ${body}`);
      this.known.set(key, said.replace(/^add rule \S+ \S+ X ?/, "").trim() + commentOf(body));
    }
  }

  /** Of a rule that has been learnt. */
  of(rule: TableRule): string {
    return this.known.get(keyOf(rule)) as string;
  }
}

const keyOf = ({ table, body }: TableRule): string => `${table}\0${body}`;

/** A protocol's own match without options says no more than the protocol, and would be forgotten with it. */
function plain(body: string): string {
  return body.replace(COMMENT, "").replace(/ -m (tcp|udp)(?= -[jgm] |$)/, "");
}

/** " comment ..." for nft, or nothing. */
export function commentOf(body: string): string {
  const found = COMMENT.exec(body);
  if (!found) return "";
  const text = (found[1]?.replace(/\\(.)/g, "$1") ?? found[2] ?? "").replaceAll('"', "'");
  return ` comment "${Buffer.from(text).subarray(0, COMMENT_LIMIT).toString("latin1")}"`;
}
