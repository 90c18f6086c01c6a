/** Colours and dashes, from the page's style sheet, so that light, dark and print are said in one place. */
import { DASHES } from "../dashes.js";
import type { PageLine } from "../page-data.js";

/** A custom property of the document's root. */
export function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const colorOf = ({ strategy }: Pick<PageLine, "strategy">): string => css(`c-${strategy}`) || css("muted");

export function dashOf({ classifier, target }: Pick<PageLine, "classifier" | "target">): number[] {
  return [...((target === "ruleswap" ? DASHES[classifier] : DASHES[target]) ?? [])];
}

export const FONT = "12px system-ui, sans-serif";
