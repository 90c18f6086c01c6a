/** Matches and targets that few rulesets have, on real packets: what their rules count in Linux and in an engine. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { encodeKnown } from "../src/netfilter/packet-known.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";
import type { Family } from "../src/ruleset/row-store.js";
import { countedApart, type CountedRound, type Frame, mangle } from "./oracle/counted.js";
import { frame, type Ends } from "./oracle/frame.js";
import { randomProgram } from "./oracle/random-program.js";
import { randomSystem, synOf } from "./oracle/random-system.js";
import { Random } from "./oracle/random.js";
import { readCounters, trafficMissing, WAY_OUT } from "./oracle/traffic.js";
import { run } from "./run.js";
import { temporaryFolder } from "./temporary-folder.js";

const missing = trafficMissing();
const skipped = missing ? ` (skipped: ${missing})` : "";
const WATCHED = /^mangle (PREROUTING|FORWARD) [1-9]/;
const UDP = 17;
const FAMILIES = ["ipv4", "ipv6"] as const;
const ENDS: Readonly<Record<Family, readonly [string, string]>> = {
  ipv4: ["198.51.100.1", "203.0.113.200"],
  ipv6: ["2001:db8:9::1", "2001:db9::ff"],
};

/** A datagram of flow `flow`, or its answer. */
function datagram(family: Family, flow: number, answer = false): Frame {
  const [source, destination] = ENDS[family];
  const there: Ends = { source, destination, sourcePort: 1000 + flow, destinationPort: 53 };
  const back: Ends = { source: destination, destination: source, sourcePort: 53, destinationPort: 1000 + flow };
  // Length of 8 without a checksum.
  return { device: answer ? WAY_OUT : "eth0", bytes: frame(family, UDP, answer ? back : there, "00080000") };
}

/** Where control groups are one tree, "" where that is not known. */
const UNIFIED = existsSync("/proc/mounts")
  ? (/^cgroup2 (\S+) cgroup2 rw/m.exec(readFileSync("/proc/mounts", "utf8"))?.[1] ?? "")
  : "";

const hit = ({ counting, rules }: { counting: number; rules: number }): boolean => counting > rules / 8;

/** Whether the parser takes it. */
function readsBack(text: string, family: Family = "ipv4"): boolean {
  try {
    parseRuleset(text, { family });
    return true;
  } catch (error) {
    if (error instanceof RulesetError) return false;
    throw error;
  }
}

describe("Linux and an engine", () => {
  it.skipIf(missing)(`find the same labels on connections${skipped}`, () => {
    const rounds = Array.from({ length: 28 }, (_, seed): CountedRound => {
      const random = new Random(seed);
      const family = random.pick(FAMILIES);
      const rules = Array.from({ length: 24 }, () => {
        const label = random.pick([0, 1, 31, 32, 63, 64, 127]);
        const flow = random.chance(0.5) ? `-p udp --sport ${1000 + random.below(4)} ` : "";
        const set = random.chance(0.4) ? " --set" : "";
        const chain = random.pick(["PREROUTING", "FORWARD"]);
        return `-A ${chain} ${flow}-m connlabel ${random.chance(0.3) ? "! " : ""}--label ${label}${set}`;
      });
      const untracked = random.chance(0.3) ? "-A PREROUTING -p udp --sport 1001 -j CT --notrack\n" : "";
      const raw = `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${untracked}COMMIT\n`;
      const frames = Array.from({ length: 40 }, () => datagram(family, random.below(6), random.chance(0.4)));
      return { family, text: raw + mangle(...rules), frames };
    });
    const outcome = countedApart(rounds, WATCHED);
    expect(outcome.apart.length, outcome.apart[0]).toBe(0);
    expect(hit(outcome)).toBe(true);
  });

  it.skipIf(missing || UNIFIED === "")(
    `ask the same of a sending socket's user, groups and control group${skipped || (UNIFIED === "" ? " (skipped: needs cgroup2)" : "")}`,
    () => {
      const top = `ruleswap-test-${process.pid}`;
      const cgroup = `${top}/a.slice`;
      const paths = ["/", top, `/${top}//a.slice/`, `${cgroup}`].map((path) => `-m cgroup --path ${path}`);
      const ids = ["--uid-owner 1000", "! --uid-owner 0-999", "--gid-owner 27", "--gid-owner 27 --suppl-groups"];
      const more = ["! --gid-owner 20-30 --suppl-groups", "--gid-owner 100", "--gid-owner 5-23 --suppl-groups"];
      const classes = ["--cgroup 0", "! --cgroup 0", "--cgroup 5"].map((one) => `-m cgroup ${one}`);
      const inverted = paths.map((path) => path.replace("--path", "! --path"));
      const conditions = [...paths, ...inverted, ...classes, ...[...ids, ...more].map((one) => `-m owner ${one}`)];
      const text = mangle(...conditions.map((condition) => `-A OUTPUT -p udp --dport 9 ${condition}`));
      const owner = { uid: 1000, gid: 100, groups: [4, 24, 27] };
      const script = fileURLToPath(new URL("oracle/sender.py", import.meta.url));
      const { stdout, stderr } = run("unshare", ["--net", "python3", script], {
        input: JSON.stringify({ text, ...owner, cgroup, root: `${UNIFIED}/` }),
      });
      const linux = readCounters(stdout);
      const engine = Engine.create();
      new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family: "ipv4" }));
      const reader = new Reader(engine, 0);
      const pool = reader.allocate(1);
      const packet = {
        ...parsePacket("udp 127.0.0.1:40000 > 127.0.0.1:9 out lo len 29"),
        ...owner,
        cgroupPath: cgroup,
      };
      pool.set(0, encodePacket(packet));
      pool.setKnown(0, encodeKnown(packet) as Uint8Array);
      reader.match(pool, 0, 1);
      const ours = readCounters(printRuleset(engine.readRuleset()[0] as Ruleset, { counters: true }));
      const counts = (from: Map<string, string>) => conditions.map((_, nth) => from.get(`mangle OUTPUT ${nth + 1}`));
      expect(counts(ours), stderr).toEqual(counts(linux));
      expect(counts(linux).filter((count) => count === "1:29")).toHaveLength(9);
    },
  );

  it.skipIf(missing)(`run the same programs of bpf${skipped}`, () => {
    const rounds = Array.from({ length: 28 }, (_, seed): CountedRound => {
      const random = new Random(seed);
      const family = random.pick(FAMILIES);
      const rules: string[] = [];
      while (rules.length < 40) {
        const rule = `-A PREROUTING -m bpf --bytecode "${randomProgram(random)}"`;
        if (readsBack(mangle(rule), family)) rules.push(rule);
      }
      const frames = Array.from({ length: 20 }, () => datagram(family, random.below(20), random.chance(0.4)));
      return { family, text: mangle(...rules), frames };
    });
    const outcome = countedApart(rounds, WATCHED);
    expect(outcome.apart.length, outcome.apart[0]).toBe(0);
    expect(hit(outcome)).toBe(true);
  });

  it.skipIf(missing)(`take the same programs of bpf${skipped}`, () => {
    const random = new Random(7);
    const programs = Array.from({ length: 200 }, () => randomProgram(random, 60));
    const script =
      'while read -r program; do iptables-legacy -A INPUT -m bpf --bytecode "$program" && echo yes || echo no; done';
    const { stdout } = run("unshare", ["--net", "bash", "-c", script], {
      input: programs.map((program) => `${program}\n`).join(""),
    });
    const theirs = stdout.trim().split("\n");
    const apart = programs.filter(
      (program, nth) => readsBack(mangle(`-A INPUT -m bpf --bytecode "${program}"`)) !== (theirs[nth] === "yes"),
    );
    expect(apart).toEqual([]);
    expect(theirs.filter((answer) => answer === "yes").length).toBeGreaterThan(40);
    expect(theirs.filter((answer) => answer === "no").length).toBeGreaterThan(40);
  });

  it.skipIf(missing)(`match beyond the same quotas of nfacct${skipped}`, () => {
    const script = fileURLToPath(new URL("oracle/nfacct.py", import.meta.url));
    const rounds = Array.from({ length: 10 }, (_, seed): CountedRound => {
      const random = new Random(seed);
      // Objects outlive a round: every one has its own.
      const names = Array.from({ length: 4 }, (_, nth) => `object-${seed}-${nth}`);
      const objects = names.map((name) => {
        if (random.chance(0.2)) return { name };
        const of = random.pick(["packets", "bytes"] as const);
        return { name, quota: { of, limit: BigInt(random.below(of === "packets" ? 20 : 600)) } };
      });
      const made = objects.map(({ name, quota }) => (quota ? `${name}=${quota.of}:${quota.limit}` : name));
      const rules = Array.from({ length: 12 }, () => {
        const flow = random.chance(0.5) ? `-p udp --sport ${1000 + random.below(4)} ` : "";
        return `-A ${random.pick(["PREROUTING", "FORWARD"])} ${flow}-m nfacct --nfacct-name ${random.pick(names)}`;
      });
      const frames = Array.from({ length: 30 }, () => datagram("ipv4", random.below(6), random.chance(0.4)));
      const setup = `python3 ${script} ${made.join(" ")}`;
      return { family: "ipv4", text: mangle(...rules), setup, options: { accounting: objects }, frames };
    });
    const outcome = countedApart(rounds, WATCHED);
    expect(outcome.apart.length, outcome.apart[0]).toBe(0);
    expect(hit(outcome)).toBe(true);
  });

  it.skipIf(missing)(`estimate rates of one size${skipped}`, () => {
    const conditions = [20, 1000].flatMap((pps) => [
      `--rateest-gt --rateest-pps ${pps}`,
      `! --rateest-lt --rateest-pps ${pps}`,
    ]);
    const rates = ["5kbit", "1mbit"].flatMap((bps) => [
      `--rateest-lt --rateest-bps ${bps}`,
      `--rateest-gt --rateest-bps ${bps}`,
    ]);
    const rest = [
      "--rateest-delta --rateest-pps1 1000 --rateest-gt --rateest-pps2 500",
      "--rateest-eq --rateest-pps --rateest-bps --rateest2 one",
      "--rateest-gt --rateest-pps --rateest2 two",
    ];
    const estimator = (name: string, port: number) =>
      `-A PREROUTING -p udp --sport ${port} -j RATEEST --rateest-name ${name} --rateest-interval 250ms --rateest-ewmalog 500ms`;
    const asked = [...conditions, ...rates, ...rest].map(
      (condition) =>
        `-A PREROUTING -p udp --sport 1001 -m rateest --rateest${/rateest2 /.test(condition) ? "1" : ""} one ${condition}`,
    );
    const text = mangle(estimator("one", 1000), estimator("two", 1002), ...asked);
    const frames = Array.from({ length: 80 }, () => ({ ...datagram("ipv4", 0), wait: 10 }));
    const outcome = countedApart([{ family: "ipv4", text, frames: [...frames, datagram("ipv4", 1)] }], WATCHED);
    expect(outcome.apart.length, outcome.apart[0]).toBe(0);
    expect(outcome.counting).toBe(8);
  });

  const noSystems = missing ?? (existsSync("/usr/sbin/nfnl_osf") ? undefined : "needs nfnl_osf");
  it.skipIf(noSystems)(`know the same systems by their SYN${noSystems ? ` (skipped: ${noSystems})` : ""}`, () => {
    const file = join(temporaryFolder(), "pf.os");
    const random = new Random(11);
    const systems = Array.from({ length: 60 }, (_, nth) => randomSystem(random, nth));
    const fingerprints = systems.map(({ line }) => `${line}\n`).join("");
    writeFileSync(file, `# systems\n${fingerprints}`);
    const rounds = Array.from({ length: 20 }, (): CountedRound => {
      const rules = Array.from({ length: 24 }, () => {
        const ttl = random.pick(["", " --ttl 0", " --ttl 1", " --ttl 2"]);
        const log = random.chance(0.1) ? ` --log ${random.below(3)}` : "";
        const genre = `${random.chance(0.2) ? "! " : ""}--genre ${random.pick(["Linux", "Windows", "BSD", "None"])}`;
        return `-A ${random.pick(["PREROUTING", "FORWARD"])} -p tcp -m osf ${genre}${ttl}${log}`;
      });
      const frames = Array.from({ length: 30 }, () => ({ device: "eth0", bytes: synOf(random.pick(systems), random) }));
      return {
        family: "ipv4",
        text: mangle(...rules),
        setup: `nfnl_osf -f ${file} 2>/dev/null`,
        options: { fingerprints },
        frames,
      };
    });
    const outcome = countedApart(rounds, WATCHED);
    expect(outcome.apart.length, outcome.apart[0]).toBe(0);
    expect(hit(outcome)).toBe(true);
  });
});
