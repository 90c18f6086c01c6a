/** The adapter to the real kernel: a namespace of its own, whatever happens. */
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { kernelAbsence } from "../src/linux/absence.js";
import { monotonicNs } from "../src/linux/resident-protocol.js";
import { KERNEL_TARGETS } from "../src/linux/kernel-targets.js";
import type { KernelTarget } from "../src/linux/kernel-target.js";
import { Namespace } from "../src/linux/namespace.js";
import type { Family } from "../src/ruleset/row-store.js";
import { docker } from "../src/workload/docker.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";
import { portmap } from "../src/workload/portmap.js";
import type { Change, Workload } from "../src/workload/workload.js";
import { tablesOf } from "./workload-linux.js";
import { run, start } from "./run.js";

const programs = Object.values(KERNEL_TARGETS).flatMap((target) => [
  ...target.programs("ipv4"),
  ...target.programs("ipv6"),
]);
const absence = kernelAbsence(programs)?.message ?? "";
const skipped = absence && ` (skipped: ${absence})`;
const RESIDENT = fileURLToPath(new URL("../dist/linux/resident.js", import.meta.url));

/** All rules that this machine has outside of namespaces made here. */
function hostRules(): string {
  const print = (...argv: [string, ...string[]]): string =>
    run(argv[0], argv.slice(1))
      .stdout.replace(/^#.*\n/gm, "")
      .replace(/\[\d+:\d+\]/g, "");
  return [
    print("iptables-legacy-save"),
    print("ip6tables-legacy-save"),
    print("nft", "-s", "list", "ruleset"),
    print("ipset", "save"),
  ].join("\n");
}

describe.skipIf(absence !== "")(`the real kernel${skipped}`, () => {
  it("runs programs in a network namespace that is not this process's, and leaves the host's rules alone", async () => {
    const before = hostRules();
    const namespace = await Namespace.open();
    try {
      const there = await namespace.must({ argv: ["readlink", "/proc/self/ns/net"], output: true });
      expect(there.trim()).not.toBe(readlinkSync("/proc/self/ns/net"));
      await namespace.must(
        { argv: ["iptables-legacy", "-P", "INPUT", "DROP"] },
        { argv: ["ip6tables-nft", "-A", "INPUT", "-j", "DROP"] },
        { argv: ["nft", "-f", "-"], input: "add table inet ruleswap_test" },
        { argv: ["ipset", "create", "ruleswap_test", "hash:ip"] },
      );
      expect(hostRules()).toBe(before);
      const saved = await namespace.must({ argv: ["iptables-legacy-save"], output: true });
      expect(saved).toContain(":INPUT DROP");
    } finally {
      await namespace.close();
    }
    expect(hostRules()).toBe(before);
  });

  it("refuses to work in the namespace of the host", () => {
    const here = readlinkSync("/proc/self/ns/net");
    const ran = run(process.execPath, [RESIDENT, here, tmpdir(), tmpdir()]);
    expect(ran.status).toBe(3);
    expect(ran.stderr).toContain("in the network namespace of the host");
    expect(run(process.execPath, [RESIDENT]).status).toBe(3);
  });

  it("tells what a program printed and how it ended, and begins none behind one that failed", async () => {
    const namespace = await Namespace.open();
    try {
      const { results } = await namespace.run([
        { argv: ["cat"], input: "all of it", output: true },
        { argv: ["iptables-legacy", "-A", "NOWHERE", "-j", "ACCEPT"] },
        { argv: ["true"] },
      ]);
      expect(results.map(({ status }) => status)).toEqual([0, 1]);
      expect(results[0]?.stdout).toBe("all of it");
      expect(results[1]?.stderr).toContain("No chain/target/match by that name");
      await expect(namespace.must({ argv: ["no-such-program"] })).rejects.toMatchObject({ code: "tool-failed" });
    } finally {
      await namespace.close();
    }
  });

  it("begins nothing before the moment it was given", async () => {
    const namespace = await Namespace.open();
    try {
      const notBeforeNs = monotonicNs() + 50e6;
      const { begunNs, endedNs } = await namespace.run([{ argv: ["true"] }], notBeforeNs);
      expect(begunNs).toBeGreaterThanOrEqual(notBeforeNs);
      expect(endedNs).toBeGreaterThan(begunNs);
    } finally {
      await namespace.close();
    }
  });

  it("has writers of one namespace wait for each other, and nobody outside", async () => {
    const namespace = await Namespace.open();
    const other = await namespace.join();
    try {
      await other.must({ argv: ["iptables-legacy", "-N", "SHARED"] });
      await namespace.must({ argv: ["iptables-legacy", "-A", "SHARED", "-j", "RETURN"] });
      const lock = await namespace.must({ argv: ["printenv", "XTABLES_LOCKFILE"], output: true });
      expect(await other.must({ argv: ["printenv", "XTABLES_LOCKFILE"], output: true })).toBe(lock);
      expect(lock).not.toContain("/run/xtables.lock");
    } finally {
      await other.close();
      await namespace.close();
    }
  });

  it("ends a program that does not end, and says which", async () => {
    const namespace = await Namespace.open();
    try {
      const stuck = namespace.run([{ argv: ["sleep", "600"], limitMs: 200 }, { argv: ["true"] }]);
      await expect(stuck).rejects.toMatchObject({ code: "tool-stuck", message: expect.stringContaining("sleep 600") });
    } finally {
      await namespace.close();
    }
  });

  it.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
    "leaves no process, no namespace and no file when its owner ends by %s in the middle of a change",
    async (signal) => {
      // A folder for temporary files of its own: other tests open and close namespaces meanwhile.
      const folder = mkdtempSync(join(tmpdir(), "owner-"));
      const parent = fileURLToPath(new URL("linux/parent.mjs", import.meta.url));
      const env = { ...process.env, TMPDIR: folder };
      const { child: owner } = start(process.execPath, [parent], { env });
      await once(owner.stdout, "data");
      expect(readdirSync(folder)).toHaveLength(1);
      const residents = childrenOf(owner.pid as number);
      expect(residents).toHaveLength(1);
      owner.kill(signal);
      await once(owner, "exit");
      await expect
        .poll(() => residents.flatMap((pid) => [pid, ...childrenOf(pid)]).filter(isAlive), { timeout: 20_000 })
        .toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
      rmSync(folder, { recursive: true });
    },
    60_000,
  );
});

/** A cold start is a tenth at a time, which is enough for a map, where there are maps, even the first time. */
const workloadsOf = (coldServices: number): readonly (readonly [string, (family: Family) => Workload])[] => [
  ["kube-proxy", (family) => kubeProxy({ services: 12, family })],
  ["kube-proxy whose endpoints move", (family) => kubeProxy({ services: 12, churn: "endpoint", family })],
  ["kube-proxy when a node is drained", (family) => kubeProxy({ services: 9, churn: "node-drain", family })],
  ["kube-proxy from a cold start", (family) => kubeProxy({ services: coldServices, churn: "cold-start", family })],
  ["portmap", (family) => portmap({ containers: 10, family })],
  ["docker", (family) => docker({ containers: 10, family })],
];
const WITHOUT_MAPS = workloadsOf(10);
const WITH_MAPS = workloadsOf(95);
/** Many changes at once, of which each program sees those of the form that differs the most. */
const isLarge = (name: string): boolean => /drained|cold start/.test(name);
/** Of IPv6, what differs but in its addresses: how a service changes does not, nor what Docker adds to portmap. */
const ofFamily = (family: Family, workloads: typeof WITH_MAPS, large: boolean): typeof WITH_MAPS =>
  workloads.filter(([name]) =>
    family === "ipv4" ? large || !isLarge(name) : name === "kube-proxy" || name === "portmap",
  );

describe.skipIf(absence !== "").each(["ipv4", "ipv6"] as const)(`%s${skipped}`, (family) => {
  describe.each(["iptables-legacy", "iptables-nft"] as const)("%s", (name) => {
    const target = KERNEL_TARGETS[name];
    it.concurrent.each(ofFamily(family, WITHOUT_MAPS, name === "iptables-legacy"))(
      "makes the changes of %s by every strategy with the same end",
      async (_, make) => {
        const workload = make(family);
        for (const strategy of target.strategies) {
          const saved = await afterEach(target, family, workload, strategy, "linear", {
            argv: [`${name.replace("iptables", family === "ipv4" ? "iptables" : "ip6tables")}-save`],
            output: true,
          });
          const expected = changesOf(workload).map((change) => withoutOrder(change.whole()));
          expect(saved.map(withoutOrder)).toEqual(expected);
        }
      },
    );
  });

  describe.each(["linear", "verdict-map"] as const)("nft, %s", (form) => {
    it.concurrent.each(ofFamily(family, WITH_MAPS, form === "verdict-map"))(
      "makes the changes of %s by edits as by a whole new ruleset",
      async (_, make) => {
        const workload = make(family);
        const list = { argv: ["nft", "-s", "list", "ruleset"], output: true };
        const full = await afterEach(KERNEL_TARGETS.nft, family, workload, "full", form, list);
        const incremental = await afterEach(KERNEL_TARGETS.nft, family, workload, "incremental", form, list);
        expect(incremental.map(withoutOrder)).toEqual(full.map(withoutOrder));
        if (form === "verdict-map")
          expect(full.some((text) => text.includes("vmap @KUBE-SERVICES-map"))).toBe(workload.name === "kube-proxy");
      },
    );
  });
});

const changesOf = (workload: Workload): Change[] => {
  const changes = workload.changes();
  return Array.from({ length: 2 }, () => changes.next().value as Change);
};

/** What `print` says after each of the first changes. */
async function afterEach<Strategy extends string, Form extends string>(
  target: KernelTarget<Strategy, Form>,
  family: Family,
  workload: Workload,
  strategy: Strategy,
  form: Form,
  print: { argv: string[]; output: boolean },
): Promise<string[]> {
  const namespace = await Namespace.open();
  try {
    const session = target.session(namespace, family, form);
    await session.load(workload);
    const printed: string[] = [];
    for (const change of changesOf(workload)) {
      await namespace.must(...(await session.prepare(change, strategy)));
      await session.settle();
      printed.push(await namespace.must(print));
    }
    return printed;
  } finally {
    await namespace.close();
  }
}

/** Tables and chains stand in the order in which they were made; rules keep theirs. A map that is empty is none. */
function withoutOrder(text: string): unknown {
  if (text.includes("table ip"))
    return text
      .replace(/^\tmap \S+ \{\n\t\ttype [^\n]*\n\t\}\n+/gm, "")
      .split(/^(?=table )/m)
      .map((table) =>
        table
          .replace(/^}\n/m, "")
          .split(/^(?=\t(?:chain|map) )/m)
          .map((part) => sortElements(part).trim())
          .sort(),
      )
      .sort();
  return [...tablesOf(text)].map(([name, table]) => [name, table.trim()]).sort();
}

const sortElements = (part: string): string =>
  part.startsWith("\tmap")
    ? part
        .split(/,\s*|\s*[{}]\s*/)
        .sort()
        .join()
    : part;

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
