/** What is expected through the library, beside what the kernel's own helper of FTP reads in the same control connection. */
import { describe, expect, it } from "vitest";
import type { Expectation } from "../src/netfilter/connections.js";
import type { Family } from "../src/ruleset/row-store.js";
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
  WAN,
} from "./oracle/talk.js";
import { trafficMissing } from "./oracle/traffic.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const [SYN, PSH, ACK] = [2, 8, 16];
/** Ports that the ends agree on: where the client listens, where the server does. */
const ACTIVE = 5121;
const PASSIVE = 7685;
/** As long as the helper expects a connection. */
const EXPECTED_MS = 300_000;

const ENDS: Readonly<
  Record<Family, { client: string; server: string; other: string; active: string; passive: string }>
> = {
  ipv4: {
    client: "10.0.0.9",
    server: "198.51.100.7",
    other: "198.51.100.8",
    active: `PORT 10,0,0,9,${ACTIVE >> 8},${ACTIVE & 255}`,
    passive: `227 Entering Passive Mode (198,51,100,7,${PASSIVE >> 8},${PASSIVE & 255})`,
  },
  ipv6: {
    client: "fd00:1::9",
    server: "2001:db8:7::7",
    other: "2001:db8:7::8",
    active: `EPRT |2|fd00:1::9|${ACTIVE}|`,
    passive: `229 Entering Extended Passive Mode (|||${PASSIVE}|)`,
  },
};

const TEXT = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A OUTPUT -j DROP
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A FORWARD -p tcp -m tcp --dport 21 -j CONNMARK --set-xmark 0x7/0xffffffff
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate NEW
-A FORWARD -m conntrack --ctstate RELATED
-A FORWARD -m conntrack --ctstate ESTABLISHED
-A FORWARD -m conntrack --ctstatus EXPECTED
-A FORWARD -m conntrack --ctstatus EXPECTED --ctdir REPLY
-A FORWARD -m conntrack --ctstate RELATED -m helper --helper ftp
-A FORWARD -m helper ! --helper ftp
-A FORWARD -m helper --helper ""
-A FORWARD -m connmark --mark 0x7
-A FORWARD -p tcp -m tcp --dport ${PASSIVE} -m conntrack --ctstate NEW -j DROP
COMMIT
`;

/** A talk's segments, numbered as its ends number them. */
class Talk {
  private readonly next = [1000, 5000];

  constructor(readonly number: number) {}

  say(answer: boolean, flags: number, line = ""): Step {
    const from = answer ? 1 : 0;
    const sequence = this.next[from] as number;
    const ack = flags & ACK ? (this.next[1 - from] as number) : 0;
    this.next[from] = sequence + (flags & SYN ? 1 : 0) + line.length;
    const rest = segmentRest({ flags, sequence, ack, window: 5000, options: "", data: 0 });
    return { talk: this.number, answer, rest: rest + Buffer.from(line).toString("hex") };
  }

  open(): Step[] {
    return [this.say(false, SYN), this.say(true, SYN | ACK), this.say(false, ACK)];
  }

  client(line: string): Step {
    return this.say(false, PSH | ACK, `${line}\r\n`);
  }

  server(line: string): Step {
    return this.say(true, PSH | ACK, `${line}\r\n`);
  }
}

function makeRound(family: Family): TalkRound {
  const { client, server, other, active, passive } = ENDS[family];
  const from = (source: string, sourcePort: number, destination: string, destinationPort: number): Opening => ({
    protocol: PROTOCOL_TCP,
    source,
    sourcePort,
    destination,
    destinationPort,
    device: source === client ? LAN : WAN,
  });
  const openings = [
    from(client, 1000, server, 21),
    from(server, 20, client, ACTIVE),
    from(server, 2020, client, ACTIVE),
    from(other, 20, client, ACTIVE),
    from(client, 3000, server, PASSIVE),
    from(client, 3001, server, PASSIVE),
  ];
  const [control, data, second, stranger, fetched, again] = openings.map((_, nth) => new Talk(nth)) as [
    Talk,
    Talk,
    Talk,
    Talk,
    Talk,
    Talk,
  ];
  const expects = (source: string, destination: string, destinationPort: number): Expectation => ({
    family,
    protocol: PROTOCOL_TCP,
    master: openings[0] as Opening,
    source,
    destination,
    destinationPort,
    expires: EXPECTED_MS,
  });
  const steps = [
    ...control.open(),
    control.server("220 ready"),
    control.client("USER anonymous"),
    control.server("230 fine"),
    { ...control.client(active), expects: expects(server, client, ACTIVE) },
    control.server("200 fine"),
    // Not from the server; then the one that is expected, which is expected once.
    stranger.say(false, SYN),
    ...data.open(),
    data.client("What was asked for."),
    second.say(false, SYN),
    control.client(family === "ipv4" ? "PASV" : "EPSV"),
    { ...control.server(passive), expects: expects(client, server, PASSIVE) },
    ...fetched.open(),
    fetched.server("What was asked for."),
    again.say(false, SYN),
  ];
  return { family, text: TEXT, openings, steps, sysctls: { acct: 1, tcp_be_liberal: 0, tcp_loose: 1 }, bytes: true };
}

/** Lines without the seconds that are left and who holds them. */
const told = ({ connections }: Outcome): string[] =>
  connections.map((line) => line.replace(/^(\S+ +\d+) \d+/, "$1").replace(/ use=\d+$/, "")).sort();

const counted = ({ counters }: Outcome): string[] =>
  [...counters]
    .filter(([rule]) => !/^nat | OUTPUT /.test(rule))
    .map(([rule, counts]) => `${rule} ${counts}`)
    .sort();

describe("a connection that FTP's ends have agreed on", () => {
  it.skipIf(missing).each(["ipv4", "ipv6"] as const)(
    `is RELATED, once, and marked as its master, as behind the kernel's helper: %s${skipped}`,
    (family) => {
      const round = makeRound(family);
      const [linux] = talkOnLinux([round]);
      if (!linux || typeof linux === "string") throw new Error(linux);
      const ours = talkInEngine(round, linux);
      expect(ours.steps).toEqual(linux.steps);
      expect(counted(ours)).toEqual(counted(linux));
      expect(told(ours)).toEqual(told(linux));
      expect(linux.counters.get("filter FORWARD 2")).toMatch(/^2:/);
    },
  );
});
