/** -j SNPT, -j DNPT: one IPv6 prefix for another without a connection, the checksum kept (RFC 6296). */
import {
  NPT_DESTINATION,
  NPT_DESTINATION_LENGTH,
  NPT_SIZE,
  NPT_SOURCE,
  NPT_SOURCE_LENGTH,
  TARGET_DNPT,
  TARGET_SNPT,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import { INPUT, type Option, OUTPUT, POSTROUTING, PREROUTING, type RecordMemory, type Target } from "../extension.js";
import { prefixLength, printAddress } from "../values/address.js";

const LONGEST = 64;
/** Name, address, length. In the order in which they print. */
const PREFIXES = [
  ["src-pfx", NPT_SOURCE, NPT_SOURCE_LENGTH],
  ["dst-pfx", NPT_DESTINATION, NPT_DESTINATION_LENGTH],
] as const;

function npt(name: string, type: number, hooks: number): Target {
  return {
    name,
    type,
    size: NPT_SIZE,
    family: "ipv6",
    tables: ["mangle"],
    hooks: () => hooks,
    options: PREFIXES.map(
      ([option, address, length]): Option => ({
        name: option,
        mandatory: true,
        parse: (argument, record, at) => readPrefix(argument, record, at + address, at + length),
      }),
    ),

    print(out, record, at) {
      for (const [option, address, length] of PREFIXES) {
        out.text(` --${option} `);
        printAddress(out, record.bytes, at + address, 16);
        out.option("/", record.bytes[at + length] as number);
      }
    },
  };
}

/** An address and a length, with nothing set behind it. */
function readPrefix(argument: Argument, record: RecordMemory, address: number, length: number): void {
  argument.addressAndMask(SCRATCH, ADDRESS, MASK);
  const bits = prefixLength(SCRATCH, MASK, 16);
  if (bits > LONGEST) argument.fail("bad-mask", `an address and a length of at most ${LONGEST}, as in 2001:db8::/48`);
  for (let i = 0; i < 16; i++) {
    const byte = SCRATCH[ADDRESS + i] as number;
    if (byte & ~(SCRATCH[MASK + i] as number)) argument.fail("bad-address", `zeros behind the first ${bits} bits`);
    record.bytes[address + i] = byte;
  }
  record.bytes[length] = bits;
}

const SCRATCH = new Uint8Array(32);
const ADDRESS = 0;
const MASK = 16;

export const snpt = npt("SNPT", TARGET_SNPT, INPUT | POSTROUTING);
export const dnpt = npt("DNPT", TARGET_DNPT, PREROUTING | OUTPUT);
