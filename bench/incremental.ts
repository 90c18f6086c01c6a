/**
 * What `incremental` costs as rulesets grow: rules by position in one long chain, a service of kube-proxy's, and services in
 * bulk. The kernel's programs do the same in turns where that is possible.
 */
import {
  CLASSIFIERS,
  type Change,
  type Classifier,
  Engine,
  type KernelChange,
  parseRuleset,
  Updater,
  workloads,
} from "ruleswap";
import type { Contest, Duel } from "./duel.js";
import type { Growth } from "./growth.js";
import { SEED } from "./task.js";

const CHAIN_SIZES = [1000, 10_000, 50_000];
/** Where rules come and go; `text` names the one that goes by what it says. */
const PLACES = ["head", "middle", "end", "text"] as const;
const SERVICE_SIZES = [1000, 10_000, 50_000];
/** Services up to which the kernel's programs are asked as well: with more, loading them takes minutes. */
const KERNEL_SERVICES = 10_000;

export function incrementalDuels(): Duel[] {
  const classifiers = Object.keys(CLASSIFIERS) as Classifier[];
  return [
    ...CHAIN_SIZES.flatMap((size) =>
      classifiers.flatMap((classifier) => PLACES.map((place) => chainDuel(place, size, classifier))),
    ),
    ...SERVICE_SIZES.flatMap((size) => classifiers.map((classifier) => serviceDuel(size, classifier))),
  ];
}

/** The same places and services, with all sizes in turns. */
export function incrementalGrowths(): Growth[] {
  const classifiers = Object.keys(CLASSIFIERS) as Classifier[];
  const services = classifiers.map((classifier) => ({
    label: `growth-service/${classifier}/kube-proxy/-`,
    unit: "us",
    sizes: SERVICE_SIZES,
    warmUp: 2000,
    open: (size: number) => sampler(serviceDuel(size, classifier).open()),
  }));
  const places = classifiers.flatMap((classifier) =>
    PLACES.map((place) => ({
      label: `growth-${place}/${classifier}/chain/-`,
      unit: "us",
      sizes: CHAIN_SIZES,
      warmUp: 2000,
      open: (size: number) => sampler(chainDuel(place, size, classifier).open()),
    })),
  );
  return [...places, ...services];
}

/** A contest's changes, there and back; microseconds of each. */
function sampler({ apply, changes }: Contest): (count: number) => number[] {
  return (count) =>
    Array.from({ length: count }, (_, i) => {
      const begun = performance.now();
      apply(changes[i % 2] as KernelChange);
      return (performance.now() - begun) * 1000;
    });
}

/** A rule comes and goes at a place of a chain of `size` rules: half of the samples insert, half delete. */
function chainDuel(place: (typeof PLACES)[number], size: number, classifier: Classifier): Duel {
  return {
    label: `incremental-${place}/${classifier}/chain/${size}`,
    open() {
      const rules = Array.from(
        { length: size },
        (_, i) => `-A long -s 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32 -p tcp -m tcp --dport 80 -j DROP\n`,
      );
      const policies = ["INPUT", "FORWARD", "OUTPUT"].map((chain) => `:${chain} ACCEPT [0:0]\n`);
      const ruleset = ["*filter\n", ...policies, ":long - [0:0]\n", ...rules, "COMMIT\n"].join("");
      const rule = "-s 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DROP";
      const lines = {
        head: [`-I long 1 ${rule}`, "-D long 1"],
        middle: [`-I long ${size >> 1} ${rule}`, `-D long ${size >> 1}`],
        end: [`-A long ${rule}`, `-D long ${size + 1}`],
        text: [`-A long ${rule}`, `-D long ${rule}`],
      } as const;
      const [there, back] = lines[place];
      return {
        ruleset,
        changes: [batchChange(there), batchChange(back)],
        apply: updating(ruleset, classifier),
        against: classifier === "linear" ? [["iptables-legacy", "one-by-one"]] : [],
      };
    },
  };
}

function batchChange(line: string): KernelChange {
  const batch = `*filter\n${line}\nCOMMIT\n`;
  const never = (): string => {
    throw new Error("the change is made by its edits");
  };
  return { batch, restated: never, whole: never };
}

/** A service comes and goes; the kernel's programs are handed its edits. */
function serviceDuel(size: number, classifier: Classifier): Duel {
  return {
    label: `incremental-service/${classifier}/kube-proxy/${size}`,
    open() {
      const workload = workloads["kube-proxy"].make({ size, seed: SEED, family: "ipv4" });
      const changes = workload.changes();
      const edits = ({ batch, whole }: Change): KernelChange => ({ batch, restated: () => batch, whole });
      const ruleset = workload.ruleset();
      const besideKernel = classifier === "tuple-space" && size <= KERNEL_SERVICES;
      return {
        ruleset,
        changes: [edits(changes.next().value), edits(changes.next().value)],
        apply: updating(ruleset, classifier, workload.localAddresses),
        against: besideKernel
          ? [
              ["iptables-legacy", "partial"],
              ["nft", "incremental"],
            ]
          : [],
      };
    },
  };
}

function updating(
  ruleset: string,
  classifier: Classifier,
  localAddresses: readonly string[] = [],
): (change: KernelChange) => void {
  const engine = Engine.create({ classifier, localAddresses });
  const updater = new Updater(engine, { strategy: "incremental", family: "ipv4" });
  updater.load(parseRuleset(ruleset, { family: "ipv4" }));
  const encoder = new TextEncoder();
  const requests = new Map<KernelChange, Uint8Array>();
  return (change) => {
    const batch = requests.get(change) ?? encoder.encode(change.batch);
    requests.set(change, batch);
    updater.update({ batch });
  };
}
