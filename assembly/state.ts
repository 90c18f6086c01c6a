/** What matches remember between packets: taken when a rule is linked, given back when no reader sees it any more. */
import { RECORD_TYPE } from "../src/blob/layout";
import { FAULT_ESTIMATOR, FAULT_MEMORY, FAULT_TIMER } from "../src/blob/memory";
import { STATE_COUNT, STATE_CREDIT, STATE_QUOTA, STATE_SIZE } from "../src/blob/state";
import {
  MATCH_CONNBYTES,
  MATCH_CONNLABEL,
  MATCH_CONNLIMIT,
  MATCH_HASHLIMIT,
  MATCH_LIMIT,
  MATCH_NFACCT,
  MATCH_QUOTA,
  MATCH_RATEEST,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_STATISTIC,
  QUOTA_BYTES,
  SET_NAME,
  SET_OBJECT,
  STATISTIC_EVERY,
  STATISTIC_PACKET,
  SETRATEEST_OBJECT,
  TARGET_CT,
  TARGET_IDLETIMER,
  TARGET_RATEEST,
  TARGET_SET,
} from "../src/blob/payloads";
import { arenaAllocate, arenaFree } from "./arena";
import { countedJoin, countedLeave } from "./conntrack/counted";
import { labellersCount } from "./conntrack/labels";
import { policyJoin, policyLeave } from "./conntrack/policies";
import { runtimeBytes, runtimeWord } from "./content";
import { startAccounting } from "./matches/connbytes";
import { hashTableLeave } from "./matches/hash-table";
import { hashlimitJoin } from "./matches/hashlimit";
import { limitCap } from "./matches/limit";
import { accountJoin, accountLeave } from "./matches/nfacct";
import { estimatorAgrees, estimatorJoin, estimatorLeave, estimatorsJoin, estimatorsLeave } from "./matches/rateest";
import { recentJoin, recentLeave } from "./matches/recent";
import { engineArena } from "./retire";
import { setLeave, setRefer } from "./sets/names";
import { timerAgrees, timerJoin, timerLeave } from "./targets/idletimer";
import { setTargetJoin, setTargetLeave } from "./targets/set";

/** Why the last state could not be had; FAULT_MEMORY where nothing else is said. */
export let stateFault: u32 = FAULT_MEMORY;

export function stateBegin(): void {
  stateFault = FAULT_MEMORY;
}

/** Gives a fresh match record its state. `address`: bytes of an address. False when it cannot be had. */
export function stateTake(match: usize, address: u32): bool {
  const type = <u32>load<u16>(match, RECORD_TYPE);
  if (type == MATCH_RECENT) return recentJoin(match);
  if (type == MATCH_HASHLIMIT) return hashlimitJoin(match, address);
  if (type == MATCH_CONNBYTES) startAccounting();
  if (type == MATCH_CONNLIMIT) countedJoin(match);
  if (type == MATCH_CONNLABEL) labellersCount(1);
  if (type == MATCH_NFACCT) accountJoin(match);
  if (type == MATCH_RATEEST && !estimatorsJoin(match)) {
    stateFault = FAULT_ESTIMATOR;
    return false;
  }
  if (type == MATCH_SET) return setRefer(match + SET_NAME, match + SET_OBJECT, false);
  if (!hasCell(type)) return true;
  const cell = arenaAllocate(engineArena(), STATE_SIZE);
  if (!cell) return false;
  memory.fill(cell, 0, STATE_SIZE);
  if (type == MATCH_LIMIT) store<u32>(cell, <u32>limitCap(match), STATE_CREDIT);
  else if (type == MATCH_QUOTA) store<u64>(cell, load<u64>(match, QUOTA_BYTES), STATE_QUOTA);
  else store<u32>(cell, load<u32>(match, STATISTIC_EVERY) - load<u32>(match, STATISTIC_PACKET), STATE_COUNT);
  store<u32>(match + runtimeWord(type), <u32>cell);
  return true;
}

export function stateGive(match: usize): void {
  const type = <u32>load<u16>(match, RECORD_TYPE);
  if (type == MATCH_RECENT) recentLeave(match);
  else if (type == MATCH_HASHLIMIT) hashTableLeave(match);
  else if (type == MATCH_CONNLIMIT) countedLeave(match);
  else if (type == MATCH_CONNLABEL) labellersCount(-1);
  else if (type == MATCH_NFACCT) accountLeave(match);
  else if (type == MATCH_RATEEST) estimatorsLeave(match);
  else if (type == MATCH_SET) setLeave(load<u32>(match, SET_OBJECT));
  else if (hasCell(type)) arenaFree(engineArena(), load<u32>(match + runtimeWord(type)), STATE_SIZE);
}

/** Whether giving the state back is seen by others: it is of something that has a name or is counted, and not the match's alone. */
export function matchHolds(match: usize): bool {
  const type = <u32>load<u16>(match, RECORD_TYPE);
  return type == MATCH_CONNLABEL || (runtimeWord(type) != 0 && !hasCell(type));
}

/** Whether a match of this type remembers in a cell of its own. */
function hasCell(type: u32): bool {
  return type == MATCH_STATISTIC || type == MATCH_LIMIT || type == MATCH_QUOTA;
}

/** The record at `fresh`, which has state of its own, takes over that of the same record of another row. */
export function stateMove(old: usize, fresh: usize): void {
  const type = <u32>load<u16>(old, RECORD_TYPE);
  if (type == MATCH_CONNLABEL) labellersCount(-1);
  const word = runtimeWord(type);
  if (!word) return;
  stateGive(fresh);
  memory.copy(fresh + word, old + word, runtimeBytes(type));
}

/** The same for a target that refers to something. False when it cannot be had. */
export function targetTake(target: usize): bool {
  const type = <u32>load<u16>(target, RECORD_TYPE);
  if (type == TARGET_SET) return setTargetJoin(target);
  if (type == TARGET_CT) policyJoin(target);
  if (type == TARGET_RATEEST) {
    if (estimatorAgrees(target)) return estimatorJoin(target);
    stateFault = FAULT_ESTIMATOR;
    return false;
  }
  if (type != TARGET_IDLETIMER) return true;
  if (timerAgrees(target)) return timerJoin(target);
  stateFault = FAULT_TIMER;
  return false;
}

export function targetGive(target: usize): void {
  const type = <u32>load<u16>(target, RECORD_TYPE);
  if (type == TARGET_SET) setTargetLeave(target);
  else if (type == TARGET_RATEEST) estimatorLeave(load<u32>(target, SETRATEEST_OBJECT));
  else if (type == TARGET_IDLETIMER) timerLeave(target);
  else if (type == TARGET_CT) policyLeave(target);
}
