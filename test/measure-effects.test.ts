/** When changes take effect: what a reader sees of them, and what all readers' records come to. */
import { describe, expect, it, vi } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { EffectWatch, type SeenEffects } from "../src/measure/effect-watch.js";
import { effectsOf } from "../src/measure/effects.js";
import { take } from "../src/measure/request.js";
import { Signals } from "../src/measure/signals.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { kubeProxy } from "../src/workload/kube-proxy.js";

describe("a reader that watches for the effects of changes", () => {
  it("sees one once it is in force, and none that is not", () => {
    const { watch, make } = setUp();
    watch.look();
    make(0);
    watch.look();
    watch.look();
    make(1);
    const { momentNs, superseded } = watch.finish();
    expect([...momentNs].map((moment) => moment > 0)).toEqual([true, true, false, false]);
    expect([...superseded]).toEqual([0, 0, 0, 0]);
    expect(momentNs[1]).toBeGreaterThan(momentNs[0] as number);
  });

  it("sees one that is in force before its maker says so, once packets have met its generation", () => {
    const { watch, match, update } = setUp();
    update(0);
    match();
    watch.look();
    expect(watch.finish().momentNs[0]).toBeGreaterThan(0);
  });

  it("sees two that come between two looks, though the second one's maker has not said so", () => {
    const { watch, signals, match, make, update } = setUp();
    make(0);
    watch.look();
    make(1);
    update(2);
    match();
    watch.look();
    const seen = () => [...watch.finish().momentNs].map((moment) => moment > 0);
    expect(seen()).toEqual([true, true, false, false]);
    signals.made = 3;
    watch.look();
    signals.made = 0;
    expect(seen()).toEqual([true, true, true, false]);
  });

  it("sends no probe where nothing can have come to be in force", () => {
    const { watch, reader, match, make } = setUp();
    make(0);
    match();
    watch.look();
    const sent = vi.spyOn(reader, "match");
    for (let look = 0; look < 10; look++) watch.look();
    expect(sent).not.toHaveBeenCalled();
    make(1);
    watch.look();
    expect(sent).toHaveBeenCalledTimes(1);
  });

  it("calls superseded what the next change has undone before it looked, and goes on with those behind it", () => {
    const { watch, make } = setUp();
    for (const index of [0, 1, 2]) make(index);
    const { momentNs, superseded } = watch.finish();
    expect([...momentNs].map((moment) => moment > 0)).toEqual([true, true, true, false]);
    // The second change undid the first; the third is about another service.
    expect([...superseded]).toEqual([1, 0, 0, 0]);
  });

  it("begins a connection with each probe where they are tracked, since one that exists keeps its destination", () => {
    const { watch, reader, signals, make } = setUp([true, true, true, true], true);
    const sent = vi.spyOn(reader, "match");
    for (let look = 0; look <= 140_000; look++) {
      signals.made = look & 1;
      watch.look();
    }
    expect(sent.mock.calls.length, "more often than there are zones").toBeGreaterThan(65_536);
    sent.mockRestore();
    make(0);
    watch.look();
    make(1);
    watch.look();
    const { momentNs, superseded } = watch.finish();
    expect([...momentNs].map((moment) => moment > 0)).toEqual([true, true, false, false]);
    expect([...superseded]).toEqual([0, 0, 0, 0]);
  });

  it("gives up on a change that never shows, after which nothing else is in force", () => {
    const { watch, signals } = setUp();
    signals.made = 1;
    expect([...watch.finish().momentNs]).toEqual([0, 0, 0, 0]);
  });

  it("looks for nothing where a change has no probe, and goes on once it is made", () => {
    const { watch, make } = setUp([true, false, true, false]);
    make(0);
    make(1);
    make(2);
    watch.look();
    make(3);
    const { momentNs } = watch.finish();
    expect([...momentNs].map((moment) => moment > 0)).toEqual([true, false, true, false]);
  });
});

describe("the effects that all readers saw", () => {
  const schedule = Float64Array.of(0, 10, 20, 30);
  const updater = { startNs: 1000, serviceNs: new Float64Array(4), failedChanges: [] };
  const all = [true, true, true, true];
  const seen = (momentNs: number[], superseded = [0, 0, 0, 0]): SeenEffects => ({
    momentNs: Float64Array.from(momentNs),
    superseded: Uint8Array.from(superseded),
  });

  it("count from the intended arrival to the first reader", () => {
    const readers = [seen([1005, 1018, 1022, 1040]), seen([1007, 1012, 1029, 1031])];
    expect(effectsOf(all, schedule, updater, readers)).toEqual({
      effectNs: Float64Array.of(5, 2, 2, 1),
      superseded: 0,
      unseen: 0,
    });
  });

  it("count a change as superseded only where no reader saw it, from when one found out", () => {
    const readers = [seen([1005, 1011, 1030, 1040], [0, 1, 1, 0]), seen([1007, 1019, 1028, 1041], [0, 0, 1, 0])];
    expect(effectsOf(all, schedule, updater, readers)).toEqual({
      effectNs: Float64Array.of(5, 9, 8, 10),
      superseded: 1,
      unseen: 0,
    });
  });

  it("leave out what failed, what was not done and what has no probe, and count what no reader saw", () => {
    const three = { ...updater, serviceNs: new Float64Array(3), failedChanges: [0] };
    const effects = effectsOf([true, false, true, true], schedule, three, [seen([1005, 1011, 0, 1040])]);
    expect(effects).toEqual({ effectNs: new Float64Array(0), superseded: 0, unseen: 1 });
  });
});

/** Four changes, the second and fourth of which undo the one before; those not `watched` have no probe. */
function setUp(watched = [true, true, true, true], track = false) {
  const workload = kubeProxy({ services: 10, seed: 3 });
  const engine = Engine.create({
    readers: 1,
    localAddresses: workload.localAddresses,
    ...(track ? { connections: 1024 } : {}),
  });
  const updater = new Updater(engine, { strategy: "incremental", family: "ipv4" });
  updater.load(parseRuleset(new TextEncoder().encode(workload.ruleset()), { family: "ipv4" }));
  const changes = take(workload.changes(3), watched.length);
  const signals = new Signals();
  const reader = new Reader(engine, 0);
  reader.online();
  const probes = changes.map(({ probe }, index) => (watched[index] ? probe : undefined));
  const watch = new EffectWatch(probes, reader, signals, track);
  const update = (index: number): void => void updater.update({ batch: changes[index]?.batch ?? "" });
  const make = (index: number): void => {
    update(index);
    signals.made = index + 1;
  };
  const traffic = reader.allocate(1);
  const match = (): void => reader.match(traffic, 0, 1);
  return { watch, reader, signals, match, update, make };
}
