/** A host with a ruleset, and packets sent through it one by one. */
import * as L from "../../src/blob/layout.js";
import { Engine, type EngineOptions } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { listConnections } from "../../src/netfilter/connections.js";
import { encodePacket } from "../../src/netfilter/packet.js";
import { encodeKnown } from "../../src/netfilter/packet-known.js";
import { parsePacket } from "../../src/netfilter/packet-grammar.js";
import { printConnection } from "../../src/netfilter/print-connection.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { Updater } from "../../src/update/updater.js";

const VERDICTS: Readonly<Record<number, string>> = {
  [L.VERDICT_ACCEPT]: "accept",
  [L.VERDICT_DROP]: "drop",
  [L.VERDICT_REJECT]: "reject",
};
const STATES: readonly [number, string][] = [
  [L.CT_STATE_INVALID, "INVALID"],
  [L.CT_STATE_NEW, "NEW"],
  [L.CT_STATE_ESTABLISHED, "ESTABLISHED"],
  [L.CT_STATE_RELATED, "RELATED"],
  [L.CT_STATE_UNTRACKED, "UNTRACKED"],
  [L.CT_STATE_SNAT, "SNAT"],
  [L.CT_STATE_DNAT, "DNAT"],
];

export class Host {
  readonly engine: Engine;
  private readonly reader: Reader;
  private readonly pool;

  constructor(tables: string, options: EngineOptions = {}, family: Family = "ipv4") {
    this.engine = Engine.create({
      connections: 64,
      localAddresses: ["192.0.2.1 eth0", "10.0.0.1 eth1", "2001:db8::1 eth0"],
      ...options,
    });
    new Updater(this.engine, { strategy: "full" }).load(parseRuleset(tables, { family }));
    this.reader = new Reader(this.engine, 0);
    this.pool = this.reader.allocate(1);
  }

  /** "verdict SOURCE > DESTINATION STATES". */
  send(text: string, time = 0, icmpId = 0): string {
    const described = parsePacket(text);
    const packet = encodePacket(described);
    const known = encodeKnown(described);
    const view = new DataView(packet.buffer, packet.byteOffset);
    view.setUint32(L.PACKET_TIME, time, true);
    if (icmpId) view.setUint16(L.PACKET_ICMP_ID, icmpId, true);
    this.pool.set(0, packet);
    if (known) this.pool.setKnown(0, known);
    this.reader.match(this.pool, 0, 1);
    const result = this.pool.result(0);
    const end = (address: number, port: number) =>
      `${[0, 1, 2, 3].map((i) => result.getUint8(address + i)).join(".")}:${result.getUint16(port, true)}`;
    const state = result.getUint16(L.RESULT_CT_STATE, true);
    return [
      VERDICTS[result.getUint8(L.RESULT_VERDICT)],
      end(L.RESULT_SOURCE, L.RESULT_SOURCE_PORT),
      ">",
      end(L.RESULT_DESTINATION, L.RESULT_DESTINATION_PORT),
      STATES.filter(([bit]) => state & bit)
        .map(([, name]) => name)
        .join(","),
    ].join(" ");
  }

  list(now = 0): string[] {
    return listConnections(this.engine, now).map((connection) => printConnection(connection, now));
  }
}

export const OPEN = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
export const nat = (...rules: string[]) =>
  `${OPEN}*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`;
