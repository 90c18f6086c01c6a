/** What changes take, roughly and on no machine in particular: only to tell how much is left. */
import type { Strategy } from "../update/updater.js";

/** Seconds that one change at one service takes. */
export const SECONDS_A_SERVICE: Readonly<Record<Strategy, number>> = {
  "one-by-one": 4e-4,
  full: 4e-5,
  partial: 4e-5,
  incremental: 0,
};

/** Seconds that processes take for one change at one service, and at none. */
export const PROCESS_SECONDS: Readonly<Record<Strategy, readonly [number, number]>> = {
  "one-by-one": [1e-3, 0.1],
  full: [2e-4, 0.01],
  partial: [1e-4, 0.01],
  incremental: [2e-6, 0.01],
};
