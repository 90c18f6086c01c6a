/** The fields of a packet that conditions are about, and what may change them while a packet is in a table. */
import type { Field } from "./box.js";
import type { Bound } from "./interval-set.js";

/** Bits for what targets, and a few matches, alter; a field lists those that it depends on. */
export const ALTERS_MARK = 1;
export const ALTERS_STATE = 2;
export const ALTERS_TOS = 4;
export const ALTERS_HOPS = 8;
export const ALTERS_TCP_FLAGS = 16;
export const ALTERS_LENGTH = 32;
/** Options and payload. */
export const ALTERS_BYTES = 64;
/** Whom the link layer sent it to. */
export const ALTERS_TYPE = 256;
/** Of a target that is not known well enough. */
export const ALTERS_ALL = 511;
/** What no known target alters and stays in the table: addresses, ports, devices. */
export const ALTERS_REST = 128;
const KINDS = 9;

/** A field as it is at one place of a chain: behind a rule that may alter it, it is another field than in front. */
export interface PacketField extends Field {
  /** ALTERS_* bits that it depends on. */
  readonly kinds: number;
  /** How often each of these has been altered; "" for never. */
  readonly version: string;
}

/** Counts, kind by kind, the rules of a chain that may have altered a packet. */
export class Versions {
  private readonly counts = new Uint32Array(KINDS);

  alter(kinds: number): void {
    for (let kind = 0; kind < KINDS; kind++)
      if ((kinds >> kind) & 1) this.counts[kind] = (this.counts[kind] as number) + 1;
  }

  of(kinds: number): string {
    let version = "";
    for (let kind = 0; kind < KINDS; kind++)
      if ((kinds >> kind) & 1 && this.counts[kind] !== 0) version += `@${kind}.${this.counts[kind]}`;
    return version;
  }
}

/** Fields by name and version, each one object. */
export class Fields {
  private readonly fields = new Map<string, PacketField>();
  private singles = 0;

  get(name: string, limit: Bound, kinds: number, version = ""): PacketField {
    const key = name + version;
    let field = this.fields.get(key);
    if (!field) {
      field = { name, limit, kinds, version };
      this.fields.set(key, field);
    }
    return field;
  }

  /** A field that no other condition is about: the answer of a match that may change at any time. */
  single(): PacketField {
    return { name: `answer ${++this.singles}`, limit: 2, kinds: ALTERS_ALL, version: "" };
  }
}
