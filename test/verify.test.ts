/** `verify`: what is equal, what is not, and how small a mismatch becomes. */
import { describe, expect, it } from "vitest";
import { kernelAbsence } from "../src/linux/absence.js";
import type { RulesetError } from "../src/ruleset/ruleset-error.js";
import { STRATEGIES, type Strategy } from "../src/update/updater.js";
import { Subject } from "../src/verify/subject.js";
import { verify } from "../src/verify/verify.js";
import { VERIFY_DEFAULTS, type VerifyOptions } from "../src/verify/verify-options.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

const text = kubeProxy({ services: 6, seed: 1 }).ruleset();
const options: VerifyOptions = {
  ...VERIFY_DEFAULTS,
  text,
  file: "kube-proxy",
  family: "ipv4",
  edits: 80,
  packets: 40,
};
const absence = kernelAbsence(["iptables-legacy-restore", "iptables-legacy-save"])?.message;

/** Says that it did, and did not. */
class Forgetful extends Subject {
  override update(batch: string): RulesetError | undefined {
    return super.update(batch.replace(/^-D .*\n/m, ""));
  }
}

/** Takes one rule for another where a packet meets it. */
class Mistaken extends Subject {
  override match(packet: Uint8Array, seed: number, time: number): string {
    return super.match(packet, seed, time).replace(/verdict ACCEPT, hook INPUT/, "verdict DROP, hook INPUT");
  }
}

describe("verify", () => {
  it("finds every strategy equal to a full load, over edits of every kind", async () => {
    const { tally, mismatch } = await verify({ ...options, strategies: Object.keys(STRATEGIES) as Strategy[] });
    expect(mismatch).toBeUndefined();
    expect(tally.edits).toBeGreaterThanOrEqual(80);
    expect(tally.full).toBe(tally.batches);
    expect(tally.packets).toBe(40 * tally.full);
  });

  it("counts in objects of nfacct, which must have been made, and leaves out what meets their quotas", async () => {
    const counting = text.replace(
      "-A KUBE-SERVICES ",
      "-A KUBE-SERVICES -m nfacct --nfacct-name web\n-A KUBE-SERVICES ",
    );
    const quota = { of: "packets", limit: 3n } as const;
    const accounting = [{ name: "web", packets: 0n, bytes: 0n, quota }];
    await expect(verify({ ...options, text: counting })).rejects.toThrow(
      expect.objectContaining({ code: "unknown-object" }),
    );
    const { tally, mismatch } = await verify({ ...options, text: counting, accounting });
    expect(mismatch).toBeUndefined();
    expect(tally.leftOut).toBeGreaterThan(0);
    await expect(verify({ ...options, text: counting, accounting, linux: true })).rejects.toThrow(RangeError);
  });

  it("gives connections policies of timeouts, which must have been made", async () => {
    const raw = `*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --timeout slow\nCOMMIT\n${text}`;
    const timeoutPolicies = [{ name: "slow", family: "ipv4", protocol: 6, timeouts: { ESTABLISHED: 5 } } as const];
    const given = { ...options, text: raw, track: true, timeoutPolicies };
    await expect(verify({ ...given, timeoutPolicies: [] })).rejects.toThrow(
      expect.objectContaining({ code: "unknown-object" }),
    );
    expect((await verify(given)).mismatch).toBeUndefined();
    await expect(verify({ ...given, track: false })).rejects.toThrow(RangeError);
  });

  it("makes the same edits for the same seed, and refuses some batches", async () => {
    const [first, again, other] = [
      await verify({ ...options, edits: 300, fullEvery: 100 }),
      await verify({ ...options, edits: 300, fullEvery: 100 }),
      await verify({ ...options, edits: 300, fullEvery: 100, seed: 2 }),
    ];
    expect(again.tally).toEqual(first.tally);
    expect(other.tally).not.toEqual(first.tally);
    expect(first.tally.refused).toBeGreaterThan(0);
  });

  it("makes an edit that is lost as small as one edit and what it needs", async () => {
    const result = await verify(
      { ...options, strategies: ["incremental"], classifiers: ["linear"] },
      { makeSubject: (ruleset, one) => new Forgetful(ruleset, one) },
    );
    expect(result.mismatch?.who).toBe("incremental, linear");
    const { batches = [], ruleset = "" } = result.reproduction ?? {};
    expect(batches.join("").match(/^-/gm)?.length).toBe(1);
    expect(ruleset.match(/-A /g)?.length).toBeLessThanOrEqual(10);
    expect(ruleset.match(/^:\S+ - /gm)?.length ?? 0).toBeLessThanOrEqual(10);
  });

  it("finds a verdict that differs, with the packet", async () => {
    const result = await verify(
      { ...options, strategies: ["partial"], classifiers: ["linear"] },
      { makeSubject: (ruleset, one) => new Mistaken(ruleset, one) },
    );
    expect(result.reproduction?.mismatch).toMatchObject({ kind: "result", who: "partial, linear" });
    expect(result.reproduction?.mismatch.packet).toBeDefined();
    expect(result.reproduction?.batches).toEqual([]);
  });

  it("leaves out packets that rules with a memory decide", async () => {
    const rules = "*filter\n-A INPUT -m statistic --mode nth --every 3 --packet 0 -j DROP\nCOMMIT\n";
    const { tally, mismatch } = await verify({ ...options, text: rules });
    expect(mismatch).toBeUndefined();
    expect(tally.leftOut).toBeGreaterThan(0);
  });

  it("compares what rules ask of sets, and leaves out those that packets change", async () => {
    const sets = { text: "create bad hash:ip\nadd bad 198.51.100.7\ncreate seen hash:ip\n", file: "sets" };
    const rules = (tail: string) =>
      `*filter\n-A INPUT -m set --match-set bad src -j DROP\n-A INPUT -m set ! --match-set seen src -j ACCEPT\n${tail}COMMIT\n`;
    const fixed = await verify({ ...options, text: rules(""), sets });
    expect(fixed).toMatchObject({ tally: { leftOut: 0 } });
    expect(fixed.mismatch).toBeUndefined();
    const changed = await verify({ ...options, text: rules("-A FORWARD -j SET --add-set seen src\n"), sets });
    expect(changed.mismatch).toBeUndefined();
    expect(changed.tally.leftOut).toBeGreaterThan(0);
    await expect(verify({ ...options, text: rules("") })).rejects.toMatchObject({ code: "unknown-set" });
  });

  const tracked: VerifyOptions & { readonly text: string } = {
    ...options,
    track: true,
    text: `*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9\n-A POSTROUTING -j MASQUERADE\nCOMMIT
*filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -p tcp -m connlimit --connlimit-above 2 -j DROP\nCOMMIT\n`,
  };

  it("tracks connections through NAT, with every strategy, and answers each packet", async () => {
    const { tally, mismatch } = await verify({ ...tracked, strategies: Object.keys(STRATEGIES) as Strategy[] });
    expect(mismatch).toBeUndefined();
    expect(tally.packets).toBeGreaterThan(0);
  });

  it("finds a connection that is not tracked", async () => {
    const result = await verify(
      { ...tracked, strategies: ["full"], classifiers: ["linear"], text: tracked.text.replace(/.*connlimit.*\n/, "") },
      { makeSubject: (ruleset, one) => new Subject(ruleset, { ...one, track: false }), shrinkMilliseconds: 1000 },
    );
    expect(result.mismatch?.who).toBe("full, linear");
  });

  it("makes given batches in place of random ones", async () => {
    const replay = ["*filter\n-A INPUT -j DROP\nCOMMIT\n", "*filter\n-D INPUT -j DROP\nCOMMIT\n"];
    const { tally } = await verify({ ...options, replay });
    expect(tally).toMatchObject({ batches: 2, edits: 2, refused: 0 });
  });

  it.skipIf(absence !== undefined)(
    `agrees with the live kernel${absence ? ` (skipped: ${absence})` : ""}`,
    async () => {
      const { mismatch, tally } = await verify({ ...options, linux: true, classifiers: ["linear"], edits: 150 });
      expect(mismatch).toBeUndefined();
      expect(tally.batches).toBeGreaterThan(10);
    },
  );
});
