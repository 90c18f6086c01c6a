/** What a line's command says: its letter, the bytes of its names, its numbers, and how to list. */

/** Commands that -Z may stand beside. */
const LISTINGS = "LS";

export class CommandDraft {
  /** The letter of the command, "" for none. */
  name = "";
  /** Bytes of the chain's name; -1 where there is none. */
  chainStart = -1;
  chainEnd = -1;
  /** Bytes of the policy, or of the new name. */
  secondStart = -1;
  secondEnd = -1;
  /** A rule's number, 0 for none. */
  position = 0;
  /** The line is meant for the other family (-4, -6). */
  foreign = false;

  // What a command line alone may say.

  /** Of -Z, alone or beside a listing. */
  zeroing: "nothing" | "chain" | "rule" = "nothing";
  tableStart = -1;
  tableEnd = -1;
  /** Letters of the options of listing that were given; "0" is --line-numbers. */
  display = "";

  clear(): void {
    this.name = "";
    this.chainStart = this.chainEnd = this.secondStart = this.secondEnd = -1;
    this.position = 0;
    this.foreign = false;
    this.zeroing = "nothing";
    this.tableStart = this.tableEnd = -1;
    this.display = "";
  }

  get isListing(): boolean {
    return this.name !== "" && LISTINGS.includes(this.name);
  }

  /** Makes `name` the command, or the one beside it; false where it cannot be. */
  add(name: string): boolean {
    const joins =
      name === "Z" ? this.isListing && this.zeroing === "nothing" : LISTINGS.includes(name) && this.name === "Z";
    if (this.name !== "" && !joins) return false;
    if (name === "Z") this.zeroing = "chain";
    if (name !== "Z" || this.name === "") this.name = name;
    return true;
  }

  /** The number of the rule that command `name` is about. */
  setPosition(name: string, position: number): void {
    this.position = position;
    if (name !== "Z") return;
    // In Linux -Z with a rule's number makes a -L in front of it be forgotten.
    this.name = name;
    this.zeroing = "rule";
  }
}
