/** The lines of iptables-save text and of batches for `iptables-restore --noflush`, as far as other programs need them. */

export type SaveLine =
  | { readonly verb: "chain"; readonly table: string; readonly chain: string }
  | { readonly verb: "policy"; readonly table: string; readonly chain: string; readonly policy: string }
  | { readonly verb: "append"; readonly table: string; readonly chain: string; readonly body: string }
  | {
      readonly verb: "insert" | "replace";
      readonly table: string;
      readonly chain: string;
      readonly position: number;
      readonly body: string;
    }
  | {
      readonly verb: "delete";
      readonly table: string;
      readonly chain: string;
      readonly position?: number;
      readonly body: string;
    }
  | { readonly verb: "flush" | "remove"; readonly table: string; readonly chain: string };

/** @throws RangeError at a line that is none of these. */
export function* saveLines(text: string): Generator<SaveLine> {
  let table = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || line === "COMMIT") continue;
    if (line.startsWith("*")) table = line.slice(1);
    else if (line.startsWith(":")) {
      const [chain = "", policy = "-"] = line.slice(1).split(" ");
      yield policy === "-" ? { verb: "chain", table, chain } : { verb: "policy", table, chain, policy };
    } else yield edit(table, line);
  }
}

function edit(table: string, line: string): SaveLine {
  const found = /^(?:\[\d+:\d+\] )?-([AIRDFX]) (\S+)(?: (\d+)(?= |$))? ?(.*)$/.exec(line);
  if (!found) throw new RangeError(`not a line of a save file: ${line}`);
  const [, option, chain = "", number, body = ""] = found;
  const position = number === undefined ? undefined : Number(number);
  switch (option) {
    case "A":
      return { verb: "append", table, chain, body };
    case "I":
      return { verb: "insert", table, chain, position: position ?? 1, body };
    case "R":
      return { verb: "replace", table, chain, position: position ?? 0, body };
    case "D":
      return { verb: "delete", table, chain, body, ...(position === undefined ? {} : { position }) };
    default:
      return { verb: option === "F" ? "flush" : "remove", table, chain };
  }
}

/** Words of a rule, quotes and backslashes undone, as a program receives them. */
export function wordsOf(body: string): string[] {
  const words = body.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.map((word) => (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word));
}

/** What iptables is told for one line. */
export function argumentsOf(line: SaveLine): string[] {
  const { table, chain } = line;
  const place = (option: string, ...rest: readonly string[]): string[] => ["-t", table, option, chain, ...rest];
  switch (line.verb) {
    case "chain":
      return place("-N");
    case "policy":
      return place("-P", line.policy);
    case "append":
      return place("-A", ...wordsOf(line.body));
    case "insert":
    case "replace":
      return place(line.verb === "insert" ? "-I" : "-R", String(line.position), ...wordsOf(line.body));
    case "delete":
      return place("-D", ...(line.position === undefined ? wordsOf(line.body) : [String(line.position)]));
    case "flush":
      return place("-F");
    case "remove":
      return place("-X");
  }
}
