/** SYNPROXY where packets' bytes are not known, and what an engine asks for. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { decodePacket, encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { printPacket } from "../src/netfilter/packet-print.js";
import { decodeResult } from "../src/netfilter/result.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";

const RULES = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -j CT --notrack
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --mss 1400 --sack-perm
-A FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
`;
const CLIENT = "tcp 10.0.0.9:4000 > 198.51.100.5:80 in lan0 out wan0";
const SERVER = "tcp 198.51.100.5:80 > 10.0.0.9:4000 in wan0 out lan0";

function load(connections: number): Engine {
  const engine = Engine.create({ connections, sysctls: { tcp_loose: 0 } });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(RULES, { family: "ipv4" }));
  return engine;
}

describe("SYNPROXY", () => {
  it("is refused by an engine that tracks no connections", () => {
    expect(() => load(0)).toThrow(expect.objectContaining({ code: "unsupported-rule" }));
  });

  it("stands in for a server, the bytes of whose packets are not known", () => {
    const way: readonly (readonly [packet: string, verdict: string, ...sent: string[]])[] = [
      [`${CLIENT} syn mss 1460`, "STOLEN", "tcp 198.51.100.5:80 > 10.0.0.9:4000 out lan0 syn ack len 44 mss 1400"],
      [`${CLIENT} rst`, "DROP"],
      [`${CLIENT} ack`, "STOLEN", "tcp 10.0.0.9:4000 > 198.51.100.5:80 out wan0 len 44 mss 536"],
      [
        `${SERVER} syn ack mss 1460`,
        "STOLEN",
        "tcp 10.0.0.9:4000 > 198.51.100.5:80 out wan0 ack len 40",
        "tcp 198.51.100.5:80 > 10.0.0.9:4000 out lan0 ack len 40",
      ],
      [`${CLIENT} ack`, "ACCEPT"],
      [`${SERVER} ack`, "ACCEPT"],
    ];
    const reader = new Reader(load(8), 0);
    const listener = reader.listen();
    const pool = reader.allocate(1);
    const came = way.map(([packet]) => {
      pool.set(0, encodePacket(parsePacket(packet)));
      reader.match(pool, 0, 1);
      const sent = listener.take().map(({ packet: own }) => {
        const { path: _, ...fields } = decodePacket(own);
        return printPacket({ ...fields, ctState: "NEW", ctStatus: 0, tcpOptions: 0 });
      });
      return [packet, decodeResult(pool.result(0), "ipv4").verdict, ...sent];
    });
    expect(came).toEqual(way);
  });
});
