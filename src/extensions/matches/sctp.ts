/** -m sctp: ports and chunk types of an SCTP packet. */
import {
  MATCH_SCTP,
  PORTS_INVERT,
  SCTP_CHUNK_MAP,
  SCTP_CHUNK_MATCH,
  SCTP_FLAG_COUNT,
  SCTP_FLAGS,
  SCTP_FLAGS_COUNT,
  SCTP_HAS_DESTINATION,
  SCTP_HAS_SOURCE,
  SCTP_INVERT_CHUNKS,
  SCTP_SIZE,
} from "../../blob/payloads.js";
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, RecordMemory } from "../extension.js";
import { onlyProtocols, PROTOCOL_SCTP } from "../protocol-check.js";
import { initialisePorts, portOptions, printPorts } from "./ports.js";

/** Chunk types: name, number, letters of the flags from the highest bit down, a dash for none. */
const CHUNKS = [
  ["DATA", 0, "----IUBE"],
  ["INIT", 1, ""],
  ["INIT_ACK", 2, ""],
  ["SACK", 3, ""],
  ["HEARTBEAT", 4, ""],
  ["HEARTBEAT_ACK", 5, ""],
  ["ABORT", 6, "-------T"],
  ["SHUTDOWN", 7, ""],
  ["SHUTDOWN_ACK", 8, ""],
  ["ERROR", 9, ""],
  ["COOKIE_ECHO", 10, ""],
  ["COOKIE_ACK", 11, ""],
  ["ECN_ECNE", 12, ""],
  ["ECN_CWR", 13, ""],
  ["SHUTDOWN_COMPLETE", 14, "-------T"],
  ["I_DATA", 64, "----IUBE"],
  ["RE_CONFIG", 130, ""],
  ["PAD", 132, ""],
  ["ASCONF", 193, ""],
  ["ASCONF_ACK", 128, ""],
  ["FORWARD_TSN", 192, ""],
  ["I_FORWARD_TSN", 194, ""],
] as const;
export const CHUNK_NUMBERS: ReadonlyMap<string, number> = new Map(CHUNKS.map(([name, number]) => [name, number]));
const MATCH_TYPES = ["", "any", "all", "only"];
const MAP_BYTES = 32;
const [SOURCE, DESTINATION] = portOptions("sctp", false) as [
  ReturnType<typeof portOptions>[0],
  ReturnType<typeof portOptions>[0],
];

export const sctp: Extension = {
  name: "sctp",
  type: MATCH_SCTP,
  size: SCTP_SIZE,
  options: [
    {
      ...SOURCE,
      parse(argument, record, at) {
        SOURCE.parse(argument, record, at);
        flag(record, at, SCTP_HAS_SOURCE);
      },
    },
    {
      ...DESTINATION,
      parse(argument, record, at) {
        DESTINATION.parse(argument, record, at);
        flag(record, at, SCTP_HAS_DESTINATION);
      },
    },
    {
      name: "chunk-types",
      arguments: 2,
      invertible: true,
      parse(argument, record, at) {
        const matchType = MATCH_TYPES.indexOf(argument.text().toLowerCase());
        if (matchType < 1) argument.fail("bad-value", "all, any or only");
        record.bytes[at + SCTP_CHUNK_MATCH] = matchType;
        if (argument.inverted) flag(record, at, SCTP_INVERT_CHUNKS);
        readChunks(argument.second(), record, at);
      },
    },
  ],
  initialise: initialisePorts,
  protocol: (argument) => onlyProtocols(argument, "sctp", PROTOCOL_SCTP),

  print(out, record, at) {
    const flags = record.bytes[at + PORTS_INVERT] as number;
    printPorts(out, record, at, (flags & SCTP_HAS_SOURCE) !== 0, (flags & SCTP_HAS_DESTINATION) !== 0);
    const matchType = record.bytes[at + SCTP_CHUNK_MATCH] as number;
    if (matchType === 0) return;
    out.text(flags & SCTP_INVERT_CHUNKS ? " ! --chunk-types " : " --chunk-types ");
    out.text(MATCH_TYPES[matchType] as string);
    out.byte(32);
    printChunks(out, record, at);
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + PORTS_INVERT] = (record.bytes[at + PORTS_INVERT] as number) | bit;
}

/** ALL, NONE, or a comma list of types, each with letters of flags behind a colon: upper case set, lower case clear. */
function readChunks(argument: Argument, record: RecordMemory, at: number): void {
  const { bytes } = record;
  const text = argument.text();
  if (text.toUpperCase() === "NONE") return;
  if (text.toUpperCase() === "ALL") {
    bytes.fill(255, at + SCTP_CHUNK_MAP, at + SCTP_CHUNK_MAP + MAP_BYTES);
    return;
  }
  for (const item of text.split(",")) {
    if (item === "") continue;
    const [name = "", letters = ""] = item.split(":", 2);
    const index = CHUNKS.findIndex(([known]) => known === name.toUpperCase());
    const chunk = CHUNKS[index];
    if (!chunk) argument.fail("bad-value", `a comma list of ${CHUNKS.map(([known]) => known).join(", ")}`);
    const [, type, flags] = chunk;
    const byte = at + SCTP_CHUNK_MAP + (type >> 3);
    bytes[byte] = (bytes[byte] as number) | (1 << (type & 7));
    for (const letter of letters) {
      const bit = 7 - flags.indexOf(letter.toUpperCase());
      if (bit > 7) argument.fail("bad-value", `flags of ${name}: ${flags.replaceAll("-", "") || "it has none"}`);
      setFlag(argument, record, at, index, 1 << bit, letter === letter.toUpperCase());
    }
  }
}

/** iptables puts the place in its list of names where the kernel has the type; up to 14 they are the same. */
function setFlag(argument: Argument, record: RecordMemory, at: number, index: number, bit: number, set: boolean): void {
  const { bytes } = record;
  const count = bytes[at + SCTP_FLAG_COUNT] as number;
  let entry = 0;
  while (entry < count && bytes[at + SCTP_FLAGS + 3 * entry] !== index) entry++;
  if (entry === SCTP_FLAGS_COUNT) argument.fail("bad-value", `flags of at most ${SCTP_FLAGS_COUNT} types`);
  if (entry === count) bytes[at + SCTP_FLAG_COUNT] = count + 1;
  const field = at + SCTP_FLAGS + 3 * entry;
  bytes[field] = index;
  bytes[field + 1] = (bytes[field + 1] as number) | bit;
  if (set) bytes[field + 2] = (bytes[field + 2] as number) | bit;
}

function printChunks(out: ByteWriter, record: RecordMemory, at: number): void {
  const map = record.bytes.subarray(at + SCTP_CHUNK_MAP, at + SCTP_CHUNK_MAP + MAP_BYTES);
  if (map.every((byte) => byte === 0)) out.text("NONE");
  else if (map.every((byte) => byte === 255)) out.text("ALL");
  else {
    const present = CHUNKS.filter(([, type]) => (map[type >> 3] as number) & (1 << (type & 7)));
    present.sort(([, a], [, b]) => a - b);
    for (const [place, [name, type]] of present.entries()) {
      if (place > 0) out.byte(44);
      out.text(name);
      printFlags(out, record, at, type);
    }
  }
}

function printFlags(out: ByteWriter, record: RecordMemory, at: number, type: number): void {
  const { bytes } = record;
  for (let entry = 0; entry < (bytes[at + SCTP_FLAG_COUNT] as number); entry++) {
    const field = at + SCTP_FLAGS + 3 * entry;
    if (bytes[field] !== type) continue;
    const letters = CHUNKS[type]?.[2] ?? "";
    out.byte(58);
    for (let bit = 7; bit >= 0; bit--) {
      if (!((bytes[field + 1] as number) & (1 << bit))) continue;
      const letter = letters[7 - bit] ?? "";
      out.text((bytes[field + 2] as number) & (1 << bit) ? letter : letter.toLowerCase());
    }
  }
}
