/** -m osf: the operating system that a SYN looks to come from, by fingerprints that the engine was given. */
import { MATCH_OSF, OSF_FLAGS, OSF_GENRE, OSF_GENRE_BYTES, OSF_LOG, OSF_SIZE, OSF_TTL } from "../../blob/payloads.js";
import { type Extension, FORWARD, INPUT, type Option, PREROUTING, type RecordMemory } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

const INVERT = 1;
/** Name, bit, field. In the order in which they print. */
const LEVELS = [
  ["ttl", 2, OSF_TTL],
  ["log", 4, OSF_LOG],
] as const;
const LAST_LEVEL = 2;

export const osf: Extension = {
  name: "osf",
  type: MATCH_OSF,
  size: OSF_SIZE,
  family: "ipv4",
  hooks: () => PREROUTING | INPUT | FORWARD,
  options: [
    {
      name: "genre",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        argument.name(record.bytes, at + OSF_GENRE, OSF_GENRE_BYTES, "a name");
        if (argument.inverted) flag(record, at, INVERT);
      },
    },
    ...LEVELS.map(
      ([name, bit, field]): Option => ({
        name,
        parse(argument, record, at) {
          record.bytes[at + field] = argument.unsigned(0, LAST_LEVEL);
          flag(record, at, bit);
        },
      }),
    ),
  ],
  protocol: (argument) => onlyProtocols(argument, "tcp", PROTOCOL_TCP),

  print(out, record, at) {
    const flags = record.bytes[at + OSF_FLAGS] as number;
    out.text(flags & INVERT ? " ! --genre " : " --genre ");
    out.padded(record.bytes, at + OSF_GENRE, OSF_GENRE_BYTES);
    for (const [name, bit, field] of LEVELS)
      if (flags & bit) out.option(` --${name} `, record.bytes[at + field] as number);
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + OSF_FLAGS] = (record.bytes[at + OSF_FLAGS] as number) | bit;
}
