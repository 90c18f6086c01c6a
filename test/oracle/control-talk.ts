/** Control connections: what two ends say of connections to come, and what is compared of it. */
import type { Family } from "../../src/ruleset/row-store.js";
import { segmentRest } from "./frame.js";
import { PROTOCOL_UDP } from "./packet.js";
import { type Opening, type Outcome, type Step, talkInEngine, talkOnLinux, type TalkRound, WAN } from "./talk.js";

export const [SYN, PSH, ACK] = [2, 8, 16] as const;
/** Ports that the ends agree on: where the client listens, where the server does. */
export const ACTIVE = 5121;
export const PASSIVE = 7685;

/** A datagram of UDP with hexadecimal data, behind the ports. */
export const datagram = (data: string): string => `${(8 + data.length / 2).toString(16).padStart(4, "0")}0000${data}`;

/** A talk's segments, numbered as its ends number them. */
export class Talk {
  private readonly next = [1000, 5000];
  /** What the other end has got more than was sent, where NAT made it longer. */
  private readonly more = [0, 0];

  constructor(readonly number: number) {}

  say(answer: boolean, flags: number, line = ""): Step {
    const from = answer ? 1 : 0;
    const sequence = this.next[from] as number;
    const ack = flags & ACK ? (this.next[1 - from] as number) + (this.more[1 - from] as number) : 0;
    this.next[from] = sequence + (flags & SYN ? 1 : 0) + line.length;
    const rest = segmentRest({ flags, sequence, ack, window: 5000, options: "", data: 0 });
    return { talk: this.number, answer, rest: rest + Buffer.from(line).toString("hex") };
  }

  open(): Step[] {
    return [this.say(false, SYN), this.say(true, SYN | ACK), this.say(false, ACK)];
  }

  /** The other end has got so much more of the last line. */
  lengthen(answer: boolean, bytes: number): void {
    this.more[answer ? 1 : 0] = (this.more[answer ? 1 : 0] as number) + bytes;
  }

  client(line: string): Step {
    return this.say(false, PSH | ACK, `${line}\r\n`);
  }

  server(line: string): Step {
    return this.say(true, PSH | ACK, `${line}\r\n`);
  }
}

/** Who talks, as the client sees it; what their addresses become on the way, and what the data connections are then. */
export interface Scene {
  readonly family: Family;
  readonly client: string;
  readonly server: string;
  readonly nat?: string;
  readonly active: { readonly line: string; readonly to: string };
  readonly passive: { readonly line: string; readonly to: string };
}

export const bytesOf = (address: string, port: number): string =>
  `${address.replaceAll(".", ",")},${port >> 8},${port & 255}`;

/** A client that source NAT takes for 192.0.2.1. */
const behindSource = (client: string): Scene => ({
  family: "ipv4",
  client,
  server: "198.51.100.7",
  nat: `-A POSTROUTING -s 10.0.0.0/24 -o ${WAN} -j SNAT --to-source 192.0.2.1`,
  active: { line: `PORT ${bytesOf(client, ACTIVE)}`, to: "192.0.2.1" },
  passive: { line: `227 Entering Passive Mode (${bytesOf("198.51.100.7", PASSIVE)})`, to: "198.51.100.7" },
});

/** A server that destination NAT finds behind 192.0.2.1. */
const behindDestination = (server: string): Scene => ({
  family: "ipv4",
  client: "198.51.100.7",
  server: "192.0.2.1",
  nat: `-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 21 -j DNAT --to-destination ${server}`,
  active: { line: `PORT ${bytesOf("198.51.100.7", ACTIVE)}`, to: "198.51.100.7" },
  passive: { line: `227 Entering Passive Mode (${bytesOf(server, PASSIVE)})`, to: "192.0.2.1" },
});

/** Addresses of the same length, so that what the kernel writes over them shifts nothing. */
export const SCENES: Readonly<Record<string, Scene>> = {
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
  "whose source NAT rewrites": behindSource("10.0.0.80"),
  "whose destination NAT rewrites": behindDestination("10.0.0.80"),
};

/** Addresses that the kernel writes in more bytes than the ends do, so that numbers are shifted. */
export const LONGER: Readonly<Record<string, Scene>> = {
  "source NAT": behindSource("10.0.0.9"),
  "destination NAT": behindDestination("10.0.0.7"),
  "source NAT of IPv6": {
    family: "ipv6",
    client: "fd00:1::9",
    server: "2001:db8:7::7",
    nat: `-A POSTROUTING -s fd00:1::/64 -o ${WAN} -j SNAT --to-source 2001:db8::1`,
    active: { line: `EPRT |2|fd00:1::9|${ACTIVE}|`, to: "2001:db8::1" },
    passive: { line: `229 Entering Extended Passive Mode (|||${PASSIVE}|)`, to: "2001:db8:7::7" },
  },
};

export const natTable = (rule: string): string =>
  `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${rule}
COMMIT
*filter`;

/** Lines without the seconds that are left and who holds them. */
export const told = ({ connections }: Outcome): string[] =>
  connections.map((line) => line.replace(/^(\S+ +\d+) \d+/, "$1").replace(/ use=\d+$/, "")).sort();

export const counted = ({ counters }: Outcome): string[] =>
  [...counters]
    .filter(([rule]) => !/ OUTPUT /.test(rule))
    .map(([rule, counts]) => `${rule} ${counts}`)
    .sort();

/** What is not the same, in words. */
function differences(linux: Outcome, ours: Outcome): string[] {
  const compare = (name: string, theirs: readonly string[], own: readonly string[]): string[] =>
    theirs.flatMap((line, n) => (line === own[n] ? [] : [`${name} ${n}: Linux ${line}, ours ${own[n]}`]));
  const text = (outcome: Outcome): string[] => outcome.steps.map((step) => JSON.stringify(step));
  return [
    ...compare("step", text(linux), text(ours)),
    ...compare("counter", counted(linux), counted(ours)),
    ...(told(linux).join() === told(ours).join()
      ? []
      : [`Linux\n${told(linux).join("\n")}\nours\n${told(ours).join("\n")}`]),
  ];
}

const readable = ({ talk, answer, rest }: Step, n: number, { openings }: TalkRound): string => {
  const { protocol, source, sourcePort, destination, destinationPort } = openings[talk] as Opening;
  const data = Buffer.from(rest.slice(protocol === PROTOCOL_UDP ? 8 : 32), "hex").toString("latin1");
  return `${n} ${source}:${sourcePort} ${answer ? "<" : ">"} ${destination}:${destinationPort} ${JSON.stringify(data)}`;
};

/** Plays rounds of such talks, made of `seeds`, here and on Linux: what parted, with the round in words. `others` says what else did. */
export function partedTalks(
  seeds: readonly number[],
  rounds: readonly TalkRound[],
  others: (linux: Outcome, ours: Outcome) => string[] = () => [],
): string[] {
  return talkOnLinux(rounds).flatMap((linux, n) => {
    const round = rounds[n] as TalkRound;
    if (typeof linux === "string") return [linux];
    const ours = talkInEngine(round, linux);
    const found = [...differences(linux, ours), ...others(linux, ours)];
    const steps = round.steps.map((step, at) => readable(step, at, round));
    return found.length > 0 ? [`seed ${seeds[n]}: ${found.join("\n")}\n${steps.join("\n")}`] : [];
  });
}
