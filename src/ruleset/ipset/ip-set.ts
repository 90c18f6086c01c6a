/** A set as ipset holds it: how it was made, and its elements in the order in which they were added. */
import type { Family } from "../row-store.js";
import type { SetTypeName } from "./set-types.js";

/** A part of an element, its kind as the set's type has it. Addresses are 4 or 16 bytes in network order. */
export type ElementPart =
  | { readonly kind: "address"; readonly address: Uint8Array; readonly prefix: number }
  /** ICMP: the port is 256 times the type and the code. `protocol` is 0 in a bitmap of ports. */
  | { readonly kind: "port"; readonly protocol: number; readonly port: number }
  | { readonly kind: "device"; readonly name: string; readonly physical: boolean }
  | { readonly kind: "mac"; readonly mac: Uint8Array }
  | { readonly kind: "mark"; readonly mark: number }
  | { readonly kind: "set"; readonly name: string };

export interface SetEntry {
  readonly parts: readonly ElementPart[];
  /** The element as ipset prints it. */
  readonly text: string;
  /** Two elements are the same when this is. */
  readonly key: string;
  /** Takes what it covers out of wider elements. */
  readonly nomatch: boolean;
  /** The device's name is the beginning of names. */
  readonly wildcard: boolean;
  /** Seconds, 0 for ever. Undefined in a set without timeouts. */
  readonly timeout: number | undefined;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly comment: string | undefined;
  /** What -j SET --map-set gives a packet. The mark is (old & ~mask) ^ mark; 0 and 0 for none. */
  readonly mark: number;
  readonly markMask: number;
  readonly priority: number;
  readonly queue: number;
}

/** What `create` said, with what holds where it said nothing. Fields that the type has not are left as they are there. */
export interface SetHeader {
  readonly name: string;
  readonly type: SetTypeName;
  readonly family: Family;
  /** Buckets, a power of two. */
  readonly hashsize: number;
  /** Elements that the set may have. */
  readonly maxelem: number;
  /** Bits of addresses that are kept: all, or fewer. */
  readonly netmask: number | undefined;
  readonly bitmask: Uint8Array | undefined;
  /** Bits of marks that are kept. */
  readonly markmask: number;
  /** Seconds that an element lives for when it does not say so itself; undefined in a set without timeouts. */
  readonly timeout: number | undefined;
  readonly counters: boolean;
  readonly comment: boolean;
  readonly skbinfo: boolean;
  /** A full set drops an element for a new one. */
  readonly forceadd: boolean;
  readonly bucketsize: number;
  /** Of the hash; undefined where ipset would choose one. */
  readonly initval: number | undefined;
  /** First and last value of a bitmap, addresses as numbers. */
  readonly first: number;
  readonly last: number;
  /** Of a list. */
  readonly size: number;
}

export interface IpSet extends SetHeader {
  /** By `key`. */
  readonly entries: Map<string, SetEntry>;
}

export type SetCommand = { readonly line: number; readonly column: number; readonly set: string } & (
  | { readonly op: "create"; readonly header: SetHeader; readonly exist: boolean }
  /** `before` and `after` are for lists. */
  | {
      readonly op: "add";
      readonly entry: SetEntry;
      /** Counters that were said; others stay as they are when the element is there. */
      readonly given: { readonly packets: boolean; readonly bytes: boolean };
      readonly exist: boolean;
      readonly beside?: Beside;
    }
  | { readonly op: "del"; readonly entry: SetEntry; readonly exist: boolean; readonly beside?: Beside }
  | { readonly op: "flush" | "destroy" }
  | { readonly op: "rename" | "swap"; readonly to: string }
);

export interface Beside {
  readonly side: "before" | "after";
  readonly name: string;
}
