/** ip6t_NPT.c, by the arithmetic of RFC 6296: sums of words modulo 0xffff. */
import { VERDICT_CONTINUE, VERDICT_DROP } from "../../src/blob/layout.js";
import { NPT_DESTINATION, NPT_DESTINATION_LENGTH, NPT_SOURCE, NPT_SOURCE_LENGTH } from "../../src/blob/payloads.js";
import type { RecordView } from "./rule.js";
import type { Walk } from "./walk.js";

const MODULUS = 0xffff;
const WORDS = [0, 1, 2, 3, 4, 5, 6, 7];

const wordAt = (bytes: Uint8Array, n: number): number => 256 * (bytes[2 * n] as number) + (bytes[2 * n + 1] as number);
const sumOf = (bytes: Uint8Array): number => WORDS.reduce((sum, n) => sum + wordAt(bytes, n), 0);

export function mapSource(record: RecordView, { packet }: Walk): number {
  const mapped = mapped6296(record, packet.source);
  packet.source = mapped.address;
  return mapped.done ? VERDICT_CONTINUE : VERDICT_DROP;
}

export function mapDestination(record: RecordView, { packet }: Walk): number {
  const mapped = mapped6296(record, packet.destination);
  packet.destination = mapped.address;
  return mapped.done ? VERDICT_CONTINUE : VERDICT_DROP;
}

function mapped6296({ bytes }: RecordView, old: Uint8Array): { address: Uint8Array; done: boolean } {
  const from = bytes.subarray(NPT_SOURCE, NPT_SOURCE + 16);
  const to = bytes.subarray(NPT_DESTINATION, NPT_DESTINATION + 16);
  const length = Math.max(bytes[NPT_SOURCE_LENGTH] as number, bytes[NPT_DESTINATION_LENGTH] as number);
  const address = old.map((byte, i) => {
    const kept = 255 >> Math.max(0, Math.min(8, length - 8 * i));
    return (byte & kept) | ((to[i] as number) & ~kept);
  });
  const place = length <= 48 ? 3 : [4, 5, 6, 7].find((n) => wordAt(address, n) !== MODULUS);
  if (place === undefined) return { address, done: false };
  const sum = wordAt(address, place) + sumOf(from) - sumOf(to) + 8 * MODULUS;
  const word = sum % MODULUS;
  address.set([word >> 8, word & 255], 2 * place);
  return { address, done: true };
}
