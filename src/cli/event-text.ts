/** What rules told of a packet, and what answers it, in a line each. */
import type { PacketEvent } from "../engine/events.js";
import { decodePacket } from "../netfilter/packet.js";
import { printPacket } from "../netfilter/packet-print.js";

/** "FORWARD filter FORWARD, line 7: LOG "dropped: " level 4"; nothing of what the steps of a trace tell anyway. */
export function eventText(event: PacketEvent): string {
  if (event.kind === "TRACE") return "";
  const { hook, table, chain, line, kind } = event;
  if (kind === "SYSTEM") return `${hook} ${table}: osf: ${event.system || "not known"}`;
  return `${hook} ${table} ${chain}${line > 0 ? `, line ${line}` : ""}: ${kind} ${detail(event)}`;
}

function detail({ kind, prefix, level, group, type, packet, sequence, acknowledge }: PacketEvent): string {
  if (kind === "LOG") return `${JSON.stringify(prefix)} level ${level}`;
  if (kind === "NFLOG") return `${JSON.stringify(prefix)} group ${group}`;
  if (kind === "AUDIT") return type ?? "";
  const numbers = `${sequence === undefined ? "" : ` seq ${sequence}`}${acknowledge === undefined ? "" : ` ack ${acknowledge}`}`;
  return printPacket(decodePacket(packet)) + numbers;
}
