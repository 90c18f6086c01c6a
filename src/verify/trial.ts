/**
 * A ruleset's life under batches, on engines of every kind asked for, and what must hold.
 *
 * After every batch: one takes it exactly when all do, for the same reason else; and the chains that it names print the
 * same, counters included, as those of a model that no engine has part in. That costs what changed.
 *
 * At a full comparison: an engine that has loaded the model whole, linear, gets the same packets as each of the others,
 * half of them made for chains that changed. Each must end the same, rewrites included, by the same rules; and then all
 * rules, policies and counters must print the same. That costs what the ruleset's size is.
 */
import { PACKET_SIZE } from "../blob/layout.js";
import { decodePacket } from "../netfilter/packet.js";
import { printPacket } from "../netfilter/packet-print.js";
import { type IpSets, parseSets } from "../ruleset/ipset/apply-sets.js";
import { parseRuleset } from "../ruleset/parse.js";
import { printRuleset } from "../ruleset/print.js";
import { jumpOf } from "../ruleset/references.js";
import type { Ruleset, TableName } from "../ruleset/ruleset.js";
import { guessLocalAddresses, InsideRules } from "../workload/inside-rules.js";
import { Random } from "../workload/random.js";
import { KernelSubject } from "./kernel.js";
import { firstLines, type Mismatch } from "./mismatch.js";
import { changeModel, namedChains } from "./model.js";
import { changingSets, LEAP_MS, rememberingChains } from "./remembering.js";
import { copyCounters, modelChains, wholeText } from "./state.js";
import { Subject, type SubjectOptions } from "./subject.js";
import type { VerifyOptions } from "./verify-options.js";

export type TrialOptions = Pick<
  VerifyOptions,
  | "text"
  | "file"
  | "family"
  | "seed"
  | "strategies"
  | "classifiers"
  | "packets"
  | "sets"
  | "accounting"
  | "timeoutPolicies"
  | "track"
  | "linux"
> & {
  /** For tests: an engine that errs. */
  readonly makeSubject?: (ruleset: Ruleset, options: SubjectOptions) => Subject;
  /** Packets to send at every full comparison in front of the others. */
  readonly always?: readonly Uint8Array[];
};

export class Trial {
  readonly model: Ruleset;
  readonly batches: string[] = [];
  readonly tally = { refused: 0, full: 0, packets: 0, leftOut: 0, chains: 0 };
  private readonly subjects: readonly Subject[];
  private readonly localAddresses: readonly string[];
  private readonly fresh: Subject;
  private readonly changed = new Map<TableName, Set<string>>();
  private readonly sets: IpSets;
  /** Sets that do not stay as the file says. */
  private changing: ReadonlySet<string> = new Set();

  private constructor(
    private readonly options: TrialOptions,
    private readonly kernel: KernelSubject | undefined,
  ) {
    const { text, family, file, makeSubject = (ruleset, one) => new Subject(ruleset, one) } = options;
    this.model = parseRuleset(text, { family, file });
    this.localAddresses = guessLocalAddresses(this.model);
    this.sets = parseSets(options.sets.text, options.sets.file);
    const { sets, accounting, timeoutPolicies, track } = options;
    const shared = { localAddresses: this.localAddresses, sets, accounting, timeoutPolicies, track };
    this.subjects = options.strategies.flatMap((strategy) =>
      options.classifiers.map((classifier) => makeSubject(this.model, { strategy, classifier, ...shared })),
    );
    this.fresh = new Subject(this.model, { strategy: "full", classifier: "linear", ...shared });
  }

  /** @throws RulesetError where the ruleset cannot be loaded, LinuxError where the kernel cannot be asked. */
  static async begin(options: TrialOptions): Promise<Trial> {
    const { text, family, file } = options;
    const printed = options.linux ? printRuleset(parseRuleset(text, { family, file })) : "";
    const kernel = options.linux ? await KernelSubject.open(family, printed, options.sets.text) : undefined;
    try {
      return new Trial(options, kernel);
    } catch (error) {
      await kernel?.close();
      throw error;
    }
  }

  async end(): Promise<void> {
    await this.kernel?.close();
  }

  /** One batch, and what must hold behind it at once. */
  async make(batch: string): Promise<Mismatch | undefined> {
    this.batches.push(batch);
    const wanted = changeModel(this.model, batch);
    if (wanted) this.tally.refused++;
    for (const subject of this.subjects) {
      const got = subject.update(batch)?.code;
      // Edit by edit a loop may close that the batch opens again, and what is said first of several faults may differ.
      const same = wanted === got || (wanted !== undefined && got !== undefined && [wanted, got].includes("loop"));
      if (!same) return this.mismatch("refusal", subject.label, "the batch", wanted ?? "done", got ?? "done");
    }
    const complaint = await this.kernel?.update(batch);
    if (this.kernel && (complaint === undefined) !== (wanted === undefined))
      return this.mismatch("kernel", this.kernel.program, "the batch", wanted ?? "done", complaint ?? "done");
    return this.compareNamed(batch);
  }

  /** The full comparison. */
  async compare(): Promise<Mismatch | undefined> {
    this.tally.full++;
    const packets = this.packets();
    for (const subject of [this.fresh, ...this.subjects]) subject.forgetConnections();
    this.fresh.load(this.model);
    const found = this.sendAll(packets);
    if (found) return found;
    copyCounters(this.fresh.read(), this.model);
    const wanted = wholeText(this.model);
    for (const subject of this.subjects) {
      const apart = firstLines(wanted, wholeText(subject.read()));
      if (apart) return this.mismatch("ruleset", subject.label, "the whole ruleset", apart.wanted, apart.got);
    }
    this.changed.clear();
    return this.compareKernel();
  }

  private compareNamed(batch: string): Mismatch | undefined {
    const names = namedChains(batch);
    for (const [table, chains] of names) {
      this.tally.chains += chains.size;
      const all = this.changed.get(table) ?? new Set();
      for (const name of chains) all.add(name);
      this.changed.set(table, all);
    }
    const wanted = modelChains(this.model, names);
    for (const subject of this.subjects) {
      const apart = firstLines(wanted, subject.chains(names));
      if (apart) return this.mismatch("ruleset", subject.label, "chains of the batch", apart.wanted, apart.got);
    }
    return undefined;
  }

  /** Half of them for chains that changed since the last time. Those that remembering rules may decide are left out. */
  private packets(): Uint8Array[] {
    const { options, changed } = this;
    const random = new Random(options.seed, 0x7061 + this.tally.full);
    const inside = new InsideRules(
      this.model,
      this.localAddresses.map((entry) => entry.split(" ")[0] as string),
    );
    const places = inside.places.filter(({ table, chain }) => changed.get(table.name)?.has(chain.name));
    const aimed = places.length > 0 ? options.packets >> 1 : 0;
    const bytes = inside.traffic(options.packets - aimed, random);
    const packets = [
      ...(options.always ?? []),
      ...Array.from({ length: aimed }, () => inside.packet(random.pick(places), random)),
      ...Array.from({ length: options.packets - aimed }, (_, n) => bytes.slice(n * PACKET_SIZE, (n + 1) * PACKET_SIZE)),
    ];
    this.changing = changingSets(this.sets, this.model, this.changing);
    const remembering = rememberingChains(this.model, this.changing);
    if (remembering.size === 0) return packets;
    const kept = this.withoutMeeting(packets, remembering);
    this.tally.leftOut += packets.length - kept.length;
    return kept;
  }

  /** What is left out may have changed where others go, by the connections that it began: those are asked again. */
  private withoutMeeting(packets: readonly Uint8Array[], remembering: ReadonlySet<string>): Uint8Array[] {
    let kept = [...packets];
    for (let before = -1; kept.length !== before; ) {
      before = kept.length;
      this.fresh.load(this.model);
      this.fresh.forgetConnections();
      kept = kept.filter((packet, n) => !this.meets(packet, n, remembering));
      if (!this.options.track) break;
    }
    return kept;
  }

  private meets(packet: Uint8Array, seed: number, remembering: ReadonlySet<string>): boolean {
    const time = this.tally.full * LEAP_MS;
    const { steps } = this.fresh.trace(packet, seed, time);
    if (this.options.track) {
      steps.push(...this.fresh.trace(packet, seed, time).steps);
      const answer = this.fresh.answer(packet);
      if (answer) steps.push(...this.fresh.trace(answer, seed, time).steps);
    }
    return steps.some((step) => {
      const [, tableName = "", chainName = "", rule] = step.split(" ");
      if (remembering.has(`${tableName} ${chainName}`)) return true;
      // A chain that is left without a match shows in the step of the jump to it alone.
      const table = this.model.tables.get(tableName as TableName);
      const ordinal = table?.chains.get(chainName)?.rules[Number(rule) - 1];
      const callee = table && ordinal !== undefined ? table.chainsById[jumpOf(table, ordinal)] : undefined;
      return callee !== undefined && remembering.has(`${tableName} ${callee.name}`);
    });
  }

  private sendAll(packets: readonly Uint8Array[]): Mismatch | undefined {
    const time = this.tally.full * LEAP_MS;
    for (const [seed, packet] of packets.entries()) {
      this.tally.packets++;
      const wanted = this.walk(this.fresh, packet, seed, time);
      for (const subject of this.subjects) {
        const got = this.walk(subject, packet, seed, time);
        const where = printPacket(decodePacket(packet));
        for (const way of ["matched", "traced"] as const)
          if (got[way] !== wanted[way])
            return { ...this.mismatch("result", subject.label, where, wanted[way], got[way]), packet };
        const apart = firstLines(wanted.steps.join("\n"), got.steps.join("\n"));
        if (apart) return { ...this.mismatch("trace", subject.label, where, apart.wanted, apart.got), packet };
      }
    }
    return undefined;
  }

  /** Twice: with a trace, and as readers do it. A limit may say another thing the second time. And what is answered. */
  private walk(subject: Subject, packet: Uint8Array, seed: number, time: number) {
    const { result: traced, steps } = subject.trace(packet, seed, time);
    const matched = subject.match(packet, seed, time);
    const answer = subject.answer(packet);
    if (!answer) return { matched, traced, steps };
    const back = subject.trace(answer, seed, time);
    return { matched: `${matched}; answer: ${back.result}`, traced, steps: [...steps, ...back.steps] };
  }

  private async compareKernel(): Promise<Mismatch | undefined> {
    const found = await this.kernel?.difference(this.model);
    if (!this.kernel || !found) return undefined;
    const apart = firstLines(found.wanted, found.got);
    return this.mismatch("kernel", this.kernel.program, `table ${found.table}`, apart?.wanted ?? "", apart?.got ?? "");
  }

  private mismatch(kind: Mismatch["kind"], who: string, where: string, wanted: string, got: string): Mismatch {
    return { kind, who, batch: this.batches.length, where, wanted, got };
  }
}
