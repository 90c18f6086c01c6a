/**
 * Filter sets in ClassBench's format, a rule a line:
 *
 *     @198.51.100.0/24  203.0.113.7/32  0 : 65535  443 : 443  0x06/0xFF  0x0000/0x0000
 *      source           destination     ports of both         protocol   flags (not read)
 *
 * Source: Taylor and Turner, "ClassBench: A Packet Classification Benchmark", 2005. The flags are left out, as by those
 * who measure classifiers on five fields.
 */
import ipaddr from "ipaddr.js";

export interface FilterRule {
  /** "ADDRESS/LENGTH", bits behind the prefix being nought. */
  readonly source: string;
  readonly destination: string;
  /** Both ends included. */
  readonly sourcePorts: readonly [number, number];
  readonly destinationPorts: readonly [number, number];
  /** Undefined for any. */
  readonly protocol?: number;
}

export class ClassBenchError extends Error {
  override readonly name = "ClassBenchError";
  readonly code = "bad-filter";

  constructor(
    readonly file: string,
    /** From 1. */
    readonly line: number,
    /** From 1. */
    readonly column: number,
    readonly expected: string,
    text: string,
  ) {
    super(`${file}:${line}:${column}: expected ${expected}\n  ${text}\n  ${" ".repeat(column - 1)}^`);
  }
}

const ANY_PORT = [0, 65535] as const;

/** @throws ClassBenchError at the first line that is no rule. Empty lines are passed over. */
export function parseClassBench(text: string, file = "filters"): FilterRule[] {
  const rules: FilterRule[] = [];
  for (const [nth, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const words = [...line.matchAll(/[^\s:]+|:/g)];
    const fail = (index: number, expected: string): never => {
      const column = (words[index]?.index ?? line.trimEnd().length) + 1;
      throw new ClassBenchError(file, nth + 1, column, expected, line);
    };
    const prefix = (index: number, lead: string): string => {
      const word = words[index]?.[0] ?? "";
      const network = word.startsWith(lead) ? networkOf(word.slice(lead.length)) : undefined;
      return network ?? fail(index, `${lead}ADDRESS/LENGTH`);
    };
    const ports = (index: number): readonly [number, number] => {
      const [low, colon, high] = [0, 1, 2].map((step) => words[index + step]?.[0] ?? "") as [string, string, string];
      const range = [low, high].map((word) => (/^\d{1,5}$/.test(word) ? Number(word) : -1)) as [number, number];
      if (colon !== ":" || range[0] < 0 || range[1] > 65535 || range[0] > range[1]) fail(index, "LOW : HIGH, ports");
      return range;
    };
    const [source, destination] = [prefix(0, "@"), prefix(1, "")];
    const [sourcePorts, destinationPorts] = [ports(2), ports(5)];
    const [, protocol, mask] =
      /^0x([0-9a-f]{1,2})\/0x(ff|00)$/i.exec(words[8]?.[0] ?? "") ?? fail(8, "protocol: 0x06/0xFF or 0x00/0x00");
    const fixed = (mask as string).toLowerCase() === "ff" ? { protocol: Number.parseInt(protocol as string, 16) } : {};
    rules.push({ source, destination, sourcePorts, destinationPorts, ...fixed });
  }
  return rules;
}

/**
 * The rules as lines of chain FORWARD, in order. One without a protocol that fixes ports becomes a rule for TCP and one
 * for UDP. `targetOf` is given the rule's number from 0.
 */
export function filterLines(rules: readonly FilterRule[], targetOf: (nth: number) => string): string[] {
  return rules.flatMap((rule, nth) => {
    const fixesPorts = !isAnyPort(rule.sourcePorts) || !isAnyPort(rule.destinationPorts);
    const protocols = rule.protocol === undefined && fixesPorts ? [6, 17] : [rule.protocol];
    return protocols.map((protocol) => filterLine(rule, protocol, targetOf(nth)));
  });
}

function filterLine(rule: FilterRule, protocol: number | undefined, target: string): string {
  const words = ["-A FORWARD", `-s ${rule.source}`, `-d ${rule.destination}`];
  if (protocol !== undefined) words.push(`-p ${protocol}`);
  const module = protocol === 6 ? "tcp" : protocol === 17 ? "udp" : undefined;
  if (module) {
    const options = [
      ...(isAnyPort(rule.sourcePorts) ? [] : [`--sport ${rule.sourcePorts.join(":")}`]),
      ...(isAnyPort(rule.destinationPorts) ? [] : [`--dport ${rule.destinationPorts.join(":")}`]),
    ];
    if (options.length > 0) words.push(`-m ${module}`, ...options);
  }
  return `${words.join(" ")} -j ${target}`;
}

const isAnyPort = ([low, high]: readonly [number, number]): boolean => low === ANY_PORT[0] && high === ANY_PORT[1];

/** Masked, or undefined. */
function networkOf(text: string): string | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  return `${ipaddr.IPv4.networkAddressFromCIDR(text)}/${text.slice(text.indexOf("/") + 1)}`;
}
