/** TCP segments that once parted an engine and the machine's own kernel, connection by connection. */
import { describe, expect, it } from "vitest";
import { segmentRest } from "./oracle/frame.js";
import { PROTOCOL_TCP } from "./oracle/packet.js";
import {
  LAN,
  type Opening,
  type Outcome,
  type Step,
  talkInEngine,
  talkOnLinux,
  type TalkRound,
} from "./oracle/talk.js";
import { trafficMissing } from "./oracle/traffic.js";

const missing = trafficMissing();
const [SYN, RST, ACK] = [2, 4, 16];
const OWN = 1_000_000;
const OTHER = 2_000_000;

interface Segment {
  readonly answer?: boolean;
  readonly flags: number;
  readonly sequence: number;
  readonly ack?: number;
}

const OPEN: Segment = { flags: SYN, sequence: OWN };
/** It acknowledges what was sent long ago. */
const LATE_ANSWER: Segment = { answer: true, flags: SYN | ACK, sequence: OTHER, ack: OWN - 100_000 };
const FAR = OTHER + 0x40000000;

/** What the connection is in the end. */
const CASES: Readonly<Record<string, { segments: readonly Segment[]; state: string }>> = {
  "an answer that acknowledges too little is let by, and changes nothing": {
    segments: [OPEN, LATE_ANSWER],
    state: "SYN_SENT",
  },
  "a reset that acknowledges nothing closes it behind such an answer, whatever its number": {
    segments: [OPEN, LATE_ANSWER, { answer: true, flags: RST, sequence: FAR }],
    state: "CLOSE",
  },
  "one that acknowledges the SYN has to have the right number": {
    segments: [OPEN, LATE_ANSWER, { answer: true, flags: RST | ACK, sequence: FAR, ack: OWN + 1 }],
    state: "SYN_SENT",
  },
};

const OPENING: Opening = {
  protocol: PROTOCOL_TCP,
  source: "10.0.0.9",
  destination: "198.51.100.7",
  sourcePort: 1000,
  destinationPort: 80,
  device: LAN,
};

const TEXT = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT DROP [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate INVALID
COMMIT
`;

function roundOf(segments: readonly Segment[]): TalkRound {
  const steps = segments.map(({ answer = false, flags, sequence, ack = 0 }): Step => {
    const rest = segmentRest({ flags, sequence, ack, window: 5000, options: "", data: 0 });
    return { talk: 0, answer, rest };
  });
  const sysctls = { tcp_be_liberal: 0, acct: 1, tcp_loose: 1 };
  return { family: "ipv4", text: TEXT, openings: [OPENING], steps, sysctls, bytes: true };
}

/** Lines without the seconds that are left and who looks. */
const told = ({ connections }: Outcome): string[] =>
  connections.map((line) => line.replace(/^(\S+ +\d+) \d+/, "$1").replace(/ use=\d+$/, ""));

describe("a TCP connection", () => {
  const rounds = Object.values(CASES).map(({ segments }) => roundOf(segments));
  const linux = missing ? [] : talkOnLinux(rounds);

  it.skipIf(missing).each(Object.entries(CASES).map(([title, { state }], nth) => [title, state, nth] as const))(
    `%s${missing ? ` (skipped: ${missing})` : ""}`,
    (_, state, nth) => {
      const theirs = linux[nth];
      if (!theirs || typeof theirs === "string") throw new Error(theirs);
      const ours = talkInEngine(rounds[nth] as TalkRound, theirs);
      expect(told(ours)).toEqual(told(theirs));
      expect(told(ours)).toEqual([expect.stringMatching(new RegExp(`^tcp +6 ${state} `))]);
      expect(ours.counters.get("filter FORWARD 1")).toBe(theirs.counters.get("filter FORWARD 1"));
    },
  );
});
