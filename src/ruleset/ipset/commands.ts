/** Lines of ipset's into commands: what `ipset save` prints, and anything else that `ipset restore` takes. */
import { Fault } from "../../extensions/fault.js";
import { nearest } from "../../extensions/nearest.js";
import { RulesetError } from "../ruleset-error.js";
import { readHeader } from "./create-options.js";
import { elementsOf } from "./element.js";
import type { Beside, SetCommand, SetEntry, SetHeader } from "./ip-set.js";
import { SET_TYPE_NAMES, setType } from "./set-types.js";
import { splitWords, type Word, WordReader } from "./words.js";

/** How the sets are made that were there before. */
export type SetScope = ReadonlyMap<string, SetHeader>;

const LONGEST_NAME = 31;
const LONGEST_COMMENT = 255;
const MOST_SECONDS = 2_147_483;

type Operation = "create" | "add" | "del" | "flush" | "destroy" | "rename" | "swap";

/** Names of commands and their short forms. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: "create",
  "-N": "create",
  n: "create",
  add: "add",
  "-A": "add",
  del: "del",
  "-D": "del",
  flush: "flush",
  "-F": "flush",
  destroy: "destroy",
  "-X": "destroy",
  rename: "rename",
  "-E": "rename",
  swap: "swap",
  "-W": "swap",
};

const EXIST = ["-exist", "-!", "--exist"];

/**
 * The commands of a text, in order; one line that adds several elements gives as many.
 * @throws RulesetError with line and column at the first fault that shows without the sets' elements.
 */
export function readSetCommands(text: string, scope: SetScope = new Map(), file = "sets"): SetCommand[] {
  const known = new Map(scope);
  const commands: SetCommand[] = [];
  for (const [index, source] of text.split("\n").entries()) {
    const line = index + 1;
    if (/^\s*(#|$)/.test(source) || source.trim() === "COMMIT") continue;
    try {
      commands.push(...readLine(source, line, known));
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      const { code, start, end, expected, suggestion } = fault;
      const found = source.slice(start, end);
      throw new RulesetError({ code, file, line, column: start + 1, found, expected, suggestion, source });
    }
  }
  return commands;
}

function readLine(source: string, line: number, known: Map<string, SetHeader>): SetCommand[] {
  const all = splitWords(source);
  const exist = all.some(({ text }) => EXIST.includes(text));
  const words = new WordReader(
    all.filter(({ text }) => !EXIST.includes(text)),
    source.length,
  );
  const command = words.next("a command");
  const op = OPERATIONS[command.text];
  if (!op) {
    const names = Object.keys(OPERATIONS).filter((name) => name.length > 2);
    throw new Fault(
      "unsupported-command",
      command.start,
      command.end,
      `one of ${names.join(", ")}`,
      nearest(command.text, names),
    );
  }
  if ((op === "flush" || op === "destroy") && words.done) {
    const place = { line, column: command.start + 1, op } as const;
    const names = [...known.keys()];
    if (op === "destroy") known.clear();
    return names.map((set) => ({ ...place, set }));
  }
  const word = words.next("the name of a set");
  const place = { line, column: word.start + 1, set: word.text } as const;
  if (op === "create") {
    const header = readCreate(word, words);
    if (!known.has(word.text)) known.set(word.text, header);
    return [{ ...place, op, header, exist }];
  }
  const header = knownSet(word, known);
  if (op === "add" || op === "del")
    return readEntry(header, words, op).map((entry) => ({ ...place, op, exist, ...entry }));
  if (op === "flush" || op === "destroy") {
    words.refuseMore();
    if (op === "destroy") known.delete(word.text);
    return [{ ...place, op }];
  }
  const to = words.next("the name of a set");
  words.refuseMore();
  renameKnown(op, header, to, known);
  return [{ ...place, op, to: to.text }];
}

function knownSet(word: Word, known: SetScope): SetHeader {
  const header = known.get(word.text);
  if (!header)
    throw new Fault(
      "unknown-set",
      word.start,
      word.end,
      "a set that was created",
      nearest(word.text, [...known.keys()]),
    );
  return header;
}

function renameKnown(op: "rename" | "swap", header: SetHeader, to: Word, known: Map<string, SetHeader>): void {
  const other = op === "swap" ? knownSet(to, known) : undefined;
  if (op === "rename" && known.has(to.text)) throw new Fault("set-exists", to.start, to.end, "a new name");
  checkName(to);
  known.set(to.text, { ...header, name: to.text });
  if (other) known.set(header.name, { ...other, name: header.name });
  else known.delete(header.name);
}

function checkName({ text, start, end }: Word): void {
  if (text === "" || text.length > LONGEST_NAME)
    throw new Fault("bad-name", start, end, `a name of 1 to ${LONGEST_NAME} characters`);
}

function readCreate(name: Word, words: WordReader): SetHeader {
  checkName(name);
  const type = words.next("the type of the set");
  const found = SET_TYPE_NAMES.find((known) => known === type.text);
  if (!found) {
    const expected = `one of ${SET_TYPE_NAMES.join(", ")}`;
    throw new Fault("unknown-set-type", type.start, type.end, expected, nearest(type.text, SET_TYPE_NAMES));
  }
  return readHeader(name.text, found, type, words);
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
type Extras = Mutable<Omit<SetEntry, "parts" | "text" | "key">>;

interface ReadEntry {
  readonly entry: SetEntry;
  readonly given: { readonly packets: boolean; readonly bytes: boolean };
  readonly beside?: Beside;
}

function readEntry(header: SetHeader, words: WordReader, op: "add" | "del"): ReadEntry[] {
  const element = words.next("an element");
  const elements = elementsOf(element, header);
  const extras: Extras = {
    nomatch: false,
    wildcard: false,
    timeout: header.timeout,
    packets: 0n,
    bytes: 0n,
    comment: undefined,
    mark: 0,
    markMask: 0,
    priority: 0,
    queue: 0,
  };
  let beside: Beside | undefined;
  const seen = new Set<string>();
  while (!words.done) {
    const word = words.next("an option");
    if (seen.has(word.text)) throw new Fault("repeated-option", word.start, word.end, "it once");
    seen.add(word.text);
    if (header.type === "list:set" && (word.text === "before" || word.text === "after")) {
      if (beside) throw new Fault("conflicting-options", word.start, word.end, "before or after, not both");
      beside = { side: word.text, name: words.next("the name of a set").text };
    } else if (op === "add" || IDENTITY.includes(word.text)) readExtra(word, words, header, extras);
    else throw new Fault("unknown-option", word.start, word.end, "nothing behind an element to be deleted");
  }
  const given = { packets: seen.has("packets"), bytes: seen.has("bytes") };
  return elements.map((one) => {
    // A bitmap has one element an address, whatever MAC address goes with it.
    const whole = header.type === "bitmap:ip,mac" ? (one.text.split(",")[0] as string) : one.text;
    const entry: SetEntry = {
      parts: one.parts,
      text: one.text,
      key: whole,
      nomatch: extras.nomatch,
      wildcard: extras.wildcard,
      timeout: extras.timeout,
      packets: extras.packets,
      bytes: extras.bytes,
      comment: extras.comment,
      mark: extras.mark,
      markMask: extras.markMask,
      priority: extras.priority,
      queue: extras.queue,
    };
    return beside ? { entry, given, beside } : { entry, given };
  });
}

/** Options that may stand behind an element to be deleted. */
const IDENTITY = ["nomatch", "wildcard"];

/** Options of `add`, and what the set must have been made with. */
function readExtra(word: Word, words: WordReader, header: SetHeader, extras: Extras): void {
  const need = (has: boolean, option: string): void => {
    if (!has) throw new Fault("misplaced-option", word.start, word.end, `a set that was created with ${option}`);
  };
  switch (word.text) {
    case "timeout":
      need(header.timeout !== undefined, "timeout");
      extras.timeout = words.number(0, MOST_SECONDS);
      return;
    case "nomatch":
      if (!setType(header.type).nomatch)
        throw new Fault("unknown-option", word.start, word.end, `no nomatch in ${header.type}`);
      extras.nomatch = true;
      return;
    case "wildcard":
      if (header.type !== "hash:net,iface")
        throw new Fault("unknown-option", word.start, word.end, `no wildcard in ${header.type}`);
      extras.wildcard = true;
      return;
    case "packets":
    case "bytes":
      need(header.counters, "counters");
      extras[word.text] = words.wide();
      return;
    case "comment": {
      need(header.comment, "comment");
      const comment = words.next("a comment");
      if (comment.text.length > LONGEST_COMMENT)
        throw new Fault("comment-too-long", comment.start, comment.end, `at most ${LONGEST_COMMENT} characters`);
      extras.comment = comment.text;
      return;
    }
    case "skbmark":
    case "skbprio":
    case "skbqueue":
      need(header.skbinfo, "skbinfo");
      readPacketInfo(word.text, words, extras);
      return;
  }
  const options = ["timeout", "nomatch", "wildcard", "packets", "bytes", "comment", "skbmark", "skbprio", "skbqueue"];
  throw new Fault("unknown-option", word.start, word.end, `one of ${options.join(", ")}`, nearest(word.text, options));
}

function readPacketInfo(option: "skbmark" | "skbprio" | "skbqueue", words: WordReader, extras: Extras): void {
  if (option === "skbqueue") {
    extras.queue = words.number(0, 65_535);
    return;
  }
  const word = words.next(option === "skbmark" ? "a mark" : "a class");
  if (option === "skbmark") {
    const [, mark, mask] = /^(0x[0-9a-fA-F]{1,8})(?:\/(0x[0-9a-fA-F]{1,8}))?$/.exec(word.text) ?? [];
    if (mark === undefined) throw new Fault("bad-number", word.start, word.end, "0xMARK or 0xMARK/0xMASK");
    extras.mark = Number(mark);
    extras.markMask = mask === undefined ? 0xffffffff : Number(mask);
  } else {
    const [, major, minor] = /^(?:0x)?([0-9a-fA-F]{1,4}):(?:0x)?([0-9a-fA-F]{1,4})$/.exec(word.text) ?? [];
    if (major === undefined || minor === undefined)
      throw new Fault("bad-value", word.start, word.end, "a class as major:minor in hexadecimal");
    extras.priority = ((Number.parseInt(major, 16) << 16) | Number.parseInt(minor, 16)) >>> 0;
  }
}
