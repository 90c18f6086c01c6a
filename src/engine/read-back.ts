/**
 * Reading back what is in force, as `iptables-save` does: from linked rows to a ruleset whose rows are portable again but
 * for their counters' numbers, so that compiling it carries them over.
 */
import * as L from "../blob/layout.js";
import * as M from "../blob/memory.js";
import {
  COMMENT_TEXT,
  CT_POLICY,
  CONNLIMIT_OBJECT,
  HASHLIMIT_OBJECT,
  IDLETIMER_OBJECT,
  JUMP_CHAIN,
  LIMIT_STATE,
  MATCH_COMMENT,
  MATCH_CONNLIMIT,
  MATCH_HASHLIMIT,
  MATCH_LIMIT,
  MATCH_NFACCT,
  MATCH_QUOTA,
  MATCH_RATEEST,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_STATISTIC,
  NFACCT_OBJECT,
  QUOTA_STATE,
  RATEEST_FIRST_OBJECT,
  RECENT_OBJECT,
  SET_OBJECT,
  STATISTIC_STATE,
  SETRATEEST_OBJECT,
  SETTARGET_ADD,
  SETTARGET_PART_OBJECT,
  SETTARGET_PART_SIZE,
  SETTARGET_TIMEOUT,
  TARGET_CT,
  TARGET_IDLETIMER,
  TARGET_JUMP,
  TARGET_RATEEST,
  TARGET_SET,
  VERDICT_VALUE,
} from "../blob/payloads.js";
import { type Family, familyNumber, RowStore } from "../ruleset/row-store.js";
import { type Chain, HOOK_NAMES, Ruleset, Table, TABLE_NAMES, type TableName } from "../ruleset/ruleset.js";
import type { Engine } from "./engine.js";

/** Words of match records that hold run-time addresses. */
const RUNTIME_WORDS: Readonly<Record<number, number>> = {
  [MATCH_STATISTIC]: STATISTIC_STATE,
  [MATCH_LIMIT]: LIMIT_STATE,
  [MATCH_RECENT]: RECENT_OBJECT,
  [MATCH_SET]: SET_OBJECT,
  [MATCH_HASHLIMIT]: HASHLIMIT_OBJECT,
  [MATCH_QUOTA]: QUOTA_STATE,
  [MATCH_CONNLIMIT]: CONNLIMIT_OBJECT,
  [MATCH_NFACCT]: NFACCT_OBJECT,
};

/** Address of the table in force, 0 when there is none. */
export function tableAddress(engine: Engine, family: Family, table: TableName): number {
  const view = engine.data();
  const root = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_ROOT, true);
  const familySlot = family === "ipv4" ? M.ROOT_IPV4 : M.ROOT_IPV6;
  return view.getUint32(root + M.ROOT_TABLES + 4 * (familySlot * L.TABLE_COUNT + TABLE_NAMES.indexOf(table)), true);
}

/** The whole ruleset of a family. The caller holds the writers' lock. */
export function readBack(engine: Engine, family: Family): Ruleset {
  const ruleset = new Ruleset(family);
  for (const name of TABLE_NAMES) {
    const address = tableAddress(engine, family, name);
    if (address !== 0) ruleset.tables.set(name, readTable(engine, family, name, address));
  }
  return ruleset;
}

/** One table at `address`, as the writer sees it; with `only` all its chains, but rules of these alone. */
export function readTable(
  engine: Engine,
  family: Family,
  name: TableName,
  address: number,
  only?: ReadonlySet<string>,
): Table {
  const view = engine.data();
  if (view.getUint8(address + L.BLOB_FAMILY) !== familyNumber(family)) throw new Error("no table at this address");
  const capacity = only ? undefined : view.getUint32(address + L.BLOB_RECORDS_END, true);
  const table = new Table(name, family, new RowStore(family, capacity));
  const chains: Chain[] = [];
  const heads = new Heads(view.getUint32(address + L.BLOB_LIVE_CHAINS, true));
  const text = address + view.getUint32(address + L.BLOB_TEXT, true);
  const bytes = Buffer.from(view.buffer);
  for (
    let head = view.getUint32(address + L.BLOB_FIRST_CHAIN, true);
    head;
    head = view.getUint32(head + L.CHAIN_NEXT, true)
  ) {
    const hook = view.getUint8(head + L.CHAIN_HOOK);
    const chainName = textAt(view, text, view.getUint32(head + L.CHAIN_NAME, true), bytes);
    heads.add(head);
    chains.push(table.addChain(chainName, hook === L.CHAIN_USER ? -1 : hook));
  }
  const copier = new RowCopier(engine, table, text, heads);
  for (const [id, chain] of chains.entries()) {
    if (only && !only.has(chain.name)) continue;
    const head = heads.address(id);
    chain.rules = copier.copyRules(head);
    const policy = view.getUint32(head + L.CHAIN_POLICY, true);
    if (policy) readPolicy(engine, view, chain, policy);
  }
  return table;
}

/** Names of a table's chains, in its own order. */
export function chainNames(engine: Engine, address: number): string[] {
  const view = engine.data();
  const text = address + view.getUint32(address + L.BLOB_TEXT, true);
  const names: string[] = [];
  for (
    let head = view.getUint32(address + L.BLOB_FIRST_CHAIN, true);
    head;
    head = view.getUint32(head + L.CHAIN_NEXT, true)
  )
    names.push(textAt(view, text, view.getUint32(head + L.CHAIN_NAME, true)));
  return names;
}

/** Addresses of the rules in force of the chain at `head`, in order. */
export function rowsOf(view: DataView, head: number): number[] {
  const rows: number[] = [];
  let row = head + L.CHAIN_SIZE;
  for (let left = view.getUint8(head + L.CHAIN_RUN); left > 0; left--, row += view.getUint16(row, true)) rows.push(row);
  for (
    let chunk = view.getUint32(head + L.CHAIN_CHUNKS, true);
    chunk;
    chunk = view.getUint32(chunk + M.CHUNK_NEXT, true)
  ) {
    const used = view.getUint16(chunk + M.CHUNK_USED, true);
    for (let i = 0; i < used; i++) {
      const row = view.getUint32(chunk + M.CHUNK_ROW_SLOTS + 4 * i, true);
      if (row && view.getUint32(row + L.ROW_DIED, true) === L.GENERATION_NEVER) rows.push(row);
    }
  }
  return rows;
}

/** The text that `reference` names; who asks for many has the view's bytes at hand. */
export function textAt(view: DataView, text: number, reference: number, bytes = Buffer.from(view.buffer)): string {
  const at = (text + reference) >>> 0;
  return bytes.toString("utf8", at + 2, at + 2 + view.getUint16(at, true));
}

/** Reads a counter into four words: packets low, high, bytes low, high. */
export function readCounter(engine: Engine, counter: number, into: Uint32Array, at: number): void {
  const words = engine.words();
  const scratch = words[(M.CONTROL_ADDRESS + M.CONTROL_SCRATCH) >> 2] as number;
  engine.kernel.counterRead(counter, scratch);
  for (let i = 0; i < 4; i++) into[at + i] = words[(scratch >>> 2) + i] as number;
}

/** Chain heads by number, and their numbers by address: open addressing, since a Map of as many takes as long as all the rest. */
class Heads {
  private readonly addresses: Uint32Array;
  /** Numbers + 1, 0 where there is none. */
  private readonly slots: Uint32Array;
  private count = 0;

  constructor(most: number) {
    this.addresses = new Uint32Array(most);
    this.slots = new Uint32Array(2 << (32 - Math.clz32(most)));
  }

  add(head: number): void {
    this.addresses[this.count++] = head;
    this.slots[this.slotOf(head)] = this.count;
  }

  address(number: number): number {
    return this.addresses[number] as number;
  }

  /** -1 of none. */
  number(head: number): number {
    return (this.slots[this.slotOf(head)] as number) - 1;
  }

  /** The slot of a head, or the free one where it would go. */
  private slotOf(head: number): number {
    const { addresses, slots } = this;
    const last = slots.length - 1;
    let slot = (Math.imul(head, 0x9e3779b1) >>> 8) & last;
    for (let found = slots[slot] as number; found !== 0 && addresses[found - 1] !== head; found = slots[slot] as number)
      slot = (slot + 1) & last;
    return slot;
  }
}

/** Copies rows in force into a table's store, portable again. The caller holds the writers' lock, so that memory stays as it is. */
class RowCopier {
  private readonly view: DataView;
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  /** Where the kernel puts what a counter reads. */
  private readonly scratch: number;

  constructor(
    private readonly engine: Engine,
    private readonly table: Table,
    private readonly text: number,
    private readonly heads: Heads,
  ) {
    this.view = engine.data();
    this.words = engine.words();
    this.bytes = engine.bytes();
    this.scratch = engine.scratch();
  }

  /** The rules in force of the chain at `head`; their ordinals. */
  copyRules(head: number): number[] {
    return rowsOf(this.view, head).map((row) => this.copy(row));
  }

  private copy(row: number): number {
    const { view, words } = this;
    const store = this.table.rows;
    const size = view.getUint16(row + L.ROW_NEXT, true);
    const at = store.reserve(size);
    const into = store.words;
    for (let i = 0; i < size >> 2; i++) into[(at >> 2) + i] = words[(row >>> 2) + i] as number;
    for (let i = L.ROW_BORN; i < L.ROW_PROTOCOL; i += 4) into[(at + i) >> 2] = 0;
    store.view.setUint16(at + L.ROW_MOVED, 0, true);
    const target = at + store.view.getUint16(at + L.ROW_TARGET, true);
    for (
      let match = at + store.matchesOffset(at);
      match < target;
      match += store.view.getUint16(match + L.RECORD_BYTES, true)
    )
      this.cleanMatch(match, store.view.getUint16(match + L.RECORD_TYPE, true));
    this.cleanTarget(target, store.view.getUint16(target + L.RECORD_TYPE, true));
    const ordinal = store.commit(size);
    this.engine.kernel.counterRead(view.getUint32(row + L.ROW_COUNTER, true), this.scratch);
    const from = this.scratch >>> 2;
    for (let i = 0; i < 4; i++) store.counters[4 * ordinal + i] = words[from + i] as number;
    return ordinal;
  }

  /** Takes what refers to memory out of a copied match. */
  private cleanMatch(match: number, type: number): void {
    const store = this.table.rows;
    if (type === MATCH_COMMENT) {
      const comment = (this.text + store.view.getUint32(match + COMMENT_TEXT, true)) >>> 0;
      const end = comment + 2 + this.view.getUint16(comment, true);
      store.view.setUint32(match + COMMENT_TEXT, store.text.intern(this.bytes, comment + 2, end), true);
      return;
    }
    const word = RUNTIME_WORDS[type];
    if (word !== undefined) store.view.setUint32(match + word, 0, true);
    if (type === MATCH_RATEEST) store.view.setBigUint64(match + RATEEST_FIRST_OBJECT, 0n, true);
  }

  private cleanTarget(target: number, type: number): void {
    const { view } = this.table.rows;
    switch (type) {
      case TARGET_JUMP: {
        const callee = this.heads.number(view.getUint32(target + JUMP_CHAIN, true));
        if (callee < 0) throw new Error("a rule jumps to a chain that is not in its table");
        view.setUint32(target + JUMP_CHAIN, callee, true);
        return;
      }
      case TARGET_SET:
        for (let part = target + SETTARGET_ADD; part < target + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE)
          view.setUint32(part + SETTARGET_PART_OBJECT, 0, true);
        return;
      case TARGET_RATEEST:
        view.setUint32(target + SETRATEEST_OBJECT, 0, true);
        return;
      case TARGET_IDLETIMER:
        view.setUint32(target + IDLETIMER_OBJECT, 0, true);
        return;
      case TARGET_CT:
        view.setUint32(target + CT_POLICY, 0, true);
        return;
    }
  }
}

function readPolicy(engine: Engine, view: DataView, chain: Chain, row: number): void {
  const target = row + view.getUint16(row + L.ROW_TARGET, true);
  chain.policy = view.getUint32(target + VERDICT_VALUE, true) === L.VERDICT_DROP ? "DROP" : "ACCEPT";
  chain.policyCounter = view.getUint32(row + L.ROW_COUNTER, true);
  readCounter(engine, chain.policyCounter, chain.policyCounters, 0);
  if (chain.hook >= HOOK_NAMES.length) throw new Error(`no hook ${chain.hook}`);
}
