/**
 * One line's options, as getopt_long and iptables together understand them: clusters of letters, `--name=value`,
 * beginnings of long names, `!` in front, and the protocol's own match loaded by the first of its options.
 */
import { Fault } from "../extensions/fault.js";
import { wholeNumber } from "../extensions/values/number.js";
import { VALUE_POSITION } from "../blob/reading.js";
import { CommandDraft } from "./command-draft.js";
import { type Loadable, letterByWord, words } from "./extension-index.js";
import type { Lexer } from "./lexer.js";
import { abbreviated, optionHint } from "./option-names.js";
import type { Family } from "./row-store.js";
import { RuleParser } from "./rule-parser.js";
import { COMMAND_VALUES, FIXED_PART, ValuePlaces } from "./reading/value-places.js";
import type { TableSink } from "./table-sink.js";

const EQUALS = 61;
const BANG = 33;
const DASH = 45;
const COMMA = 44;
/** Kernel's XT_EXTENSION_MAXNAMELEN less the zero byte. */
export const LONGEST_NAME = 28;
const LARGEST_POSITION = 0x7fffffff;

/** By letter: whether an option takes an argument always, or when one stands at it. */
const ALWAYS = 1;
const PERHAPS = 2;
const ARGUMENTS = new Uint8Array(256);
for (const letter of "ACDEINPRsdpijogmtcM") ARGUMENTS[letter.charCodeAt(0)] = ALWAYS;
for (const letter of "FXZLSwW") ARGUMENTS[letter.charCodeAt(0)] = PERHAPS;

/** One for the thread: parsing never nests. */
const PLACES = new ValuePlaces();

export class LineParser {
  readonly rule: RuleParser;
  readonly command = new CommandDraft();
  /** Where the values of the line stand that its shape may leave open. */
  readonly places = PLACES;

  private at = 0;
  private inverted = false;
  private bangAt = 0;

  /** `isFile` is false where the arguments are those of the program iptables. */
  constructor(
    private readonly lexer: Lexer,
    private readonly family: Family,
    private readonly isFile = true,
  ) {
    this.rule = new RuleParser(lexer, family);
  }

  /** Reads the arguments that the lexer cut. */
  parse(sink: TableSink): void {
    this.scan(sink);
    if (!this.command.foreign) this.rule.finish();
  }

  /** The same without a last look at what the options say together. */
  scan(sink: TableSink): void {
    const { lexer, rule, command } = this;
    const { bytes, starts, ends } = lexer;
    rule.begin(sink);
    this.command.clear();
    this.places.clear();
    this.inverted = false;
    this.at = 0;
    while (this.at < lexer.count && !command.foreign) {
      const start = starts[this.at] as number;
      const end = ends[this.at++] as number;
      rule.optionStart = start;
      rule.optionEnd = end;
      if (end - start < 2 || bytes[start] !== DASH) this.plain(start, end);
      else if (bytes[start + 1] !== DASH) this.letters(start + 1, end, sink);
      else this.long(start + 2, end, sink);
    }
    if (command.foreign) return;
    if (this.inverted) throw new Fault("misplaced-inversion", this.bangAt, this.bangAt + 1, "an option behind the !");
    if (command.name === "")
      throw new Fault("no-command", lexer.lineStart, lexer.lineStart, "a command such as -A CHAIN in the line");
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
      const takes = ARGUMENTS[option] as number;
      if (takes === 0) this.core(option, 0, -1, sink);
      else if (i + 1 < end) this.core(option, i + 1, end, sink);
      else this.coreWithNext(option, sink);
      if (takes !== 0) return;
    }
  }

  /** An option of iptables' whose argument would be the next. */
  private coreWithNext(option: number, sink: TableSink): void {
    const takes = ARGUMENTS[option] as number;
    if (takes === 0 || (takes === PERHAPS && !this.hasValue())) {
      this.core(option, 0, -1, sink);
      return;
    }
    if (this.at === this.lexer.count) this.missingArgument();
    const next = this.at++;
    // Values are noted as they stand in the line, and a command may go on to read a rule's number.
    this.places.note(next, COMMAND_VALUES[option] as number, FIXED_PART, option);
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
    const name = this.rule.argument.text(start, nameEnd);
    const known = abbreviated(name, this.rule.loadedExtensions(), this.family);
    if (known >= 0 && this.longWord(known, nameEnd, end, sink)) return;
    // The protocol's own match brings more options.
    if (this.rule.loadProtocolMatch(this.at - 1)) this.long(start, end, sink);
    else this.unknownOption(name);
  }

  /** False when nothing in force has an option of this name. */
  private longWord(word: number, nameEnd: number, end: number, sink: TableSink): boolean {
    const option = letterByWord[word] as number;
    if (option !== 0) {
      if (nameEnd === end) this.coreWithNext(option, sink);
      else if (ARGUMENTS[option] === 0) throw new Fault("unwanted-argument", nameEnd, end, "none");
      else this.core(option, nameEnd + 1, end, sink);
      return true;
    }
    const record = this.rule.recordWithOption(word);
    if (record < 0) return false;
    this.extensionOption(record, word, nameEnd, end);
    return true;
  }

  private extensionOption(record: number, word: number, nameEnd: number, end: number): void {
    const { lexer } = this;
    const { draft, argument, optionStart, optionEnd } = this.rule;
    const extension = draft.extensions[record] as Loadable;
    const number = extension.optionByWord[word] as number;
    const option = extension.options[number] as Loadable["options"][number];
    const seen = draft.seen[record] as number;
    const bit = 1 << number;
    if (seen & bit && !option.repeatable) throw new Fault("repeated-option", optionStart, optionEnd, "it once");
    if (this.inverted && !option.invertible) throw new Fault("not-invertible", optionStart, optionEnd, "no ! in front");
    let wanted = option.arguments;
    argument.start = argument.end = nameEnd;
    if (nameEnd < end) {
      if (wanted === 0) throw new Fault("unwanted-argument", nameEnd, end, "none");
      argument.start = nameEnd + 1;
      argument.end = end;
      wanted--;
    } else if (option.optional && !this.hasValue()) wanted = 0;
    else if (wanted > 0) {
      if (this.at === lexer.count) this.missingArgument();
      if (option.value) this.places.note(this.at, option.value.kind, record, option.value.at);
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
    const { rule, inverted } = this;
    this.inverted = false;
    switch (String.fromCharCode(option)) {
      case "s":
        return rule.setSource(start, end, inverted);
      case "d":
        return rule.setDestination(start, end, inverted);
      case "p":
        return rule.setProtocol(start, end, inverted);
      case "i":
        return rule.setInput(start, end, inverted);
      case "o":
        return rule.setOutput(start, end, inverted);
      case "j":
        return rule.setTarget(start, end, this.at - 1, inverted, sink);
      case "g":
        return rule.setGoto(start, end, inverted, sink);
      case "m":
        if (inverted) this.misplacedInversion();
        return rule.loadMatch(start, end, this.at - 1);
      case "f":
        return rule.setFragment(inverted);
      case "c":
        return this.setCounters(start, end, inverted);
      case "v":
        // Says how much to print, which changes no rule.
        if (inverted) this.misplacedInversion();
        this.command.display += "v";
        return;
      case "4":
      case "6":
        this.command.foreign = (option === 52) !== (this.family === "ipv4");
        if (this.command.foreign && !this.isFile) this.refuse("misplaced-option", `a ruleset of ${this.family}`);
        return;
      case "h":
      case "V":
        return this.refuse("unsupported-command", "a command that changes rules");
    }
    const letter = String.fromCharCode(option);
    if ("ACDEFILNPRSXZ".includes(letter)) this.setCommand(letter, start, end, inverted);
    else if ("tnx0wWM".includes(letter)) this.programOption(letter, start, end, inverted);
    else this.unknownOption("");
  }

  /** An option that only the program has. */
  private programOption(letter: string, start: number, end: number, inverted: boolean): void {
    const { command } = this;
    if (this.isFile)
      this.refuse("misplaced-option", letter === "t" ? "the table in a *table line" : "no such option in a ruleset");
    if ("wWM".includes(letter))
      this.refuse("misplaced-option", "neither waiting nor modules: a file has no lock and loads none");
    if (inverted) this.misplacedInversion();
    if (letter === "t") {
      command.tableStart = start;
      command.tableEnd = end;
    } else if (command.display.includes(letter)) this.refuse("repeated-option", "it once");
    else command.display += letter;
  }

  private setCommand(name: string, start: number, end: number, inverted: boolean): void {
    const { lexer, command } = this;
    if (inverted) this.misplacedInversion();
    if (this.isFile && "LS".includes(name)) this.refuse("unsupported-command", "a command that changes rules");
    if (!command.add(name)) this.refuse("second-command", "one command in a line");
    if (end >= 0) {
      command.chainStart = start;
      command.chainEnd = end;
    }
    if (command.chainEnd - command.chainStart > LONGEST_NAME)
      throw new Fault("bad-chain-name", command.chainStart, command.chainEnd, `at most ${LONGEST_NAME} bytes`);
    if (name === "E" || name === "P") {
      if (!this.hasValue()) this.missingArgument(name === "E" ? "the old name and the new" : "a chain and a policy");
      command.secondStart = lexer.starts[this.at] as number;
      command.secondEnd = lexer.ends[this.at++] as number;
    } else if ("DIRZLS".includes(name) && this.hasValue()) {
      this.places.note(this.at, VALUE_POSITION, FIXED_PART, 0);
      const from = lexer.starts[this.at] as number;
      const to = lexer.ends[this.at++] as number;
      const position = wholeNumber(lexer.bytes, from, to, 1, LARGEST_POSITION);
      if (position < 0) throw new Fault("bad-rule-number", from, to, "the number of a rule, from 1");
      command.setPosition(name, position);
    } else if (name === "R") this.missingArgument("a chain and the number of a rule");
  }

  /** `-c packets bytes`, `-c packets,bytes`. */
  private setCounters(start: number, end: number, inverted: boolean): void {
    const { lexer, rule } = this;
    const comma = lexer.bytes.subarray(0, end).indexOf(COMMA, start);
    if (comma >= 0) return rule.setCounters(start, comma, comma + 1, end, inverted);
    if (!this.hasValue()) this.missingArgument("packets and bytes");
    const next = this.at++;
    rule.setCounters(start, end, lexer.starts[next] as number, lexer.ends[next] as number, inverted);
  }

  /** Whether the next argument is there and is neither an option nor a `!`. */
  private hasValue(): boolean {
    if (this.at === this.lexer.count) return false;
    const start = this.lexer.starts[this.at] as number;
    const first = start === this.lexer.ends[this.at] ? 0 : this.lexer.bytes[start];
    return first !== DASH && first !== BANG;
  }

  private misplacedInversion(): never {
    throw new Fault("misplaced-inversion", this.bangAt, this.bangAt + 1, "no ! in front of this option");
  }

  private refuse(code: Fault["code"], expected: string): never {
    throw new Fault(code, this.rule.optionStart, this.rule.optionEnd, expected);
  }

  private missingArgument(what = "an argument"): never {
    const { argument, optionStart, optionEnd } = this.rule;
    const expected = `${what} behind ${argument.text(optionStart, optionEnd)}`;
    throw new Fault("missing-argument", optionEnd, optionEnd, expected);
  }

  /** `name` is a long one, without dashes. */
  private unknownOption(name: string): never {
    const { expected, suggestion } = optionHint(name, this.rule.loadedExtensions(), this.family);
    throw new Fault("unknown-option", this.rule.optionStart, this.rule.optionEnd, expected, suggestion);
  }
}
