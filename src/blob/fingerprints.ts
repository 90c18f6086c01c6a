/**
 * Fingerprints of osf: an image that is made with the engine and never changes. Same rules as layout.ts. A count, then
 * records of FINGER_SIZE bytes in the order of the file.
 */
export const FINGERPRINTS_COUNT = 0; // u32
export const FINGERPRINTS_FIRST = 8;

export const FINGER_GENRE = 0; // 32, zero-padded
export const FINGER_LABEL = 32; // 64: genre, version and subtype as a log tells them
export const FINGER_LABEL_BYTES = 64;
export const FINGER_TTL = 96; // u8
export const FINGER_UNFRAGMENTED = 97; // u8 1: the bit that forbids fragments is set
export const FINGER_WINDOW_KIND = 98; // u8 FINGER_WINDOW_*
export const FINGER_OPTION_COUNT = 99; // u8
export const FINGER_LENGTH = 100; // u16 of the IP packet
export const FINGER_WINDOW = 104; // u32
export const FINGER_OPTIONS = 108; // (u8 kind, u8 length) x FINGER_OPTIONS_COUNT
export const FINGER_OPTIONS_COUNT = 40;
export const FINGER_SIZE = FINGER_OPTIONS + 2 * FINGER_OPTIONS_COUNT + 4;

/** How FINGER_WINDOW is meant: as it is (0: any), times the segment size, times the MTU, or what divides the window. */
export const FINGER_WINDOW_PLAIN = 0;
export const FINGER_WINDOW_SEGMENT = 1;
export const FINGER_WINDOW_MTU = 2;
export const FINGER_WINDOW_MODULO = 3;
