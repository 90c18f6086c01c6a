/** Long names of options that are not known as they stand: beginnings of names, and hints for the rest. */
import { nearest } from "../extensions/nearest.js";
import { EXTENSIONS, LONG_OPTIONS, type Loadable, words } from "./extension-index.js";
import type { Family } from "./row-store.js";

/**
 * The word of the only option in force whose name begins with `text`, or -1. Names of one option count once, as
 * getopt_long does it. ip6tables has no --fragments, which is at best what the text alone can mean.
 */
export function abbreviated(text: string, loaded: readonly Loadable[], family: Family): number {
  const found = new Map<unknown, string>();
  for (const [name, letter] of LONG_OPTIONS) if (name.startsWith(text)) found.set(letter, name);
  for (const extension of loaded)
    for (const option of extension.options)
      for (const name of option.names) if (name.startsWith(text)) found.set(option, name);
  if (family === "ipv6" && found.size > 1) found.delete("f");
  const [name] = found.values();
  return found.size === 1 && name !== undefined ? words.findText(name) : -1;
}

/** What to say of an option that nothing in force has. */
export function optionHint(
  text: string,
  loaded: readonly Loadable[],
  family: Family,
): { expected: string; suggestion: string } {
  const owners: string[] = [];
  const add = (ready: Loadable | undefined, letter: string): void => {
    if (ready?.options.some((option) => option.names.includes(text))) owners.push(`-${letter} ${ready.extension.name}`);
  };
  for (const ready of new Set(EXTENSIONS[family].matches)) add(ready, "m");
  for (const ready of new Set(EXTENSIONS[family].targets)) add(ready, "j");
  if (owners.length > 0) return { expected: `${owners.slice(0, 5).join(" or ")} in front of it`, suggestion: "" };
  const names = [
    ...LONG_OPTIONS.map(([name]) => name),
    ...loaded.flatMap((ready) => ready.options.flatMap((option) => option.names)),
  ];
  const meant = nearest(text, names);
  return { expected: "an option of iptables or of a match or target in front", suggestion: meant && `--${meant}` };
}
