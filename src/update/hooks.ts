/**
 * Hanging things on hooks: tables of one's own at any priority, and the engine's own elsewhere or nowhere. Nothing of this
 * costs a packet anything but what it hangs there: the walk reads an order that is made here.
 *
 *     registerTable(engine, { name: "guard", table, priority: -310 });         // in front of raw
 *     setHooks(engine, hooksOf(engine).filter((entry) => entry.kind !== "conntrack"));
 */
import { REGISTERED_COUNT } from "../blob/hooks.js";
import { BLOB_TABLE } from "../blob/layout.js";
import { CONTROL_ADDRESS, CONTROL_ROOT, FAULT_MEMORY, ROOT_HOOKS } from "../blob/memory.js";
import type { Engine } from "../engine/engine.js";
import { EngineError, mustSucceed } from "../engine/engine-error.js";
import { type HookEntry, readRegistry, registryRecord, tablePriority } from "../engine/hook-registry.js";
import { readTable } from "../engine/read-back.js";
import { HOOK_NAMES, type HookName, type Table, TABLE_NAMES } from "../ruleset/ruleset.js";
import { Transaction } from "./transaction.js";

export interface RegisterTableOptions {
  /** At most 31 bytes; of a name that hangs already, the rules are replaced and counters of untouched ones kept. */
  readonly name: string;
  /**
   * What `parseRuleset` gives. Its kind says what its rules may do, as nft's chain types: one of kind nat sees what begins a
   * connection, one of kind mangle routes again behind OUTPUT. It hangs on the hooks of its built-in chains.
   */
  readonly table: Table;
  /** Of all its hooks, or by hook. Default that of the table of its kind, in front of it. */
  readonly priority?: number | Partial<Record<HookName, number>>;
}

/** What hangs on the hooks: by family, hook and priority, in the order in which packets meet it. */
export function hooksOf(engine: Engine): HookEntry[] {
  const { entries } = registry(engine);
  const place = (one: HookEntry): number => HOOK_NAMES.indexOf(one.hook);
  return entries
    .reverse()
    .sort((a, b) => a.family.localeCompare(b.family) || place(a) - place(b) || a.priority - b.priority);
}

/**
 * Lets `entries` take the place of all that hangs on the hooks, as one update. Tables of users that no entry names are gone.
 * @throws RangeError for an entry that cannot hang.
 */
export function setHooks(engine: Engine, entries: readonly HookEntry[]): void {
  const { entries: old, tables } = registry(engine);
  for (const one of entries)
    if (one.kind === "registered" && !old.some(({ name, index }) => name === one.name && index === one.index))
      throw new RangeError(`no table of the name ${JSON.stringify(one.name)} is registered`);
  Transaction.run(
    engine,
    {},
    {
      carryOut(transaction) {
        putRegistry(transaction, [...entries].reverse(), tables);
        for (const [index, table] of tables.entries())
          if (table !== 0 && !entries.some((one) => one.index === index))
            mustSucceed(engine.kernel.updateRegistered(index, 0, 0, 0));
      },
    },
  );
}

/**
 * Hangs a table of one's own on the hooks of its built-in chains.
 * @throws RangeError when there is no place for it, RulesetError for a rule that the engine refuses; then nothing has changed.
 */
export function registerTable(engine: Engine, { name, table, priority }: RegisterTableOptions): void {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes === 0 || bytes > 31) throw new RangeError(`a name of 1 to 31 bytes, not ${JSON.stringify(name)}`);
  const { entries, tables } = registry(engine);
  const same = entries.find((one) => one.name === name);
  const index = same?.index ?? tables.indexOf(0);
  if (index < 0) throw new RangeError(`${REGISTERED_COUNT} tables are registered; there is no room for another`);
  const { family } = table.rows;
  const hung = [...table.chains.values()].flatMap(({ hook: number }): HookEntry[] => {
    const hook = HOOK_NAMES[number];
    if (hook === undefined) return [];
    const own = typeof priority === "number" ? priority : priority?.[hook];
    return [{ family, hook, priority: own ?? tablePriority(table.name, hook), kind: "registered", name, index }];
  });
  for (const one of hung)
    if (!Number.isInteger(one.priority) || Math.abs(one.priority) > 0x7fffffff)
      throw new RangeError(`a priority is a whole number of 32 bits, not ${one.priority}`);
  Transaction.run(
    engine,
    {},
    {
      carryOut(transaction) {
        putRegistry(transaction, [...entries.filter((one) => one.name !== name), ...hung], tables);
        transaction.replace(table, same ? "content" : "none", !same, index);
      },
    },
  );
}

/** The table registered as `name`, with its counters; undefined when there is none. Takes the writers' lock. */
export function registeredTable(engine: Engine, name: string): Table | undefined {
  return engine.locked(() => {
    const { entries, tables } = registry(engine);
    const own = entries.find((one) => one.name === name);
    const at = own && tables[own.index ?? -1];
    if (!own || !at) return undefined;
    return readTable(engine, own.family, tableKind(engine, at), at);
  });
}

function tableKind(engine: Engine, at: number): Table["name"] {
  return TABLE_NAMES[engine.data().getUint8(at + BLOB_TABLE)] ?? "mangle";
}

function registry(engine: Engine): ReturnType<typeof readRegistry> {
  const view = engine.data();
  return readRegistry(view, view.getUint32(view.getUint32(CONTROL_ADDRESS + CONTROL_ROOT, true) + ROOT_HOOKS, true));
}

function putRegistry({ engine }: Transaction, entries: readonly HookEntry[], tables: readonly number[]): void {
  const record = registryRecord(entries, tables);
  const at = engine.kernel.updateAllocate(record.length) >>> 0;
  if (at === 0) throw new EngineError(FAULT_MEMORY);
  new Uint8Array(engine.handle.memory.buffer, at, record.length).set(record);
  mustSucceed(engine.kernel.updateHooks(at));
}
