/** The options that make up a rule: what they say goes into the draft, extensions that they name are loaded. */
import {
  INTERFACE_SIZE,
  ROW_FLAG_FRAGMENT,
  ROW_FLAG_GOTO,
  ROW_FLAG_INPUT,
  ROW_FLAG_OUTPUT,
  ROW_FLAG_PROTOCOL,
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
import { readInterface } from "../extensions/values/interface.js";
import { readCounter, wholeNumber } from "../extensions/values/number.js";
import { protocolName, protocolNames, readProtocol } from "../extensions/values/protocols.js";
import { EXTENSIONS, type ExtensionIndex, type Loadable, matchNames, targetNames, words } from "./extension-index.js";
import type { Lexer } from "./lexer.js";
import { finishRecords } from "./record-checks.js";
import { RowDraft } from "./row-draft.js";
import type { Family } from "./row-store.js";
import type { TableSink } from "./table-sink.js";

/** Bits of `given`. */
export const GIVEN_PROTOCOL = 4;
export const GIVEN_INPUT = 8;
export const GIVEN_OUTPUT = 16;
export const GIVEN_COUNTERS = 128;
const GIVEN_SOURCE = 1;
const GIVEN_DESTINATION = 2;
const GIVEN_JUMP = 32;
const GIVEN_FRAGMENT = 64;

/** One a family for the thread: parsing never nests, and a batch of three lines should not pay for its 128 KiB. */
const DRAFTS: Partial<Record<Family, RowDraft>> = {};
const LOADED = new Int32Array(256);

const PLUS = 43;

export class RuleParser {
  readonly draft: RowDraft;
  readonly argument = new Argument();
  /** Options of the rule itself that were given, one bit each, and where the first of them stood. */
  given = 0;
  firstGiven = -1;
  /** The option that is being read. */
  optionStart = 0;
  optionEnd = 0;
  private readonly extensions: ExtensionIndex;
  private protocolStart = 0;
  private protocolEnd = 0;
  private protocolMatchLoaded = false;
  /** Distinct extensions in the order of loading: which record is theirs at the moment. */
  private loadedCount = 0;
  private readonly loaded = LOADED;

  constructor(
    private readonly lexer: Lexer,
    private readonly family: Family,
  ) {
    this.extensions = EXTENSIONS[family];
    this.draft = DRAFTS[family] ??= new RowDraft(family);
    this.argument.bytes = lexer.bytes;
    this.argument.width = this.draft.width;
    this.argument.rule = this.draft;
  }

  begin(sink: TableSink): void {
    this.draft.clear();
    this.argument.texts = sink.rows.text;
    this.argument.table = sink.table;
    this.argument.protocol = 0;
    this.argument.protocolInverted = false;
    this.given = 0;
    this.firstGiven = -1;
    this.protocolMatchLoaded = false;
    this.loadedCount = 0;
  }

  setSource(start: number, end: number, inverted: boolean): void {
    this.give(GIVEN_SOURCE, ROW_INVERT_SOURCE, inverted);
    this.draft.sources.read(this.lexer.bytes, start, end);
  }

  setDestination(start: number, end: number, inverted: boolean): void {
    this.give(GIVEN_DESTINATION, ROW_INVERT_DESTINATION, inverted);
    this.draft.destinations.read(this.lexer.bytes, start, end);
  }

  setProtocol(start: number, end: number, inverted: boolean): void {
    this.give(GIVEN_PROTOCOL, ROW_INVERT_PROTOCOL, inverted);
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

  setInput(start: number, end: number, inverted: boolean): void {
    this.give(GIVEN_INPUT, ROW_INVERT_INPUT, inverted);
    if (this.isEveryInterface(start, end) && !inverted) return;
    this.draft.flags |= ROW_FLAG_INPUT;
    readInterface(this.lexer.bytes, start, end, this.draft.interfaces, 0);
  }

  setOutput(start: number, end: number, inverted: boolean): void {
    this.give(GIVEN_OUTPUT, ROW_INVERT_OUTPUT, inverted);
    if (this.isEveryInterface(start, end) && !inverted) return;
    this.draft.flags |= ROW_FLAG_OUTPUT;
    readInterface(this.lexer.bytes, start, end, this.draft.interfaces, 2 * INTERFACE_SIZE);
  }

  setFragment(inverted: boolean): void {
    this.give(GIVEN_FRAGMENT, ROW_INVERT_FRAGMENT, inverted);
    if (this.draft.width === 16) this.fail("unknown-option", "-m frag, as IPv6 has no -f");
    this.draft.flags |= ROW_FLAG_FRAGMENT;
  }

  /** Packets in the first range of bytes, bytes in the second. */
  setCounters(start: number, end: number, secondStart: number, secondEnd: number, inverted: boolean): void {
    this.give(GIVEN_COUNTERS, 0, inverted);
    const { bytes } = this.lexer;
    const { counters } = this.draft;
    if (!readCounter(bytes, start, end, counters, 0)) throw new Fault("bad-counters", start, end, "a number");
    if (!readCounter(bytes, secondStart, secondEnd, counters, 2))
      throw new Fault("bad-counters", secondStart, secondEnd, "a number");
  }

  /** `-j`. A chain goes before a target of the same name. */
  setTarget(start: number, end: number, token: number, inverted: boolean, sink: TableSink): void {
    this.give(GIVEN_JUMP, 0, inverted);
    const { bytes, view } = this.lexer;
    const chain = sink.chain(bytes, view, start, end);
    if (chain < 0) {
      const word = words.find(bytes, view, start, end);
      const target = word < 0 ? undefined : this.extensions.targets[word];
      if (target) {
        this.addLoaded(this.draft.load(target, token));
        this.draft.target = this.draft.count - 1;
        return;
      }
      const suggestion = nearest(this.argument.text(start, end), [...sink.knownChains(), ...targetNames(this.family)]);
      throw new Fault("unknown-target", start, end, "a target or the name of a chain", suggestion);
    }
    this.jumpTo(chain, start, end, sink);
  }

  /** `-g`. */
  setGoto(start: number, end: number, inverted: boolean, sink: TableSink): void {
    this.give(GIVEN_JUMP, 0, inverted);
    const chain = sink.chain(this.lexer.bytes, this.lexer.view, start, end);
    if (chain < 0) {
      const suggestion = nearest(this.argument.text(start, end), sink.knownChains());
      throw new Fault("unknown-chain", start, end, "the name of a chain", suggestion);
    }
    this.draft.flags |= ROW_FLAG_GOTO;
    this.jumpTo(chain, start, end, sink);
  }

  /** libiptc takes no jump to a built-in chain. */
  private jumpTo(chain: number, start: number, end: number, sink: TableSink): void {
    if (sink.hook(chain) >= 0) throw new Fault("built-in-chain", start, end, "a chain of the user's to jump to");
    this.draft.chain = chain;
  }

  /** `-m`. */
  loadMatch(start: number, end: number, token: number): void {
    const word = words.find(this.lexer.bytes, this.lexer.view, start, end);
    const match = word < 0 ? undefined : this.extensions.matches[word];
    if (!match) {
      const suggestion = nearest(this.argument.text(start, end), matchNames(this.family));
      throw new Fault("unknown-match", start, end, "the name of a match", suggestion);
    }
    this.addLoaded(this.draft.load(match, token));
  }

  /** The match that belongs to the protocol of `-p`; false when there is none or it is loaded already. */
  loadProtocolMatch(token: number): boolean {
    if (this.protocolMatchLoaded || !(this.given & GIVEN_PROTOCOL)) return false;
    const { bytes, view } = this.lexer;
    let word: number;
    if (wholeNumber(bytes, this.protocolStart, this.protocolEnd, 0, 255) >= 0) {
      const name = protocolName(this.draft.protocol);
      word = name === undefined ? -1 : words.findText(name);
    } else word = words.find(bytes, view, this.protocolStart, this.protocolEnd);
    const match = word < 0 ? undefined : this.extensions.matches[word];
    if (!match || this.loadedExtensions().includes(match)) return false;
    this.protocolMatchLoaded = true;
    this.addLoaded(this.draft.load(match, token));
    return true;
  }

  /** The record whose extension has an option of this name, the newest extension first, or -1. */
  recordWithOption(word: number): number {
    for (let n = this.loadedCount - 1; n >= 0; n--) {
      const record = this.loaded[n] as number;
      if (((this.draft.extensions[record] as Loadable).optionByWord[word] as number) >= 0) return record;
    }
    return -1;
  }

  loadedExtensions(): Loadable[] {
    return Array.from(this.loaded.subarray(0, this.loadedCount), (record) => this.draft.extensions[record] as Loadable);
  }

  isTarget(start: number, end: number): boolean {
    const word = words.find(this.lexer.bytes, this.lexer.view, start, end);
    return word >= 0 && this.extensions.targets[word] !== undefined;
  }

  /** Last checks of every extension, when all options are known. */
  finish(): void {
    if (this.draft.count > 0) finishRecords(this.draft, this.argument, this.lexer);
  }

  /** `+` alone, which says nothing and is not printed. */
  private isEveryInterface(start: number, end: number): boolean {
    return end - start === 1 && this.lexer.bytes[start] === PLUS;
  }

  /** Notes an option of the rule itself. `invertFlag` is 0 where a `!` makes no sense. */
  private give(bit: number, invertFlag: number, inverted: boolean): void {
    if (this.given & bit) this.fail("repeated-option", "it once");
    if (this.given === 0) this.firstGiven = this.optionStart;
    this.given |= bit;
    if (!inverted) return;
    if (invertFlag === 0) this.fail("not-invertible", "no ! in front");
    this.draft.invert |= invertFlag;
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

  private fail(code: Fault["code"], expected: string): never {
    throw new Fault(code, this.optionStart, this.optionEnd, expected);
  }
}
