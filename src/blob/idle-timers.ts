/** Timers of IDLETIMER by their label, shared by the rules that name them. Same rules as layout.ts. */
export const TIMER_NEXT = 0; // u32
export const TIMER_REFERENCES = 4; // u32 rules
export const TIMER_EXPIRES = 8; // u32 ms, atomic
export const TIMER_ALARM = 12; // u8 1: it wakes the machine up
export const TIMER_LABEL = 16; // 28, zero-padded
export const TIMER_LABEL_BYTES = 28;
export const TIMER_SIZE = TIMER_LABEL + TIMER_LABEL_BYTES;
