/**
 * Objects of nfacct: counters by name that any number of rules count in, made before the rules that name them. What
 * `nfacct list` prints is read and printed.
 */
import * as M from "../blob/memory.js";
import { NFACCT_NAME_BYTES } from "../blob/payloads.js";
import type { Engine } from "./engine.js";
import { EngineError } from "./engine-error.js";
import { nameAt } from "./name-text.js";

export interface AccountingObject {
  /** At most 31 bytes. */
  readonly name: string;
  readonly packets: bigint;
  readonly bytes: bigint;
  /** Rules that name the object match once it has counted more. */
  readonly quota?: { readonly of: "packets" | "bytes"; readonly limit: bigint };
}

export type AccountingErrorCode = "bad-name" | "object-exists" | "unknown-object" | "object-in-use" | "bad-line";

export class AccountingError extends Error {
  override readonly name = "AccountingError";

  constructor(
    readonly code: AccountingErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** An object to be made; without counts it has counted nothing. */
export type NewAccountingObject = Pick<AccountingObject, "name"> & Partial<AccountingObject>;

/** Makes objects, all or, with an AccountingError, those in front of the one at fault. Takes the writers' lock. */
export function addAccounting(engine: Engine, objects: readonly NewAccountingObject[]): void {
  engine.locked(() => {
    for (const { name, packets = 0n, bytes = 0n, quota } of objects) {
      const text = new TextEncoder().encode(name);
      if (text.length === 0 || text.length >= NFACCT_NAME_BYTES)
        throw new AccountingError(
          "bad-name",
          `a name of 1 to ${NFACCT_NAME_BYTES - 1} bytes, not ${JSON.stringify(name)}`,
        );
      if (addresses(engine).has(name)) throw new AccountingError("object-exists", `there is an object ${name}`);
      const scratch = engine.scratch();
      const record = engine.bytes().subarray(scratch, scratch + M.ACCOUNT_SIZE);
      record.fill(0);
      record.set(text, M.ACCOUNT_NAME);
      const view = engine.data();
      view.setBigUint64(scratch + M.ACCOUNT_PACKETS, packets, true);
      view.setBigUint64(scratch + M.ACCOUNT_BYTES, bytes, true);
      view.setBigUint64(scratch + M.ACCOUNT_QUOTA, quota?.limit ?? 0n, true);
      view.setUint32(scratch + M.ACCOUNT_FLAGS, quota ? FLAGS[quota.of] : 0, true);
      if (!engine.kernel.accountAdd(scratch)) throw new EngineError(M.FAULT_MEMORY);
    }
  });
}

/** Takes out an object that no rule names, as `nfacct delete`. Takes the writers' lock. */
export function deleteAccounting(engine: Engine, name: string): void {
  engine.locked(() => {
    const object = addresses(engine).get(name);
    if (object === undefined) throw new AccountingError("unknown-object", `there is no object ${name}`);
    if (engine.data().getUint32(object + M.ACCOUNT_REFERENCES, true) > 0)
      throw new AccountingError("object-in-use", `rules name the object ${name}`);
    engine.kernel.accountRemove(object);
  });
}

/** All objects in the order in which they were made, as they are now. Takes the writers' lock. */
export function listAccounting(engine: Engine): AccountingObject[] {
  return engine.locked(() => {
    const view = engine.data();
    return Array.from(addresses(engine), ([name, at]) => {
      const flags = view.getUint32(at + M.ACCOUNT_FLAGS, true);
      const limit = view.getBigUint64(at + M.ACCOUNT_QUOTA, true);
      const of = flags & M.ACCOUNT_FLAG_BYTES ? "bytes" : "packets";
      return {
        name,
        packets: view.getBigUint64(at + M.ACCOUNT_PACKETS, true),
        bytes: view.getBigUint64(at + M.ACCOUNT_BYTES, true),
        ...(flags === 0 ? {} : { quota: { of, limit } }),
      };
    });
  });
}

/** A line of `nfacct list` for each. */
export function printAccounting(objects: readonly AccountingObject[]): string {
  return objects
    .map(({ name, packets, bytes, quota }) => {
      const counts = `pkts = ${long(packets)}, bytes = ${long(bytes)}`;
      if (!quota) return `{ ${counts} } = ${name};\n`;
      const over = (quota.of === "bytes" ? bytes : packets) >= quota.limit ? 1 : 0;
      const mode = quota.of === "bytes" ? "byte" : "packet";
      return `{ ${counts}, quota = ${long(quota.limit)}, mode = ${mode}, overquota = ${over} } = ${name};\n`;
    })
    .join("");
}

/** What `printAccounting` and `nfacct list` print. @throws AccountingError with the number of a line that is none. */
export function readAccounting(text: string, file = "nfacct"): AccountingObject[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const found = LINE.exec(line);
    if (!found)
      throw new AccountingError("bad-line", `${file}:${index + 1}: a line of nfacct list, not ${JSON.stringify(line)}`);
    const [, packets = "", bytes = "", limit, mode, name = ""] = found;
    const quota = { of: mode === "byte" ? ("bytes" as const) : ("packets" as const), limit: BigInt(limit ?? 0) };
    return [{ name, packets: BigInt(packets), bytes: BigInt(bytes), ...(limit === undefined ? {} : { quota }) }];
  });
}

const FLAGS = { packets: M.ACCOUNT_FLAG_PACKETS, bytes: M.ACCOUNT_FLAG_BYTES } as const;
const LINE =
  /^\s*\{ pkts = (\d+), bytes = (\d+)(?:, quota = (\d+), mode = (byte|packet), overquota = [01])? \} = ([^;\s]+);\s*$/;
const DIGITS = 20;

const long = (value: bigint): string => value.toString().padStart(DIGITS, "0");

function addresses(engine: Engine): Map<string, number> {
  const view = engine.data();
  const found = new Map<string, number>();
  let at = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_ACCOUNTS, true);
  for (; at !== 0; at = view.getUint32(at + M.ACCOUNT_NEXT, true))
    found.set(nameAt(view, at + M.ACCOUNT_NAME, NFACCT_NAME_BYTES), at);
  return found;
}
