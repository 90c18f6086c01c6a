/** The WebAssembly side as TypeScript sees it: loading the module, its exports, and its faults. */
import { instantiate } from "../ruleset/kernel-module.js";

/** Exports of assembly/index.ts. Addresses are byte offsets in the shared memory; see there for what each does. */
export interface Kernel {
  engineInit(readers: number, classifier: number, seed: number, scratchBytes: number): number;
  engineAttach(): void;
  engineTrack(limit: number): number;
  engineForget(): void;
  engineForgetMasqueraded(name: number, address: number): void;
  engineExpect(master: number, expectation: number, now: number): number;
  engineAllocate(bytes: number): number;
  accountAdd(from: number): number;
  accountRemove(account: number): void;
  policyRemove(number: number): void;
  readerAttach(id: number): void;
  readerMatch(packets: number, results: number, count: number): void;
  readerClassify(table: number, hook: number, packets: number, rows: number, count: number): void;
  readerTrace(packet: number, into: number, trace: number, bytes: number): number;
  counterRead(index: number, into: number): void;
  updateBegin(): number;
  updateCommit(): number;
  updateRollback(): void;
  updateReclaim(limit: number): number;
  updateTable(family: number, table: number): number;
  updateAllocate(bytes: number): number;
  updateFree(address: number, bytes: number): void;
  updateReplace(blob: number, length: number, carry: number, sealed: number): number;
  updateRemove(family: number, table: number): number;
  updateRegistered(index: number, blob: number, length: number, carry: number): number;
  updateHooks(record: number): number;
  updateRouting(image: number): number;
  chainFind(table: number, text: number): number;
  editBatch(table: number, batch: number): number;
  editVerify(table: number): number;
  pieceFirst(family: number, bytes: number): number;
  pieceNext(bytes: number): number;
  pieceRead(): number;
  pieceEdit(): number;
  editZero(head: number): void;
  setsCreate(name: number, made: number): number;
  setsRemove(set: number): number;
  setsRestore(set: number, after: number): void;
  setsForget(set: number): void;
  setsForgetBody(body: number): void;
  setsRename(set: number, name: number): void;
  setsSwap(set: number, other: number): number;
  setsFlush(set: number): number;
  setsExchange(set: number, body: number): number;
  setsReserve(set: number, more: number): number;
  setsAdd(set: number, element: number, before: number, time: number): number;
  setsDelete(set: number, element: number, before: number, time: number): number;
  setsNext(set: number, cursor: number, into: number, time: number): number;
  oldestReader(): number;
  /** Puts three words at an address: bytes stored, records changed, records looked at since the last update or freeing began. */
  countCosts(into: number): void;
  countRetired(): number;
  readonly faultOffset: WebAssembly.Global;
  readonly failedEdit: WebAssembly.Global;
  readonly faultRow: WebAssembly.Global;
  readonly tuplesProbed: WebAssembly.Global;
  readonly entriesCompared: WebAssembly.Global;
  readonly chunksCompared: WebAssembly.Global;
  readonly rowsChecked: WebAssembly.Global;
}

/** How rows of a new table come by the counters of the one they replace (assembly/table.ts). */
export const CARRY = { none: 0, content: 1, named: 2 } as const;
export type Carry = keyof typeof CARRY;

/** An instance for this thread over `memory`. */
export function instantiateKernel(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel {
  return instantiate(module, memory) as unknown as Kernel;
}
