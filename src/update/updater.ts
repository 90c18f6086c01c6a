/**
 * A writer with one way of updating. Every strategy takes the same batch and leaves the same ruleset; they differ in what
 * they write for it.
 */
import type { Engine } from "../engine/engine.js";
import { chainNames, tableAddress } from "../engine/read-back.js";
import { headerAt, latestTime, setAddresses } from "../engine/read-sets.js";
import { applyBatch, applyEdit } from "../ruleset/apply.js";
import type { Batch, ChainScope } from "../ruleset/batch.js";
import { readSetCommands } from "../ruleset/ipset/commands.js";
import { parseRuleset, useBatch, useRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { Ruleset, TABLE_NAMES, type Table } from "../ruleset/ruleset.js";
import { differenceBatch } from "./difference.js";
import { applyAsItStands, applyIncrementally, NotAsItStands } from "./incremental.js";
import { LINK, PARSE, PLAN, READ_BACK, type UpdateCosts, type UpdateReport } from "./phases.js";
import { QUIESCE, type Quiesce } from "./quiesce.js";
import { locatedName } from "./refusal.js";
import { SetBatch } from "./set-batch.js";
import { stageName } from "./staging.js";
import { Transaction, type TransactionOptions, type TransactionWork } from "./transaction.js";
import { zeroCounters } from "./zero.js";

/** Strategies by name: what a batch costs, see ARCHITECTURE.md. */
export const STRATEGIES = {
  "one-by-one": { quiesces: true, apply: oneByOne },
  full: { quiesces: true, apply: full },
  partial: { quiesces: true, apply: partial },
  incremental: { quiesces: false, apply: incremental },
} as const;
export type Strategy = keyof typeof STRATEGIES;

export interface UpdaterOptions {
  strategy: Strategy;
  /** How replacing strategies learn that readers have left the old tables. Default seqcount. */
  quiesce?: Quiesce;
  /** Milliseconds to wait for the writers' lock before giving up. Default: for ever. */
  lockTimeoutMs?: number;
  /** Family of the text that updates bring. Default: ipv6 where only IPv6 tables are in force, else ipv4. */
  family?: Family;
}

/**
 * Text in the format of iptables-save: edits as for `iptables-restore --noflush`, or whole tables. Sets are changed first.
 */
export type UpdateRequest = { file?: string } & (
  | ({ batch: string | Uint8Array } & Partial<SetUpdateRequest>)
  | ({ ruleset: string | Uint8Array } & Partial<SetUpdateRequest>)
);

/** Commands as `ipset restore` takes them, and what `ipset save` prints. */
export interface SetUpdateRequest {
  sets: string;
  /** What errors call it. Default "sets". */
  setsFile?: string;
  /** Milliseconds of the packets' clock at which elements' time begins. Default: when the latest packet was walked. */
  now?: number;
}

export class Updater {
  readonly engine: Engine;
  readonly strategy: Strategy;
  private readonly fixedFamily: Family | undefined;
  private readonly options: TransactionOptions;

  constructor(engine: Engine, options: UpdaterOptions) {
    if (!(options.strategy in STRATEGIES)) throw new RangeError(`unknown strategy ${JSON.stringify(options.strategy)}`);
    this.engine = engine;
    this.strategy = options.strategy;
    this.fixedFamily = options.family;
    const { quiesces } = STRATEGIES[options.strategy];
    this.options = {
      lockTimeoutMs: options.lockTimeoutMs,
      quiesce: quiesces ? QUIESCE[options.quiesce ?? "seqcount"] : undefined,
    };
  }

  /** Puts `ruleset` in place of everything that is in force for its family, counters as the ruleset has them. */
  load(ruleset: Ruleset): UpdateReport {
    const options = { ...this.options, quiesce: this.options.quiesce ?? QUIESCE.seqcount };
    return Transaction.run(this.engine, options, {
      carryOut(transaction) {
        for (const table of ruleset.tables.values()) transaction.replace(table, "none", true);
        for (const name of TABLE_NAMES)
          if (!ruleset.tables.has(name) && transaction.address(ruleset.family, name) !== 0)
            transaction.remove(ruleset.family, name);
      },
    });
  }

  /**
   * Makes one update by this strategy. Throws a RulesetError with the failing edit's line, an EngineError, or a
   * LockTimeout; then nothing has changed.
   */
  update(request: UpdateRequest): UpdateReport {
    const { engine, options } = this;
    const work = new RequestWork(this, request);
    try {
      try {
        return Transaction.run(engine, options, work);
      } catch (error) {
        if (!(error instanceof NotAsItStands)) throw error;
        work.asItStands = false;
        return Transaction.run(engine, options, work);
      }
    } catch (error) {
      throw locatedName(error, "batch" in request ? request.batch : request.ruleset);
    }
  }

  /**
   * Carries out ipset's commands, one after another as Linux does, each in force at once. Throws a RulesetError with the
   * failing one's place, an EngineError, or a LockTimeout; then all is as it was.
   */
  updateSets(request: SetUpdateRequest): UpdateReport {
    return Transaction.run(this.engine, this.options, {
      prepare: (transaction) => changeSets(transaction, request),
      carryOut() {},
    });
  }

  /**
   * Frees what updates have left behind, but for what a reader may still be at; what that cost. For a writer that has nothing else to
   * do: updates by `incremental` free in passing only where more than 1,024 records wait, as nf_tables leaves it to a worker.
   */
  reclaim(): UpdateCosts {
    return Transaction.reclaim(this.engine);
  }

  /** Of the text that updates bring. */
  get family(): Family {
    if (this.fixedFamily) return this.fixedFamily;
    const inForce = (family: Family) => TABLE_NAMES.some((name) => tableAddress(this.engine, family, name) !== 0);
    return inForce("ipv6") && !inForce("ipv4") ? "ipv6" : "ipv4";
  }
}

/** One update: by its text as it stands where that is possible, else by what the parser makes of it. */
class RequestWork implements TransactionWork {
  asItStands: boolean;

  constructor(
    private readonly updater: Updater,
    private readonly request: UpdateRequest,
  ) {
    this.asItStands = updater.strategy === "incremental" && "batch" in request;
  }

  prepare(transaction: Transaction): SetBatch | undefined {
    return changeSets(transaction, this.request);
  }

  carryOut(transaction: Transaction): void {
    const { updater, request } = this;
    if (this.asItStands && "batch" in request && applyAsItStands(transaction, request.batch, updater.family)) return;
    this.carryOutParsed(transaction);
  }

  private carryOutParsed(transaction: Transaction): void {
    const { updater, request } = this;
    const { apply } = STRATEGIES[updater.strategy];
    const file = request.file ?? ("batch" in request ? "batch" : "ruleset");
    if ("ruleset" in request && updater.strategy === "full") {
      useRuleset(request.ruleset, { family: updater.family, file }, (ruleset) => {
        transaction.clock.end(PARSE);
        for (const table of ruleset.tables.values()) transaction.replace(table, "content", false);
      });
    } else if ("ruleset" in request) {
      apply(transaction, difference(transaction, request.ruleset, updater.family, file), file);
    } else {
      const scope = scopeOf(updater);
      useBatch(request.batch, { family: updater.family, file, scope }, (batch) => {
        transaction.clock.end(PARSE);
        apply(transaction, batch, file);
      });
    }
  }
}

/** The chains that a batch finds. */
function scopeOf({ engine, family }: Updater): ChainScope {
  return {
    hasChain: (table, chain) => {
      const address = tableAddress(engine, family, table);
      return address !== 0 && engine.kernel.chainFind(address, stageName(engine, chain)) !== 0;
    },
    chains: (table) => {
      const address = tableAddress(engine, family, table);
      return address === 0 ? [] : chainNames(engine, address);
    },
  };
}

/** The edits that lead from what is in force to whole new tables. */
function difference(transaction: Transaction, text: string | Uint8Array, family: Family, file: string): Batch {
  const wanted = parseRuleset(text, { family, file });
  transaction.clock.end(PARSE);
  const before = new Ruleset(family);
  for (const name of wanted.tables.keys()) {
    const table = transaction.read(family, name);
    if (table) before.tables.set(name, table);
  }
  transaction.clock.end(READ_BACK);
  const batch = differenceBatch(before, wanted);
  transaction.clock.end(PLAN);
  return batch;
}

function changeSets(transaction: Transaction, request: Partial<SetUpdateRequest>): SetBatch | undefined {
  if (request.sets === undefined) return undefined;
  const { engine } = transaction;
  const { sets, setsFile: file = "sets", now = latestTime(engine) } = request;
  const scope = new Map(Array.from(setAddresses(engine), ([name, set]) => [name, headerAt(engine, set)]));
  const commands = readSetCommands(sets, scope, file);
  transaction.clock.end(PARSE);
  const batch = SetBatch.run(engine, commands, file, now);
  transaction.clock.end(LINK);
  return batch;
}

/** A replacement of the whole table for every edit, as `iptables -A` in a loop; published together, so that it is atomic. */
function oneByOne(transaction: Transaction, batch: Batch, file: string): void {
  for (const part of batch.tables) {
    zeroCounters(transaction, batch.family, part);
    for (const edit of part.edits) {
      const table = readOrMake(transaction, batch, part.table);
      applyEdit(table, part, edit, file);
      transaction.clock.end(PLAN);
      transaction.replace(table, "named", true);
    }
  }
}

/** Everything read back, edited, compiled and replaced. */
function full(transaction: Transaction, batch: Batch, file: string): void {
  replaceTables(transaction, batch, file, TABLE_NAMES);
}

/** The tables that the batch names, once. */
function partial(transaction: Transaction, batch: Batch, file: string): void {
  replaceTables(
    transaction,
    batch,
    file,
    batch.tables.map(({ table }) => table),
  );
}

function incremental(transaction: Transaction, batch: Batch, file: string): void {
  applyIncrementally(transaction, batch, file);
  transaction.clock.end(PLAN);
}

function replaceTables(
  transaction: Transaction,
  batch: Batch,
  file: string,
  names: readonly (typeof TABLE_NAMES)[number][],
): void {
  const ruleset = new Ruleset(batch.family);
  for (const part of batch.tables) zeroCounters(transaction, batch.family, part);
  for (const name of names) {
    const table = transaction.read(batch.family, name);
    if (table) ruleset.tables.set(name, table);
  }
  transaction.clock.end(READ_BACK);
  applyBatch(ruleset, batch, file);
  transaction.clock.end(PLAN);
  for (const table of ruleset.tables.values()) transaction.replace(table, "named", true);
}

function readOrMake(transaction: Transaction, batch: Batch, name: (typeof TABLE_NAMES)[number]): Table {
  const table = transaction.read(batch.family, name) ?? new Ruleset(batch.family).table(name);
  transaction.clock.end(READ_BACK);
  return table;
}
