/** Random answers of those who back up by Amanda or scan by SANE: what their helpers read of them, against the machine's own kernel. */
import { describe, expect, it } from "vitest";
import { ACK, ACTIVE, datagram, natTable, partedTalks, PASSIVE, PSH, SYN, Talk } from "./oracle/control-talk.js";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { LAN, type Opening, type Outcome, type Step, type TalkRound, WAN } from "./oracle/talk.js";
import { trafficMissing } from "./oracle/traffic.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = setting("ROUNDS", 30);
const FIRST = setting("SEED", 0);
const EVENTS = 16;
/** Rounds that once differed: of those that were told together the first is given up first. */
const KEPT = [1049, 1512];
/** Seconds of which some pass between what Linux and we list. */
const NEAR_S = 20;
/** Ports that are told, their digits as many as NAT's would be. */
const PORTS = [ACTIVE, PASSIVE, 6001, 6002, 6003];

const TEXT = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 10080 -j CT --helper amanda
-A PREROUTING -p tcp -m tcp --dport 6566 -j CT --helper sane
-A OUTPUT -j DROP
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate NEW
-A FORWARD -m conntrack --ctstate RELATED
-A FORWARD -m conntrack --ctstate ESTABLISHED
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m helper --helper amanda
-A FORWARD -m helper --helper sane
COMMIT
`;

/** Who asks and who answers, as the one who asks sees it, and NAT between them. */
interface Scene {
  readonly asks: string;
  readonly answers: string;
  readonly nat?: string;
}

const SCENES: readonly Scene[] = [
  { asks: "10.0.0.9", answers: "198.51.100.7" },
  { asks: "fd00:1::9", answers: "2001:db8:7::7" },
  {
    asks: "10.0.0.9",
    answers: "198.51.100.7",
    nat: `-A POSTROUTING -s 10.0.0.0/24 -o ${WAN} -j SNAT --to-source 192.0.2.1`,
  },
  {
    asks: "198.51.100.7",
    answers: "192.0.2.1",
    nat: "-A PREROUTING -d 192.0.2.1/32 -i wan0 -j DNAT --to-destination 10.0.0.80",
  },
];

class Scenario {
  readonly openings: Opening[] = [];
  readonly steps: Step[] = [];

  constructor(
    private readonly random: Random,
    private readonly scene: Scene,
  ) {}

  make(): TalkRound {
    const { asks, nat } = this.scene;
    const backup = this.open(PROTOCOL_UDP, 2000, 10080);
    this.say(backup, false, "Amanda 2.4 REQ HANDLE 000-1 SEQ 1");
    const scanner = new Talk(this.open(PROTOCOL_TCP, 2100, 6566));
    this.steps.push(...scanner.open());
    // One more that may expect the same.
    const other = this.random.chance(0.3) ? this.open(PROTOCOL_UDP, 2001, 10080) : backup;
    for (let n = 0; n < EVENTS; n++) {
      const kind = this.random.below(10);
      if (kind < 3) this.say(this.random.pick([backup, other]), this.random.chance(0.9), this.answer());
      else if (kind < 6) this.scan(scanner);
      else this.data();
    }
    const family = asks.includes(":") ? "ipv6" : "ipv4";
    return {
      family,
      text: TEXT.replace("*filter", natTable(nat ?? "-A POSTROUTING -j ACCEPT")),
      openings: this.openings,
      steps: this.steps,
      sysctls: { acct: 1, tcp_be_liberal: 0, tcp_loose: 1 },
      bytes: true,
    };
  }

  private open(protocol: number, sourcePort: number, destinationPort: number, source = this.scene.asks): number {
    const device = /^(10\.0\.0|fd00:1:)/.test(source) ? LAN : WAN;
    return (
      this.openings.push({ protocol, source, sourcePort, destination: this.scene.answers, destinationPort, device }) - 1
    );
  }

  private say(talk: number, answer: boolean, text: string): void {
    this.steps.push({ talk, answer, rest: datagram(Buffer.from(text, "latin1").toString("hex")) });
  }

  private answer(): string {
    const { random } = this;
    const port = (): string =>
      random.pick([...PORTS.map(String), ...PORTS.map(String), "0", "", "x", "70000", "+6001", "06001", "600155"]);
    const words = ["DATA", "MESG", "INDEX", "STATE", "DATA", "data", "INDEX "].filter(() => random.chance(0.5));
    const told = words.map((word) => `${word} ${port()}`).join(random.pick([" ", " ", "\t", "\n"]));
    const end = random.pick(["\n", "\n", "\nOPTIONS features;\n", "", " "]);
    return `${random.pick(["Amanda 2.4 REP HANDLE 000-1 SEQ 1\n", ""])}${random.pick(["CONNECT ", "CONNECT ", "CONNECT ", "CONNECT", "connect "])}${told}${end}`;
  }

  /** A request, and mostly its answer. */
  private scan(scanner: Talk): void {
    const { random } = this;
    const word = (number: number): string =>
      String.fromCharCode(number >>> 24, (number >>> 16) & 127, (number >>> 8) & 127, number & 127);
    const request = word(random.pick([7, 7, 7, 7, 4, 7 << 8])) + word(1);
    this.steps.push(scanner.say(false, PSH | ACK, random.chance(0.9) ? request : `${request}\0`));
    if (random.chance(0.2)) return;
    const status = word(random.chance(0.9) ? 0 : 3);
    const port = random.pick(PORTS);
    const said = `${status}${random.chance(0.9) ? "\0\0" : "\0\x01"}${word(port).slice(2)}`;
    this.steps.push(scanner.say(true, PSH | ACK, random.pick([said, said, `${said}\0\0\x12\x34`, said.slice(0, 7)])));
  }

  /** Someone opens a connection that may be expected. */
  private data(): void {
    const { random, scene } = this;
    const stranger = scene.asks.includes(":")
      ? "fd00:1::8"
      : scene.asks.startsWith("10.")
        ? "10.0.0.8"
        : "198.51.100.8";
    const source = random.chance(0.8) ? scene.asks : stranger;
    const talk = new Talk(
      this.open(PROTOCOL_TCP, 3000 + this.openings.length, random.pick([...PORTS, 4464, 60015]), source),
    );
    this.steps.push(talk.say(false, SYN));
    if (random.chance(0.5)) this.steps.push(talk.say(true, SYN | ACK), talk.say(false, ACK));
  }
}

/** Seconds that the connections of UDP have left, by their line without them. */
const left = ({ connections }: Outcome): Map<string, number> =>
  new Map(
    connections.flatMap((line) => {
      const found = /^(udp +17) (\d+) (.*?)( use=\d+)?$/.exec(line);
      return found ? [[`${found[1]} ${found[3]}`, Number(found[2])] as const] : [];
    }),
  );

/** The same of what both have left. */
function others(linux: Outcome, ours: Outcome): string[] {
  const mine = left(ours);
  return [...left(linux)].flatMap(([line, seconds]) =>
    Math.abs(seconds - (mine.get(line) ?? 0)) <= NEAR_S ? [] : [`${line}: Linux ${seconds} s, ours ${mine.get(line)}`],
  );
}

describe("Linux and an engine", () => {
  it.skipIf(missing)(
    `expect the same of what Amanda and SANE answer${skipped}`,
    () => {
      const seeds = [...KEPT, ...Array.from({ length: ROUNDS }, (_, n) => FIRST + n)];
      const rounds = seeds.map((seed) => {
        const random = new Random(seed);
        return new Scenario(random, random.pick(SCENES)).make();
      });
      let related = 0;
      const parted = partedTalks(seeds, rounds, (linux, ours) => {
        related += Number((linux.counters.get("filter FORWARD 2") ?? "0").split(":")[0]);
        return others(linux, ours);
      });
      expect(parted).toEqual([]);
      expect(related).toBeGreaterThan(ROUNDS / 2);
    },
    60_000 + 500 * ROUNDS,
  );
});
