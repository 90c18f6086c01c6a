/** Random control connections of FTP and requests of TFTP: what their helpers read of them, against the machine's own kernel. */
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import {
  ACK,
  ACTIVE,
  bytesOf,
  counted,
  LONGER,
  natTable,
  PASSIVE,
  PSH,
  SCENES,
  type Scene,
  SYN,
  Talk,
  told,
} from "./oracle/control-talk.js";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
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
const ROUNDS = Number(process.env.RULESWAP_ROUNDS ?? 120);
const FIRST = Number(process.env.RULESWAP_SEED ?? 0);
const EVENTS = 16;
/** Rounds that once differed: what is sent again does not push a later line's end out. */
const KEPT = [92, 698, 872];

const TEXT = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
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
    for (let n = 0; n < EVENTS; n++) this.event(this.random.pick(controls));
    const text = TEXT.replace("*filter", natTable(nat ?? "-A POSTROUTING -j ACCEPT"));
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
    const ports = [ACTIVE, ACTIVE + 1, PASSIVE, PASSIVE + 1, 0];
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

/** Of UDP, behind the ports. */
const datagram = (data: string): string => `${(8 + data.length / 2).toString(16).padStart(4, "0")}0000${data}`;

/** Where the server is, which data come from. */
const behind = ({ nat, server }: Scene): string => /--to-destination (\S+)/.exec(nat ?? "")?.[1] ?? server;

/** What becomes of a line that names its sender, behind NAT. */
function rewritten(line: string, scene: Scene, answer: boolean): string {
  const from = answer ? behind(scene) : scene.client;
  const to = answer ? scene.passive.to : scene.active.to;
  if (!scene.nat || from === to) return line;
  const full = ipaddr.parse(to).toNormalizedString();
  const wide = to.includes(":")
    ? full
        .split(":")
        .map((group) => group.padStart(4, "0"))
        .join(":")
    : to;
  return line.replace(from.replaceAll(".", ","), to.replaceAll(".", ",")).replace(`|${from}|`, `|${wide}|`);
}

function clientLine(random: Random, scene: Scene): string {
  const { client } = scene;
  const port = random.pick([ACTIVE, ACTIVE, ACTIVE + 1]);
  const version = client.includes(":") ? 2 : 1;
  const numbers = version === 1 ? bytesOf(client, port) : bytesOf("10.0.0.9", port);
  return random.pick([
    () => `PORT ${numbers}`,
    () => `port ${numbers}`,
    () => `EPRT |${version}|${client}|${port}|`,
    () => `EPRT |${version}|${client}|${port}|`,
    () => `EPRT |${version}|${random.pick(["10.9.9.9", "fd00:1::8"])}|${port}|`,
    () => `EPRT |${3 - version}|${client}|${port}|`,
    () => `EPRT |${version}|${client}|${random.pick(["0", "5121", "", "x"])}`,
    () => `PORT ${bytesOf("10.9.9.9", port)}`,
    () =>
      random.pick([
        `PORT  ${numbers}`,
        `PORT ${numbers} `,
        `PORT ${numbers},7`,
        "PORT 1,2,3",
        "PORT",
        "POR",
        "EPRT ",
        "EPRT ||||",
      ]),
    () =>
      random.pick([
        `EPRT !${version}!${client}!${port}!`,
        `EPRT |${version}|${client}|70657|`,
        "PORT 10,0,0,9,0,0",
        "PORT 010,0,0,9,20,1",
        "PORT 10,0,0,9,19,257",
      ]),
    () => random.pick(["PASV", "EPSV", "RETR file", `NOOP PORT ${numbers}`]),
  ])();
}

function serverLine(random: Random, scene: Scene): string {
  const ipv4 = scene.family === "ipv4";
  const port = random.pick([PASSIVE, PASSIVE, PASSIVE + 1]);
  const numbers = bytesOf(ipv4 ? behind(scene) : "198.51.100.7", port);
  return random.pick([
    () => `227 Entering Passive Mode (${numbers})`,
    () => `227 Entering Passive Mode ${numbers}`,
    () => `227 =${numbers}.`,
    () => `227 Entering Passive Mode (${bytesOf("10.9.9.9", port)})`,
    () => random.pick(["227 fine", "227 ", "227", "227 (1,2,3)", "227-more", `227 (${numbers},9)`]),
    () => `229 Entering Extended Passive Mode (|||${port}|)`,
    () => `229 Entering Extended Passive Mode (|||${port}|)`,
    () => random.pick(["229 fine", "229 (|||0|)", `229 (||${port}|)`, `229 |||${port}|`, "229 (|||7685"]),
    () => `229 (!!!${port}!)`,
    () => random.pick(["200 fine", `150 227 (${numbers})`]),
  ])();
}

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
  const { source, sourcePort, destination, destinationPort } = openings[talk] as Opening;
  const data = Buffer.from(rest.slice(32), "hex").toString("latin1");
  return `${n} ${source}:${sourcePort} ${answer ? "<" : ">"} ${destination}:${destinationPort} ${JSON.stringify(data)}`;
};

describe("Linux and an engine", () => {
  it.skipIf(missing)(
    `read the same of what connections say that have a helper${skipped}`,
    () => {
      const seeds = [...KEPT, ...Array.from({ length: ROUNDS }, (_, n) => FIRST + n)];
      const rounds = seeds.map((seed) => {
        const random = new Random(seed);
        return new Scenario(random, random.pick([...Object.values(SCENES), ...Object.values(LONGER)])).make();
      });
      const parted = talkOnLinux(rounds).flatMap((linux, n) => {
        const round = rounds[n] as TalkRound;
        if (typeof linux === "string") return [linux];
        const found = differences(linux, talkInEngine(round, linux));
        const steps = round.steps.map((step, at) => readable(step, at, round));
        return found.length > 0 ? [`seed ${seeds[n]}: ${found.join("\n")}\n${steps.join("\n")}`] : [];
      });
      expect(parted).toEqual([]);
    },
    60_000 + 500 * ROUNDS,
  );
});
