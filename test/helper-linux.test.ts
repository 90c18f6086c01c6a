/** What is expected of an FTP connection, read in its bytes or told through the library, beside what the kernel's own helper reads. */
import { describe, expect, it } from "vitest";
import type { Expectation } from "../src/netfilter/connections.js";
import { ACTIVE, counted, natTable, PASSIVE, type Scene, SCENES, SYN, Talk, told } from "./oracle/control-talk.js";
import { PROTOCOL_TCP } from "./oracle/packet.js";
import { LAN, type Opening, talkInEngine, talkOnLinux, type TalkRound, WAN } from "./oracle/talk.js";
import { trafficMissing } from "./oracle/traffic.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
/** As long as the helper expects a connection. */
const EXPECTED_MS = 300_000;

const TEXT = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A OUTPUT -j DROP
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A FORWARD -p tcp -m tcp --dport 21 -j CONNMARK --set-xmark 0x7/0xffffffff
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate NEW
-A FORWARD -m conntrack --ctstate RELATED
-A FORWARD -m conntrack --ctstate ESTABLISHED
-A FORWARD -m conntrack --ctstatus EXPECTED
-A FORWARD -m conntrack --ctstatus EXPECTED --ctdir REPLY
-A FORWARD -m conntrack --ctstate RELATED -m helper --helper ftp
-A FORWARD -m helper ! --helper ftp
-A FORWARD -m helper --helper ""
-A FORWARD -m connmark --mark 0x7
-A FORWARD -p tcp -m tcp --dport ${PASSIVE} -m conntrack --ctstate NEW -j DROP
COMMIT
`;

/** `read`: the engine is given bytes, and told nothing. */
function makeRound({ family, client, server, nat, active, passive }: Scene, read: boolean): TalkRound {
  const inside = client.startsWith("10.") || client.startsWith("fd");
  const other = family === "ipv4" ? "198.51.100.8" : "2001:db8:7::8";
  // Of a server behind NAT the data come from where it is.
  const behind = nat?.includes("DNAT") ? "10.0.0.80" : server;
  const between = (source: string, sourcePort: number, destination: string, destinationPort: number): Opening => ({
    protocol: PROTOCOL_TCP,
    source,
    sourcePort,
    destination,
    destinationPort,
    device: (source === client) === inside ? LAN : WAN,
  });
  const openings = [
    between(client, 1000, server, 21),
    between(behind, 20, active.to, ACTIVE),
    between(behind, 2020, active.to, ACTIVE),
    between(other, 20, active.to, ACTIVE),
    between(client, 3000, passive.to, PASSIVE),
    between(client, 3001, passive.to, PASSIVE),
  ];
  const [control, data, second, stranger, fetched, again] = openings.map((_, nth) => new Talk(nth)) as [
    Talk,
    Talk,
    Talk,
    Talk,
    Talk,
    Talk,
  ];
  const expects = (source: string, to: string, port: number, told: "original" | "reply"): Expectation => ({
    family,
    protocol: PROTOCOL_TCP,
    master: openings[0] as Opening,
    source,
    destination: to,
    destinationPort: port,
    expires: EXPECTED_MS,
    ...(nat ? { follows: { told, port } } : {}),
  });
  const expected = (expectation: Expectation) => (read ? {} : { expects: expectation });
  const steps = [
    ...control.open(),
    control.server("220 ready"),
    control.client("USER anonymous"),
    control.server("230 fine"),
    { ...control.client(active.line), ...expected(expects(behind, active.to, ACTIVE, "original")) },
    control.server("200 fine"),
    // Not from the server; then the one that is expected, which is expected once.
    stranger.say(false, SYN),
    ...data.open(),
    data.client("What was asked for."),
    second.say(false, SYN),
    control.client(family === "ipv4" ? "PASV" : "EPSV"),
    { ...control.server(passive.line), ...expected(expects(client, passive.to, PASSIVE, "reply")) },
    ...fetched.open(),
    fetched.server("What was asked for."),
    again.say(false, SYN),
  ];
  const text = TEXT.replace("*filter", natTable(nat ?? "-A POSTROUTING -j ACCEPT"));
  return { family, text, openings, steps, sysctls: { acct: 1, tcp_be_liberal: 0, tcp_loose: 1 }, bytes: read };
}

describe("a connection that FTP's ends have agreed on", () => {
  it.skipIf(missing).each(Object.keys(SCENES).flatMap((name) => [[name, "read"] as const, [name, "told"] as const]))(
    `is RELATED, once, and marked as its master, as behind the kernel's helper: %s, %s${skipped}`,
    (name, how) => {
      const round = makeRound(SCENES[name] as Scene, how === "read");
      const [linux] = talkOnLinux([round]);
      if (!linux || typeof linux === "string") throw new Error(linux);
      const ours = talkInEngine(round, linux);
      expect(ours.steps).toEqual(linux.steps);
      expect(counted(ours)).toEqual(counted(linux));
      expect(told(ours)).toEqual(told(linux));
      expect(linux.counters.get("filter FORWARD 2")).toMatch(/^2:/);
    },
  );
});
