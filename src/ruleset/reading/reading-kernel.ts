/** Exports of assembly/reading/. Addresses count from the memory's first byte. */
export interface ReadingKernel {
  readLines(): number;
  probeValue(kind: number, at: number): number;
  /** Heads up to that of a chain whose next row has so many bytes; 0 without room. */
  placeChain(chain: number, bytes: number): number;
  placeRest(): number;
  /** The slot of a text, 0 when there is none; textIntern: when there is no room. */
  textFind(start: number, end: number): number;
  textIntern(start: number, end: number): number;
  textsRehash(to: number, mask: number): void;
  /** 0, or STOPPED_* where there is no room. */
  tableOpen(family: number, table: number, slots: number): number;
  tableClose(family: number, table: number): void;
  readonly textRefusal: WebAssembly.Global;
  readonly commentStart: WebAssembly.Global;
  readonly commentEnd: WebAssembly.Global;
}
