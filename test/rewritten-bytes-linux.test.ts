/**
 * Every bit of a packet that has been rewritten, as u32 reads it behind the rewriting, in Linux and in the engine: one rule a bit, so
 * that counters tell the bytes, checksums among them.
 */
import { describe, expect, it } from "vitest";
import { checksum, transportChecksum } from "./oracle/checksum.js";
import { countedApart, type CountedRound, type Frame } from "./oracle/counted.js";
import { chunksRest, type Ends, errorFrame, frame, PROTOCOL_UDPLITE, segmentRest } from "./oracle/frame.js";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { trafficMissing } from "./oracle/traffic.js";
import type { Family } from "../src/ruleset/row-store.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const WORDS = 30;
/** Checksums are the packets' own business: they begin wrong, and are carried on. */
const TRACKING = "sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_checksum=0";

const ADDRESSES = {
  ipv4: { client: "198.51.100.1", server: "203.0.113.200", bound: "198.51.100.2", masked: "203.0.113.99" },
  ipv6: {
    client: "2001:db8:9::1",
    server: "2001:db8:9:1::2",
    bound: "2001:db8:5050:1111::9",
    masked: "2001:db8:9::99",
  },
} as const;

const readers = (chain: string): string[] =>
  Array.from({ length: WORDS * 32 }, (_, bit) => {
    const mask = `0x${(2 ** (bit % 32)).toString(16)}`;
    return `-A ${chain} -m u32 --u32 "${4 * Math.floor(bit / 32)}&${mask}=${mask}"`;
  });

const table = (name: string, chains: string, rules: readonly string[]): string =>
  `*${name}\n${chains
    .split(" ")
    .map((chain) => `:${chain} ACCEPT [0:0]\n`)
    .join("")}${rules.map((rule) => `${rule}\n`).join("")}COMMIT\n`;

const ALL = "PREROUTING INPUT FORWARD OUTPUT POSTROUTING";
const NAT = "PREROUTING INPUT OUTPUT POSTROUTING";

function round(family: Family, mangling: readonly string[], nat: readonly string[], frames: readonly Frame[]) {
  return {
    family,
    text:
      table("nat", NAT, nat) + table("mangle", ALL, [...mangling, ...readers("FORWARD"), ...readers("POSTROUTING")]),
    frames,
    setup: TRACKING,
    options: { connections: 256, sysctls: { tcp_be_liberal: 1 } },
  } satisfies CountedRound;
}

/** What comes behind the ports, or the identifier; sums are as wrong as it pleases. */
const RESTS: Readonly<Record<number, string>> = {
  [PROTOCOL_TCP]: segmentRest({ flags: 2, sequence: 7, ack: 0, window: 900, options: "020405b40402080a", data: 4 }),
  [PROTOCOL_UDP]: "000c1234deadbeef",
  [PROTOCOL_UDPLITE]: "00004321cafe",
  [PROTOCOL_SCTP]: chunksRest(0, [[1, 0, 77]]),
  [PROTOCOL_ICMP]: "00010203",
  [PROTOCOL_ICMPV6]: "00010203",
};

function opening(family: Family, protocol: number): { ends: Ends; bytes: Buffer } {
  const { client, server } = ADDRESSES[family];
  const request = protocol === PROTOCOL_ICMP ? 8 << 8 : protocol === PROTOCOL_ICMPV6 ? 128 << 8 : 443;
  const ends = { source: client, destination: server, sourcePort: 4321, destinationPort: request };
  return { ends, bytes: frame(family, protocol, ends, RESTS[protocol] ?? "") };
}

/** An ICMP message with its checksum: NAT drops an error whose own is wrong. */
function summed(family: Family, bytes: Buffer): Buffer {
  const [header, sum] =
    family === "ipv4" ? [20, checksum(bytes.subarray(20))] : [40, transportChecksum(bytes, PROTOCOL_ICMPV6)];
  bytes.writeUInt16BE(sum, header + 2);
  return bytes;
}

/** The first packet of a connection that is bound to another server and behind another address, and an error about it. */
function bound(family: Family, protocol: number): CountedRound {
  const { bound: server, masked, client } = ADDRESSES[family];
  const { ends, bytes } = opening(family, protocol);
  const sent = frame(family, protocol, { ...ends, source: masked, destination: server }, RESTS[protocol] ?? "");
  const kind = family === "ipv4" ? (3 << 8) | 1 : (1 << 8) | 3;
  const error = { source: server, destination: masked, sourcePort: 0, destinationPort: kind };
  const errors = [sent, sent.subarray(0, -4)].map((quoted) => summed(family, errorFrame(family, error, quoted)));
  return round(
    family,
    ["-A PREROUTING -j TOS --set-tos 0x28/0xff"],
    [
      `-A PREROUTING -s ${client} -j DNAT --to-destination ${server}`,
      `-A POSTROUTING -s ${client} -j SNAT --to-source ${masked}`,
    ],
    [{ device: "eth0", bytes }, ...errors.map((one) => ({ device: "eth1", bytes: one }))],
  );
}

const segments = (family: Family, options: string, data: number): Frame => ({
  device: "eth0",
  bytes: frame(
    family,
    PROTOCOL_TCP,
    opening(family, PROTOCOL_TCP).ends,
    segmentRest({ flags: 0xc2, sequence: 7, ack: 0, window: 900, options, data }),
  ),
});

/**
 * Where the size lies at an odd place, Linux adds it to the checksum as if it lay at an even one; what is stripped afterwards leaves
 * that in its checksum, and not in the engine's, which compares what is with what came.
 */
const ODD_PLACE = "01020405b4010101";
/** TCP's options; of the last there are none. */
const OPTIONS = ["020405b4", ODD_PLACE, "0402080a00000001000000020303070002040101", "01010108", ""];
const MANGLING = [
  ["-A PREROUTING -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000"],
  ["-A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options mss,timestamp"],
  [
    "-A PREROUTING -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000",
    "-A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options mss,wscale",
    "-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 500",
  ],
];

const ROUNDS: CountedRound[] = (["ipv4", "ipv6"] as const).flatMap((family) => [
  ...[
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    PROTOCOL_UDPLITE,
    PROTOCOL_SCTP,
    family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
  ].map((protocol) => bound(family, protocol)),
  ...MANGLING.flatMap((rules) =>
    OPTIONS.filter((options) => rules.length === 1 || options !== ODD_PLACE).flatMap((options) =>
      [0, 5].map((data) =>
        round(
          family,
          [...rules, ...(family === "ipv4" ? ["-A PREROUTING -p tcp -j ECN --ecn-tcp-remove"] : [])],
          [],
          [segments(family, options, data)],
        ),
      ),
    ),
  ),
]);

describe("bytes are what rewriting has made of them", () => {
  it.skipIf(missing)(
    `bit by bit, as Linux has them${skipped}`,
    () => {
      const { apart, counting, rules } = countedApart(ROUNDS, /^mangle (FORWARD|POSTROUTING) /);
      expect(apart.map((one) => one.split("\n")[0])).toEqual([]);
      expect(counting).toBeGreaterThan(rules / 20);
    },
    120_000,
  );
});
