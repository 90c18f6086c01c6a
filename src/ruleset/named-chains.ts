/** Names of chains where few are looked up and nothing is read in bulk. */
import { type ChainNames, UNKNOWN } from "./chain-names.js";

export class NamedChains implements ChainNames {
  private readonly numbers = new Map<string, number>();

  find(bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    return this.numbers.get(key(bytes.subarray(start, end))) ?? UNKNOWN;
  }

  set(bytes: Uint8Array, _view: DataView, start: number, end: number, value: number): void {
    this.numbers.set(key(bytes.subarray(start, end)), value);
  }

  findText(text: string): number {
    return this.numbers.get(key(Buffer.from(text))) ?? UNKNOWN;
  }

  setText(text: string, value: number): void {
    this.numbers.set(key(Buffer.from(text)), value);
  }
}

/** A character a byte: names need not be UTF-8. */
function key(name: Uint8Array): string {
  return Buffer.from(name).toString("latin1");
}
