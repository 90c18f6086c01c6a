/** `ruleswap trace`: one packet's way through hooks, tables, chains and rules. */
import type { Command } from "commander";
import { Reader, type TraceStep } from "../engine/reader.js";
import { encodePacket } from "../netfilter/packet.js";
import { parsePacket } from "../netfilter/packet-grammar.js";
import { decodeResult, type PacketResult } from "../netfilter/result.js";
import { printRule } from "../ruleset/print.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { type Input, readInput } from "./input.js";
import { parseRuleset } from "../ruleset/parse.js";
import { loadRuleset } from "./load.js";
import { addMachineOptions, type MachineOptions, readMachine } from "./machine-options.js";
import { print } from "./output.js";
import { addSetOptions, type SetOptions, setText } from "./set-options.js";

interface TraceOptions extends MachineOptions, SetOptions {
  readonly packet: string;
  readonly local?: string[];
}

export function addTrace(program: Command): void {
  const command = addSetOptions(program.command("trace"))
    .description("one packet's way through hooks, tables, chains and rules")
    .argument("<rules>", 'a ruleset as iptables-save prints it; "-" for standard input')
    .requiredOption(
      "--packet <text>",
      'such as "tcp 10.0.0.1:40000 > 10.96.0.1:443 in eth0 syn"; its addresses say the family',
    )
    .option("--local <address...>", "addresses of the machine: packets to them go to INPUT");
  addMachineOptions(command).action((path: string, options: TraceOptions) => trace(readInput(path), options));
}

async function trace(input: Input, { packet: text, local = [], ...given }: TraceOptions): Promise<void> {
  const packet = parsePacket(text);
  const ruleset = parseRuleset(input.bytes, { family: packet.family, file: input.file });
  const machine = { localAddresses: local, routing: readMachine(given) };
  const reader = new Reader(loadRuleset(ruleset, input, machine, setText(ruleset, given)), 0);
  const pool = reader.allocate(1);
  pool.set(0, encodePacket(packet));
  const steps = reader.trace(pool, 0);
  const result = decodeResult(pool.result(0), packet.family);
  await print(`${steps.map((step) => stepText(step, ruleset)).join("")}${ending(result)}\n`);
}

/** "PREROUTING nat KUBE-SERVICES rule 3, line 41: -A KUBE-SERVICES ...". */
function stepText({ hook, table: name, chain: chainName, rule, line }: TraceStep, ruleset: Ruleset): string {
  const table = ruleset.tables.get(name);
  const chain = table?.chains.get(chainName);
  const where = `${hook} ${name} ${chainName}`;
  if (rule === 0) return `${where} policy: ${chain?.policy ?? ""}\n`;
  const ordinal = chain?.rules[rule - 1];
  const said = table && chain && ordinal !== undefined ? printRule(table, chain, ordinal) : "";
  return `${where} rule ${rule}${line > 0 ? `, line ${line}` : ""}: ${said}\n`;
}

function ending(result: PacketResult): string {
  const parts = [
    result.unrouted
      ? `DROP behind ${result.hook}: no way, ${result.route}`
      : `${result.verdict} in ${result.hook} ${result.table}`,
  ];
  if (result.verdict === "ACCEPT" && result.output) parts.push(`out by ${result.output}`);
  if (result.rejectWith) parts.push(`answered with ${result.rejectWith}`);
  if (result.queue !== undefined) parts.push(`to queue ${result.queue}`);
  if (result.dnat) parts.push(`destination ${end(result.destination, result.destinationPort)}`);
  if (result.snat) parts.push(`source ${end(result.source, result.sourcePort)}`);
  if (result.masquerade) parts.push("source masqueraded");
  if (result.mark) parts.push(`mark 0x${result.mark.toString(16)}`);
  if (result.ctMarkWritten) parts.push(`connection mark 0x${result.ctMark.toString(16)}`);
  if (result.notrack) parts.push("not tracked");
  return parts.join(", ");
}

const end = (address: string, port: number): string =>
  port === 0 ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
