/** What `create` says of a set. */
import { Fault } from "../../extensions/fault.js";
import { nearest } from "../../extensions/nearest.js";
import { toNumber } from "./element.js";
import { addressOf, numberedPorts, prefixOf, TCP } from "./element-parts.js";
import type { SetHeader } from "./ip-set.js";
import { type CreateOption, type SetTypeName, setType } from "./set-types.js";
import type { Word, WordReader } from "./words.js";

const MOST_SECONDS = 2_147_483;
const LEAST_HASHSIZE = 64;
const LARGEST_HASHSIZE = 2 ** 31;
const BITMAP_ELEMENTS = 65_536;
const LEAST_BUCKET = 2;
const LARGEST_BUCKET = 12;
const LEAST_LIST = 4;

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

function preset(name: string, type: SetTypeName): Mutable<SetHeader> {
  return {
    name,
    type,
    family: "ipv4",
    hashsize: 1024,
    maxelem: 65_536,
    netmask: undefined,
    bitmask: undefined,
    markmask: 0xffffffff,
    timeout: undefined,
    counters: false,
    comment: false,
    skbinfo: false,
    forceadd: false,
    bucketsize: LARGEST_BUCKET,
    initval: undefined,
    first: 0,
    last: 0,
    size: 8,
  };
}

/** Reads options to the end of the line. @throws Fault */
export function readHeader(name: string, type: SetTypeName, typeWord: Word, words: WordReader): SetHeader {
  const header = preset(name, type);
  const seen = new Set<CreateOption>();
  // Options come in any order, but some are read by others: addresses by the family, a range by the netmask.
  const later: Later = {};
  while (!words.done) {
    const word = words.next("an option");
    const [option, family] = ALIASES[word.text] ?? [word.text as CreateOption];
    if (!setType(type).options.includes(option))
      throw new Fault(
        "unknown-option",
        word.start,
        word.end,
        `an option of ${type}`,
        nearest(word.text, setType(type).options),
      );
    if (seen.has(option)) throw new Fault("repeated-option", word.start, word.end, "it once");
    seen.add(option);
    if (family) header.family = family;
    else READERS[option](header, words, later);
  }
  later.mask?.();
  later.range?.();
  if (type.startsWith("bitmap") && !seen.has("range"))
    throw new Fault("missing-option", typeWord.start, typeWord.end, `range with ${type}`);
  if (seen.has("netmask") && seen.has("bitmask"))
    throw new Fault("conflicting-options", typeWord.start, typeWord.end, "netmask or bitmask, not both");
  return header;
}

const ALIASES: Readonly<Record<string, readonly [CreateOption, ("ipv4" | "ipv6")?]>> = {
  inet: ["family", "ipv4"],
  inet6: ["family", "ipv6"],
};

interface Later {
  mask?: () => void;
  range?: () => void;
}

type OptionReader = (header: Mutable<SetHeader>, words: WordReader, later: Later) => void;

const READERS: Readonly<Record<CreateOption, OptionReader>> = {
  family(header, words) {
    const word = words.next("inet or inet6");
    if (word.text !== "inet" && word.text !== "inet6")
      throw new Fault("bad-value", word.start, word.end, "inet or inet6");
    header.family = word.text === "inet" ? "ipv4" : "ipv6";
  },
  hashsize(header, words) {
    const size = words.number(1, LARGEST_HASHSIZE);
    header.hashsize = LEAST_HASHSIZE;
    while (header.hashsize < size) header.hashsize *= 2;
  },
  maxelem: (header, words) => {
    header.maxelem = words.number(0, 0xffffffff);
  },
  markmask: (header, words) => {
    header.markmask = words.number(1, 0xffffffff);
  },
  netmask(header, words, later) {
    const word = words.next("a prefix length");
    later.mask = () => {
      const bits = prefixOf(word, 1, header.family);
      if (bits < (header.family === "ipv4" ? 32 : 128)) header.netmask = bits;
    };
  },
  bitmask(header, words, later) {
    const word = words.next("a mask");
    later.mask = () => {
      const mask = addressOf(word, header.family);
      if (mask.every((byte) => byte === 0))
        throw new Fault("bad-mask", word.start, word.end, "a mask that is not zero");
      header.bitmask = mask;
    };
  },
  timeout: (header, words) => {
    header.timeout = words.number(0, MOST_SECONDS);
  },
  counters: (header) => {
    header.counters = true;
  },
  comment: (header) => {
    header.comment = true;
  },
  skbinfo: (header) => {
    header.skbinfo = true;
  },
  forceadd: (header) => {
    header.forceadd = true;
  },
  bucketsize(header, words) {
    const size = Math.min(LARGEST_BUCKET, Math.max(LEAST_BUCKET, words.number(0, 255)));
    header.bucketsize = size + (size % 2);
  },
  initval: (header, words) => {
    header.initval = words.number(0, 0xffffffff);
  },
  size: (header, words) => {
    header.size = Math.max(LEAST_LIST, words.number(0, 0xffffffff));
  },
  range(header, words, later) {
    const word = words.next("a range");
    later.range = () => readRange(header, word);
  },
};

function readRange(header: Mutable<SetHeader>, word: Word): void {
  if (header.type === SET_WITH_PORTS) {
    const colon = word.text.indexOf(":");
    const numbers = { text: word.text.slice(colon + 1), start: word.start + colon + 1, end: word.end };
    Object.assign(header, numberedPorts(numbers, TCP));
    return;
  }
  const [, first = "", mark = "", second = ""] = /^([^-/]*)([-/])(.*)$/.exec(word.text) ?? [];
  const bits = mark === "/" && /^\d{1,2}$/.test(second) ? Number(second) : -1;
  const low = toNumber(addressOf({ ...word, text: first }, "ipv4"));
  const high = mark === "-" ? toNumber(addressOf({ ...word, text: second }, "ipv4")) : low;
  if (mark === "" || (mark === "/" && !(bits >= 1 && bits <= 32)))
    throw new Fault("bad-address", word.start, word.end, "a range as first-last or address/prefix");
  const size = 2 ** (32 - Math.max(0, bits));
  header.first = mark === "/" ? Math.floor(low / size) * size : Math.min(low, high);
  header.last = mark === "/" ? header.first + size - 1 : Math.max(low, high);
  const step = header.netmask === undefined ? 1 : 2 ** (32 - header.netmask);
  if ((header.last - header.first + 1) / step > BITMAP_ELEMENTS)
    throw new Fault("bad-address", word.start, word.end, `a range of at most ${BITMAP_ELEMENTS} elements`);
}

const SET_WITH_PORTS: SetTypeName = "bitmap:port";
