/** Linux, the oracle and the engine with either classifier, side by side: what each counted, and what came out. */
import { HOOK_POSTROUTING, PACKET_FLAG_ODD, VERDICT_ACCEPT } from "../../src/blob/layout.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { addressText } from "../oracle/address.js";
import { Oracle } from "../oracle/oracle.js";
import { describePacket, type Packet, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "../oracle/packet.js";
import { LOCAL_ADDRESSES } from "../oracle/random-pool.js";
import type { Result } from "../oracle/result.js";
import { CLASSIFIERS, countersOf, Subject } from "../oracle/subject.js";
import { playTraffic, type Played, type Tool, WAY_OUT } from "../oracle/traffic.js";
import type { Case } from "./plan.js";

/** The first difference of each case in words, undefined where all agree. */
export function judge(cases: readonly Case[], tool: Tool): (string | undefined)[] {
  const played = playTraffic(
    cases.map(({ family, text, packets }) => ({
      family,
      text,
      packets: packets.map(({ input, bytes }) => ({
        device: input,
        bytes: Buffer.from(bytes ?? []).toString("hex"),
      })),
    })),
    tool,
  );
  return cases.map((one, nth) => difference(one, played[nth]));
}

interface Side {
  readonly name: string;
  readonly results: readonly Result[];
  readonly counters: readonly string[];
}

function difference(one: Case, linux: Played | undefined): string | undefined {
  if (linux === undefined || "refused" in linux) return `Linux refused: ${linux?.refused}`;
  for (const { name, results, counters } of sides(one)) {
    for (const [nth, result] of results.entries()) {
      const packet = one.packets[nth] as Packet;
      const [ours, theirs] = [leaving(packet, result), left(packet, linux.outputs[nth] ?? null)];
      if (ours !== theirs) return `packet ${nth}, ${describePacket(packet)}\n${name}: ${ours}\nLinux: ${theirs}`;
    }
    for (const line of counters) {
      const [, rule = "", count] = /^(\S+ \S+ \d+) (.*)$/.exec(line) ?? [];
      // The machine's own packets go through OUTPUT.
      if (/ OUTPUT /.test(line) || linux.counters.get(rule) === count) continue;
      return `${rule}: ${name} ${count}, Linux ${linux.counters.get(rule)}`;
    }
  }
  return undefined;
}

function* sides({ family, text, packets }: Case): Generator<Side> {
  const ruleset = parseRuleset(text, { family });
  for (const classifier of CLASSIFIERS) {
    const subject = new Subject(classifier, "full", {
      localAddresses: LOCAL_ADDRESSES.map((address) => `${address} ${WAY_OUT}`),
      connections: text.includes("*nat") ? MOST_CONNECTIONS : 0,
    });
    subject.updater.load(ruleset);
    const results = packets.map((packet) => subject.match(packet));
    yield { name: classifier, results, counters: countersOf(subject.ruleset()) };
  }
  // The oracle has no connections, so it cannot know what clashes.
  if (text.includes("*nat")) return;
  const oracle = new Oracle(ruleset, LOCAL_ADDRESSES);
  const results = packets.map((packet) => oracle.walk(packet).result);
  yield { name: "oracle", results, counters: oracle.counters() };
}

/** More than any case has. */
const MOST_CONNECTIONS = 4096;
const GONE = "nothing comes out";

/** What should come out at the other end. */
function leaving(packet: Packet, result: Result): string {
  if (result.verdict !== VERDICT_ACCEPT || result.hook !== HOOK_POSTROUTING) return GONE;
  const { source, destination, sourcePort, destinationPort, ttl, tos } = result;
  const ports = hasPorts(packet) ? ` ${sourcePort} ${destinationPort}` : "";
  return `${source} > ${destination}${ports} ttl ${ttl} tos ${tos}`;
}

/** What did. */
function left(packet: Packet, bytes: Uint8Array | null): string {
  if (bytes === null) return GONE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ipv4 = packet.family === "ipv4";
  const [at, width, header] = ipv4 ? [12, 4, 20] : [8, 16, 40];
  const address = (from: number): string => addressText(bytes.subarray(from, from + width));
  const ports = hasPorts(packet) ? ` ${view.getUint16(header)} ${view.getUint16(header + 2)}` : "";
  const [ttl, tos] = ipv4 ? [bytes[8], bytes[1]] : [bytes[7], (view.getUint16(0) >> 4) & 255];
  return `${address(at)} > ${address(at + width)}${ports} ttl ${ttl} tos ${tos}`;
}

function hasPorts({ protocol, fragmentOffset, flags }: Packet): boolean {
  const known = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP].includes(protocol);
  return known && fragmentOffset === 0 && (flags & PACKET_FLAG_ODD) === 0;
}
