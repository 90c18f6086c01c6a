/** The line that `parsePacket` reads back as the same record; what goes without saying is left out. */
import { HOOK_NAMES } from "../ruleset/ruleset.js";
import { PACKET_DEFAULTS, impliedFields, type Packet } from "./packet.js";
import {
  CT_STATUSES,
  PROTOCOL_NUMBERS,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  TCP_FLAGS,
  hasPorts,
  isIcmp,
  nameOf,
} from "./packet-names.js";

export function printPacket(packet: Packet): string {
  const protocol = packet.protocol ?? PACKET_DEFAULTS.protocol;
  const words = [
    nameOf(PROTOCOL_NUMBERS, protocol) ?? String(protocol),
    end(packet, "source"),
    ">",
    end(packet, "destination"),
  ];
  const say = (word: string, value: string | number | undefined, usual?: string | number): void => {
    if (value !== undefined && value !== usual) words.push(word, String(value));
  };
  if (isIcmp(protocol)) {
    const type = packet.icmpType ?? impliedFields(packet).icmpType;
    say("type", packet.icmpCode ? `${type}/${packet.icmpCode}` : type, impliedFields(packet).icmpType);
    say("id", packet.icmpId, 0);
  }
  say("in", packet.input, "");
  say("out", packet.output, "");
  say("physin", packet.physicalInput, "");
  say("physout", packet.physicalOutput, "");
  if (HOOK_NAMES.includes(packet.path as (typeof HOOK_NAMES)[number])) say("hook", packet.path);
  if (protocol === PROTOCOL_TCP && packet.tcpFlags !== undefined && packet.tcpFlags !== impliedFields(packet).tcpFlags)
    words.push(...bitNames(TCP_FLAGS, packet.tcpFlags, "noflags"));
  if (protocol === PROTOCOL_SCTP) say("chunk", packet.chunkType, PACKET_DEFAULTS.chunkType);
  say("ctstate", packet.ctState, "NEW");
  if (packet.ctStatus) say("ctstatus", bitNames(CT_STATUSES, packet.ctStatus, "").join(","));
  say("mark", hexadecimal(packet.mark));
  say("ctmark", hexadecimal(packet.ctMark));
  say("len", packet.length, PACKET_DEFAULTS.length);
  say("frag", packet.fragmentOffset, 0);
  if (packet.moreFragments) words.push("more");
  say("fragid", packet.fragmentId, 0);
  if (packet.odd) words.push("odd");
  if (packet.headersCut) words.push("cutheaders");
  if (packet.optionsCut) words.push("cutoptions");
  say("ttl", packet.ttl, PACKET_DEFAULTS.ttl);
  say("tos", packet.tos, 0);
  if (protocol === PROTOCOL_TCP) say("mss", packet.mss);
  say("mac", packet.sourceMac);
  say("dmac", packet.destinationMac);
  say("uid", packet.uid);
  say("gid", packet.gid);
  say("groups", packet.groups?.join(","), "");
  say("socket", packet.socket?.join(","), "");
  say("skmark", packet.socketMark);
  say("cgroup", packet.cgroup);
  say("cgpath", packet.cgroupPath, "");
  say("genre", packet.genre, "");
  say("bpf", packet.programs?.join(","), "");
  if (packet.ipvs) words.push("ipvs");
  say("vaddr", packet.ipvsAddress);
  say("vport", packet.ipvsPort);
  say("vmethod", packet.ipvsMethod);
  say("vportctl", packet.ipvsControlPort);
  say("zone", packet.zone, 0);
  say("priority", packet.priority, 0);
  say("pkttype", packet.type, "host");
  say("time", packet.time, 0);
  return words.join(" ");
}

function end(packet: Packet, side: "source" | "destination"): string {
  const port = packet[`${side}Port`];
  const address = packet[side];
  if (!hasPorts(packet.protocol ?? PACKET_DEFAULTS.protocol) || port === undefined) return address;
  return packet.family === "ipv4" ? `${address}:${port}` : `[${address}]:${port}`;
}

function hexadecimal(value: number | undefined): string | undefined {
  return value ? `0x${value.toString(16)}` : undefined;
}

function bitNames<Name extends string>(table: Readonly<Record<Name, number>>, bits: number, none: string): string[] {
  const names = (Object.keys(table) as Name[]).filter((name) => bits & table[name]);
  return names.length > 0 ? names : [none];
}
