/** Numbers as the page shows them. */
import { bytes as plainBytes, digits, duration as plain } from "../units.js";

/** "9.2 µs": for people to read, where the terminal keeps to ASCII. */
export const duration = (microseconds: number): string => plain(microseconds).replace(" us", " \u00b5s");

export const bytes = plainBytes;

export const whole = (count: number): string => count.toLocaleString("en-US");

export const rate = (mpps: number): string => `${digits(mpps)} M/s`;
