/** -m esp, -m ah, -m ipcomp: the security parameters index. */
import {
  MATCH_AH,
  MATCH_ESP,
  MATCH_IPCOMP,
  SPI_INVERT,
  SPI_LENGTH,
  SPI_MAX,
  SPI_MIN,
  SPI_RESERVED,
  SPI_SIZE,
} from "../../blob/payloads.js";
import { COLON } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { onlyProtocols } from "../protocol-check.js";

const LARGEST = 0xffffffff;
const INDEX = 1;
const LENGTH = 2;
const ESP = 50;
const AH = 51;
const IPCOMP = 108;

interface SpiMatch {
  readonly name: string;
  readonly type: number;
  /** Of the options, the index first. */
  readonly index: string;
  readonly length?: string;
  readonly reserved?: string;
  /** Given when `-p` must name it. */
  readonly protocol?: number;
  readonly family?: "ipv4" | "ipv6";
}

function spiMatch({ name, type, index, length, reserved, protocol, family }: SpiMatch): Extension {
  const options: Option[] = [
    {
      name: index,
      invertible: true,
      parse(argument, record, at) {
        argument.range(LARGEST);
        record.view.setUint32(at + SPI_MIN, argument.value, true);
        record.view.setUint32(at + SPI_MAX, argument.mask, true);
        if (argument.inverted) invert(record, at, INDEX);
      },
    },
  ];
  if (length)
    options.push({
      name: length,
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint32(at + SPI_LENGTH, argument.unsigned(0, LARGEST), true);
        if (argument.inverted) invert(record, at, LENGTH);
      },
    });
  if (reserved)
    options.push({
      name: reserved,
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + SPI_RESERVED] = 1;
      },
    });
  return {
    name,
    type,
    size: SPI_SIZE,
    ...(family ? { family } : {}),
    options,
    initialise: (record, at) => record.view.setUint32(at + SPI_MAX, LARGEST, true),
    protocol: (argument) => (protocol === undefined ? "" : onlyProtocols(argument, name, protocol)),

    print(out, record, at) {
      const minimum = record.view.getUint32(at + SPI_MIN, true);
      const maximum = record.view.getUint32(at + SPI_MAX, true);
      const bytes = record.view.getUint32(at + SPI_LENGTH, true);
      const inverted = record.bytes[at + SPI_INVERT] as number;
      if (minimum !== 0 || maximum !== LARGEST) {
        out.option(inverted & INDEX ? ` ! --${index} ` : ` --${index} `, minimum);
        if (maximum !== minimum) {
          out.byte(COLON);
          out.number(maximum);
        }
      }
      if (bytes !== 0 || inverted & LENGTH) out.option(inverted & LENGTH ? ` ! --${length} ` : ` --${length} `, bytes);
      if (record.bytes[at + SPI_RESERVED]) out.text(` --${reserved}`);
    },
  };
}

function invert(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + SPI_INVERT] = (record.bytes[at + SPI_INVERT] as number) | bit;
}

export const esp = spiMatch({ name: "esp", type: MATCH_ESP, index: "espspi", protocol: ESP });
export const ah = spiMatch({ name: "ah", type: MATCH_AH, index: "ahspi", protocol: AH, family: "ipv4" });
/** In IPv6 ah is a header of the packet's, which `-p` does not name. */
export const ah6 = spiMatch({
  name: "ah",
  type: MATCH_AH,
  index: "ahspi",
  length: "ahlen",
  reserved: "ahres",
  family: "ipv6",
});
export const ipcomp = spiMatch({
  name: "ipcomp",
  type: MATCH_IPCOMP,
  index: "ipcompspi",
  reserved: "compres",
  protocol: IPCOMP,
});
