/**
 * nfacct (xt_nfacct.c, nfnetlink_acct.c): counts the packet in an object that was made beforehand. Where that has a quota, the
 * rule matches from the packet on that goes beyond it.
 */
import { PACKET_LENGTH } from "../../src/blob/layout";
import {
  ACCOUNT_BYTES,
  ACCOUNT_FLAG_BYTES,
  ACCOUNT_FLAG_PACKETS,
  ACCOUNT_FLAGS,
  ACCOUNT_NAME,
  ACCOUNT_NEXT,
  ACCOUNT_PACKETS,
  ACCOUNT_QUOTA,
  ACCOUNT_REFERENCES,
  ACCOUNT_SIZE,
  CONTROL_ACCOUNTS,
  CONTROL_ADDRESS,
} from "../../src/blob/memory";
import { NFACCT_NAME, NFACCT_NAME_BYTES, NFACCT_OBJECT } from "../../src/blob/payloads";
import { arenaAllocate, arenaFree } from "../arena";
import { packet } from "../packet";
import { engineArena } from "../retire";
import { logBegin, logCommit, put32 } from "../store";

/** The object whose name, zero-padded, is at `name`; 0 when there is none. */
export function accountFind(name: usize): usize {
  let account: usize = load<u32>(CONTROL_ADDRESS, CONTROL_ACCOUNTS);
  while (account && memory.compare(account + ACCOUNT_NAME, name, NFACCT_NAME_BYTES))
    account = load<u32>(account, ACCOUNT_NEXT);
  return account;
}

/** Links a copy of the object at `from`, whose name is new. False without memory. Under the writers' lock. */
export function accountAdd(from: usize): bool {
  logBegin();
  const account = arenaAllocate(engineArena(), ACCOUNT_SIZE);
  if (account) {
    memory.copy(account, from, ACCOUNT_SIZE);
    let link: usize = CONTROL_ADDRESS + CONTROL_ACCOUNTS;
    while (load<u32>(link)) link = <usize>load<u32>(link) + ACCOUNT_NEXT;
    put32(link, <u32>account);
  }
  logCommit();
  return account != 0;
}

/** Takes out an object that no rule names. Under the writers' lock. */
export function accountRemove(account: usize): void {
  logBegin();
  let link: usize = CONTROL_ADDRESS + CONTROL_ACCOUNTS;
  while (load<u32>(link) != <u32>account) link = <usize>load<u32>(link) + ACCOUNT_NEXT;
  put32(link, load<u32>(account, ACCOUNT_NEXT));
  arenaFree(engineArena(), account, ACCOUNT_SIZE);
  logCommit();
}

/** The record's rule counts in the object that it names, which is there. */
export function accountJoin(record: usize): void {
  const account = accountFind(record + NFACCT_NAME);
  put32(account + ACCOUNT_REFERENCES, load<u32>(account, ACCOUNT_REFERENCES) + 1);
  store<u32>(record, <u32>account, NFACCT_OBJECT);
}

export function accountLeave(record: usize): void {
  const account: usize = load<u32>(record, NFACCT_OBJECT);
  put32(account + ACCOUNT_REFERENCES, load<u32>(account, ACCOUNT_REFERENCES) - 1);
}

export function matchNfacct(record: usize): bool {
  const account: usize = load<u32>(record, NFACCT_OBJECT);
  const length = <u64>load<u32>(packet, PACKET_LENGTH);
  const packets = atomic.add<u64>(account, 1, ACCOUNT_PACKETS) + 1;
  const bytes = atomic.add<u64>(account, length, ACCOUNT_BYTES) + length;
  const flags = load<u32>(account, ACCOUNT_FLAGS);
  if (flags & ACCOUNT_FLAG_PACKETS) return packets > load<u64>(account, ACCOUNT_QUOTA);
  return !(flags & ACCOUNT_FLAG_BYTES) || bytes > load<u64>(account, ACCOUNT_QUOTA);
}
