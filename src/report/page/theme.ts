/** Colours and dashes, from the page's style sheet, so that light, dark and print are said in one place. */
import type { PageLine } from "../page-data.js";

const DASHES: Readonly<Record<string, number[]>> = {
  linear: [6, 4],
  "tuple-space": [],
  "iptables-legacy": [12, 3, 3, 3],
  "iptables-nft": [3, 3],
  nft: [1, 4],
};

/** A custom property of the document's root. */
export function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const colorOf = ({ strategy }: Pick<PageLine, "strategy">): string => css(`c-${strategy}`) || css("muted");

export function dashOf({ classifier, target }: Pick<PageLine, "classifier" | "target">): number[] {
  return (target === "ruleswap" ? DASHES[classifier] : DASHES[target]) ?? [];
}

export const FONT = "12px system-ui, sans-serif";
