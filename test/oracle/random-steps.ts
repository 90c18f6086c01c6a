/** What two ends say to each other: mostly what the protocol has in mind, sometimes something that does not belong there. */
import { chunksRest, PROTOCOL_DCCP, PROTOCOL_GRE, PROTOCOL_UDPLITE, segmentRest } from "./frame.js";
import { PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";
import type { Random } from "./random.js";
import type { Step } from "./talk.js";

type Said = Omit<Step, "talk">;

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];
const [DATA, INIT, INIT_ACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK] = [0, 1, 2, 4, 5, 6, 7, 8];
const [ERROR, COOKIE_ECHO, COOKIE_ACK, SHUTDOWN_COMPLETE] = [9, 10, 11, 14];
/** Behind the ports, or of what has none from the first byte on. */
const RESTS: Readonly<Record<number, string>> = {
  [PROTOCOL_UDP]: "00080000",
  [PROTOCOL_UDPLITE]: "00001234",
  [PROTOCOL_GRE]: "0000080000000000",
  [PROTOCOL_DCCP]: "13880050".padEnd(32, "0"),
};

/** `known`: sequence numbers and tags are looked at, so they may be wrong. */
export function randomSteps(random: Random, protocol: number, known: boolean): Said[] {
  if (protocol === PROTOCOL_TCP) return tcpSteps(random, known);
  if (protocol === PROTOCOL_SCTP) return sctpSteps(random, known);
  const say = (answer: boolean): Said => ({ answer, rest: RESTS[protocol] ?? "00".repeat(8) });
  return [say(false), ...Array.from({ length: random.below(5) }, () => say(random.chance(0.5)))];
}

function tcpSteps(random: Random, known: boolean): Said[] {
  const flags: [boolean, number][] = (
    [
      [false, SYN],
      [true, SYN | ACK],
      [false, ACK],
      [true, ACK],
      [false, FIN | ACK],
      [true, ACK],
      [true, FIN | ACK],
      [false, ACK],
      [false, SYN],
      [true, SYN | ACK],
    ] as [boolean, number][]
  ).slice(0, random.between(1, 10));
  // Data, mostly in the middle.
  while (known && flags.length > 3 && random.chance(0.7))
    flags.splice(random.between(3, flags.length), 0, [random.chance(0.5), ACK]);
  // Something that is lost, sent again, or does not belong there.
  while (random.chance(0.4)) {
    const stray = random.pick([SYN, SYN | ACK, ACK, FIN | ACK, RST, RST | ACK, FIN, SYN | FIN]);
    flags.splice(random.between(1, flags.length), random.below(2), [random.chance(0.5), stray]);
  }
  const blank = { sequence: 0, ack: 0, window: 0, options: "", data: 0 };
  if (!known) return flags.map(([answer, bits]) => ({ answer, rest: segmentRest({ ...blank, flags: bits }) }));
  const next = [random.next(), random.chance(0.2) ? 0xffffff00 : random.next()];
  return flags.map(([answer, bits]) => {
    const [own, other] = answer ? [1, 0] : [0, 1];
    const data = bits & SYN || !(bits & ACK) ? 0 : random.pick([0, 0, 100, 1400]);
    const stray = () => strayBy(random);
    const sequence = (next[own] as number) + stray();
    const ack = bits & ACK ? (next[other] as number) + stray() : 0;
    const window = random.pick([0, 100, 5000, 65535, 65535]);
    if (sequence === next[own]) next[own] = (sequence + data + (bits & SYN ? 1 : 0) + (bits & FIN ? 1 : 0)) >>> 0;
    return {
      answer,
      rest: segmentRest({ flags: bits, sequence, ack, window, options: randomOptions(random, bits, ack), data }),
    };
  });
}

function strayBy(random: Random): number {
  if (random.chance(0.85)) return 0;
  return random.pick([1, -1, 1000, -1000, -3000, 70_000, -70_000, 0x40000000]);
}

function randomOptions(random: Random, flags: number, ack: number): string {
  if (flags & SYN)
    return random.pick(["", "020405b4", "020405b40402010103030701", "0402010103030201", "01010402", "0303ff00"]);
  if (random.chance(0.8)) return "";
  const edge = (by: number) => ((ack + by) >>> 0).toString(16).padStart(8, "0");
  return random.pick(["0101080a0000000000000000", `0101050a${edge(100)}${edge(500)}`, "0005"]).padEnd(8, "0");
}

function sctpSteps(random: Random, known: boolean): Said[] {
  const tags = [random.next(), random.next()];
  const to = (answer: boolean): number => tags[answer ? 0 : 1] as number;
  const own = (answer: boolean): number => tags[answer ? 1 : 0] as number;
  type Chunk = readonly [number, number, number];
  const say = (answer: boolean, types: readonly number[], tag = to(answer)): Said => ({
    answer,
    rest: chunksRest(
      types[0] === INIT ? 0 : tag,
      types.map((type): Chunk => [type, 0, own(answer)]),
    ),
  });
  const usual = [
    say(false, [INIT]),
    say(true, [INIT_ACK]),
    say(false, known ? [COOKIE_ECHO, DATA] : [COOKIE_ECHO]),
    say(true, [COOKIE_ACK]),
    say(false, [DATA]),
    say(true, [DATA]),
    say(false, [SHUTDOWN]),
    say(true, [SHUTDOWN_ACK]),
    say(false, [SHUTDOWN_COMPLETE]),
  ].slice(0, random.between(1, 9));
  while (known && random.chance(0.5)) {
    const answer = random.chance(0.5);
    const type = random.pick([DATA, INIT, INIT_ACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK, ERROR]);
    const types = random.chance(0.2) ? [type, random.pick([DATA, HEARTBEAT, COOKIE_ECHO])] : [type];
    const stray = say(answer, types, random.chance(0.3) ? random.next() : to(answer));
    usual.splice(random.between(random.chance(0.1) ? 0 : 1, usual.length), random.below(2), stray);
  }
  return usual.length > 0 ? usual : [say(false, [INIT])];
}
