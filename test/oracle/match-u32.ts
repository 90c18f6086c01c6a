/** xt_u32.c, read off what iptables prints of the record, in numbers without bounds. */
import { U32_INVERT } from "../../src/blob/payloads.js";
import { ByteWriter } from "../../src/extensions/byte-writer.js";
import { printTests } from "../../src/extensions/matches/u32.js";
import type { RecordView } from "./rule.js";
import { inverted, type Walk } from "./walk.js";

const WORD = 2n ** 32n;

/** A packet whose bytes are unknown satisfies nothing. */
export function matchU32(record: RecordView, { packet }: Walk): boolean {
  if (!packet.bytes) return false;
  const bytes = packet.bytes;
  const out = new ByteWriter();
  printTests(out, record, 0);
  const holds = out
    .toString()
    .split("&&")
    .every((test) => testHolds(test, bytes));
  return inverted(holds, record.bytes[U32_INVERT] as number, 1);
}

function testHolds(test: string, bytes: Uint8Array): boolean {
  const [location = "", ranges = ""] = test.split("=");
  const value = numberFound(location, bytes);
  if (value === undefined) return false;
  return ranges.split(",").some((range) => {
    const [least = "", most = least] = range.split(":");
    return BigInt(least) <= value && value <= BigInt(most);
  });
}

/** Undefined where a place is outside of the packet. */
function numberFound(location: string, bytes: Uint8Array): bigint | undefined {
  let origin = 0n;
  let value: bigint | undefined;
  for (const [, operator = "", number = ""] of location.matchAll(/(@|&|<<|>>|)(0x[0-9a-f]+)/g)) {
    const operand = BigInt(number);
    if (operator === "&") value = (value as bigint) & operand;
    else if (operator === "<<") value = ((value as bigint) << operand) % WORD;
    else if (operator === ">>") value = (value as bigint) >> operand;
    else {
      origin += value ?? 0n;
      value = wordAt(bytes, origin + operand);
      if (value === undefined) return undefined;
    }
  }
  return value;
}

function wordAt(bytes: Uint8Array, place: bigint): bigint | undefined {
  if (place + 4n > bytes.length) return undefined;
  const word = Buffer.from(bytes.subarray(Number(place), Number(place) + 4));
  return BigInt(word.readUInt32BE());
}
