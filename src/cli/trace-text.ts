/** A packet's way for people: the answer, then the way, hook by hook. */
import { styleText } from "node:util";
import type { Journey, JourneyStep } from "../netfilter/journey.js";
import type { PacketResult } from "../netfilter/result.js";
import type { TracedChange } from "../netfilter/traced.js";

type Style = "green" | "red" | "yellow" | "bold" | "cyan" | "dim";
type Paint = (style: Style, text: string) => string;

const VERDICT_STYLES: Readonly<Record<PacketResult["verdict"], Style>> = {
  ACCEPT: "green",
  DROP: "red",
  STOLEN: "yellow",
  REJECT: "red",
  QUEUE: "yellow",
};

export function journeyText(journey: Journey, color: boolean): string {
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const { steps, sent, last } = journey;
  const width = Math.max(0, ...[steps, ...sent].flat().map(({ line }) => (line > 0 ? String(line).length : 0)));
  const lines = [paint("bold", journey.packet), answer(journey, paint), ...wayText(steps, width, paint)];
  lines.push(...last.map((change) => `  ${paint("cyan", changeText(change))}`));
  for (const way of sent) lines.push(`  ${paint("bold", "sent by the machine itself")}`, ...wayText(way, width, paint));
  return `${lines.join("\n")}\n`;
}

/** Hook by hook; `width` digits of lines. */
function wayText(steps: readonly JourneyStep[], width: number, paint: Paint): string[] {
  const lines: string[] = [];
  let place = "";
  for (const step of steps) {
    lines.push(...step.before.map((change) => `  ${paint("cyan", changeText(change))}`));
    const here = `${step.hook} ${step.table}`;
    if (here !== place) lines.push(`  ${paint("bold", here)}`);
    place = here;
    lines.push(stepText(step, width, paint));
    const indent = " ".repeat(width + 6);
    lines.push(...step.changes.map((change) => `${indent}${paint("cyan", changeText(change))}`));
  }
  return lines;
}

/** "DROP by INPUT filter A rule 2, line 6". */
function answer({ result, steps, start, end }: Journey, paint: Paint): string {
  const verdict = result.unrouted || result.expired ? "DROP" : result.verdict;
  const parts = [paint("bold", paint(VERDICT_STYLES[verdict], verdict))];
  const step = steps.at(-1);
  if (result.fragments === "kept") parts[0] += ", a fragment that waits for the others";
  else if (result.fragments === "discarded") parts[0] += ", a fragment that fits no other";
  else if (result.unrouted) parts[0] += ` behind ${result.hook}: no way, ${result.route}`;
  else if (result.expired) parts[0] += ` behind ${result.hook}: no hop was left`;
  else if (step && verdict !== "ACCEPT") {
    const rule = step.rule === 0 ? "policy" : `rule ${step.rule}`;
    parts[0] += ` by ${step.hook} ${step.table} ${step.chain} ${rule}${step.line > 0 ? `, line ${step.line}` : ""}`;
  }
  if (result.fragments === "whole") parts.push("put together of fragments");
  if (verdict === "ACCEPT" && result.output) parts.push(`out by ${result.output}`);
  if (result.rejectWith) parts.push(`answered with ${result.rejectWith}`);
  if (result.queue !== undefined) parts.push(`queue ${result.queue}`);
  if (start.destination !== end.destination) parts.push(`to ${end.destination}`);
  if (start.source !== end.source) parts.push(`from ${end.source}`);
  if (result.masquerade) parts.push("source masqueraded");
  if (end.mark !== "0x0") parts.push(`mark ${end.mark}`);
  if (result.ctMarkWritten) parts.push(`connection mark ${end["connection mark"]}`);
  if (end.state !== "none") parts.push(result.notrack ? "UNTRACKED" : end.state);
  if (result.events > 0) parts.push(`${result.events} logged`);
  return parts.join(", ");
}

function stepText({ rule, line, text, chain }: JourneyStep, width: number, paint: Paint): string {
  const number = (line > 0 ? String(line) : "").padStart(width);
  return `    ${paint("dim", number)}${width > 0 ? "  " : ""}${rule === 0 ? `${chain} ${text}` : text}`;
}

function changeText({ what, before, after }: TracedChange): string {
  return `${what} ${before} → ${after}`;
}
