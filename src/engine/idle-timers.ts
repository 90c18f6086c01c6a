/** Timers of IDLETIMER: what /sys/class/xt_idletimer/timers tells of each. */
import * as T from "../blob/idle-timers.js";
import * as M from "../blob/memory.js";
import type { Engine } from "./engine.js";
import { nameAt } from "./name-text.js";

export interface IdleTimer {
  readonly label: string;
  /** It would wake the machine up. */
  readonly alarm: boolean;
  /** Whole seconds until it expires; 0 it has. */
  readonly seconds: number;
}

/** All timers, by label, at `now` ms of the packets' clock. Takes the writers' lock. */
export function listIdleTimers(engine: Engine, now: number): IdleTimer[] {
  return engine.locked(() => {
    const view = engine.data();
    const found: IdleTimer[] = [];
    let at = view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_TIMERS, true);
    for (; at !== 0; at = view.getUint32(at + T.TIMER_NEXT, true)) {
      const left = (view.getUint32(at + T.TIMER_EXPIRES, true) - now) | 0;
      found.push({
        label: nameAt(view, at + T.TIMER_LABEL, T.TIMER_LABEL_BYTES),
        alarm: view.getUint8(at + T.TIMER_ALARM) === 1,
        seconds: Math.max(0, Math.trunc(left / 1000)),
      });
    }
    return found.sort((a, b) => (a.label < b.label ? -1 : 1));
  });
}
