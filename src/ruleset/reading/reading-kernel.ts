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
  textsClear(slots: number): void;
  textsRehash(to: number, mask: number): void;
  /** Number of the chain of a name, made when it is new; -1 when it cannot be one, or there is no room. */
  nameOpen(start: number, end: number): number;
  readonly nameRefusal: WebAssembly.Global;
  readonly textRefusal: WebAssembly.Global;
  readonly commentStart: WebAssembly.Global;
  readonly commentEnd: WebAssembly.Global;
}
