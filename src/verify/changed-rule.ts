/** A rule's text with other values in it: as valid as it was, for as many packets of another kind. */
import type { Random } from "../workload/random.js";

type Change = (random: Random, text: string) => string;

const CHANGES: readonly Change[] = [
  // One address for another; networks stay, their bits behind the mask must be zero.
  (random, text) =>
    text.replace(/( -[sd]) (?:\d+\.){3}\d+\/32/, (_, option: string) => `${option} ${address(random)}/32`),
  (random, text) =>
    text.replace(/( -[sd]) [0-9a-f:]+\/128/, (_, option: string) => {
      return `${option} 2001:db8::${random.between(1, 0xffff).toString(16)}/128`;
    }),
  (random, text) =>
    text.replace(/( --[sd]port) \d+(?![\d:])/, (_, option: string) => `${option} ${random.between(1, 65_535)}`),
  (random, text) =>
    text.replace(/( -j (?:DNAT --to-destination|SNAT --to-source)) (?:\d+\.){3}\d+/, (_, target: string) => {
      return `${target} ${address(random)}`;
    }),
  (random, text) => text.replace(/ -j (?:ACCEPT|RETURN)$/, () => ` -j ${random.pick(["ACCEPT", "RETURN"])}`),
  (_, text) => (text.includes(" ! ") ? text.replace(" ! ", " ") : text.replace(/ (-[sd]) /, " ! $1 ")),
];

export function changedRule(random: Random, text: string): string {
  let changed = text;
  for (const change of CHANGES) if (random.chance(1 / 2)) changed = change(random, changed);
  return changed;
}

function address(random: Random): string {
  return `${random.between(1, 223)}.${random.below(256)}.${random.below(256)}.${random.between(1, 254)}`;
}
