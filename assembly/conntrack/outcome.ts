/** What became of a packet of a connection, by its protocol. */

export const TRACKED: u32 = 0;
export const NOT_TRACKED: u32 = 1;
/** The connection is over: look again, as for a new one. */
export const START_OVER: u32 = 2;
/** Accepted, and the connection goes at once. */
export const GONE: u32 = 3;
/** Accepted, but it keeps nothing alive and is not counted. */
export const PASSED_BY: u32 = 4;
