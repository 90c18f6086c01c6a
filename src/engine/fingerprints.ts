/**
 * Fingerprints of passive fingerprinting, for `osf`: a file of pf.os' kind, as `nfnl_osf -f` loads it into Linux.
 *
 *     window:ttl:df:length:options:genre:version:subtype:details
 *     S4:64:1:60:M1360,S,T,N,W0:Linux:google::Linux (Google crawlbot)
 */
import * as F from "../blob/fingerprints.js";
import { OSF_GENRE_BYTES } from "../blob/payloads.js";

export class FingerprintError extends Error {
  override readonly name = "FingerprintError";
  readonly code = "bad-fingerprint";
}

/** Kind and bytes of a TCP option by its letter. */
const OPTIONS: Readonly<Record<string, readonly [kind: number, bytes: number]>> = {
  E: [0, 1],
  N: [1, 1],
  M: [2, 4],
  W: [3, 3],
  S: [4, 2],
  T: [8, 10],
};
const WINDOWS: Readonly<Record<string, number>> = {
  S: F.FINGER_WINDOW_SEGMENT,
  T: F.FINGER_WINDOW_MTU,
  "%": F.FINGER_WINDOW_MODULO,
};
const FIELDS = 9;

/** The image that the engine keeps. @throws FingerprintError with the number of a line that is no fingerprint. */
export function fingerprintImage(text: string, file: string): Uint8Array {
  const lines = text.split("\n").map((line, index) => ({ line: line.replace(/\r$/, ""), number: index + 1 }));
  const fingers = lines.filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
  const image = new Uint8Array(F.FINGERPRINTS_FIRST + F.FINGER_SIZE * fingers.length);
  new DataView(image.buffer).setUint32(F.FINGERPRINTS_COUNT, fingers.length, true);
  for (const [nth, { line, number }] of fingers.entries()) {
    const at = F.FINGERPRINTS_FIRST + nth * F.FINGER_SIZE;
    const fault = writeFinger(image.subarray(at, at + F.FINGER_SIZE), line.split(":"));
    if (fault) throw new FingerprintError(`${file}:${number}: expected ${fault}, found ${JSON.stringify(line)}`);
  }
  return image;
}

/** What was expected, "" when all is well. */
function writeFinger(record: Uint8Array, fields: readonly string[]): string {
  if (fields.length !== FIELDS) return `${FIELDS} fields with colons between`;
  const [window = "", ttl = "", df = "", length = "", options = "", system = "", version = "", subtype = ""] =
    fields.map((field) => field.trim());
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const [, kind = "", value = ""] = /^([ST%]?)%?(\d+|\*)$/.exec(window) ?? [];
  if (value === "") return "a window: a number, *, S4, T4 or %8192";
  record[F.FINGER_WINDOW_KIND] = WINDOWS[kind] ?? F.FINGER_WINDOW_PLAIN;
  view.setUint32(F.FINGER_WINDOW, value === "*" ? 0 : Number(value), true);
  if (!/^\d+$/.test(ttl) || Number(ttl) > 255) return "a TTL from 0 to 255";
  record[F.FINGER_TTL] = Number(ttl);
  if (df !== "0" && df !== "1") return "0 or 1, whether fragments are forbidden";
  record[F.FINGER_UNFRAGMENTED] = Number(df);
  if (!/^(\d+|\*)$/.test(length) || Number(length) > 65535) return "the packet's length";
  view.setUint16(F.FINGER_LENGTH, length === "*" ? 0 : Number(length), true);
  const known = options.split(",").flatMap((option) => (OPTIONS[option.charAt(0)] ? [OPTIONS[option.charAt(0)]] : []));
  if (known.length > F.FINGER_OPTIONS_COUNT) return `at most ${F.FINGER_OPTIONS_COUNT} options`;
  record[F.FINGER_OPTION_COUNT] = known.length;
  for (const [nth, [option, bytes]] of (known as [number, number][]).entries())
    record.set([option, bytes], F.FINGER_OPTIONS + 2 * nth);
  const genre = new TextEncoder().encode(system.replace(/^[@*]/, ""));
  if (genre.length === 0 || genre.length >= OSF_GENRE_BYTES) return `a system of 1 to ${OSF_GENRE_BYTES - 1} bytes`;
  record.set(genre, F.FINGER_GENRE);
  const label = `${system.replace(/^[@*]/, "")} [${version}:${subtype}]`;
  record.set(new TextEncoder().encode(label).subarray(0, F.FINGER_LABEL_BYTES - 1), F.FINGER_LABEL);
  return "";
}
