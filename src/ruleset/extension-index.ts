/**
 * The registered extensions as the parser and the printer look them up: by the bytes of a name, by the word of an
 * option, by the type in a record. All names are numbered once, so that a line is parsed by comparing numbers.
 */
import type { Extension, Option, Target } from "../extensions/extension.js";
import { MATCHES } from "../extensions/matches.js";
import { TARGETS } from "../extensions/targets.js";
import { RECORD_BYTES, RECORD_TYPE } from "../blob/layout.js";
import { NameIndex } from "./name-index.js";
import type { Family } from "./row-store.js";

/** An option with nothing left out, all of one shape. */
export interface ReadyOption {
  readonly name: string;
  readonly names: readonly string[];
  readonly arguments: 0 | 1 | 2;
  readonly optional: boolean;
  readonly invertible: boolean;
  readonly repeatable: boolean;
  readonly value: Option["value"];
  readonly parse: Option["parse"];
}

/** An extension made ready for parsing. What every rule asks stands here again, in objects that all have one shape. */
export interface Loadable {
  readonly extension: Target;
  readonly type: number;
  readonly size: number;
  readonly tables: Target["tables"];
  readonly protocol: Target["protocol"];
  readonly hooks: Target["hooks"];
  readonly finish: Target["finish"];
  readonly options: readonly ReadyOption[];
  /** Option number by word, -1 for a word that is none. */
  readonly optionByWord: Int16Array;
  /** Per option: bit n set when it stands against, or needs, option n. */
  readonly excluded: readonly number[];
  readonly required: readonly number[];
  /** Bits of options that must be there. */
  readonly mandatory: number;
  /** Whether any option excludes, requires or must be there. */
  readonly constrained: boolean;
  /** The record as it is before the first option. */
  readonly template: Uint32Array;
}

/** Long options of iptables itself: name, the letter that means the same. */
export const LONG_OPTIONS: readonly (readonly [string, string])[] = [
  ["append", "A"],
  ["check", "C"],
  ["delete", "D"],
  ["insert", "I"],
  ["replace", "R"],
  ["list", "L"],
  ["list-rules", "S"],
  ["flush", "F"],
  ["zero", "Z"],
  ["new-chain", "N"],
  ["delete-chain", "X"],
  ["rename-chain", "E"],
  ["policy", "P"],
  ["source", "s"],
  ["destination", "d"],
  ["src", "s"],
  ["dst", "d"],
  ["protocol", "p"],
  ["in-interface", "i"],
  ["jump", "j"],
  ["table", "t"],
  ["match", "m"],
  ["numeric", "n"],
  ["out-interface", "o"],
  ["verbose", "v"],
  ["wait", "w"],
  ["wait-interval", "W"],
  ["exact", "x"],
  ["fragments", "f"],
  ["version", "V"],
  ["help", "h"],
  ["line-numbers", "0"],
  ["modprobe", "M"],
  ["set-counters", "c"],
  ["goto", "g"],
  ["ipv4", "4"],
  ["ipv6", "6"],
];

/** Every name that means something, numbered. */
export const words = new NameIndex();

function word(text: string): number {
  return words.addText(text, 0);
}

for (const [name] of LONG_OPTIONS) word(name);
for (const extension of [...Object.values(MATCHES), ...Object.values(TARGETS)]) {
  word(extension.name);
  for (const alias of extension.aliases ?? []) word(alias);
  for (const option of extension.options) for (const name of optionNames(option)) word(name);
}

/** The letter of a long option by word, 0 for a word that is none. */
export const letterByWord = new Uint8Array(words.count);
for (const [name, letter] of LONG_OPTIONS) letterByWord[word(name)] = letter.charCodeAt(0);

function optionNames(option: Option): readonly string[] {
  return [option.name, ...(option.aliases ?? [])];
}

function loadable(extension: Target): Loadable {
  const { options } = extension;
  if (options.length > 32) throw new RangeError(`${extension.name} has more than 32 options`);
  const optionByWord = new Int16Array(words.count).fill(-1);
  for (const [number, option] of options.entries())
    for (const name of optionNames(option)) optionByWord[word(name)] = number;
  const bits = (names: readonly string[] = []): number =>
    names.reduce((sum, name) => sum | (1 << options.findIndex((option) => option.name === name)), 0);
  const template = new Uint32Array(extension.size >>> 2);
  const record = { bytes: new Uint8Array(template.buffer), view: new DataView(template.buffer) };
  record.view.setUint16(RECORD_BYTES, extension.size, true);
  record.view.setUint16(RECORD_TYPE, extension.type, true);
  extension.initialise?.(record, 0);
  return {
    extension,
    type: extension.type,
    size: extension.size,
    tables: extension.tables,
    protocol: extension.protocol,
    hooks: extension.hooks,
    finish: extension.finish,
    options: options.map((option) => ({
      name: option.name,
      names: optionNames(option),
      arguments: option.arguments ?? 1,
      optional: option.optional ?? false,
      invertible: option.invertible ?? false,
      repeatable: option.repeatable ?? false,
      value: option.value,
      parse: option.parse,
    })),
    optionByWord,
    excluded: options.map((option) => bits(option.excludes)),
    required: options.map((option) => bits(option.requires)),
    mandatory: bits(options.filter((option) => option.mandatory).map((option) => option.name)),
    constrained: options.some((option) => option.excludes ?? option.requires ?? option.mandatory),
    template,
  };
}

/** Extensions of one kind and family by word, undefined for a word that is none. */
function byWord(registry: Readonly<Record<string, Target>>, family: Family): (Loadable | undefined)[] {
  const found: (Loadable | undefined)[] = new Array(words.count).fill(undefined);
  for (const extension of Object.values(registry)) {
    if (extension.family && extension.family !== family) continue;
    const ready = loadable(extension);
    for (const name of [extension.name, ...(extension.aliases ?? [])]) found[word(name)] = ready;
  }
  return found;
}

export interface ExtensionIndex {
  readonly matches: readonly (Loadable | undefined)[];
  readonly targets: readonly (Loadable | undefined)[];
}

export const EXTENSIONS: Readonly<Record<Family, ExtensionIndex>> = {
  ipv4: { matches: byWord(MATCHES, "ipv4"), targets: byWord(TARGETS, "ipv4") },
  ipv6: { matches: byWord(MATCHES, "ipv6"), targets: byWord(TARGETS, "ipv6") },
};

function byType<E extends Extension>(registry: Readonly<Record<string, E>>): (E | undefined)[] {
  const found: (E | undefined)[] = [];
  for (const extension of Object.values(registry)) found[extension.type] = extension;
  return found;
}

/** The extension of a record's type. */
export const matchByType: readonly (Extension | undefined)[] = byType(MATCHES);
export const targetByType: readonly (Target | undefined)[] = byType(TARGETS);

export const matchNames = (family: Family): string[] => namesOf(MATCHES, family);
export const targetNames = (family: Family): string[] => namesOf(TARGETS, family);

function namesOf(registry: Readonly<Record<string, Extension>>, family: Family): string[] {
  return Object.values(registry)
    .filter((extension) => !extension.family || extension.family === family)
    .flatMap((extension) => [extension.name, ...(extension.aliases ?? [])]);
}
