/** Where an engine and Linux differ about a round of talks: what receivers got, what rules counted, what is known of connections. */
import { type Ends, isIcmp } from "./frame.js";
import { type Delivery, type Outcome, talkInEngine, talkOnLinux, type TalkRound } from "./talk.js";

/** Ports that were chosen at random: only their kind can be compared, and that they are not what was sent unless `any`. */
function sameEnd(ours: number, linux: number, sent: number, any: boolean): boolean {
  return ours === linux || ((any || (ours !== sent && linux !== sent)) && sameKind(ours, linux));
}

/** Ranges that a random port is kept in: those of the rules, and those of nf_nat_l4proto_unique_tuple. */
function sameKind(ours: number, linux: number): boolean {
  const kinds = [
    [8000, 8009],
    [30000, 30009],
    [5000, 5005],
    [600, 1023],
    [1, 511],
    [1024, 65535],
  ] as const;
  const [low, high] = kinds.find(([first, last]) => linux >= first && linux <= last) ?? [0, 65535];
  return ours >= low && ours <= high;
}

function sameDelivery(ours: Delivery | null, linux: Delivery | null, round: TalkRound, index: number): boolean {
  if (!ours || !linux) return ours === linux;
  const step = round.steps[index];
  const opening = step && round.openings[step.talk];
  if (ours.source !== linux.source || ours.destination !== linux.destination || ours.device !== linux.device)
    return false;
  if (!opening) return false;
  // Answers reach the opener from where it sent to, or where either does not, the other does not.
  const { sourcePort, destinationPort } = opening;
  // With --random, what was sent is as good as any other; answers are not chosen. What lies in a range itself may have been
  // chosen for someone else by then, or not.
  const ranged = round.text.includes("5000-5005") && sourcePort >= 5000 && sourcePort <= 5005;
  const any = ranged || (!step.answer && round.text.includes("--random"));
  const [from, to] = step.answer ? [destinationPort, sourcePort] : [sourcePort, destinationPort];
  if (step.error) return ours.destinationPort === linux.destinationPort && sameQuoted(ours.quoted, linux.quoted);
  // An echo's identifier may become any.
  if (isIcmp(opening.protocol))
    return ours.destinationPort === linux.destinationPort && (!step.answer || ours.sourcePort === linux.sourcePort);
  return (
    sameEnd(ours.sourcePort, linux.sourcePort, from, any) &&
    sameEnd(ours.destinationPort, linux.destinationPort, to, any)
  );
}

/** Whom the error tells of; ports may have been chosen at random. */
function sameQuoted(ours: Ends | undefined, linux: Ends | undefined): boolean {
  if (!ours || !linux) return ours === linux;
  return (
    ours.source === linux.source &&
    ours.destination === linux.destination &&
    sameEnd(ours.sourcePort, linux.sourcePort, 0, true) &&
    sameEnd(ours.destinationPort, linux.destinationPort, 0, true)
  );
}

/** Ports that rulesets and openers name; 5001 lies in a range, too. */
const NAMED = new Set(["53", "80", "300", "443", "600", "1000", "3128", "4000", "8080"]);

/** A line without its seconds, uses, and what was chosen at random; and the seconds that are left. */
interface Listed {
  readonly text: string;
  readonly seconds: number;
}

/** Seconds that may pass between the last packet and the listing; it is one more where none at all has passed. */
const LATE = 3;

function listing(lines: readonly string[], round: TalkRound): Listed[] {
  return lines
    .map((line) => ({
      text: withoutChance(
        line.replace(/^(\S+ +\d+) \d+/, "$1").replace(/ use=\d+$/, ""),
        round.text.includes("--random"),
      ),
      seconds: Number(/^\S+ +\d+ (\d+)/.exec(line)?.[1]),
    }))
    .sort((a, b) => (a.text === b.text ? a.seconds - b.seconds : a.text < b.text ? -1 : 1));
}

/** Without the packets' bytes the engine knows nothing of TCP's windows, which shorten a connection's life. */
function sameListing(ours: readonly Listed[], linux: readonly Listed[], bytes: boolean): boolean {
  return (
    ours.length === linux.length &&
    ours.every(({ text, seconds }, i) => {
      const theirs = linux[i];
      const left = theirs && (bytes || !text.startsWith("tcp ")) ? seconds - theirs.seconds : 0;
      return text === theirs?.text && left >= -1 && left <= LATE;
    })
  );
}

function withoutChance(line: string, random: boolean): string {
  const ports = [...line.matchAll(/(?:sport|dport|id)=(\d+)/g)].map(([, port]) => port);
  let at = 0;
  return line.replace(/(sport|dport|id)=(\d+)/g, (whole, name: string, port: string) => {
    const mirror = ports[ports.length - 1 - at];
    const replied = at++ >= ports.length / 2;
    const fixed =
      port === "0" ||
      (NAMED.has(port) && (!replied || (port === mirror && !random) || port === "3128" || port === "8080"));
    return fixed ? whole : `${name}=~`;
  });
}

/** What an engine does otherwise in a round than Linux did, told with all that led to it. */
export function firstDifference(
  seed: number,
  round: TalkRound,
  linux: Outcome | string | undefined,
): string | undefined {
  if (linux === undefined || typeof linux === "string") return `seed ${seed}: ${linux}\n${round.text}`;
  const ours = talkInEngine(round, linux);
  const story = () =>
    round.steps.map((step, i) => {
      const opening = round.openings[step.talk];
      return `${i}: ${JSON.stringify({ ...step, ...(step.answer ? {} : opening) })}\n   ours  ${JSON.stringify(ours.steps[i])}\n   linux ${JSON.stringify(linux.steps[i])}`;
    });
  const told = (what: string) =>
    `seed ${seed}: ${what}\n${round.text}${story().join("\n")}\nours\n${ours.connections.join("\n")}\nlinux\n${linux.connections.join("\n")}`;
  const step = round.steps.findIndex((_, i) => !sameDelivery(ours.steps[i] ?? null, linux.steps[i] ?? null, round, i));
  if (step >= 0) return told(`step ${step}`);
  for (const [rule, counters] of linux.counters)
    if (!/^\S+ OUTPUT /.test(rule) && ours.counters.get(rule) !== counters)
      return told(`${rule}: ours ${ours.counters.get(rule)}, Linux ${counters}`);
  const [mine, theirs] = [listing(ours.connections, round), listing(linux.connections, round)];
  const inLines = (listed: readonly Listed[]) => listed.map(({ text, seconds }) => `${seconds} s ${text}`).join("\n");
  return sameListing(mine, theirs, round.bytes) ? undefined : told(`listing\n${inLines(mine)}\n--\n${inLines(theirs)}`);
}

/**
 * What stands when the rounds that differ are played again: a port that Linux chooses at random may be the very one that was
 * sent, which no comparison can tell from one that it kept.
 */
export function differencesOnLinux(firstSeed: number, rounds: readonly TalkRound[]): string[] {
  const differing = (among: readonly number[]): { round: number; told: string }[] => {
    const outcomes = talkOnLinux(among.map((i) => rounds[i] as TalkRound));
    return among.flatMap((i, nth) => {
      const told = firstDifference(firstSeed + i, rounds[i] as TalkRound, outcomes[nth]);
      return told ? { round: i, told } : [];
    });
  };
  const found = differing([...rounds.keys()]);
  if (found.length === 0) return [];
  const again = differing(found.map(({ round }) => round));
  for (const { round, told } of found)
    if (!again.some((other) => other.round === round)) console.log(`by chance, once: ${told.split("\n")[0]}`);
  return again.map(({ told }) => told);
}
