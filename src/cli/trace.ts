/** `ruleswap trace`: the way of packets through hooks, tables, chains and rules. */
import { type Command, InvalidArgumentError } from "commander";
import { listAccounting, printAccounting } from "../engine/accounting.js";
import { Reader } from "../engine/reader.js";
import { readCapture } from "../netfilter/capture.js";
import { listConnections } from "../netfilter/connections.js";
import { type Journey, journeyOf, type Traveller } from "../netfilter/journey.js";
import { parsePacket } from "../netfilter/packet-grammar.js";
import { printConnection } from "../netfilter/print-connection.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { CliError } from "./fault.js";
import { eventText } from "./event-text.js";
import { helpText } from "./help.js";
import { type Input, readInput } from "./input.js";
import { loadRuleset } from "./load.js";
import { addMachineOptions, type MachineOptions, readMachine } from "./machine-options.js";
import { oneOf } from "./number-option.js";
import { print, writeOutput } from "./output.js";
import {
  addObjectOptions,
  addSetOptions,
  type ObjectOptions,
  objectsOf,
  type SetOptions,
  setText,
} from "./set-options.js";
import { journeyText } from "./trace-text.js";

/** Connections that are remembered from one packet to the next. */
const CONNECTIONS = 65_536;

const HELP = `
Examples:
  ruleswap trace rules.v4 --packet "tcp 10.0.0.1:40000 > 10.96.0.1:443 in eth0 syn"
  ruleswap trace rules.v4 --pcap capture.pcap --local 192.0.2.1 --connections

A packet: PROTOCOL SOURCE > DESTINATION, then words in any order.
  tcp 10.0.0.1:40000 > 10.96.0.1:443 in eth0 syn          from the network, to this machine or through it
  udp [fd00::1]:5353 > [fd00::2]:53 out eth1 uid 1000     from a process of this machine
  icmp 10.0.0.1 > 10.0.0.2 type 8/0 in eth0 ctstate ESTABLISHED
  tcp 10.0.0.1:1 > 10.0.0.2:2 hook INPUT mark 0x4000      one hook alone
  udp 10.0.0.1:1 > 10.0.0.2:53 fragid 7 more len 1500     a fragment; later ones have no ports, but frag N (8 bytes)

What a packet does not carry is said as well, for rules that ask for it:
  mark, ctmark, priority, zone, time (ms), mac, dmac, pkttype     what the link layer and earlier rules made of it
  uid, gid, groups 4,24, cgroup CLASS, cgpath PATH                who owns the socket that sends it (owner, cgroup)
  socket plain|transparent|wildcard, skmark N                     what socket there is for it (socket)
  genre Linux                                                     what its SYN looks to come from (osf)
  bpf PATH,...                                                    pinned programs that take it (bpf --object-pinned)
  ipvs, vaddr, vport, vmethod MASQ|IPIP|GATE, vportctl            what IPVS knows of it (ipvs)

Several packets are sent in their order through one machine, which tracks their connections: replies are known, and
NAT is undone for them; fragments wait until their packet is whole; --connections lists them at the end. With --no-track, and
for one packet alone, the packet itself says its state (ctstate), NAT rewrites it alone, and only IPv4's fragments for this
machine wait, in front of INPUT.

First the answer, then each rule that matched with its line in the file; what changed stands behind the rule that
changed it, or between rules where the connection or routing did.`;

interface TraceOptions extends MachineOptions, SetOptions, ObjectOptions {
  readonly packet?: string[];
  readonly pcap?: string;
  readonly interface: string;
  readonly family?: Family;
  readonly local?: string[];
  readonly osf?: string;
  readonly track?: boolean;
  readonly connections?: boolean;
  readonly json?: string;
}

export function addTrace(program: Command): void {
  const command = addObjectOptions(addSetOptions(program.command("trace")))
    .description("the way of packets through hooks, tables, chains and rules")
    .argument("<rules>", 'a ruleset as iptables-save prints it; "-" for standard input')
    .option(
      "--packet <text>",
      'such as "tcp 10.0.0.1:40000 > 10.96.0.1:443 in eth0 syn"; once for each; its addresses say the family',
      several,
    )
    .option("--pcap <file>", "packets of a capture, pcap or pcapng, behind those of --packet")
    .option("--interface <name>", "by which packets of a capture come in, where it does not say", "eth0")
    .option("--family <name>", "ipv4 or ipv6: of a capture (default: as its first packet)", oneOf(["ipv4", "ipv6"]))
    .option("--local <address...>", "addresses of the machine: packets to them go to INPUT")
    .option(
      "--osf <file>",
      "fingerprints of systems, as pf.os, for rules of osf (default: none, so that they find none)",
    )
    .option("--track", "track connections (default: where there are several packets, or --nfct)")
    .option("--no-track", "track none")
    .option("--connections", "then list the connections that the packets leave behind, as conntrack -L does")
    .option("--json <file>", 'write the way as JSON; to standard output, in place of text, for "-"')
    .addHelpText("after", helpText(HELP));
  addMachineOptions(command).action((path: string, options: TraceOptions) => trace(readInput(path), options));
}

function several(text: string, before: readonly string[] = []): string[] {
  if (text.trim() === "") throw new InvalidArgumentError("Expected a packet.");
  return [...before, text];
}

async function trace(input: Input, options: TraceOptions): Promise<void> {
  const { packet: _, pcap: __, local = [], connections: listed = false, json, osf, ...given } = options;
  const travellers = travellersOf(options);
  const { track = travellers.length > 1 || listed || given.nfct !== undefined } = options;
  if (listed && !track) throw new CliError("--connections: with --no-track there are none");
  if (given.nfct !== undefined && !track) throw new CliError("--nfct: with --no-track no connections live by them");
  const [{ packet: first }] = travellers as [Traveller];
  const { family } = first;
  if (travellers.some(({ packet }) => packet.family !== family))
    throw new CliError("packets of both families at a time");
  if (track && travellers.some(({ packet }) => packet.ctState !== undefined))
    throw new CliError(
      "ctstate: where connections are tracked a packet's state is found out; leave it out, or give --no-track",
    );
  const ruleset = parseRuleset(input.bytes, { family, file: input.file });
  const machine = {
    localAddresses: local,
    ...objectsOf(given),
    ...(osf === undefined ? {} : { fingerprints: Buffer.from(readInput(osf).bytes).toString("utf8") }),
    routing: readMachine(given),
    ...(track ? { connections: CONNECTIONS } : {}),
  };
  const engine = loadRuleset(ruleset, input, machine, setText(ruleset, given));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const events = reader.listen();
  const journeys = travellers.map((traveller): Told => {
    const journey = journeyOf(reader, pool, traveller, ruleset);
    return { ...journey, told: events.take().flatMap((event) => eventText(event) || []) };
  });
  const now = travellers.at(-1)?.packet.time ?? 0;
  const lines = listed ? listConnections(engine, now).map((connection) => printConnection(connection, now)) : undefined;
  const accounting = listAccounting(engine);
  const whole = {
    schema: "ruleswap.trace/1",
    packets: journeys,
    ...(lines ? { connections: lines } : {}),
    ...(accounting.length > 0 ? { nfacct: printAccounting(accounting).trim().split("\n") } : {}),
  };
  const comesIn = travellers.some(({ packet: { path = "in" } }) => path === "in");
  if (comesIn && local.length === 0 && given.addresses === undefined)
    process.stderr.write(
      "what comes in is forwarded: no --local or --addresses says which addresses are this machine's\n",
    );
  if (json !== undefined) await writeOutput(json, `${JSON.stringify(whole, null, 2)}\n`);
  if (json !== "-")
    await print(
      textOf(journeys) +
        (lines ? ["", ...lines, ""].join("\n") : "") +
        (accounting.length > 0 ? `\n${printAccounting(accounting)}` : ""),
    );
}

/** In the order in which they are sent. What a capture holds besides is told on standard error. */
function travellersOf({ packet: texts = [], pcap, interface: input, family }: TraceOptions): Traveller[] {
  if (texts.length === 0 && pcap === undefined) throw new CliError("no packet: give --packet or --pcap");
  const travellers: Traveller[] = texts.map((text) => ({ packet: parsePacket(text) }));
  if (pcap === undefined) return travellers;
  const { packets, leftOut } = readCapture(readInput(pcap).bytes, { file: pcap, input });
  const wanted = family ?? travellers[0]?.packet.family ?? packets[0]?.packet.family;
  const ours = packets.filter(({ packet }) => packet.family === wanted);
  const others = packets.length - ours.length;
  if (others > 0) process.stderr.write(`${pcap}: ${others} packets of the other family left out\n`);
  if (leftOut > 0) process.stderr.write(`${pcap}: ${leftOut} frames without IP left out\n`);
  if (travellers.length + ours.length === 0) throw new CliError(`${pcap}: no packets${family ? ` of ${family}` : ""}`);
  return [...travellers, ...ours];
}

/** With what rules told on the way, and what answers the packet. */
type Told = Journey & { readonly told: readonly string[] };

function textOf(journeys: readonly Told[]): string {
  const color = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const lines = (told: readonly string[]): string => told.map((line) => `${line}\n`).join("");
  return journeys.map((journey) => journeyText(journey, color) + lines(journey.told)).join("\n");
}
