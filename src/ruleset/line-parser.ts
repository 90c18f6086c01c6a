/**
 * One line's options, as getopt_long and iptables together understand them: clusters of letters, `--name=value`,
 * beginnings of long names, `!` in front, and the protocol's own match loaded by the first of its options.
 */
import { INTERFACE_SIZE, ROW_FLAG_FRAGMENT, ROW_FLAG_GOTO, ROW_FLAG_INPUT, ROW_FLAG_OUTPUT, ROW_FLAG_PROTOCOL } from "../blob/layout.js";
import {
  ROW_INVERT_DESTINATION,
  ROW_INVERT_FRAGMENT,
  ROW_INVERT_INPUT,
  ROW_INVERT_OUTPUT,
  ROW_INVERT_PROTOCOL,
  ROW_INVERT_SOURCE,
} from "../blob/layout.js";
import { Argument } from "../extensions/argument.js";
import { Fault } from "../extensions/fault.js";
import { nearest } from "../extensions/nearest.js";
import { readCounter, wholeNumber } from "../extensions/values/number.js";
import { protocolName, protocolNames, readProtocol } from "../extensions/values/protocols.js";
import { EXTENSIONS, type ExtensionIndex, type Loadable, letterByWord, matchNames, targetNames, words } from "./extension-index.js";
import type { Lexer } from "./lexer.js";
import { abbreviated, optionHint } from "./option-names.js";
import { RowDraft } from "./row-draft.js";
import type { Family } from "./row-store.js";
import type { TableSink } from "./table-sink.js";

const EQUALS = 61;
const BANG = 33;
const DASH = 45;
const PLUS = 43;
/** Kernel's XT_EXTENSION_MAXNAMELEN less the zero byte. */
export const LONGEST_NAME = 28;
const LARGEST_POSITION = 0x7fffffff;

export const letter = (text: string): number => text.charCodeAt(0);
const COMMANDS_WITH_CHAIN_OR_ALL = "FXZ";
/** Letters that take an argument. */
const WITH_ARGUMENT = new Uint8Array(128);
for (const one of "ACDEINPRsdpijogmtcM") WITH_ARGUMENT[letter(one)] = 1;

export class LineParser {
  readonly draft: RowDraft;
  readonly argument = new Argument();
  private readonly extensions: ExtensionIndex;
  private readonly family: Family;

  /** What the line says: the command's letter, tokens of its names, its rule number. */
  command = 0;
  /** Bytes of the chain's name; -1 where there is none. */
  chainStart = -1;
  chainEnd = -1;
  /** Bytes of the policy, or of the new name. */
  secondStart = -1;
  secondEnd = -1;
  position = 0;
  /** The line is meant for the other family (-4, -6). */
  foreign = false;
  /** Options of the rule itself that were given, one bit each, and where the first of them stood. */
  given = 0;
  firstGiven = -1;

  private at = 0;
  private inverted = false;
  private bangAt = 0;
  private protocolMatchLoaded = false;
  private protocolStart = 0;
  private protocolEnd = 0;
  private tokenStart = 0;
  private tokenEnd = 0;
  /** Distinct extensions in the order of loading: which record is theirs at the moment. */
  private loadedCount = 0;
  private readonly loaded = new Int32Array(256);

  constructor(
    private readonly lexer: Lexer,
    family: Family,
  ) {
    this.family = family;
    this.extensions = EXTENSIONS[family];
    this.draft = new RowDraft(family);
    this.argument.bytes = lexer.bytes;
    this.argument.width = this.draft.width;
  }

  /** Whether the bytes are a target's name. */
  isTarget(start: number, end: number): boolean {
    const word = words.find(this.lexer.bytes, this.lexer.view, start, end);
    return word >= 0 && this.extensions.targets[word] !== undefined;
  }

  /** Reads the arguments that the lexer cut. */
  parse(sink: TableSink): void {
    const { lexer, draft } = this;
    const { bytes, starts, ends } = lexer;
    draft.clear();
    this.argument.texts = sink.rows.text;
    this.command = 0;
    this.chainStart = this.chainEnd = this.secondStart = this.secondEnd = -1;
    this.position = 0;
    this.foreign = false;
    this.given = 0;
    this.firstGiven = -1;
    this.inverted = false;
    this.protocolMatchLoaded = false;
    this.loadedCount = 0;
    this.argument.protocol = 0;
    this.argument.protocolInverted = false;
    this.at = 0;
    while (this.at < lexer.count && !this.foreign) {
      const start = starts[this.at] as number;
      const end = ends[this.at++] as number;
      this.tokenStart = start;
      this.tokenEnd = end;
      if (end - start < 2 || bytes[start] !== DASH) this.plain(start, end);
      else if (bytes[start + 1] !== DASH) this.letters(start + 1, end, sink);
      else this.long(start + 2, end, sink);
    }
    if (this.foreign) return;
    if (this.inverted) throw new Fault("misplaced-inversion", this.bangAt, this.bangAt + 1, "an option behind the !");
    if (this.command === 0)
      throw new Fault("no-command", lexer.lineStart, lexer.lineStart, "a command such as -A CHAIN in the line");
    this.finish(sink);
  }

  /** An argument that is no option: a `!`, or a mistake. */
  private plain(start: number, end: number): void {
    if (end - start !== 1 || this.lexer.bytes[start] !== BANG)
      throw new Fault("bad-argument", start, end, "an option, which begins with a dash");
    if (this.inverted) throw new Fault("misplaced-inversion", start, end, "one ! and no more");
    this.inverted = true;
    this.bangAt = start;
  }

  /** `-ptcp`, `-p tcp`, `-vf`. */
  private letters(start: number, end: number, sink: TableSink): void {
    const { bytes } = this.lexer;
    for (let i = start; i < end; i++) {
      const option = bytes[i] as number;
      if (option < 128 && WITH_ARGUMENT[option] === 1) {
        if (i + 1 < end) this.core(option, i + 1, end, sink);
        else this.coreWithNext(option, sink);
        return;
      }
      if (COMMANDS_WITH_CHAIN_OR_ALL.includes(String.fromCharCode(option))) {
        this.core(option, i + 1, i + 1 < end ? end : -1, sink);
        return;
      }
      this.core(option, 0, -1, sink);
    }
  }

  private coreWithNext(option: number, sink: TableSink): void {
    if (this.at === this.lexer.count) this.missingArgument();
    const next = this.at++;
    this.core(option, this.lexer.starts[next] as number, this.lexer.ends[next] as number, sink);
  }

  /** `--name`, `--name=value`; `start` is behind the dashes. */
  private long(start: number, end: number, sink: TableSink): void {
    const { bytes, view } = this.lexer;
    if (start === end) throw new Fault("bad-argument", start - 2, end, "no -- on its own");
    let nameEnd = start;
    while (nameEnd < end && bytes[nameEnd] !== EQUALS) nameEnd++;
    const word = words.find(bytes, view, start, nameEnd);
    if (word >= 0 && this.longWord(word, nameEnd, end, sink)) return;
    const known = abbreviated(this.argument.text(start, nameEnd), this.loadedExtensions());
    if (known >= 0 && this.longWord(known, nameEnd, end, sink)) return;
    // The protocol's own match brings more options.
    if (!this.protocolMatchLoaded && this.loadProtocolMatch()) {
      this.protocolMatchLoaded = true;
      this.long(start, end, sink);
      return;
    }
    this.unknownOption(start, nameEnd);
  }

  /** False when nothing in force has an option of this name. */
  private longWord(word: number, nameEnd: number, end: number, sink: TableSink): boolean {
    const option = letterByWord[word] as number;
    if (option !== 0) {
      if (nameEnd < end) {
        if (WITH_ARGUMENT[option] !== 1 && !COMMANDS_WITH_CHAIN_OR_ALL.includes(String.fromCharCode(option)))
          throw new Fault("unwanted-argument", nameEnd, end, "none");
        this.core(option, nameEnd + 1, end, sink);
      } else if (WITH_ARGUMENT[option] === 1) this.coreWithNext(option, sink);
      else this.core(option, 0, -1, sink);
      return true;
    }
    for (let n = this.loadedCount - 1; n >= 0; n--) {
      const record = this.loaded[n] as number;
      const extension = this.draft.extensions[record] as Loadable;
      const number = extension.optionByWord[word] as number;
      if (number >= 0) {
        this.extensionOption(extension, record, number, nameEnd, end);
        return true;
      }
    }
    return false;
  }

  private extensionOption(extension: Loadable, record: number, number: number, nameEnd: number, end: number): void {
    const { lexer, draft, argument } = this;
    const option = extension.options[number] as Loadable["options"][number];
    const seen = draft.seen[record] as number;
    const bit = 1 << number;
    if (seen & bit && !option.repeatable) throw new Fault("repeated-option", this.tokenStart, this.tokenEnd, "it once");
    if (this.inverted && !option.invertible)
      throw new Fault("not-invertible", this.tokenStart, this.tokenEnd, "no ! in front");
    argument.start = nameEnd;
    argument.end = nameEnd;
    let wanted = option.arguments;
    if (nameEnd < end) {
      if (wanted === 0) throw new Fault("unwanted-argument", nameEnd, end, "none");
      argument.start = nameEnd + 1;
      argument.end = end;
      wanted--;
    } else if (wanted > 0) {
      if (this.at === lexer.count) this.missingArgument();
      argument.start = lexer.starts[this.at] as number;
      argument.end = lexer.ends[this.at++] as number;
      wanted--;
    }
    if (wanted > 0) {
      if (!this.hasValue()) this.missingArgument(`${option.arguments} arguments`);
      argument.secondStart = lexer.starts[this.at] as number;
      argument.secondEnd = lexer.ends[this.at++] as number;
    }
    argument.inverted = this.inverted;
    this.inverted = false;
    argument.extension = extension.extension;
    argument.seen = seen;
    draft.seen[record] = seen | bit;
    option.parse(argument, draft, draft.offsets[record] as number);
  }

  /** An option of iptables itself. `end` is -1 where it was given no argument. */
  private core(option: number, start: number, end: number, sink: TableSink): void {
    const inverted = this.inverted;
    this.inverted = false;
    switch (option) {
      case 65: // A
      case 67: // C
      case 68: // D
      case 69: // E
      case 70: // F
      case 73: // I
      case 78: // N
      case 80: // P
      case 82: // R
      case 88: // X
      case 90: // Z
        this.setCommand(option, start, end, inverted);
        return;
      case 115: // s
        this.give(1, ROW_INVERT_SOURCE, inverted);
        this.draft.sources.read(this.lexer.bytes, start, end);
        return;
      case 100: // d
        this.give(2, ROW_INVERT_DESTINATION, inverted);
        this.draft.destinations.read(this.lexer.bytes, start, end);
        return;
      case 112: // p
        this.give(4, ROW_INVERT_PROTOCOL, inverted);
        this.setProtocol(start, end, inverted);
        return;
      case 105: // i
        this.give(8, ROW_INVERT_INPUT, inverted);
        this.draft.flags |= ROW_FLAG_INPUT;
        this.setInterface(start, end, 0);
        return;
      case 111: // o
        this.give(16, ROW_INVERT_OUTPUT, inverted);
        this.draft.flags |= ROW_FLAG_OUTPUT;
        this.setInterface(start, end, 2 * INTERFACE_SIZE);
        return;
      case 106: // j
        this.give(32, 0, inverted);
        this.jump(start, end, sink);
        return;
      case 103: // g
        this.give(32, 0, inverted);
        this.draft.flags |= ROW_FLAG_GOTO;
        this.toChain(start, end, sink, "the name of a chain");
        return;
      case 109: // m
        if (inverted) throw new Fault("misplaced-inversion", this.bangAt, this.bangAt + 1, "no ! in front of a match");
        this.loadMatch(start, end);
        return;
      case 102: // f
        this.give(64, ROW_INVERT_FRAGMENT, inverted);
        if (this.draft.width === 16)
          throw new Fault("unknown-option", this.tokenStart, this.tokenEnd, "-m frag, as IPv6 has no -f");
        this.draft.flags |= ROW_FLAG_FRAGMENT;
        return;
      case 99: // c
        this.give(128, 0, inverted);
        this.setCounters(start, end);
        return;
      case 118: // v
        // Says how much to print, which changes no rule.
        if (inverted) this.notInvertible();
        return;
      case 52: // 4
      case 54: // 6
        this.foreign = (option === 52) !== (this.draft.width === 4);
        return;
      case 76: // L
      case 83: // S
      case 104: // h
      case 86: // V
        throw new Fault("unsupported-command", this.tokenStart, this.tokenEnd, "a command that changes rules");
      case 116: // t
        throw new Fault("misplaced-option", this.tokenStart, this.tokenEnd, "the table in a *table line");
      case 110: // n
      case 120: // x
      case 119: // w
      case 87: // W
      case 77: // M
      case 48: // --line-numbers
        throw new Fault("misplaced-option", this.tokenStart, this.tokenEnd, "no such option in a ruleset");
      default:
        this.unknownOption(this.tokenStart, this.tokenEnd);
    }
  }

  private setCommand(option: number, start: number, end: number, inverted: boolean): void {
    if (inverted) throw new Fault("misplaced-inversion", this.bangAt, this.bangAt + 1, "no ! in front of a command");
    if (this.command !== 0) throw new Fault("second-command", this.tokenStart, this.tokenEnd, "one command in a line");
    this.command = option;
    const { lexer } = this;
    if (end >= 0) {
      this.chainStart = start;
      this.chainEnd = end;
    } else if (this.hasValue()) {
      this.chainStart = lexer.starts[this.at] as number;
      this.chainEnd = lexer.ends[this.at++] as number;
    }
    if (this.chainEnd - this.chainStart > LONGEST_NAME)
      throw new Fault("bad-chain-name", this.chainStart, this.chainEnd, `at most ${LONGEST_NAME} bytes`);
    const name = String.fromCharCode(option);
    if (name === "E" || name === "P") {
      if (!this.hasValue()) this.missingArgument(name === "E" ? "the old name and the new" : "a chain and a policy");
      this.secondStart = lexer.starts[this.at] as number;
      this.secondEnd = lexer.ends[this.at++] as number;
    } else if ("DIRZ".includes(name) && this.hasValue()) {
      const from = lexer.starts[this.at] as number;
      const to = lexer.ends[this.at++] as number;
      this.position = wholeNumber(lexer.bytes, from, to, 1, LARGEST_POSITION);
      if (this.position < 0) throw new Fault("bad-rule-number", from, to, "the number of a rule, from 1");
    } else if (name === "R") this.missingArgument("a chain and the number of a rule");
  }

  /** Whether the next argument is there and is neither an option nor a `!`. */
  private hasValue(): boolean {
    if (this.at === this.lexer.count) return false;
    const start = this.lexer.starts[this.at] as number;
    const first = start === this.lexer.ends[this.at] ? 0 : this.lexer.bytes[start];
    return first !== DASH && first !== BANG;
  }

  /** Notes an option of the rule itself. `invertFlag` is 0 where a `!` makes no sense. */
  private give(bit: number, invertFlag: number, inverted: boolean): void {
    if (this.given & bit) throw new Fault("repeated-option", this.tokenStart, this.tokenEnd, "it once");
    if (this.given === 0) this.firstGiven = this.tokenStart;
    this.given |= bit;
    if (!inverted) return;
    if (invertFlag === 0) this.notInvertible();
    this.draft.invert |= invertFlag;
  }

  private notInvertible(): never {
    throw new Fault("not-invertible", this.tokenStart, this.tokenEnd, "no ! in front");
  }

  private setProtocol(start: number, end: number, inverted: boolean): void {
    const { bytes } = this.lexer;
    // Lower case from here on, as the match of this name is looked for as well.
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte >= 65 && byte <= 90) bytes[i] = byte + 32;
    }
    const number = readProtocol(bytes, start, end);
    if (number < 0) {
      const suggestion = nearest(this.argument.text(start, end), protocolNames());
      throw new Fault("bad-protocol", start, end, "a number from 0 to 255 or the name of a protocol", suggestion);
    }
    if (number === 0 && inverted) throw new Fault("bad-protocol", start, end, "a protocol, as ! all matches nothing");
    this.protocolStart = start;
    this.protocolEnd = end;
    this.draft.protocol = number;
    // In IPv6 -p all differs from no -p.
    if (number !== 0 || this.draft.width === 16) this.draft.flags |= ROW_FLAG_PROTOCOL;
    this.argument.protocol = number;
    this.argument.protocolInverted = inverted;
  }

  /** A name, and a mask that covers it with its zero byte, or up to a `+` at its end. */
  private setInterface(start: number, end: number, at: number): void {
    const { bytes } = this.lexer;
    const { interfaces } = this.draft;
    const length = end - start;
    if (length === 0 || length >= INTERFACE_SIZE)
      throw new Fault("bad-interface", start, end, `a name of 1 to ${INTERFACE_SIZE - 1} bytes`);
    const covered = bytes[end - 1] === PLUS ? length - 1 : length + 1;
    for (let i = 0; i < INTERFACE_SIZE; i++) {
      interfaces[at + i] = i < length ? (bytes[start + i] as number) : 0;
      interfaces[at + INTERFACE_SIZE + i] = i < covered ? 255 : 0;
    }
  }

  /** `-c packets bytes`, `-c packets,bytes`. */
  private setCounters(start: number, end: number): void {
    const { bytes, starts, ends } = this.lexer;
    const comma = bytes.indexOf(44, start);
    let firstEnd = end;
    let from = comma + 1;
    let to = end;
    if (comma >= 0 && comma < end) firstEnd = comma;
    else {
      if (!this.hasValue()) this.missingArgument("packets and bytes");
      from = starts[this.at] as number;
      to = ends[this.at++] as number;
    }
    const { counters } = this.draft;
    if (!readCounter(bytes, start, firstEnd, counters, 0)) throw new Fault("bad-counters", start, firstEnd, "a number");
    if (!readCounter(bytes, from, to, counters, 2)) throw new Fault("bad-counters", from, to, "a number");
  }

  private jump(start: number, end: number, sink: TableSink): void {
    const { bytes, view } = this.lexer;
    const word = words.find(bytes, view, start, end);
    const target = word < 0 ? undefined : this.extensions.targets[word];
    // A chain goes before a target of the same name.
    if (target && sink.chain(bytes, view, start, end) < 0) {
      this.addLoaded(this.draft.load(target, this.tokenIndex(start)));
      this.draft.target = this.draft.count - 1;
      return;
    }
    this.toChain(start, end, sink, "a target or the name of a chain");
  }

  private toChain(start: number, end: number, sink: TableSink, expected: string): void {
    const { bytes, view } = this.lexer;
    const chain = sink.chain(bytes, view, start, end);
    if (chain < 0) {
      const names = sink.knownChains();
      if (this.draft.flags & ROW_FLAG_GOTO)
        throw new Fault("unknown-chain", start, end, expected, nearest(this.argument.text(start, end), names));
      const suggestion = nearest(this.argument.text(start, end), [...names, ...targetNames(this.family)]);
      throw new Fault("unknown-target", start, end, expected, suggestion);
    }
    this.draft.chain = chain;
  }

  private loadMatch(start: number, end: number): void {
    const word = words.find(this.lexer.bytes, this.lexer.view, start, end);
    const match = word < 0 ? undefined : this.extensions.matches[word];
    if (!match) {
      const suggestion = nearest(this.argument.text(start, end), matchNames(this.family));
      throw new Fault("unknown-match", start, end, "the name of a match", suggestion);
    }
    this.addLoaded(this.draft.load(match, this.tokenIndex(start)));
  }

  /** The match that belongs to the protocol of `-p`; false when there is none or it is loaded already. */
  private loadProtocolMatch(): boolean {
    if (!(this.given & 4)) return false;
    const { bytes, view } = this.lexer;
    let word: number;
    if (wholeNumber(bytes, this.protocolStart, this.protocolEnd, 0, 255) >= 0) {
      const name = protocolName(this.draft.protocol);
      word = name === undefined ? -1 : words.findText(name);
    } else word = words.find(bytes, view, this.protocolStart, this.protocolEnd);
    const match = word < 0 ? undefined : this.extensions.matches[word];
    if (!match) return false;
    for (let n = 0; n < this.draft.count; n++) if (this.draft.extensions[n] === match) return false;
    this.addLoaded(this.draft.load(match, this.at - 1));
    return true;
  }

  /** Puts a record in force: of several of one extension it is the last whose options can be set. */
  private addLoaded(record: number): void {
    const extension = this.draft.extensions[record];
    for (let n = 0; n < this.loadedCount; n++)
      if (this.draft.extensions[this.loaded[n] as number] === extension) {
        this.loaded[n] = record;
        return;
      }
    this.loaded[this.loadedCount++] = record;
  }

  private loadedExtensions(): Loadable[] {
    return Array.from(this.loaded.subarray(0, this.loadedCount), (record) => this.draft.extensions[record] as Loadable);
  }

  /** The token that a value is, or is the end of. */
  private tokenIndex(start: number): number {
    return (this.lexer.starts[this.at - 1] as number) <= start ? this.at - 1 : Math.max(0, this.at - 2);
  }

  /** Last checks of every extension, when all options are known. */
  private finish(sink: TableSink): void {
    const { draft, argument, lexer } = this;
    for (let n = 0; n < draft.count; n++) {
      const ready = draft.extensions[n] as Loadable;
      const { extension } = ready;
      const at = draft.offsets[n] as number;
      const seen = draft.seen[n] as number;
      argument.start = lexer.starts[draft.tokens[n] as number] as number;
      argument.end = lexer.ends[draft.tokens[n] as number] as number;
      argument.extension = extension;
      argument.seen = seen;
      if (ready.constrained) checkOptions(ready, argument);
      draft.sizes[n] = extension.finish === undefined ? extension.size : extension.finish(argument, draft, at);
      if (extension.protocol !== undefined) {
        const expected = extension.protocol(argument, draft, at);
        if (expected !== "") argument.fail("wrong-protocol", expected);
      }
      if (extension.tables !== undefined && !extension.tables.includes(sink.table))
        argument.fail("wrong-table", `table ${extension.tables.join(" or ")}`);
    }
  }

  private missingArgument(what = "an argument"): never {
    throw new Fault("missing-argument", this.tokenEnd, this.tokenEnd, `${what} behind ${this.argument.text(this.tokenStart, this.tokenEnd)}`);
  }

  private unknownOption(start: number, end: number): never {
    const hint = optionHint(this.argument.text(start, end), this.loadedExtensions(), this.family);
    throw new Fault("unknown-option", this.tokenStart, this.tokenEnd, hint.expected, hint.suggestion);
  }
}

/** Options that must be there, that exclude and that need each other. */
function checkOptions(ready: Loadable, argument: Argument): void {
  const { seen } = argument;
  if ((ready.mandatory & ~seen) !== 0) {
    const missing = ready.options.filter((_, n) => ((ready.mandatory & ~seen) >>> n) & 1);
    argument.fail("missing-option", `--${missing[0]?.name} with ${ready.extension.name}`);
  }
  for (let n = 0; n < ready.options.length; n++) {
    if (((seen >>> n) & 1) === 0) continue;
    const conflict = (ready.excluded[n] as number) & seen;
    const lacking = (ready.required[n] as number) & ~seen;
    if (conflict === 0 && lacking === 0) continue;
    const other = ready.options[31 - Math.clz32(conflict === 0 ? lacking : conflict)]?.name;
    const name = ready.options[n]?.name;
    if (conflict !== 0) argument.fail("conflicting-options", `--${name} or --${other}, not both`);
    argument.fail("missing-option", `--${other} with --${name}`);
  }
}


