/** Blobs that are put into an engine by hand, sealed anew behind every damage, to see whether it refuses them. */
import * as L from "../../src/blob/layout.js";
import { compile, seal } from "../../src/blob/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { FAULT_NAMES, type FaultName } from "../../src/engine/engine-error.js";
import { CARRY } from "../../src/engine/kernel.js";
import { type PacketPool, Reader } from "../../src/engine/reader.js";
import { parseRuleset } from "../../src/ruleset/parse.js";
import type { Family } from "../../src/ruleset/row-store.js";
import type { TableName } from "../../src/ruleset/ruleset.js";
import { encodePacket, type Packet } from "./packet.js";

export interface Refusal {
  readonly code: FaultName;
  /** Offset in the blob. */
  readonly offset: number;
}

export function blobOf(text: string, family: Family = "ipv4", counters = false): Uint8Array {
  const ruleset = parseRuleset(text, { family });
  const [name] = ruleset.tables.keys() as Iterable<TableName>;
  return compile(ruleset.table(name as TableName), { counters });
}

/** A copy with `change` made and the seal renewed. */
export function damaged(blob: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = blob.slice();
  const view = new DataView(copy.buffer);
  change(view);
  view.setUint32(L.BLOB_CHECKSUM, seal(new Uint32Array(copy.buffer, 0, copy.length >> 2)), true);
  return copy;
}

/** Offsets of the chain heads, of the rows and of their target records, in order. */
export function recordsOf(blob: Uint8Array): { heads: number[]; rows: number[]; targets: number[] } {
  const view = new DataView(blob.buffer);
  const found = { heads: [] as number[], rows: [] as number[], targets: [] as number[] };
  for (let at = L.BLOB_HEADER_SIZE; at < view.getUint32(L.BLOB_RECORDS_END, true); ) {
    const end = view.getUint32(at + L.CHAIN_ROWS_END, true);
    found.heads.push(at);
    for (at += L.CHAIN_SIZE; at < end; at += view.getUint16(at + L.ROW_NEXT, true)) {
      found.rows.push(at);
      found.targets.push(at + view.getUint16(at + L.ROW_TARGET, true));
    }
  }
  return found;
}

const PAYLOAD_BYTES = 2048;

/** An engine that takes blobs as they are. */
export class BlobLoader {
  private readonly engine: Engine;
  private readonly reader: Reader;
  private readonly pool: PacketPool;
  private readonly payload: number;

  constructor(classifier: "linear" | "tuple-space" = "tuple-space") {
    this.engine = Engine.create({ readers: 1, classifier });
    this.reader = new Reader(this.engine, 0);
    this.pool = this.reader.allocate(1);
    this.payload = this.engine.allocate(PAYLOAD_BYTES);
  }

  /** Loads the blob in place of its table, or says why not; refused, everything is as it was. */
  load(blob: Uint8Array): Refusal | undefined {
    const { kernel, handle } = this.engine;
    return this.engine.locked(() => {
      kernel.updateReclaim(0x7fffffff);
      kernel.updateBegin();
      const address = kernel.updateAllocate(blob.length) >>> 0;
      new Uint8Array(handle.memory.buffer).set(blob, address);
      const fault = kernel.updateReplace(address, blob.length, CARRY.none, 1) || kernel.updateCommit();
      if (fault === 0) return undefined;
      const offset = Number(kernel.faultOffset.value);
      kernel.updateRollback();
      return { code: FAULT_NAMES[fault] as FaultName, offset };
    });
  }

  /** Walks the packet, whatever comes of it. */
  walk(packet: Packet): number {
    if (packet.bytes) new Uint8Array(this.engine.handle.memory.buffer, this.payload).set(packet.bytes);
    this.pool.set(0, encodePacket(packet, this.payload));
    this.reader.match(this.pool, 0, 1);
    return this.pool.result(0).getUint8(L.RESULT_VERDICT);
  }

  liveBytes(): number {
    return this.engine.memory().liveBytes;
  }
}
