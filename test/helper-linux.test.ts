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

/** Who talks, as the client sees it; what their addresses become on the way, and what the data connections are then. */
interface Scene {
  readonly family: Family;
  readonly client: string;
  readonly server: string;
  readonly nat?: string;
  readonly active: { readonly line: string; readonly to: string };
  readonly passive: { readonly line: string; readonly to: string };
}

const bytesOf = (address: string, port: number): string => `${address.replaceAll(".", ",")},${port >> 8},${port & 255}`;

/** Addresses of the same length, so that what the kernel writes over them shifts nothing. */
const SCENES: Readonly<Record<string, Scene>> = {
  ipv4: {
    family: "ipv4",
    client: "10.0.0.9",
    server: "198.51.100.7",
    active: { line: `PORT ${bytesOf("10.0.0.9", ACTIVE)}`, to: "10.0.0.9" },
    passive: { line: `227 Entering Passive Mode (${bytesOf("198.51.100.7", PASSIVE)})`, to: "198.51.100.7" },
  },
  ipv6: {
    family: "ipv6",
    client: "fd00:1::9",
    server: "2001:db8:7::7",
    active: { line: `EPRT |2|fd00:1::9|${ACTIVE}|`, to: "fd00:1::9" },
    passive: { line: `229 Entering Extended Passive Mode (|||${PASSIVE}|)`, to: "2001:db8:7::7" },
  },
  "whose source NAT rewrites": {
    family: "ipv4",
    client: "10.0.0.80",
    server: "198.51.100.7",
    nat: `-A POSTROUTING -s 10.0.0.0/24 -o ${WAN} -j SNAT --to-source 192.0.2.1`,
    active: { line: `PORT ${bytesOf("10.0.0.80", ACTIVE)}`, to: "192.0.2.1" },
    passive: { line: `227 Entering Passive Mode (${bytesOf("198.51.100.7", PASSIVE)})`, to: "198.51.100.7" },
  },
  "whose destination NAT rewrites": {
    family: "ipv4",
    client: "198.51.100.7",
    server: "192.0.2.1",
    nat: "-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 21 -j DNAT --to-destination 10.0.0.80",
    active: { line: `PORT ${bytesOf("198.51.100.7", ACTIVE)}`, to: "198.51.100.7" },
    passive: { line: `227 Entering Passive Mode (${bytesOf("10.0.0.80", PASSIVE)})`, to: "192.0.2.1" },
  },
};

function makeRound({ family, client, server, nat, active, passive }: Scene): TalkRound {
  const inside = client.startsWith("10.") || client.startsWith("fd");
  const other = family === "ipv4" ? "198.51.100.8" : "2001:db8:7::8";
  // Of a server behind NAT the data come from where it is.
  const behind = nat?.includes("DNAT") ? "10.0.0.80" : server;
  const between = (source: string, sourcePort: number, destination: string, destinationPort: number): Opening => ({
    protocol: PROTOCOL_TCP,
    source,
    sourcePort,
    destination,
    destinationPort,
    device: (source === client) === inside ? LAN : WAN,
  });
  const openings = [
    between(client, 1000, server, 21),
    between(behind, 20, active.to, ACTIVE),
    between(behind, 2020, active.to, ACTIVE),
    between(other, 20, active.to, ACTIVE),
    between(client, 3000, passive.to, PASSIVE),
    between(client, 3001, passive.to, PASSIVE),
  ];
  const [control, data, second, stranger, fetched, again] = openings.map((_, nth) => new Talk(nth)) as [
    Talk,
    Talk,
    Talk,
    Talk,
    Talk,
    Talk,
  ];
  const expects = (source: string, to: string, port: number, told: "original" | "reply"): Expectation => ({
    family,
    protocol: PROTOCOL_TCP,
    master: openings[0] as Opening,
    source,
    destination: to,
    destinationPort: port,
    expires: EXPECTED_MS,
    ...(nat ? { follows: { told, port } } : {}),
  });
  const steps = [
    ...control.open(),
    control.server("220 ready"),
    control.client("USER anonymous"),
    control.server("230 fine"),
    { ...control.client(active.line), expects: expects(behind, active.to, ACTIVE, "original") },
    control.server("200 fine"),
    // Not from the server; then the one that is expected, which is expected once.
    stranger.say(false, SYN),
    ...data.open(),
    data.client("What was asked for."),
    second.say(false, SYN),
    control.client(family === "ipv4" ? "PASV" : "EPSV"),
    { ...control.server(passive.line), expects: expects(client, passive.to, PASSIVE, "reply") },
    ...fetched.open(),
    fetched.server("What was asked for."),
    again.say(false, SYN),
  ];
  const text = TEXT.replace("*filter", natTable(nat ?? "-A POSTROUTING -j ACCEPT"));
  return { family, text, openings, steps, sysctls: { acct: 1, tcp_be_liberal: 0, tcp_loose: 1 }, bytes: true };
}

const natTable = (rule: string): string =>
  `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${rule}
COMMIT
*filter`;

/** Lines without the seconds that are left and who holds them. */
const told = ({ connections }: Outcome): string[] =>
  connections.map((line) => line.replace(/^(\S+ +\d+) \d+/, "$1").replace(/ use=\d+$/, "")).sort();

const counted = ({ counters }: Outcome): string[] =>
  [...counters]
    .filter(([rule]) => !/ OUTPUT /.test(rule))
    .map(([rule, counts]) => `${rule} ${counts}`)
    .sort();

describe("a connection that FTP's ends have agreed on", () => {
  it.skipIf(missing).each(Object.keys(SCENES))(
    `is RELATED, once, and marked as its master, as behind the kernel's helper: %s${skipped}`,
    (name) => {
      const round = makeRound(SCENES[name] as Scene);
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
