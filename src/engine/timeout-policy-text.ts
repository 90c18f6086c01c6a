/**
 * Policies of timeouts as `nfct list timeout` prints them, one behind the other:
 *
 *     .slow = {
 *     	.l3proto = 2,
 *     	.l4proto = 17,
 *     	.policy = {
 *     		.UNREPLIED = 30,
 *     		.REPLIED = 600,
 *     	},
 *     };
 */
import { POLICY_NAME_BYTES } from "../blob/connections.js";
import { nearest } from "../extensions/nearest.js";
import { type ErrorCode, RulesetError } from "../ruleset/ruleset-error.js";
import { SECONDS_MOST } from "./sysctls.js";
import { POLICY_TIMEOUTS, type TimeoutPolicy } from "./timeout-policies.js";

/** What is printed of each. */
export function printTimeoutPolicies(policies: readonly TimeoutPolicy[]): string {
  return policies
    .map(({ name, family, protocol, timeouts }) => {
      const ends = `\t.l3proto = ${family === "ipv4" ? 2 : 10},\n\t.l4proto = ${protocol},\n`;
      const seconds = Object.entries(timeouts).map(([timeout, value]) => `\t\t.${timeout} = ${value},\n`);
      return `.${name} = {\n${ends}\t.policy = {\n${seconds.join("")}\t},\n};\n`;
    })
    .join("");
}

/** Reads what is printed. A timeout that is not said is as the settings of tracking. @throws RulesetError at the first fault. */
export function readTimeoutPolicies(text: string, file = "nfct"): TimeoutPolicy[] {
  const lines = new Lines(text, file);
  const policies: TimeoutPolicy[] = [];
  while (lines.left()) policies.push(readPolicy(lines, policies));
  return policies;
}

function readPolicy(lines: Lines, others: readonly TimeoutPolicy[]): TimeoutPolicy {
  const name = lines.take(/^\.(?<name>.*) = \{$/d, '".NAME = {", which begins a policy')("name");
  const bytes = new TextEncoder().encode(name.text).length;
  if (bytes === 0 || bytes >= POLICY_NAME_BYTES)
    name.refuse("bad-name", `a name of 1 to ${POLICY_NAME_BYTES - 1} bytes`);
  if (others.some((other) => other.name === name.text)) name.refuse("bad-name", "a name that no other policy has");
  const l3proto = lines.take(/^\.l3proto = (?<number>\d+),$/d, '".l3proto = NUMBER,"')("number");
  if (l3proto.text !== "2" && l3proto.text !== "10") l3proto.refuse("wrong-family", "2 (IPv4) or 10 (IPv6)");
  const l4proto = lines.take(/^\.l4proto = (?<number>\d+),$/d, '".l4proto = NUMBER,"')("number");
  const own = POLICY_TIMEOUTS[Number(l4proto.text)];
  if (!own)
    return l4proto.refuse("bad-protocol", `${Object.keys(POLICY_TIMEOUTS).join(", ")} (all that have no tracker)`);
  lines.take(/^\.policy = \{$/d, '".policy = {"');
  const timeouts = readTimeouts(lines, Object.keys(own));
  lines.take(/^\};$/d, '"};", which ends the policy');
  const family = l3proto.text === "2" ? "ipv4" : "ipv6";
  return { name: name.text, family, protocol: Number(l4proto.text), timeouts };
}

function readTimeouts(lines: Lines, known: readonly string[]): Record<string, number> {
  const timeouts: Record<string, number> = {};
  const expected = '".TIMEOUT = SECONDS,", or "},", which ends them';
  while (true) {
    const word = lines.take(/^(\.(?<timeout>\w+) = (?<seconds>\d+)|\}),$/d, expected);
    const { text, refuse } = word("timeout");
    if (text === "") return timeouts;
    if (!known.includes(text)) refuse("unknown-option", `one of ${known.join(", ")}`, nearest(text, known));
    if (Object.hasOwn(timeouts, text)) refuse("repeated-option", "each timeout once");
    const seconds = word("seconds");
    if (Number(seconds.text) > SECONDS_MOST) seconds.refuse("bad-number", `seconds, ${SECONDS_MOST} at most`);
    timeouts[text] = Number(seconds.text);
  }
}

/** Part of a line. */
interface Word {
  readonly text: string;
  refuse(this: void, code: ErrorCode, expected: string, suggestion?: string): never;
}

/** The lines of a file that say something, one after another. */
class Lines {
  private readonly lines: readonly string[];
  private next = 0;

  constructor(
    text: string,
    private readonly file: string,
  ) {
    this.lines = text.trimEnd().split("\n");
  }

  /** Whether there are more. */
  left(): boolean {
    while (this.lines[this.next]?.trim() === "") this.next++;
    return this.next < this.lines.length;
  }

  /** Reads a line; its words by the names of the pattern's groups, "" where one is not there. */
  take(pattern: RegExp, expected: string): (group: string) => Word {
    this.left();
    const source = this.lines[this.next] ?? "";
    const line = Math.min(++this.next, this.lines.length);
    const indent = source.length - source.trimStart().length;
    const refuse =
      (column: number, found: string): Word["refuse"] =>
      (code, wanted, suggestion = "") => {
        const place = { file: this.file, line, column, source: this.lines[line - 1] ?? "" };
        throw new RulesetError({ code, ...place, found, expected: wanted, suggestion });
      };
    const match = pattern.exec(source.trim());
    if (!match) return refuse(indent + 1, source.trim())("bad-value", expected);
    return (group) => {
      const text = match.groups?.[group] ?? "";
      return { text, refuse: refuse(indent + 1 + (match.indices?.groups?.[group]?.[0] ?? 0), text) };
    };
  }
}
