/** Packets through a machine that routes: on Linux, and in an engine that is told what `ip` prints there. */
import { transportChecksum } from "./checksum.js";
import { PATH_OUT } from "../../src/blob/layout.js";
import { Engine } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { decodeResult, type PacketResult } from "../../src/netfilter/result.js";
import { readAddresses } from "../../src/netfilter/routing/ip-address.js";
import { readRoutes } from "../../src/netfilter/routing/ip-route.js";
import { readRules } from "../../src/netfilter/routing/ip-rule.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import { printRuleset } from "../../src/ruleset/print.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";
import { addressText } from "./address.js";
import { encodePacket, type Packet, PROTOCOL_TCP, PROTOCOL_UDP } from "./packet.js";
import { DEVICES } from "./random-routes.js";
import { readCounters } from "./traffic.js";
import { wireBytes } from "./wire.js";
import { playScript } from "./script.js";

const SETUP = `ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.send_redirects=0
sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0`;

export interface MachineRound {
  readonly family: Family;
  /** Commands of the round, besides. */
  readonly setup: string;
  readonly text: string;
  readonly packets: readonly Packet[];
}

/** What came out: the interface and the ends. */
export interface Sent {
  readonly device: string;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly bytes: Buffer;
}

export interface MachineOutcome {
  readonly said: string;
  readonly sent: readonly (readonly Sent[])[];
  readonly counters: ReadonlyMap<string, string>;
  readonly addresses: string;
  readonly rules: string;
  readonly routes: string;
}

export function playOnLinux(rounds: readonly MachineRound[]): MachineOutcome[] {
  const orders = {
    setup: SETUP,
    devices: DEVICES,
    rounds: rounds.map(({ packets, ...round }) => ({
      ...round,
      packets: packets.map((packet) => {
        const bytes = Buffer.from(withChecksum(wireBytes(packet))).toString("hex");
        return packet.path === PATH_OUT ? { bytes, mark: packet.mark } : { bytes, device: packet.input };
      }),
    })),
  };
  const played = playScript("route.py", orders) as (Omit<MachineOutcome, "sent" | "counters"> & {
    packets: [string, string][][];
    saved: string;
  })[];
  return played.map(({ packets, saved, ...rest }) => ({
    ...rest,
    sent: packets.map((list) => list.map(([device, bytes]) => readSent(device, Buffer.from(bytes, "hex")))),
    counters: readCounters(saved),
  }));
}

/** TCP's and UDP's checksum filled in: Linux answers nothing that is damaged. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const ipv4 = (bytes[0] as number) >> 4 === 4;
  const protocol = bytes[ipv4 ? 9 : 6];
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return bytes;
  const field = (ipv4 ? 20 : 40) + (protocol === PROTOCOL_TCP ? 16 : 6);
  const filled = Buffer.from(bytes);
  filled.writeUInt16BE(0, field);
  filled.writeUInt16BE(transportChecksum(filled, protocol) || 0xffff, field);
  return filled;
}

/** The same in an engine. What Linux said of its own table is left out: the engine makes it of the addresses. */
export function playInEngine(
  round: MachineRound,
  linux: Pick<MachineOutcome, "addresses" | "routes" | "rules">,
): { results: PacketResult[]; counters: ReadonlyMap<string, string> } {
  const { family } = round;
  const routes = linux.routes.split("\n").filter((line) => !line.includes("table local"));
  const engine = Engine.create({
    connections: 1024,
    routing: {
      ...readAddresses(linux.addresses),
      routes: readRoutes(routes.join("\n"), { family }),
      rules: readRules(linux.rules, { family }),
    },
  });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(round.text, { family }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const results = round.packets.map((packet) => {
    wireBytes(packet);
    pool.set(0, encodePacket(packet));
    reader.match(pool, 0, 1);
    return decodeResult(pool.result(0), family);
  });
  const saved = engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
  return { results, counters: readCounters(saved.join("\n")) };
}

function readSent(device: string, bytes: Buffer): Sent {
  const [protocolAt, at, width] = (bytes[0] as number) >> 4 === 4 ? [9, 12, 4] : [6, 8, 16];
  return {
    device,
    protocol: bytes[protocolAt] as number,
    source: addressText(bytes.subarray(at, at + width)),
    destination: addressText(bytes.subarray(at + width, at + 2 * width)),
    bytes,
  };
}
