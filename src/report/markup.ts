/** HTML by template: every value put into it is escaped unless it is HTML itself. */

export interface Html {
  readonly text: string;
}

export function html(parts: TemplateStringsArray, ...values: readonly (string | number | Html)[]): Html {
  return {
    text: String.raw(
      { raw: parts },
      ...values.map((value) => (typeof value === "object" ? value.text : escaped(value))),
    ),
  };
}

/** Text that is HTML, CSS or a script already. */
export const raw = (text: string): Html => ({ text });

export const join = (parts: readonly Html[]): Html => raw(parts.map(({ text }) => text).join(""));

/** A value as a JavaScript expression that may stand inside a script element. */
export function scriptValue(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(value: string | number): string {
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
