/** Sets as `ipset save` prints them. */
import { addressText } from "./element-parts.js";
import { fromNumber } from "./element.js";
import type { IpSet, SetEntry, SetHeader } from "./ip-set.js";
import { CREATE_OPTIONS, type CreateOption, setType } from "./set-types.js";

/** Lists come last, since their members must be there before them. Elements are in the order of the sets. */
export function printSets(sets: Iterable<IpSet>): string {
  const all = [...sets];
  const ordered = [...all.filter(({ type }) => type !== "list:set"), ...all.filter(({ type }) => type === "list:set")];
  return ordered.map(printSet).join("");
}

export function printSet(set: IpSet): string {
  const lines = [printHeader(set), ...Array.from(set.entries.values(), (entry) => printEntry(set, entry))];
  return lines.map((line) => `${line}\n`).join("");
}

function printHeader(set: SetHeader): string {
  const has = setType(set.type).options;
  const options = CREATE_OPTIONS.filter((option) => has.includes(option));
  // Types that were given masks later print them last.
  const late = set.type === "hash:ip,port" || set.type === "hash:net,net";
  const ordered = late ? [...options.filter((one) => !isMask(one)), ...options.filter(isMask)] : options;
  return `create ${set.name} ${set.type}${ordered.map((option) => optionText(set, option)).join("")}`;
}

const isMask = (option: CreateOption): boolean => option === "netmask" || option === "bitmask";

function optionText(set: SetHeader, option: CreateOption): string {
  switch (option) {
    case "range":
      return set.type === "bitmap:port"
        ? ` range ${set.first}-${set.last}`
        : ` range ${addressText(fromNumber(set.first))}-${addressText(fromNumber(set.last))}`;
    case "family":
      return ` family ${set.family === "ipv4" ? "inet" : "inet6"}`;
    case "markmask":
      return set.markmask === 0xffffffff ? "" : ` markmask ${hexadecimal(set.markmask)}`;
    case "hashsize":
    case "maxelem":
    case "size":
    case "bucketsize":
      return ` ${option} ${set[option]}`;
    case "netmask":
    case "timeout":
      return set[option] === undefined ? "" : ` ${option} ${set[option]}`;
    case "bitmask":
      return set.bitmask ? ` bitmask ${addressText(set.bitmask)}` : "";
    case "initval":
      return set.initval === undefined ? "" : ` initval ${hexadecimal(set.initval)}`;
    default:
      return set[option] ? ` ${option}` : "";
  }
}

const hexadecimal = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

function printEntry(set: IpSet, entry: SetEntry): string {
  let line = `add ${set.name} ${entry.text}`;
  if (entry.timeout !== undefined) line += ` timeout ${entry.timeout}`;
  if (entry.nomatch) line += " nomatch";
  if (entry.wildcard) line += " wildcard";
  if (set.counters) line += ` packets ${entry.packets} bytes ${entry.bytes}`;
  if (entry.comment !== undefined) line += ` comment "${entry.comment}"`;
  if (entry.mark !== 0 || entry.markMask !== 0)
    line += ` skbmark 0x${entry.mark.toString(16)}${entry.markMask === 0xffffffff ? "" : `/0x${entry.markMask.toString(16)}`}`;
  if (entry.priority !== 0)
    line += ` skbprio ${(entry.priority >>> 16).toString(16)}:${(entry.priority & 0xffff).toString(16)}`;
  if (entry.queue !== 0) line += ` skbqueue ${entry.queue}`;
  return line;
}
