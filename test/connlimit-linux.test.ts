/** What connlimit counts, case by case, in an engine and on the machine's own kernel. */
import { describe, expect, it } from "vitest";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { segmentRest } from "./oracle/frame.js";
import {
  LAN,
  type Opening,
  type Outcome,
  type Step,
  STEP_MS,
  talkInEngine,
  talkOnLinux,
  type TalkRound,
  WAN,
} from "./oracle/talk.js";
import { trafficMissing } from "./oracle/traffic.js";

const missing = trafficMissing();
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

/** The talk that a packet belongs to; TCP's also who sends, and the flags. */
type Sent = readonly [talk: string, answer?: boolean, flags?: number];

interface Case {
  readonly rules: Readonly<Partial<Record<"raw" | "filter", readonly string[]>>>;
  readonly packets: readonly Sent[];
  /** How often each counting rule has said that there are more than 0, than 1, and than 2. */
  readonly above: readonly number[];
  /** How many packets come through. */
  readonly through: number;
}

const HANDSHAKE: readonly Sent[] = [
  ["tcp", false, SYN],
  ["tcp", true, SYN | ACK],
  ["tcp", false, ACK],
];
const FAREWELL: readonly Sent[] = [
  ["tcp", false, FIN | ACK],
  ["tcp", true, FIN | ACK],
  ["tcp", false, ACK],
];
/** Three rules that count what a condition lets through. */
const counting = (chain: string, condition = "") =>
  [0, 1, 2].map((limit) => `-A ${chain} ${condition}-m connlimit --connlimit-above ${limit} --connlimit-mask 0`);

const CASES: Readonly<Record<string, Case>> = {
  "an assured connection counts only where it was counted before it was assured": {
    rules: { filter: ["-A FORWARD -p tcp -m conntrack ! --ctstatus ASSURED -j ACCEPT", ...counting("FORWARD")] },
    packets: [["first"], ...HANDSHAKE, ["tcp", false, ACK]],
    above: [3, 0, 0],
    through: 5,
  },
  "a connection that is confirmed but not assured is added": {
    rules: { filter: ["-A FORWARD -p tcp -m tcp --tcp-flags SYN,ACK SYN -j ACCEPT", ...counting("FORWARD")] },
    packets: [["first"], ...HANDSHAKE.slice(0, 2)],
    above: [2, 1, 0],
    through: 3,
  },
  "a network without a list gets one by whatever packet comes": {
    rules: { filter: counting("FORWARD", "-m conntrack --ctstatus ASSURED ") },
    packets: [...HANDSHAKE, ["tcp", false, ACK]],
    above: [2, 0, 0],
    through: 4,
  },
  "a packet behind which nothing remains is dropped, and so is the next": {
    rules: { filter: counting("FORWARD") },
    packets: [...HANDSHAKE, ...FAREWELL, ["tcp", false, ACK], ["tcp", false, ACK]],
    above: [5, 0, 0],
    through: 5,
  },
  "what is dropped behind the rule is given up when the next one comes": {
    rules: { filter: [...counting("FORWARD"), "-A FORWARD -p udp -j DROP"] },
    packets: [["first"], ["second"], ["first"]],
    above: [3, 0, 0],
    through: 0,
  },
  "in raw, answers are counted beside what they answer": {
    rules: { raw: counting("PREROUTING") },
    packets: [["first"], ["first"], ["first", true], ["first", true], ["first"]],
    above: [5, 3, 0],
    through: 5,
  },
  "in raw behind a zone, another zone's are not counted": {
    rules: { raw: ["-A PREROUTING -p udp -m udp --sport 1001 -j CT --zone 3", ...counting("PREROUTING")] },
    packets: [["first"], ["second"], ["third"]],
    above: [3, 1, 0],
    through: 3,
  },
  "in raw behind a zone of one direction, an answer of another zone's connection counts every time": {
    rules: { raw: ["-A PREROUTING -i lan0 -j CT --zone-orig 4", ...counting("PREROUTING", "-i lan0 ")] },
    packets: [["outside"], ["outside", true], ["outside", true], ["outside", true]],
    above: [3, 2, 1],
    through: 4,
  },
  "a packet that is INVALID counts once, until the next one comes": {
    rules: { filter: counting("FORWARD") },
    packets: [["first"], ["tcp", false, RST | ACK], ["tcp", false, RST | ACK], ["second"]],
    above: [4, 3, 0],
    through: 4,
  },
  "a packet that is not tracked counts as the connection that it would belong to": {
    rules: { raw: ["-A PREROUTING -p udp -m udp --sport 1001 -j CT --notrack"], filter: counting("FORWARD") },
    packets: [["first"], ["second"], ["second"], ["third"]],
    above: [4, 3, 0],
    through: 4,
  },
};

const from = (protocol: number, sourcePort: number): Opening => ({
  protocol,
  source: "10.0.0.9",
  destination: "198.51.100.7",
  sourcePort,
  destinationPort: 80,
  device: LAN,
});
const TALKS: Readonly<Record<string, Opening>> = {
  first: from(PROTOCOL_UDP, 1000),
  second: from(PROTOCOL_UDP, 1001),
  third: from(PROTOCOL_UDP, 1002),
  tcp: from(PROTOCOL_TCP, 1003),
  outside: { ...from(PROTOCOL_UDP, 1004), source: "198.51.100.7", destination: "10.0.0.9", device: WAN },
};

function roundOf({ rules, packets }: Case): TalkRound {
  const names = Object.keys(TALKS);
  const table = (name: "raw" | "filter", chains: string[], tail: string[]) =>
    [`*${name}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), ...(rules[name] ?? []), ...tail, "COMMIT\n"].join(
      "\n",
    );
  const next = [100, 900];
  const steps = packets.map(([talk, answer = false, flags = 0]): Step => {
    if (talk !== "tcp") return { talk: names.indexOf(talk), answer, rest: "00080000" };
    const [own, other] = answer ? [1, 0] : [0, 1];
    const [sequence, ack] = [next[own] as number, flags & ACK ? (next[other] as number) : 0];
    next[own] = sequence + (flags & (SYN | FIN) ? 1 : 0);
    return {
      talk: names.indexOf(talk),
      answer,
      rest: segmentRest({ flags, sequence, ack, window: 5000, options: "", data: 0 }),
    };
  });
  const text =
    table("raw", ["PREROUTING", "OUTPUT"], ["-A OUTPUT -j DROP"]) +
    table("filter", ["INPUT", "FORWARD", "OUTPUT"], ["-A OUTPUT -m conntrack --ctstate NEW"]);
  return { family: "ipv4", text, openings: Object.values(TALKS), steps, sysctls: { acct: 0 }, bytes: true };
}

/** In the form of a case's own numbers. */
function countsOf(round: TalkRound, outcome: Outcome) {
  const chain = /-A PREROUTING .*connlimit/.test(round.text) ? "raw PREROUTING" : "filter FORWARD";
  const rules = round.text.split("\n").filter((line) => line.startsWith(`-A ${chain.split(" ")[1]} `));
  const above = rules.flatMap((rule, nth) =>
    rule.includes("connlimit") ? [Number(outcome.counters.get(`${chain} ${nth + 1}`)?.split(":")[0])] : [],
  );
  return { above, through: outcome.steps.filter((step) => step !== null).length };
}

/** Where Linux sends everything, and when. */
const everywhere = ({ steps }: TalkRound): Outcome => ({
  steps: steps.map(() => null),
  counters: new Map(),
  connections: [],
  times: steps.map((_, nth) => nth * STEP_MS),
  listedAt: steps.length * STEP_MS,
});

describe("connlimit", () => {
  for (const [name, one] of Object.entries(CASES))
    it(`says that ${name}`, () => {
      const round = roundOf(one);
      expect(countsOf(round, talkInEngine(round, everywhere(round)))).toEqual({
        above: one.above,
        through: one.through,
      });
    });

  it.skipIf(missing)(`counts so on Linux${missing ? ` (skipped: ${missing})` : ""}`, () => {
    const rounds = Object.values(CASES).map(roundOf);
    const outcomes = talkOnLinux(rounds);
    const counted = rounds.map((round, nth) => {
      const outcome = outcomes[nth];
      return typeof outcome === "object" ? countsOf(round, outcome) : outcome;
    });
    const names = Object.keys(CASES);
    expect(Object.fromEntries(counted.map((counts, nth) => [names[nth], counts]))).toEqual(
      Object.fromEntries(Object.entries(CASES).map(([name, { above, through }]) => [name, { above, through }])),
    );
  });
});
