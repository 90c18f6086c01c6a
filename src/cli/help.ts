/** How `--help` looks: no wider than the terminal that asks, nor than anyone reads. */
import type { HelpConfiguration, Option } from "commander";

const LEAST_WIDTH = 60;
const MOST_WIDTH = 100;
const PIPED_WIDTH = 80;
const LONG_INDENT = 6;

export const HELP_FORMAT: Partial<HelpConfiguration> & { readonly helpWidth: number } = {
  helpWidth: Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, process.stdout.columns ?? PIPED_WIDTH)),
  // With their arguments no room would be left for what they do.
  subcommandTerm: (command) => command.name(),
  optionDescription: (option) => [option.description, ...defaultOf(option)].join(" "),
};

/**
 * What stands behind the options, wrapped: lines that begin with a space keep their beginning, others are paragraphs. A line
 * such as "  name   what it is" goes on under "what".
 */
export function helpText(text: string, width = HELP_FORMAT.helpWidth): string {
  const paragraphs = text.trimEnd().replaceAll(/(?<=\S)\n(?=\S)/g, " ");
  return paragraphs
    .split("\n")
    .map((line) => {
      const [, lead = ""] = /^( +\S+(?: \S+)* {2,}| *)/.exec(line) ?? [];
      return wrapLine(line.slice(lead.length), lead, width);
    })
    .join("\n");
}

/** What stands behind a long name begins on a line of its own. */
function wrapLine(text: string, lead: string, width: number): string {
  if (lead.length + text.length <= width) return lead + text;
  const long = lead.length > width / 2;
  const indent = " ".repeat(long ? LONG_INDENT : lead.length);
  const lines = long ? [lead.trimEnd()] : [];
  let line = long ? indent : lead;
  for (const word of text.split(" ")) {
    const begun = line.length > indent.length;
    if (begun && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += begun ? ` ${word}` : word;
  }
  return [...lines, line].join("\n");
}

/** A flag that is off, or a list of nothing, needs no words. */
function defaultOf({ defaultValue, defaultValueDescription }: Option): string[] {
  const value: unknown = defaultValueDescription ?? defaultValue;
  const said = Array.isArray(value) ? value.join(", ") : value;
  return said === undefined || said === false || said === "" ? [] : [`(default: ${said})`];
}
