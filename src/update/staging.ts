/**
 * The writer's staging area: where a rule of a batch is laid out the way the engine takes it, and names are put for
 * looking up.
 *
 *  0           STAGED_TEXT      STAGED_NAME   STAGED_COUNTERS
 * +-----------+----------------+-------------+----------+
 * | row       | its comments   | a name      | counters |
 */
import * as L from "../blob/layout.js";
import * as M from "../blob/memory.js";
import { COMMENT_TEXT, JUMP_CHAIN, MATCH_COMMENT, TARGET_JUMP } from "../blob/payloads.js";
import { writePolicyRow } from "../blob/compile.js";
import type { Engine } from "../engine/engine.js";
import { type RowStore, rowHeadSize } from "../ruleset/row-store.js";
import type { Policy } from "../ruleset/ruleset.js";

const STAGED_TEXT = 1 << 16;
const STAGED_NAME = 3 << 16;
const STAGED_COUNTERS = STAGED_NAME + (1 << 15);

const encoder = new TextEncoder();

export class Staging {
  private readonly engine: Engine;
  private readonly base: number;

  constructor(engine: Engine) {
    this.engine = engine;
    this.base = engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_SCRATCH, true);
  }

  /** Puts a name there; its address. */
  name(name: string): number {
    const at = this.base + STAGED_NAME;
    const view = this.engine.data();
    view.setUint16(at, name.length, true);
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i);
      if (code > 127) return this.encoded(name, at);
      view.setUint8(at + 2 + i, code);
    }
    return at;
  }

  private encoded(name: string, at: number): number {
    const bytes = encoder.encode(name);
    const view = this.engine.data();
    view.setUint16(at, bytes.length, true);
    new Uint8Array(view.buffer, at + 2, bytes.length).set(bytes);
    return at;
  }

  /** Puts four words of counters there; their address. */
  counters(counters: Uint32Array, from = 0): number {
    const view = this.engine.data();
    const at = this.base + STAGED_COUNTERS;
    for (let i = 0; i < 4; i++) view.setUint32(at + 4 * i, counters[from + i] as number, true);
    return at;
  }

  /** Lays out row `ordinal` for the chain at `head` of `table`; `chainOf` gives the head of a chain number. Its address. */
  rule(rows: RowStore, ordinal: number, table: number, head: number, chainOf: (number: number) => number): number {
    const row = rows.row(ordinal);
    const target = rows.view.getUint16((rows.offsets[ordinal] as number) + L.ROW_TARGET, true);
    const isJump =
      rows.view.getUint16((rows.offsets[ordinal] as number) + target + L.RECORD_TYPE, true) === TARGET_JUMP;
    const callee = isJump
      ? chainOf(rows.view.getUint32((rows.offsets[ordinal] as number) + target + JUMP_CHAIN, true))
      : 0;
    const at = this.base;
    const view = this.engine.data();
    const bytes = new Uint8Array(view.buffer);
    bytes.set(row, at);
    bytes.fill(0, at + L.ROW_COUNTER, at + L.ROW_PROTOCOL);
    view.setUint32(at + L.ROW_CHAIN, head, true);
    if (isJump) view.setUint32(at + target + JUMP_CHAIN, callee, true);
    const text = table + view.getUint32(table + L.BLOB_TEXT, true);
    let free = at + STAGED_TEXT;
    const first = rows.matchesOffset(rows.offsets[ordinal] as number);
    for (let match = at + first; match < at + target; match += view.getUint16(match + L.RECORD_BYTES, true)) {
      if (view.getUint16(match + L.RECORD_TYPE, true) !== MATCH_COMMENT) continue;
      const comment = rows.text.bytesAt(view.getUint32(match + COMMENT_TEXT, true));
      view.setUint16(free, comment.length, true);
      bytes.set(comment, free + 2);
      view.setUint32(match + COMMENT_TEXT, (free - text) >>> 0, true);
      free += (2 + comment.length + 7) & ~7;
    }
    return at;
  }

  /** Lays out a policy row. */
  policy(policy: Policy, rows: RowStore, head: number): number {
    const view = this.engine.data();
    new Uint8Array(view.buffer).fill(0, this.base, this.base + 256);
    writePolicyRow(view, this.base, rowHeadSize(rows.family), { policy, policyCounter: 0 });
    view.setUint32(this.base + L.ROW_CHAIN, head, true);
    return this.base;
  }
}
