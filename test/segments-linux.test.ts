/** Packets of TCP and SCTP that once parted an engine and the machine's own kernel, connection by connection. */
import { describe, expect, it } from "vitest";
import { chunksRest, segmentRest } from "./oracle/frame.js";
import { PROTOCOL_SCTP, PROTOCOL_TCP } from "./oracle/packet.js";
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

const [INIT_ACK, HEARTBEAT, HEARTBEAT_ACK, SHUTDOWN_ACK, ERROR] = [2, 4, 5, 8, 9];
const TAG = 0x3e62f9fc;
const OTHER_TAG = 0x1b3cc9a7;
/** Types of chunks, by the tag of their packet. */
type Chunks = readonly [answer: boolean, tag: number, ...types: number[]];

/** How often a packet is INVALID, and what the connection is in the end. */
interface Case {
  readonly protocol: number;
  readonly steps: readonly Step[];
  readonly invalid: number;
  readonly state: string;
}

const tcp = (...segments: readonly Segment[]): Pick<Case, "protocol" | "steps"> => ({
  protocol: PROTOCOL_TCP,
  steps: segments.map(({ answer = false, flags, sequence, ack = 0 }) => {
    const rest = segmentRest({ flags, sequence, ack, window: 5000, options: "", data: 0 });
    return { talk: 0, answer, rest };
  }),
});
const sctp = (...packets: readonly Chunks[]): Pick<Case, "protocol" | "steps"> => ({
  protocol: PROTOCOL_SCTP,
  steps: packets.map(([answer, tag, ...types]) => {
    const chunks = types.map((type) => [type, 0, OTHER_TAG] as const);
    return { talk: 0, answer, rest: chunksRest(tag, chunks) };
  }),
});

const CASES: Readonly<Record<string, Case>> = {
  "an answer that acknowledges too little is let by, and changes nothing": {
    ...tcp(OPEN, LATE_ANSWER),
    invalid: 0,
    state: "SYN_SENT",
  },
  "a reset that acknowledges nothing closes it behind such an answer, whatever its number": {
    ...tcp(OPEN, LATE_ANSWER, { answer: true, flags: RST, sequence: FAR }),
    invalid: 0,
    state: "CLOSE",
  },
  "a reset of its opener has to have the right number": {
    ...tcp(OPEN, LATE_ANSWER, { flags: RST, sequence: OWN - 100_000 }),
    invalid: 0,
    state: "SYN_SENT",
  },
  "and then closes it": {
    ...tcp(OPEN, LATE_ANSWER, { flags: RST, sequence: OWN + 1 }),
    invalid: 0,
    state: "CLOSE",
  },
  "a reset with an old number closes it behind a SYN that was let by": {
    ...tcp(
      OPEN,
      { answer: true, flags: SYN | ACK, sequence: OTHER, ack: OWN + 1 },
      { flags: SYN, sequence: OWN + 1 },
      { flags: RST | ACK, sequence: OWN - 1000, ack: OTHER + 1 },
    ),
    invalid: 0,
    state: "CLOSE",
  },
  "one that acknowledges the SYN has to have the right number": {
    ...tcp(OPEN, LATE_ANSWER, { answer: true, flags: RST | ACK, sequence: FAR, ack: OWN + 1 }),
    invalid: 1,
    state: "SYN_SENT",
  },
  "an association that begins with the answer to a heartbeat has its opener's tag": {
    ...sctp([false, TAG, HEARTBEAT_ACK], [false, TAG, ERROR], [true, TAG, ERROR]),
    invalid: 1,
    state: "CLOSED",
  },
  "so that its opener may say what the other one's is": {
    ...sctp([false, TAG, HEARTBEAT_ACK, HEARTBEAT], [false, TAG, INIT_ACK], [true, OTHER_TAG, ERROR]),
    invalid: 0,
    state: "CLOSED",
  },
  "one that begins with its end has the other one's": {
    ...sctp([false, TAG, SHUTDOWN_ACK], [false, TAG, ERROR], [true, TAG, ERROR]),
    invalid: 1,
    state: "SHUTDOWN_ACK_SENT",
  },
};

const OPENING: Omit<Opening, "protocol"> = {
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

function roundOf({ protocol, steps }: Case): TalkRound {
  const sysctls = { tcp_be_liberal: 0, acct: 1, tcp_loose: 1 };
  return { family: "ipv4", text: TEXT, openings: [{ protocol, ...OPENING }], steps, sysctls, bytes: true };
}

/** Lines without the seconds that are left and who looks. */
const told = ({ connections }: Outcome): string[] =>
  connections.map((line) => line.replace(/^(\S+ +\d+) \d+/, "$1").replace(/ use=\d+$/, ""));

describe("of connections", () => {
  const cases = Object.entries(CASES);
  const rounds = cases.map(([, one]) => roundOf(one));
  const linux = missing ? [] : talkOnLinux(rounds);

  it.skipIf(missing).each(cases.map(([title, one], nth) => [title, one, nth] as const))(
    `%s${missing ? ` (skipped: ${missing})` : ""}`,
    (_, { state, invalid }, nth) => {
      const theirs = linux[nth];
      if (!theirs || typeof theirs === "string") throw new Error(theirs);
      const ours = talkInEngine(rounds[nth] as TalkRound, theirs);
      expect(told(ours)).toEqual(told(theirs));
      expect(told(ours)).toEqual([expect.stringMatching(new RegExp(`^\\S+ +\\d+ ${state} `))]);
      const counts = [ours, theirs].map(({ counters }) => counters.get("filter FORWARD 1")?.split(":")[0]);
      expect(counts).toEqual([String(invalid), String(invalid)]);
    },
  );
});
