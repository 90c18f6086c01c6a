/** How long connections live by policies of timeouts. */
import { describe, expect, it } from "vitest";
import { expectConnection } from "../src/netfilter/connections.js";
import { Updater } from "../src/update/updater.js";
import { Host } from "./oracle/host.js";
import { policiesOf, policyOf, POLICY_RULES, rawTable, routerWith } from "./oracle/timeout-policies.js";

const ALL = policiesOf("ipv4");
const UDP_RULE = POLICY_RULES[2] as string;

/** A packet of the opener, or what answers it. */
const ports = (protocol: number | string, rest = "") =>
  `${protocol} 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 ${rest}`;
const back = (protocol: number | string, rest = "") =>
  `${protocol} 198.51.100.7:80 > 10.0.0.9:1000 in eth0 out eth1 ${rest}`;
const bare = (protocol: number | string) => `${protocol} 10.0.0.9 > 198.51.100.7 in eth1 out eth0`;
const bareBack = (protocol: number | string) => `${protocol} 198.51.100.7 > 10.0.0.9 in eth0 out eth1`;

const OPENED = [
  [ports("tcp", "syn"), 110],
  [back("tcp", "syn ack"), 120],
  [ports("tcp", "ack"), 230],
] as const;

/** Seconds that are left to the only connection at a time. */
const seconds = (host: Host, now = 0): number =>
  Number(/^\S+ +\d+ (\d+)/.exec(host.list(now)[0] ?? "")?.[1] ?? Number.NaN);

describe("a connection with a policy of timeouts", () => {
  it.each<[string, readonly (readonly [string, number])[]]>([
    [
      "TCP, its opener closing",
      [
        [ports("tcp", "syn"), 110],
        [back("tcp", "syn ack"), 120],
        [ports("tcp", "ack"), 230],
        [ports("tcp", "fin ack"), 130],
        [back("tcp", "ack"), 140],
        [back("tcp", "fin ack"), 150],
        [ports("tcp", "ack"), 160],
        [back("tcp", "rst"), 170],
      ],
    ],
    [
      "TCP, both opening at once",
      [
        [ports("tcp", "syn"), 110],
        [back("tcp", "syn"), 110],
        [ports("tcp", "syn"), 180],
      ],
    ],
    ["TCP, reset", [...OPENED, [ports("tcp", "rst"), 170]]],
    ["TCP, picked up in its middle and never answered", [[ports("tcp", "ack"), 190]]],
    [
      "SCTP",
      [
        [ports("sctp", "chunk 1"), 310],
        [back("sctp", "chunk 2"), 320],
        [ports("sctp", "chunk 10"), 330],
        [back("sctp", "chunk 11"), 340],
        [ports("sctp", "chunk 7"), 350],
        [back("sctp", "chunk 8"), 370],
        [ports("sctp", "chunk 14"), 310],
      ],
    ],
    [
      "UDP-Lite",
      [
        [ports(136), 430],
        [back(136), 430],
        [back(136), 440],
      ],
    ],
    [
      "GRE",
      [
        [bare(47), 510],
        [bareBack(47), 510],
        [bare(47), 520],
      ],
    ],
    [
      "ICMP",
      [
        [`${bare("icmp")} type 8/0`, 610],
        [`${bareBack("icmp")} type 0/0`, 610],
      ],
    ],
    [
      "a protocol without a tracker",
      [
        [bare(33), 710],
        [bareBack(33), 710],
      ],
    ],
  ])("lives by it: %s", (_, steps) => {
    const one = routerWith();
    const left = steps.map(([packet]) => {
      one.send(packet);
      return seconds(one);
    });
    expect(left).toEqual(steps.map(([, wanted]) => wanted));
  });

  it("of UDP is a stream two seconds after it began", () => {
    const one = routerWith();
    const left = [0, 1, 2, 3].map((second) => {
      one.send(second % 2 ? back("udp") : ports("udp"), second * 1000);
      return seconds(one, second * 1000);
    });
    expect(left).toEqual([410, 410, 410, 420]);
  });

  it("is closed by its policy where the machine itself answers with a reset", () => {
    const reset = "-A FORWARD -p tcp --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset";
    const one = new Host(rawTable(...POLICY_RULES).replace(/COMMIT\n$/, `${reset}\nCOMMIT\n`), {
      timeoutPolicies: ALL,
    });
    for (const [packet] of OPENED) one.send(packet);
    expect(one.send(ports("tcp", "psh ack"))).toContain("reject");
    expect(seconds(one)).toBe(170);
  });

  it("lives by the settings for what the policy does not say, as they are when it is made", () => {
    const one = new Host(rawTable(UDP_RULE), {
      sysctls: { udp_timeout: 7, udp_timeout_stream: 9 },
      timeoutPolicies: [policyOf("udp", 17, { REPLIED: 50 })],
    });
    one.send(ports("udp"));
    expect(seconds(one)).toBe(7);
    expect(one.list(6999)).toHaveLength(1);
    expect(one.list(7000)).toEqual([]);
  });

  it("has that of the first rule that its first packet met, and keeps it", () => {
    const other = policyOf("b", 17, { UNREPLIED: 77 });
    const one = routerWith(
      [`-A PREROUTING -p udp --sport 1000 -j CT --zone 4`, "-A PREROUTING -p udp -j CT --timeout b", ...POLICY_RULES],
      [other, ...ALL],
    );
    one.send(ports("udp"));
    expect(seconds(one)).toBe(30);
    one.send(ports("udp").replace("1000", "1001"));
    new Updater(one.engine, { strategy: "full" }).update({ ruleset: rawTable(...POLICY_RULES) });
    one.send(ports("udp").replace("1000", "1001"));
    expect(
      one
        .list()
        .map((line) => line.slice(0, 14))
        .sort(),
    ).toEqual(["udp      17 30", "udp      17 77"]);
  });

  it("is also one that another expected, and one that is given a helper", () => {
    const one = routerWith(["-A PREROUTING -p udp -j CT --helper tftp --timeout udp"]);
    one.send(ports("udp"));
    expect(one.list()[0]).toMatch(/^udp +17 410 .* helper=tftp /);
    const ends = { source: "10.0.0.9", destination: "198.51.100.7", sourcePort: 1000, destinationPort: 80 };
    const master = { ...ends, protocol: 17 };
    const expected = {
      destination: "10.0.0.9",
      destinationPort: 99,
      family: "ipv4",
      protocol: 17,
      expires: 1000,
    } as const;
    expect(expectConnection(one.engine, { master, ...expected }, 0)).toBe(true);
    expect(one.send("udp 198.51.100.7:5 > 10.0.0.9:99 in eth0 out eth1")).toContain("RELATED");
    expect(one.list()[1]).toMatch(/^udp +17 410 src=198.51.100.7 /);
  });

  it("of zero seconds is over at once", () => {
    const one = routerWith(POLICY_RULES, [
      ...ALL.filter(({ name }) => name !== "udp"),
      policyOf("udp", 17, { UNREPLIED: 0 }),
    ]);
    one.send(ports("udp"));
    expect(one.list()).toEqual([]);
    expect(one.send(back("udp"))).toContain("NEW");
  });
});
