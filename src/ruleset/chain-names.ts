/** What names stand for while text is read: numbers of chains. */

/** A name that stands for nothing: a chain that was never made or is deleted. */
export const ABSENT = -1;
/** A name that nobody said anything about. */
export const UNKNOWN = -2;

/** Names are given as bytes `start` to `end`; `view` is of the same memory. */
export interface ChainNames {
  /** The chain's number, ABSENT or UNKNOWN. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): number;
  /** Lets the name stand for chain `value`, or for none (ABSENT). */
  set(bytes: Uint8Array, view: DataView, start: number, end: number, value: number): void;
  /** The same for names as text. */
  findText(text: string): number;
  setText(text: string, value: number): void;
}
