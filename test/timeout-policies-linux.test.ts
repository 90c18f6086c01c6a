/** Policies of timeouts beside the machine's own kernel: what nfct makes and lists, which rules load, how long connections live. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { listTimeoutPolicies, POLICY_TIMEOUTS, type TimeoutPolicy } from "../src/engine/timeout-policies.js";
import { printTimeoutPolicies, readTimeoutPolicies } from "../src/engine/timeout-policy-text.js";
import type { Family } from "../src/ruleset/row-store.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { deleteTimeoutPolicy } from "../src/update/delete-timeout-policy.js";
import { Updater } from "../src/update/updater.js";
import { PROTOCOL_DCCP, PROTOCOL_GRE, PROTOCOL_UDPLITE, chunksRest, segmentRest } from "./oracle/frame.js";
import { Host } from "./oracle/host.js";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_SCTP, PROTOCOL_TCP, PROTOCOL_UDP } from "./oracle/packet.js";
import { Random } from "./oracle/random.js";
import { randomTalks } from "./oracle/random-talk.js";
import { LAN, type Opening, type Step, talkOnLinux, type TalkRound } from "./oracle/talk.js";
import { differencesOnLinux, firstDifference } from "./oracle/talk-difference.js";
import { policiesOf, policyWords, POLICY_RULES, rawTable } from "./oracle/timeout-policies.js";
import { trafficMissing } from "./oracle/traffic.js";
import { run } from "./run.js";
import { setting } from "./setting.js";

const missing = trafficMissing() ?? (run("which", ["nfct"]).status === 0 ? undefined : "needs nfct");
const skipped = missing ? ` (skipped: ${missing})` : "";

const ROUNDS = setting("ROUNDS", 24);
const FIRST = setting("SEED", 0);

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];
type Said = Omit<Step, "talk">;

/** A segment of either end; each flag counts as data does. */
function tcp(...said: readonly (readonly [answer: boolean, flags: number])[]): Said[] {
  const next = [1000, 5000];
  return said.map(([answer, flags]) => {
    const [own, other] = answer ? [1, 0] : [0, 1];
    const sequence = next[own] as number;
    const ack = flags & ACK ? (next[other] as number) : 0;
    if (flags & (SYN | FIN)) next[own] = sequence + 1;
    return { answer, rest: segmentRest({ flags, sequence, ack, window: 5000, options: "", data: 0 }) };
  });
}

const sctp = (...said: readonly (readonly [answer: boolean, type: number])[]): Said[] =>
  said.map(([answer, type]) => ({
    answer,
    rest: chunksRest(type === 1 ? 0 : answer ? 7 : 8, [[type, 0, answer ? 8 : 7]]),
  }));

const plain = (rest: string, ...answers: readonly boolean[]): Said[] => answers.map((answer) => ({ answer, rest }));
const OPENED = [
  [false, SYN],
  [true, SYN | ACK],
  [false, ACK],
] as const;

const DATA: Said = {
  answer: false,
  rest: segmentRest({ flags: ACK, sequence: 1001, ack: 5001, window: 5000, options: "", data: 100 }),
};
/** Two seconds after it began an exchange of UDP is a stream. */
const LATER = { shell: "sleep 2.1", engine: () => undefined };

/** Conversations that pass every state that can be reached; each is held to Linux after every step. */
const CONVERSATIONS: readonly (readonly [protocol: number | "echo", steps: readonly Said[]])[] = [
  [PROTOCOL_TCP, tcp(...OPENED, [true, ACK], [false, FIN | ACK], [true, ACK], [true, FIN | ACK], [false, ACK])],
  [PROTOCOL_TCP, tcp(...OPENED, [true, FIN | ACK], [false, ACK], [false, FIN | ACK], [true, ACK], [false, SYN])],
  [PROTOCOL_TCP, tcp(...OPENED, [true, ACK], [false, RST | ACK])],
  [PROTOCOL_TCP, tcp([false, SYN], [true, RST | ACK])],
  [PROTOCOL_TCP, tcp([false, SYN], [true, SYN], [false, SYN | ACK], [true, SYN | ACK])],
  [PROTOCOL_TCP, [...tcp([false, SYN], [true, SYN]), ...tcp([false, SYN])]],
  [PROTOCOL_TCP, tcp([false, ACK], [false, ACK], [true, ACK])],
  // Sent again and again without an answer: RETRANS.
  [PROTOCOL_TCP, [...tcp(...OPENED, [true, ACK]), ...new Array<Said>(5).fill(DATA)]],
  [PROTOCOL_SCTP, sctp([false, 1], [true, 2], [false, 10], [true, 11], [false, 0], [false, 7], [true, 8], [false, 14])],
  [PROTOCOL_SCTP, sctp([false, 1], [true, 2], [false, 10], [true, 11], [true, 7], [false, 8], [true, 14])],
  [PROTOCOL_SCTP, sctp([false, 4], [true, 5])],
  [PROTOCOL_UDP, [...plain("00080000", false, true), { answer: false, rest: "00080000", first: LATER }]],
  [PROTOCOL_UDPLITE, plain("00001234", false, true, false)],
  [PROTOCOL_GRE, plain("0000080000000000", false, true, false)],
  [PROTOCOL_DCCP, plain("13880050".padEnd(32, "0"), false, true)],
  ["echo", plain("00".repeat(8), false, true)],
];

/** Linux has a nat table in any case, which counts; and tracks nothing once no rule asks for it. */
const TEXT = `${rawTable(...POLICY_RULES).replace(/COMMIT\n$/, "-A OUTPUT -m conntrack --ctstate NEW\nCOMMIT\n")}*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
`;

function conversations(family: Family): TalkRound[] {
  const [source, destination] = family === "ipv4" ? ["10.0.0.9", "198.51.100.7"] : ["fd00:1::9", "2001:db8:7::7"];
  const echo = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  return CONVERSATIONS.flatMap(([named, steps]) => {
    const protocol = named === "echo" ? echo : named;
    const hasPorts = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_UDPLITE].includes(protocol);
    const opening: Opening = {
      protocol,
      device: LAN,
      source: source as string,
      destination: destination as string,
      sourcePort: hasPorts || named === "echo" ? 4000 : 0,
      destinationPort: named === "echo" ? (family === "ipv4" ? 8 : 128) << 8 : hasPorts ? 80 : 0,
    };
    return steps.map((_, i) => ({
      family,
      text: TEXT,
      openings: [opening],
      steps: steps.slice(0, i + 1).map((step) => ({ talk: 0, ...step })),
      sysctls: { tcp_be_liberal: 0, acct: 0, tcp_loose: 1 },
      timeoutPolicies: policiesOf(family),
      bytes: true,
    }));
  });
}

/** Seconds of each state that was seen; nfct knows nothing of HEARTBEAT_SENT, which has what Linux has. */
const STATES = {
  tcp: "CLOSE 170, CLOSE_WAIT 140, ESTABLISHED 190, ESTABLISHED 210, ESTABLISHED 230, FIN_WAIT 130, LAST_ACK 150, SYN_RECV 120, SYN_SENT 110, SYN_SENT2 110, SYN_SENT2 180, TIME_WAIT 160",
  sctp: "CLOSED 310, COOKIE_ECHOED 330, COOKIE_WAIT 320, ESTABLISHED 340, HEARTBEAT_SENT 30, SHUTDOWN_ACK_SENT 370, SHUTDOWN_RECD 360, SHUTDOWN_SENT 350",
  udp: "410, 420",
  udplite: "430, 440",
  gre: "510, 520",
};

/** Random talks through a router whose rules give some connections policies, of random timeouts. */
function randomRound(seed: number): TalkRound {
  const random = new Random(seed);
  const family = seed % 2 === 0 ? "ipv4" : "ipv6";
  const round = randomTalks(random, family);
  const timeoutPolicies = policiesOf(family).map((policy) => ({
    ...policy,
    timeouts: Object.fromEntries(Object.keys(policy.timeouts).map((name) => [name, random.between(100, 900)])),
  }));
  const rules = random.some(POLICY_RULES).map((rule) => `${rule}${random.pick(["", "", " --zone 3"])}\n`);
  const text = round.text.replace(/(?<=\*raw\n:PREROUTING .*\n:OUTPUT .*\n)/, rules.join(""));
  return { ...round, text, timeoutPolicies };
}

describe("policies of timeouts", () => {
  it.skipIf(missing).each(["ipv4", "ipv6"] as const)(
    `give connections of %s in every state the seconds that Linux gives them${skipped}`,
    (family) => {
      const rounds = conversations(family);
      const outcomes = talkOnLinux(rounds);
      const found = rounds.flatMap((round, i) => firstDifference(i, round, outcomes[i]) ?? []);
      expect(found.length, [...found.map((one) => one.split("\n")[0]), found[0]].join("\n")).toBe(0);
      const lines = outcomes.flatMap((outcome) => (typeof outcome === "string" ? outcome : outcome.connections));
      for (const [protocol, states] of Object.entries(STATES)) {
        // Rounded up, as it is some time since the last packet.
        const seen = lines.flatMap((line) => {
          const [, name, seconds, state = ""] = /^(\S+) +\d+ (\d+) ([A-Z]\w+ )?/.exec(line) ?? [];
          return name === protocol ? `${state}${Math.ceil(Number(seconds) / 10) * 10}` : [];
        });
        expect([...new Set(seen)].sort().join(", "), protocol).toBe(states);
      }
    },
    600_000,
  );

  it.skipIf(missing)(
    `give connections of random talks the seconds that Linux gives them${skipped}`,
    () => {
      const rounds = Array.from({ length: ROUNDS }, (_, i) => randomRound(FIRST + i));
      const found = differencesOnLinux(FIRST, rounds);
      expect(found.length, [...found.map((one) => one.split("\n")[0]), found[0]].join("\n")).toBe(0);
    },
    60_000 + 2000 * ROUNDS,
  );

  it.skipIf(missing)(
    `that are deleted leave connections to the settings, but for those of GRE, as on Linux${skipped}`,
    () => {
      const first = {
        shell: "iptables-legacy -t raw -F; nfct delete timeout udp; nfct delete timeout gre; nfct delete timeout tcp",
        engine: (engine: Engine) => {
          expect(() => deleteTimeoutPolicy(engine, "udp")).toThrow();
          new Updater(engine, { strategy: "incremental" }).update({ batch: "*raw\n-F\nCOMMIT\n" });
          for (const name of ["udp", "gre", "tcp"]) deleteTimeoutPolicy(engine, name);
        },
      };
      const all = conversations("ipv4");
      const whole = [PROTOCOL_UDP, PROTOCOL_GRE, PROTOCOL_TCP].map(
        (protocol) => all.filter(({ openings, steps }) => openings[0]?.protocol === protocol && steps.length === 3)[0],
      ) as TalkRound[];
      const rounds = whole.flatMap((round) =>
        [1, 2].map((at) => ({ ...round, steps: round.steps.map((step, i) => (i === at ? { ...step, first } : step)) })),
      );
      // iptables-legacy has forgotten what policies of chains have counted.
      const outcomes = talkOnLinux(rounds).map((one) =>
        typeof one === "string" ? one : { ...one, counters: new Map() },
      );
      expect(rounds.flatMap((round, i) => firstDifference(i, round, outcomes[i]) ?? [])).toEqual([]);
    },
    120_000,
  );

  it.skipIf(missing)(
    `may be named by the rules that may name them on Linux${skipped}`,
    () => {
      const protocols = ["tcp", "udp", "udplite", "sctp", "dccp", "gre", "esp", "icmp", "ipv6-icmp", "255"];
      const names = [...policiesOf("ipv4").map(({ name }) => name), "none"];
      const rules = protocols.flatMap((protocol) => names.map((name) => `-p ${protocol} -j CT --timeout ${name}`));
      rules.push("-j CT --notrack --timeout none", "-j CT --timeout tcp", "! -p tcp -j CT --timeout tcp");
      for (const family of ["ipv4", "ipv6"] as const)
        for (const tool of ["ipv4", "ipv6"] as const) {
          const program = `${tool === "ipv4" ? "iptables" : "ip6tables"}-legacy -t raw`;
          const made = policiesOf(family).map((policy) => `nfct add timeout ${policyWords(policy)}`);
          const tried = rules.map((rule) => `${program} -A PREROUTING ${rule} 2>&- && echo ${rule}; ${program} -F`);
          const { stdout } = run("unshare", ["--net", "sh"], { input: [...made, ...tried, ""].join("\n") });
          const loads = rules.filter((rule) => {
            try {
              new Host(rawTable(`-A PREROUTING ${rule}`), { timeoutPolicies: policiesOf(family) }, tool);
              return true;
            } catch (error) {
              if (!(error instanceof RulesetError)) throw error;
              return false;
            }
          });
          expect(loads, `${family} policies, ${program}`).toEqual(stdout.split("\n").filter(Boolean));
        }
    },
    300_000,
  );

  it.skipIf(missing)(`read as nfct lists them, with the timeouts that are not said${skipped}`, () => {
    const random = new Random(FIRST);
    const policies = Array.from({ length: 40 }, (_, i): TimeoutPolicy => {
      const [protocol, known] = random.pick(Object.entries(POLICY_TIMEOUTS));
      const timeouts = random.some(Object.keys(known)).map((name) => [name, random.below(2_000_000)] as const);
      const family = random.pick(["ipv4", "ipv6"] as const);
      return { name: `policy-${i}`, family, protocol: Number(protocol), timeouts: Object.fromEntries(timeouts) };
    });
    const made = policies.map((policy) => `nfct add timeout ${policyWords(policy)}`);
    const { stdout } = run("unshare", ["--net", "sh"], { input: [...made, "nfct list timeout", ""].join("\n") });
    const listOf = (timeoutPolicies: readonly TimeoutPolicy[]): string =>
      printTimeoutPolicies(listTimeoutPolicies(Engine.create({ connections: 1, timeoutPolicies })));
    expect(listOf(policies)).toBe(stdout);
    expect(listOf(readTimeoutPolicies(stdout))).toBe(stdout);
  });
});
