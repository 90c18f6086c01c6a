/** IDLETIMER (xt_IDLETIMER.c): every packet, and every rule that is loaded, starts the timer of the rule's label anew. */
import { PACKET_TIME } from "../../src/blob/layout";
import { CONTROL_ADDRESS, CONTROL_TIMERS } from "../../src/blob/memory";
import { IDLETIMER_ALARM, IDLETIMER_LABEL, IDLETIMER_OBJECT, IDLETIMER_TIMEOUT } from "../../src/blob/payloads";
import {
  TIMER_ALARM,
  TIMER_EXPIRES,
  TIMER_LABEL,
  TIMER_LABEL_BYTES,
  TIMER_NEXT,
  TIMER_REFERENCES,
  TIMER_SIZE,
} from "../../src/blob/idle-timers";
import { arenaAllocate, arenaFree } from "../arena";
import { latestTime } from "../clock";
import { packet } from "../packet";
import { engineArena } from "../retire";
import { put32 } from "../store";

/** Milliseconds would wrap around behind it. */
const TIMEOUT_MOST: u32 = 2147482;

function timerFind(label: usize): usize {
  let timer: usize = load<u32>(CONTROL_ADDRESS, CONTROL_TIMERS);
  while (timer && memory.compare(timer + TIMER_LABEL, label, TIMER_LABEL_BYTES)) timer = load<u32>(timer, TIMER_NEXT);
  return timer;
}

/** Whether there is no timer of this label, or one of the same kind. */
export function timerAgrees(record: usize): bool {
  const timer = timerFind(record + IDLETIMER_LABEL);
  return !timer || load<u8>(timer, TIMER_ALARM) == load<u8>(record, IDLETIMER_ALARM);
}

/** The record's rule shares the timer of its label. False without memory. */
export function timerJoin(record: usize): bool {
  let timer = timerFind(record + IDLETIMER_LABEL);
  if (!timer) {
    timer = arenaAllocate(engineArena(), TIMER_SIZE);
    if (!timer) return false;
    memory.fill(timer, 0, TIMER_SIZE);
    memory.copy(timer + TIMER_LABEL, record + IDLETIMER_LABEL, TIMER_LABEL_BYTES);
    store<u8>(timer, load<u8>(record, IDLETIMER_ALARM), TIMER_ALARM);
    store<u32>(timer, load<u32>(CONTROL_ADDRESS, CONTROL_TIMERS), TIMER_NEXT);
    put32(CONTROL_ADDRESS + CONTROL_TIMERS, <u32>timer);
  }
  put32(timer + TIMER_REFERENCES, load<u32>(timer, TIMER_REFERENCES) + 1);
  put32(timer + TIMER_EXPIRES, latestTime() + load<u32>(record, IDLETIMER_TIMEOUT) * 1000);
  store<u32>(record, <u32>timer, IDLETIMER_OBJECT);
  return true;
}

/** The record's rule is gone, and no reader sees it; the last one takes the timer along. */
export function timerLeave(record: usize): void {
  const timer: usize = load<u32>(record, IDLETIMER_OBJECT);
  const left = load<u32>(timer, TIMER_REFERENCES) - 1;
  put32(timer + TIMER_REFERENCES, left);
  if (left) return;
  let link: usize = CONTROL_ADDRESS + CONTROL_TIMERS;
  while (load<u32>(link) != <u32>timer) link = <usize>load<u32>(link) + TIMER_NEXT;
  put32(link, load<u32>(timer, TIMER_NEXT));
  arenaFree(engineArena(), timer, TIMER_SIZE);
}

export function startTimer(record: usize): void {
  const expires = load<u32>(packet, PACKET_TIME) + load<u32>(record, IDLETIMER_TIMEOUT) * 1000;
  atomic.store<u32>(load<u32>(record, IDLETIMER_OBJECT), expires, TIMER_EXPIRES);
}

export function checkIdletimer(record: usize): bool {
  const timeout = load<u32>(record, IDLETIMER_TIMEOUT);
  if (!timeout || timeout > TIMEOUT_MOST || load<u8>(record, IDLETIMER_ALARM) > 1) return false;
  return load<u8>(record, IDLETIMER_LABEL) != 0 && !load<u32>(record, IDLETIMER_OBJECT);
}
