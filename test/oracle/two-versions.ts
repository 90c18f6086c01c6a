/**
 * A ruleset in two versions that differ in several chains and tables at once. Each version marks a packet in its own
 * way and accepts it; a packet that saw a part of each has another mark, or is dropped.
 *
 * | | mangle INPUT | filter one | filter two | filter INPUT | filter last | policy | mark | verdict |
 * | even | 4 | 1 | - | - | ACCEPT | DROP | 5 | ACCEPT |
 * | odd | - | - | 2 | 8 | - | ACCEPT | 10 | ACCEPT |
 */
const mark = (bit: number): string => `-j MARK --set-xmark 0x${bit.toString(16)}/0x${bit.toString(16)}`;

export const EVEN_MARK = 5;
export const ODD_MARK = 10;

/** Enough neighbours that a classifier with an index uses it. */
const neighbours = (chain: string): string[] =>
  Array.from({ length: 20 }, (_, i) => `-A ${chain} -d 10.9.8.${i}/32 -p udp -m udp --dport ${i + 1} -j DROP`);

export function wholeRuleset(odd: boolean): string {
  return [
    "*mangle",
    ":INPUT ACCEPT [0:0]",
    ...neighbours("INPUT"),
    ...(odd ? [] : [`-A INPUT ${mark(4)}`]),
    "COMMIT",
    "*filter",
    `:INPUT ${odd ? "ACCEPT" : "DROP"} [0:0]`,
    ":one - [0:0]",
    ":two - [0:0]",
    ":last - [0:0]",
    "-A INPUT -j one",
    "-A INPUT -j two",
    ...(odd ? [`-A INPUT ${mark(8)}`] : []),
    "-A INPUT -j last",
    ...neighbours("one"),
    ...neighbours("two"),
    odd ? `-A two ${mark(2)}` : `-A one ${mark(1)}`,
    ...(odd ? [] : ["-A last -j ACCEPT"]),
    "COMMIT",
    "",
  ].join("\n");
}

/** How a batch says it: rule by rule, or as kube-proxy does, each chain that changes stated anew. */
export type Style = "edits" | "chains";

/** From one version to the other. */
export function batchTo(odd: boolean, style: Style): string {
  return [
    "*mangle",
    odd ? `-D INPUT ${mark(4)}` : `-I INPUT 21 ${mark(4)}`,
    "COMMIT",
    "*filter",
    ...(style === "edits" ? userChainEdits(odd) : userChainsStated(odd)),
    odd ? `-I INPUT 3 ${mark(8)}` : "-D INPUT 3",
    `-P INPUT ${odd ? "ACCEPT" : "DROP"}`,
    "COMMIT",
    "",
  ].join("\n");
}

function userChainEdits(odd: boolean): string[] {
  return odd
    ? [`-D one ${mark(1)}`, `-I two 21 ${mark(2)}`, "-D last -j ACCEPT"]
    : [`-I one 21 ${mark(1)}`, `-D two ${mark(2)}`, "-A last -j ACCEPT"];
}

function userChainsStated(odd: boolean): string[] {
  return [
    ":one - [0:0]",
    ":two - [0:0]",
    ":last - [0:0]",
    ...neighbours("one"),
    ...neighbours("two"),
    odd ? `-A two ${mark(2)}` : `-A one ${mark(1)}`,
    ...(odd ? [] : ["-A last -j ACCEPT"]),
  ];
}
