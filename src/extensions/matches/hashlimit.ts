/** -m hashlimit: a token bucket for every address or port, in packets or bytes (hashlimit_cfg3). */
import {
  HASHLIMIT_AVERAGE,
  HASHLIMIT_BUCKETS,
  HASHLIMIT_BURST,
  HASHLIMIT_COLLECT,
  HASHLIMIT_DESTINATION_PREFIX,
  HASHLIMIT_EXPIRE,
  HASHLIMIT_INTERVAL,
  HASHLIMIT_MAX,
  HASHLIMIT_MODE,
  HASHLIMIT_NAME,
  HASHLIMIT_NAME_BYTES,
  HASHLIMIT_OBJECT,
  HASHLIMIT_SIZE,
  HASHLIMIT_SOURCE_PREFIX,
  MATCH_HASHLIMIT,
} from "../../blob/payloads.js";
import type { Argument, Keyword } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import { bytesToCost, costToBytes, printByteRate, readByteRate, readBurst } from "../values/byte-rate.js";
import { periodUnit, printRate, readRate } from "../values/rate.js";
import { printWords } from "./conntrack.js";

const ABOVE = 16;
const BYTES = 32;
const RATE_MATCH = 64;
/** In the order in which they print. */
const MODES: readonly Keyword[] = [
  ["srcip", 4],
  ["srcport", 8],
  ["dstip", 1],
  ["dstport", 2],
];
/** Ticks a second of the average. */
const SCALE = 1_000_000;
const DEFAULT_BURST = 5;
const LARGEST_BURST = 1_000_000;
const DEFAULT_COLLECT = 1000;
/** Milliseconds until an entry expires, where no burst of bytes is given and where it is. */
const BYTE_EXPIRE = 15_000;
const BYTE_BURST_EXPIRE = 60_000;
/** Until the end of the line: seconds of the rate's unit, which is what an entry lives for. */
const UNIT = HASHLIMIT_OBJECT;
/** Credits a second in the kernel, which has 64 bits for them. */
const CREDITS_A_SECOND = 250n << 39n;

export const hashlimit: Extension = {
  name: "hashlimit",
  type: MATCH_HASHLIMIT,
  size: HASHLIMIT_SIZE,
  options: [
    rateOption("hashlimit-upto", ["hashlimit"], false, "hashlimit-above"),
    rateOption("hashlimit-above", [], true, "hashlimit-upto"),
    {
      name: "hashlimit-srcmask",
      parse(argument, record, at) {
        record.bytes[at + HASHLIMIT_SOURCE_PREFIX] = argument.prefix();
      },
    },
    {
      name: "hashlimit-dstmask",
      parse(argument, record, at) {
        record.bytes[at + HASHLIMIT_DESTINATION_PREFIX] = argument.prefix();
      },
    },
    {
      name: "hashlimit-burst",
      parse: (argument, record, at) =>
        record.view.setBigUint64(at + HASHLIMIT_BURST, readBurst(argument, LARGEST_BURST), true),
    },
    numberOption("hashlimit-htable-size", HASHLIMIT_BUCKETS, 0),
    numberOption("hashlimit-htable-max", HASHLIMIT_MAX, 0),
    numberOption("hashlimit-htable-gcinterval", HASHLIMIT_COLLECT, 1),
    numberOption("hashlimit-htable-expire", HASHLIMIT_EXPIRE, 1),
    { name: "hashlimit-mode", parse: readMode },
    {
      name: "hashlimit-name",
      mandatory: true,
      parse(argument, record, at) {
        argument.name(record.bytes, at + HASHLIMIT_NAME, HASHLIMIT_NAME_BYTES, "the name of a table");
        // Each table is a file in /proc.
        const text = argument.text();
        if (text === "" || text === "." || text === ".." || text.includes("/"))
          argument.fail("bad-name", "a name that could be a file's");
      },
    },
    { name: "hashlimit-rate-match", arguments: 0, parse: (_, record, at) => setMode(record, at, RATE_MATCH) },
    numberOption("hashlimit-rate-interval", HASHLIMIT_INTERVAL, 1),
  ],

  initialise(record, at) {
    record.view.setUint32(at + HASHLIMIT_COLLECT, DEFAULT_COLLECT, true);
    record.view.setBigUint64(at + HASHLIMIT_BURST, BigInt(DEFAULT_BURST), true);
  },

  finish(argument, record, at) {
    const { bytes, view } = record;
    if (!argument.has("hashlimit-upto") && !argument.has("hashlimit-above"))
      argument.fail("missing-option", "--hashlimit-upto or --hashlimit-above");
    if (!argument.has("hashlimit-srcmask")) bytes[at + HASHLIMIT_SOURCE_PREFIX] = 8 * argument.width;
    if (!argument.has("hashlimit-dstmask")) bytes[at + HASHLIMIT_DESTINATION_PREFIX] = 8 * argument.width;
    const average = view.getBigUint64(at + HASHLIMIT_AVERAGE, true);
    const isBytes = (view.getUint32(at + HASHLIMIT_MODE, true) & BYTES) !== 0;
    const expire = isBytes ? finishBytes(argument, record, at, average) : finishPackets(argument, record, at, average);
    if (!argument.has("hashlimit-htable-expire")) view.setUint32(at + HASHLIMIT_EXPIRE, expire, true);
    view.setUint32(at + UNIT, 0, true);
    return HASHLIMIT_SIZE;
  },

  print(out, record, at, rule) {
    const { bytes, view } = record;
    const mode = view.getUint32(at + HASHLIMIT_MODE, true);
    const average = view.getBigUint64(at + HASHLIMIT_AVERAGE, true);
    const burst = view.getBigUint64(at + HASHLIMIT_BURST, true);
    out.text(mode & ABOVE ? " --hashlimit-above " : " --hashlimit-upto ");
    let expire: number;
    if (mode & BYTES) {
      printByteRate(out, average, burst);
      expire = burst === 0n ? BYTE_EXPIRE : BYTE_BURST_EXPIRE;
    } else {
      printRate(out, Number(average), SCALE);
      out.text(` --hashlimit-burst ${burst}`);
      expire = 1000 * periodUnit(Number(average), SCALE);
    }
    if (mode & 15) {
      out.text(" --hashlimit-mode ");
      printWords(out, MODES, mode);
    }
    out.text(" --hashlimit-name ");
    out.padded(bytes, at + HASHLIMIT_NAME, HASHLIMIT_NAME_BYTES);
    const full = 8 * rule.width;
    for (const [name, value, preset] of [
      ["htable-size", view.getUint32(at + HASHLIMIT_BUCKETS, true), 0],
      ["htable-max", view.getUint32(at + HASHLIMIT_MAX, true), 0],
      ["htable-gcinterval", view.getUint32(at + HASHLIMIT_COLLECT, true), DEFAULT_COLLECT],
      ["htable-expire", view.getUint32(at + HASHLIMIT_EXPIRE, true), expire],
      ["srcmask", bytes[at + HASHLIMIT_SOURCE_PREFIX] as number, full],
      ["dstmask", bytes[at + HASHLIMIT_DESTINATION_PREFIX] as number, full],
    ] as const)
      if (value !== preset) out.option(` --hashlimit-${name} `, value);
    if (!(mode & RATE_MATCH)) return;
    out.text(" --hashlimit-rate-match");
    const interval = view.getUint32(at + HASHLIMIT_INTERVAL, true);
    if (interval !== 1) out.option(" --hashlimit-rate-interval ", interval);
  },
};

/** Turns a burst of bytes into multiples of the rate. Returns milliseconds until an entry expires. */
function finishBytes(argument: Argument, record: RecordMemory, at: number, average: bigint): number {
  const { view } = record;
  const given = argument.has("hashlimit-burst");
  const unit = costToBytes(average);
  const burst = given ? view.getBigUint64(at + HASHLIMIT_BURST, true) : 0n;
  if (given && unit === 0n) argument.fail("bad-number", "a rate of at least 16b/s, the smallest that can have a burst");
  if (given && burst < unit) argument.fail("bad-number", `a burst of at least ${unit}b`);
  // iptables divides what 32 bits hold of the burst.
  const multiples = given ? BigInt.asUintN(32, burst) / unit + (burst % unit === 0n ? 0n : 1n) : 0n;
  view.setBigUint64(at + HASHLIMIT_BURST, multiples, true);
  setInterval(argument, record, at, 1);
  return given ? BYTE_BURST_EXPIRE : BYTE_EXPIRE;
}

function finishPackets(argument: Argument, record: RecordMemory, at: number, average: bigint): number {
  const { view } = record;
  const unit = view.getUint32(at + UNIT, true);
  const burst = view.getBigUint64(at + HASHLIMIT_BURST, true);
  if (burst > LARGEST_BURST) argument.fail("bad-number", `a burst of at most ${LARGEST_BURST}`);
  const period = argument.has("hashlimit-rate-match") ? average / BigInt(unit) : average;
  if (credits(BigInt.asUintN(64, period * burst)) < credits(period))
    argument.fail("bad-number", "a smaller burst for so slow a rate");
  view.setBigUint64(at + HASHLIMIT_AVERAGE, period, true);
  setInterval(argument, record, at, unit);
  return 1000 * unit;
}

function setInterval(argument: Argument, record: RecordMemory, at: number, preset: number): void {
  if (argument.has("hashlimit-rate-match") && !argument.has("hashlimit-rate-interval"))
    record.view.setUint32(at + HASHLIMIT_INTERVAL, preset, true);
}

/** What the kernel makes of a period, in 64 bits. It refuses a burst that is too large for them. */
function credits(period: bigint): bigint {
  return BigInt.asUintN(64, period * (CREDITS_A_SECOND / BigInt(SCALE)));
}

function setMode(record: RecordMemory, at: number, bits: number): void {
  record.view.setUint32(at + HASHLIMIT_MODE, record.view.getUint32(at + HASHLIMIT_MODE, true) | bits, true);
}

/** `5/second` or `512kb/s`. A `!` makes one of the two options the other. */
function rateOption(name: string, aliases: readonly string[], above: boolean, other: string): Option {
  return {
    name,
    aliases,
    invertible: true,
    excludes: [other],
    parse(argument, record, at) {
      if (argument.inverted !== above) setMode(record, at, ABOVE);
      const rate = readByteRate(argument);
      if (rate !== undefined) setMode(record, at, BYTES);
      record.view.setBigUint64(
        at + HASHLIMIT_AVERAGE,
        rate === undefined ? BigInt(readRate(argument, SCALE)) : bytesToCost(rate),
        true,
      );
      if (rate === undefined) record.view.setUint32(at + UNIT, argument.value, true);
    },
  };
}

function numberOption(name: string, field: number, minimum: number): Option {
  return {
    name,
    parse: (argument, record, at) => record.view.setUint32(at + field, argument.unsigned(minimum, 0xffffffff), true),
  };
}

function readMode(argument: Argument, record: RecordMemory, at: number): void {
  for (const word of argument.text().split(/[,|]/)) {
    if (word === "") continue;
    const known = MODES.find(([name]) => name === word);
    if (!known) argument.fail("bad-value", "a comma list of srcip, srcport, dstip, dstport");
    setMode(record, at, known[1]);
  }
}
