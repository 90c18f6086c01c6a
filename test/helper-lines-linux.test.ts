/** Random control connections of FTP and IRC, and requests of TFTP: what their helpers read of them, against the machine's own kernel. */
import { describe, expect, it } from "vitest";
import {
  ACK,
  ACTIVE,
  datagram,
  LONGER,
  natTable,
  partedTalks,
  PASSIVE,
  PSH,
  SCENES,
  type Scene,
  SYN,
  Talk,
} from "./oracle/control-talk.js";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { behind, clientLine, rewritten, serverLine } from "./oracle/random-line.js";
import { LAN, type Opening, type Step, type TalkRound, WAN } from "./oracle/talk.js";
import { trafficMissing } from "./oracle/traffic.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const ROUNDS = setting("ROUNDS", 45);
const FIRST = setting("SEED", 0);
const EVENTS = 16;
/** Where those listen who chat. */
const CHAT = [6001, 6002];
/** Rounds that once differed: what is sent again does not push a later line's end out. */
const KEPT = [92, 872];

const TEXT = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p tcp -m tcp --dport 6667 -j CT --helper irc
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
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
-A FORWARD -m conntrack --ctstatus EXPECTED
-A FORWARD -m helper --helper ftp
-A FORWARD -m helper --helper tftp
-A FORWARD -m helper --helper irc
COMMIT
`;

/** A round as it is made up: whoever talks is added as it begins. */
class Scenario {
  readonly openings: Opening[] = [];
  readonly steps: Step[] = [];

  constructor(
    private readonly random: Random,
    private readonly scene: Scene,
  ) {}

  make(): TalkRound {
    const { family, nat } = this.scene;
    const controls = Array.from({ length: nat || this.random.chance(0.7) ? 1 : 2 }, (_, n) => this.control(2000 + n));
    const chat = family === "ipv4" && this.random.chance(0.3) ? this.chat() : undefined;
    for (let n = 0; n < EVENTS; n++)
      if (chat && this.random.chance(0.3)) this.message(chat);
      else this.event(this.random.pick(controls));
    const table = natTable(nat ?? "-A POSTROUTING -j ACCEPT");
    // IRC's helper knows IPv4 alone.
    const text = TEXT.replace("*filter", table).replace(family === "ipv4" ? "" : /-A .* --helper irc\n/g, "");
    return {
      family,
      text,
      openings: this.openings,
      steps: this.steps,
      sysctls: { acct: 1, tcp_be_liberal: 0, tcp_loose: 1 },
      bytes: true,
    };
  }

  private open(
    protocol: number,
    ends: Pick<Opening, "source" | "sourcePort" | "destination" | "destinationPort">,
  ): Talk {
    const inside = /^(10\.0\.0|fd00:1:)/.test(ends.source);
    this.openings.push({ protocol, ...ends, device: inside ? LAN : WAN });
    return new Talk(this.openings.length - 1);
  }

  private control(sourcePort: number): Talk {
    const { client: source, server: destination } = this.scene;
    const talk = this.open(PROTOCOL_TCP, { source, sourcePort, destination, destinationPort: 21 });
    this.steps.push(...talk.open(), talk.server("220 ready"), talk.client("USER anonymous"), talk.server("230 fine"));
    return talk;
  }

  private chat(): Talk {
    const { client: source, server: destination } = this.scene;
    const talk = this.open(PROTOCOL_TCP, { source, sourcePort: 2100, destination, destinationPort: 6667 });
    this.steps.push(...talk.open(), talk.server("NOTICE"));
    return talk;
  }

  /** A client says to another where it listens. */
  private message(chat: Talk): void {
    const { random, scene } = this;
    const number = (address: string): number => address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
    const told = random.pick([scene.client, scene.client, scene.active.to, "10.9.9.9"]);
    // Behind NAT a port that is expected already becomes one at random.
    const port = random.pick(scene.nat ? CHAT : [...CHAT, ACTIVE, PASSIVE]);
    const command = random.pick(["SEND", "CHAT", "MOVE", "TSEND", "SCHAT", "send", "RECV"]);
    const line = random.pick([
      `PRIVMSG you :\x01DCC ${command} file ${number(told)} ${port} 1000\x01`,
      `PRIVMSG you :\x01DCC ${command} file ${number(told)} ${port}\x01`,
      ` privmsg you :\x01DCC ${command} chat ${number(told)}  ${port}\x01`,
      `PRIVMSG you :DCC ${command} file ${number(told)} ${port} 1000`,
      `NOTICE you :\x01DCC ${command} file ${number(told)} ${port} 1000\x01`,
      "PRIVMSG you :hello",
    ]);
    this.steps.push(chat.client(line));
    const known = scene.nat && scene.client !== scene.active.to && /SEND|CHAT|MOVE/.test(command);
    const matches = known && told !== "10.9.9.9" && line.toLowerCase().includes("privmsg you :\x01");
    const shown = `${number(scene.active.to)} ${port}`;
    const was = new RegExp(`${number(told)} +${port}`).exec(line)?.[0] ?? "";
    if (matches && random.chance(0.8)) chat.lengthen(false, shown.length - was.length);
  }

  private event(control: Talk): void {
    const { random } = this;
    const kind = random.below(10);
    if (kind < 5) this.line(control, kind >= 3);
    else if (kind === 5)
      this.steps.push(control.say(random.chance(0.5), PSH | ACK, random.pick(["PO", "PORT", "227 ", "NOOP", "\r\n"])));
    else if (kind === 6 && this.steps.length > 0)
      this.steps.push(random.pick(this.steps.filter(({ talk }) => talk === control.number)));
    else if (kind < 9) this.data();
    else this.request();
  }

  private line(control: Talk, answer: boolean): void {
    const line = answer ? serverLine(this.random, this.scene) : clientLine(this.random, this.scene);
    this.steps.push(answer ? control.server(line) : control.client(line));
    // Whether the other end knows what it got is left to chance.
    if (this.random.chance(0.8)) control.lengthen(answer, rewritten(line, this.scene, answer).length - line.length);
  }

  /** Someone opens a connection that may be expected. */
  private data(): void {
    const { random, scene } = this;
    const outward = random.chance(0.5);
    const family = scene.family;
    const stranger = family === "ipv4" ? "198.51.100.8" : "2001:db8:7::8";
    const ports = [ACTIVE, ACTIVE + 1, PASSIVE, PASSIVE + 1, ...CHAT, 0];
    const talk = this.open(PROTOCOL_TCP, {
      source: outward ? scene.client : random.pick([behind(scene), behind(scene), stranger]),
      sourcePort: random.pick([20, 3000 + this.openings.length]),
      destination: outward ? scene.passive.to : scene.active.to,
      destinationPort: random.pick(ports),
    });
    this.steps.push(talk.say(false, SYN));
    if (random.chance(0.5)) this.steps.push(talk.say(true, SYN | ACK), talk.say(false, ACK));
  }

  /** Someone asks for a file, and is answered from another port. */
  private request(): void {
    const { random, scene } = this;
    const sourcePort = random.pick([5000, 5001]);
    const asked = this.open(PROTOCOL_UDP, {
      source: scene.client,
      sourcePort,
      destination: scene.server,
      destinationPort: 69,
    });
    this.steps.push({
      talk: asked.number,
      answer: false,
      rest: datagram(`00${random.pick(["01", "02", "03", "05"])}6100`),
    });
    if (random.chance(0.2)) this.steps.push({ talk: asked.number, answer: false, rest: datagram("00") });
    const source = random.chance(0.8) ? behind(scene) : scene.family === "ipv4" ? "198.51.100.8" : "2001:db8:7::8";
    const answer = this.open(PROTOCOL_UDP, {
      source,
      sourcePort: 7000 + this.openings.length,
      destination: scene.active.to,
      destinationPort: random.chance(0.8) ? sourcePort : 5002,
    });
    this.steps.push({ talk: answer.number, answer: false, rest: datagram("0003000161") });
    this.steps.push({ talk: answer.number, answer: true, rest: datagram("00040001") });
  }
}

describe("Linux and an engine", () => {
  it.skipIf(missing)(
    `read the same of what connections say that have a helper${skipped}`,
    () => {
      const seeds = [...KEPT, ...Array.from({ length: ROUNDS }, (_, n) => FIRST + n)];
      const rounds = seeds.map((seed) => {
        const random = new Random(seed);
        return new Scenario(random, random.pick([...Object.values(SCENES), ...Object.values(LONGER)])).make();
      });
      const parted = partedTalks(seeds, rounds);
      expect(parted).toEqual([]);
    },
    60_000 + 500 * ROUNDS,
  );
});
