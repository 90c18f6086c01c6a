/** One engine under test: it takes batches by its strategy, walks packets by its classifier, and tells its state. */
import { PACKET_SIZE, PACKET_TIME } from "../blob/layout.js";
import { type Classifier, Engine } from "../engine/engine.js";
import { readTable, tableAddress } from "../engine/read-back.js";
import { type PacketPool, Reader } from "../engine/reader.js";
import { flushConnections } from "../netfilter/connections.js";
import { decodeResult } from "../netfilter/result.js";
import { Ruleset } from "../ruleset/ruleset.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import { type Strategy, Updater } from "../update/updater.js";
import { answerTo } from "../netfilter/answer.js";
import { type ChainNames, chainsText } from "./state.js";
import type { VerifyOptions } from "./verify-options.js";

export interface SubjectOptions {
  readonly strategy: Strategy;
  readonly classifier: Classifier;
  readonly localAddresses: readonly string[];
  readonly sets: VerifyOptions["sets"];
  readonly accounting: VerifyOptions["accounting"];
  readonly timeoutPolicies: VerifyOptions["timeoutPolicies"];
  readonly track: boolean;
}

/** Room for the connections of a full comparison; more make room for each other, the same ones in every engine. */
const CONNECTIONS = 16_384;

export class Subject {
  readonly label: string;
  private readonly engine: Engine;
  private readonly tracks: boolean;
  private readonly updater: Updater;
  private readonly reader: Reader;
  private readonly pool: PacketPool;

  constructor(
    private readonly ruleset: Ruleset,
    { strategy, classifier, localAddresses, sets, accounting, timeoutPolicies, track }: SubjectOptions,
  ) {
    this.label = `${strategy}, ${classifier}`;
    this.tracks = track;
    const connections = track ? { connections: CONNECTIONS } : {};
    this.engine = Engine.create({ classifier, localAddresses, accounting, timeoutPolicies, ...connections });
    this.updater = new Updater(this.engine, { strategy, family: ruleset.family });
    if (sets.text !== "") this.updater.updateSets({ sets: sets.text, setsFile: sets.file });
    this.reader = new Reader(this.engine, 0);
    this.pool = this.reader.allocate(1);
    this.load(ruleset);
  }

  /** Everything anew, as one that was never changed. */
  load(ruleset: Ruleset): void {
    this.updater.load(ruleset);
  }

  /** No connection is left of packets before. */
  forgetConnections(): void {
    if (this.tracks) flushConnections(this.engine);
  }

  /** What the receiver of `packet`, the last one that was walked, sends back; undefined where nobody got it. */
  answer(packet: Uint8Array): Uint8Array | undefined {
    return this.tracks ? answerTo(packet, this.pool.result(0)) : undefined;
  }

  /** Undefined when it is done, else why it was refused. */
  update(batch: string): RulesetError | undefined {
    try {
      this.updater.update({ batch });
      return undefined;
    } catch (error) {
      if (error instanceof RulesetError) return error;
      throw error;
    }
  }

  /** What becomes of the packet at a time, by what chance brings with a seed. */
  match(packet: Uint8Array, seed: number, time: number): string {
    this.place(packet, seed, time);
    this.reader.match(this.pool, 0, 1);
    return this.result();
  }

  /** The same, and one line for every rule or policy that matched. */
  trace(packet: Uint8Array, seed: number, time: number): { result: string; steps: string[] } {
    this.place(packet, seed, time);
    const steps = this.reader
      .trace(this.pool, 0)
      .map(({ hook, table, chain, rule, verdict }) => `${hook} ${table} ${chain} ${rule || "policy"} ${verdict}`);
    return { result: this.result(), steps };
  }

  /** Everything in force. */
  read(): Ruleset {
    return this.engine.readRuleset()[0] ?? new Ruleset(this.ruleset.family);
  }

  /** The state of some chains, as `chainsText` writes it. */
  chains(names: ChainNames): string {
    return this.engine.locked(() =>
      [...names]
        .map(([table, chains]) => {
          const { family } = this.ruleset;
          const address = tableAddress(this.engine, family, table);
          return chainsText(
            address === 0 ? undefined : readTable(this.engine, family, table, address, chains),
            table,
            chains,
          );
        })
        .join(""),
    );
  }

  private place(packet: Uint8Array, seed: number, time: number): void {
    const record = packet.slice(0, PACKET_SIZE);
    new DataView(record.buffer).setUint32(PACKET_TIME, time, true);
    this.pool.set(0, record);
    this.reader.seed(seed);
  }

  /** But for the row's address and the generation, which are an engine's own. */
  private result(): string {
    const { row: _, generation: __, ...rest } = decodeResult(this.pool.result(0), this.ruleset.family);
    return Object.entries(rest)
      .filter(([, value]) => value !== false && value !== undefined)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  }
}
