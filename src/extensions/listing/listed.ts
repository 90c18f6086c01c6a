/**
 * How `iptables -L` shows a match or a target, in words for people. For most extensions that is what iptables-save
 * prints with options under other names, so a listing starts from the printed options and looks into the record only
 * for text that may hold anything.
 */
import { ByteWriter } from "../byte-writer.js";
import type { Extension, PrintedRule, RecordMemory } from "../extension.js";

/** An option as it was printed, without its dashes. */
export interface ListedOption {
  readonly name: string;
  readonly inverted: boolean;
  /** All that was printed behind it. */
  readonly value: string;
}

/** One record to be listed. */
export interface Listed {
  readonly out: ByteWriter;
  readonly record: RecordMemory;
  readonly at: number;
  readonly rule: PrintedRule;
  /** `-n`: numbers where names could be. */
  readonly numeric: boolean;
  /** Of the rule, 0 for any. */
  readonly protocol: number;
  readonly options: readonly ListedOption[];
}

export type Lister = (listed: Listed) => void;

/** How one option shows, with a space in front; "" for not at all. */
export type Rendering = (option: ListedOption, listed: Listed) => string;

/** The options that the extension prints of the record. */
export function printedOptions(
  extension: Extension,
  record: RecordMemory,
  at: number,
  rule: PrintedRule,
): ListedOption[] {
  const printed = new ByteWriter();
  extension.print(printed, record, at, rule);
  const options: { name: string; inverted: boolean; values: string[] }[] = [];
  let inverted = false;
  for (const word of printed.toString().split(" ")) {
    if (word === "!") inverted = true;
    else if (word.startsWith("--")) {
      options.push({ name: word.slice(2), inverted, values: [] });
      inverted = false;
    } else if (word !== "") options.at(-1)?.values.push(word);
  }
  return options.map(({ values, ...option }) => ({ ...option, value: values.join(" ") }));
}

/** The option that was printed by this name. */
export function optionOf({ options }: Listed, name: string): ListedOption | undefined {
  return options.find((option) => option.name === name);
}

/** ` ! name value`: the option as it was printed, but for its dashes. */
export const plain: Rendering = ({ name, inverted, value }) =>
  `${inverted ? " !" : ""} ${name}${value === "" ? "" : ` ${value}`}`;

/** The same without the beginning that names of the extension's options share. */
export function without(prefix: string): Rendering {
  return (option, listed) => plain({ ...option, name: option.name.replace(prefix, "") }, listed);
}

/** `label!value`, with nothing in front that the label does not have. */
export function labelled(label: string, inversion = "!"): Rendering {
  return ({ inverted, value }) => `${label}${inverted ? inversion : ""}${value}`;
}

/** ` ! label`, for an option that has no value. */
export function named(label: string): Rendering {
  return ({ inverted }) => `${inverted ? " !" : ""} ${label}`;
}

/** A heading, then every option: as `renderings` say by its name, else as `rest` says. */
export function headed(
  heading: string,
  renderings: Readonly<Record<string, Rendering>> = {},
  rest: Rendering = plain,
): Lister {
  return (listed) => {
    listed.out.text(heading);
    for (const option of listed.options) listed.out.unicode((renderings[option.name] ?? rest)(option, listed));
  };
}
