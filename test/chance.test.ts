import { describe, expect, it } from "vitest";
import { decodeResult, encodePacket, Engine, PACKET_SIZE, parseRuleset, Reader, Updater } from "../src/index.js";

const PACKETS = 4000;
/** Nothing of UDP is left to chance. */
const RULES = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p udp -j ACCEPT
-A INPUT -m statistic --mode random --probability 0.25 -j ACCEPT
-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT
COMMIT
`;

/** Whether each packet was accepted; every `every`th is TCP, the others UDP. */
function accepted(every: number): boolean[] {
  const engine = Engine.create({ localAddresses: ["192.0.2.1 eth0"] });
  new Updater(engine, { strategy: "full" }).load(parseRuleset(RULES, { family: "ipv4" }));
  const reader = new Reader(engine, 0);
  reader.seed(3);
  const pool = reader.allocate(PACKETS);
  const packets = new Uint8Array(PACKETS * PACKET_SIZE);
  for (let nth = 0; nth < PACKETS; nth++)
    encodePacket(
      { family: "ipv4", protocol: nth % every === 0 ? 6 : 17, source: "192.0.2.2", destination: "192.0.2.1" },
      packets.subarray(nth * PACKET_SIZE, (nth + 1) * PACKET_SIZE),
    );
  pool.set(0, packets);
  reader.match(pool, 0, PACKETS);
  return Array.from({ length: PACKETS }, (_, nth) => decodeResult(pool.result(nth), "ipv4").verdict === "ACCEPT");
}

describe("what a packet draws", () => {
  const all = accepted(1);

  it("is as likely as the rules say, one draw whatever the other was", () => {
    // 1/4 and half of the rest, with five standard deviations to either side.
    const share = all.filter((one) => one).length / PACKETS;
    expect(Math.abs(share - 0.625)).toBeLessThan(5 * Math.sqrt((0.625 * 0.375) / PACKETS));
  });

  it("hangs on its own number and not on what those in front of it have drawn", () => {
    const some = accepted(3);
    expect(some.filter((_, nth) => nth % 3 === 0)).toEqual(all.filter((_, nth) => nth % 3 === 0));
  });
});
