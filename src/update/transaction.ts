/**
 * A transaction: the writers' lock, one update of the engine, and its undoing. Strategies run inside one and see tables as
 * the update has left them so far.
 */
import {
  CONTROL_ADDRESS,
  CONTROL_RETIRED_COUNT,
  CONTROL_SCRATCH,
  CONTROL_SCRATCH_BYTES,
  CONTROL_URGENT_UNTIL,
  FAULT_MEMORY,
  FAULT_NONE,
} from "../blob/memory.js";
import { Ruleset, TABLE_NUMBERS, type Table, type TableName } from "../ruleset/ruleset.js";
import { compileInto } from "../blob/compile.js";
import { type Family, familyNumber } from "../ruleset/row-store.js";
import type { Engine } from "../engine/engine.js";
import { EngineError, mustSucceed } from "../engine/engine-error.js";
import { CARRY, type Carry } from "../engine/kernel.js";
import { readTable } from "../engine/read-back.js";
import { lockWriters, tryLockWriters, unlockWriters } from "../engine/writers-lock.js";
import { COMPILE, LINK, LOCK, PUBLISH, QUIESCE, PhaseClock, type UpdateCosts, type UpdateReport } from "./phases.js";
import { waitForSequences } from "./quiesce.js";
import { refusedBlob } from "./refusal.js";
import type { SetBatch } from "./set-batch.js";

const writersWord = (engine: Engine, field: number): number =>
  (engine.words()[(CONTROL_ADDRESS + field) >> 2] as number) >>> 0;

/** Room for what countCosts puts down. */
const COSTS_BYTES = 16;

/** What the engine counted since the last update or freeing began. */
export function costs(engine: Engine): UpdateCosts {
  const words = engine.words();
  // At the end of the staging area, in front of which others may have something.
  const at = writersWord(engine, CONTROL_SCRATCH) + writersWord(engine, CONTROL_SCRATCH_BYTES) - COSTS_BYTES;
  engine.kernel.countCosts(at);
  return {
    bytesWritten: (words[at >>> 2] as number) >>> 0,
    recordsTouched: (words[(at >>> 2) + 1] as number) >>> 0,
    recordsWalked: (words[(at >>> 2) + 2] as number) >>> 0,
  };
}

const NO_COSTS: UpdateCosts = { bytesWritten: 0, recordsTouched: 0, recordsWalked: 0 };

/**
 * Retired entries that an update frees beside its own work: some, and several for each that it retired, so that it never
 * pays for a mountain of others and what waits cannot grow (a row that is freed retires its memory and perhaps its chunk).
 */
const RECLAIM_LEAST = 64;
const RECLAIM_FOR_EACH = 4;
/** Retired entries that are left to a writer that has time (see Updater.reclaim): so many need some hundred kilobytes. */
const RECLAIM_LATER = 1024;
export const RECLAIM_ALL = 0x7fffffff;

/** Frees up to `limit` entries that no reader can be at; what that cost. */
function reclaim(engine: Engine, limit: number): UpdateCosts {
  engine.kernel.updateReclaim(limit);
  return costs(engine);
}

/** What an update frees that waits for no reader: nothing, unless much waits, or what it retired keeps objects that others see. */
function reclaimInPassing(engine: Engine): UpdateCosts {
  const urgent = writersWord(engine, CONTROL_URGENT_UNTIL) !== 0;
  if (!urgent && writersWord(engine, CONTROL_RETIRED_COUNT) <= RECLAIM_LATER) return NO_COSTS;
  const share = RECLAIM_LEAST + RECLAIM_FOR_EACH * engine.kernel.countRetired();
  // What is urgent was queued last.
  return reclaim(engine, urgent ? RECLAIM_LATER + share : share);
}

export class LockTimeout extends Error {
  override readonly name = "LockTimeout";
  readonly code = "lock-timeout";
}

export interface TransactionOptions {
  /** Milliseconds to wait for the writers' lock, as iptables' -w. */
  readonly lockTimeoutMs?: number | undefined;
  /** Waits until readers have left what was replaced; without it, freeing is left to later updates. */
  readonly quiesce?: ((words: Int32Array, readers: number) => void) | undefined;
}

/** An object and no functions, as what is made often: code that was optimised for a function ends with it. */
export interface TransactionWork {
  /** What comes first and is no part of a ruleset's generation: changes of sets. */
  prepare?(transaction: Transaction): SetBatch | undefined;
  carryOut(transaction: Transaction): void;
}

/** A thread is in one transaction at a time. */
const CLOCK = new PhaseClock();

export class Transaction {
  readonly clock = CLOCK;
  readonly engine: Engine;

  private constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Runs `work` as one update. What it throws undoes everything, also what its preparing did. */
  static run(engine: Engine, options: TransactionOptions, work: TransactionWork): UpdateReport {
    const transaction = new Transaction(engine);
    const { clock } = transaction;
    clock.begin();
    // The lock lies where these show it, also when memory has grown.
    const words = engine.words();
    if (!tryLockWriters(words)) {
      if (!lockWriters(words, options.lockTimeoutMs))
        throw new LockTimeout(`another writer held the lock for ${options.lockTimeoutMs} ms`);
      clock.end(LOCK);
    }
    try {
      const { kernel } = engine;
      const sets = work.prepare?.(transaction);
      mustSucceed(kernel.updateBegin());
      try {
        work.carryOut(transaction);
        mustSucceed(kernel.updateCommit());
      } catch (error) {
        kernel.updateRollback();
        // A reader may hold what the update had allocated; nobody may reuse that before it has left.
        waitForSequences(engine.words(), engine.handle.readers);
        sets?.undo();
        throw error;
      }
      const update = costs(engine);
      sets?.settle();
      clock.end(PUBLISH);
      options.quiesce?.(engine.words(), engine.handle.readers);
      const freeing = options.quiesce ? reclaim(engine, RECLAIM_ALL) : reclaimInPassing(engine);
      // To look at the clock for what did not happen takes longer than all else here.
      if (freeing !== NO_COSTS) clock.end(QUIESCE);
      return {
        generation: engine.generation(),
        phasesUs: clock.phasesUs,
        bytesWritten: (sets?.bytesWritten ?? 0) + update.bytesWritten + freeing.bytesWritten,
        recordsTouched: (sets?.recordsTouched ?? 0) + update.recordsTouched + freeing.recordsTouched,
        recordsWalked: update.recordsWalked + freeing.recordsWalked,
      };
    } finally {
      unlockWriters(words);
    }
  }

  /** Frees what updates have left behind, as far as no reader can be at it. Takes the writers' lock. */
  static reclaim(engine: Engine): UpdateCosts {
    if (writersWord(engine, CONTROL_RETIRED_COUNT) === 0) return NO_COSTS;
    lockWriters(engine.words());
    try {
      return reclaim(engine, RECLAIM_ALL);
    } finally {
      unlockWriters(engine.words());
    }
  }

  /** Address of a table as this update leaves it, 0 when there is none. */
  address(family: Family, table: TableName): number {
    return this.engine.kernel.updateTable(familyNumber(family), TABLE_NUMBERS[table]) >>> 0;
  }

  /** Reads a table back; undefined when there is none. */
  read(family: Family, name: TableName): Table | undefined {
    const address = this.address(family, name);
    return address === 0 ? undefined : readTable(this.engine, family, name, address);
  }

  /** Compiles `table` into the engine's memory and links it in place of the one of its name, or of the one that a user registered as `index`. */
  replace(table: Table, carry: Carry, counters: boolean, index = -1): void {
    const { kernel, handle } = this.engine;
    let at = 0;
    const blob = compileInto(table, { counters }, (bytes) => {
      at = kernel.updateAllocate(bytes) >>> 0;
      if (at === 0) throw new EngineError(FAULT_MEMORY);
      return new Uint8Array(handle.memory.buffer, at, bytes);
    });
    this.clock.end(COMPILE);
    const fault =
      index < 0
        ? kernel.updateReplace(at, blob.length, CARRY[carry], 0)
        : kernel.updateRegistered(index, at, blob.length, CARRY[carry]);
    if (fault !== FAULT_NONE) throw refusedBlob(this.engine, table, blob, at, fault);
    this.clock.end(LINK);
  }

  /** An empty table of its built-in chains; its address. */
  create(family: Family, table: TableName): number {
    this.replace(new Ruleset(family).table(table), "none", false);
    return this.address(family, table);
  }

  /** Takes a table out. */
  remove(family: Family, table: TableName): void {
    mustSucceed(this.engine.kernel.updateRemove(familyNumber(family), TABLE_NUMBERS[table]));
  }
}
