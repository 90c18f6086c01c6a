/** -m ttl, and -m hl: the hops that a packet has left. */
import { MATCH_HL, MATCH_TTL, TTL_MODE, TTL_SIZE, TTL_VALUE } from "../../blob/payloads.js";
import type { Extension, Option } from "../extension.js";

const NOT_EQUAL = 1;
/** By mode: what prints in front of the number. */
const MODES = ["eq", "eq", "lt", "gt"];

function hopMatch(name: string, type: number, family: "ipv4" | "ipv6"): Extension {
  const names = ["eq", "lt", "gt"].map((comparison) => `${name}-${comparison}`);
  const option = (comparison: string, mode: number): Option => ({
    name: `${name}-${comparison}`,
    invertible: comparison === "eq",
    excludes: names.filter((other) => other !== `${name}-${comparison}`),
    ...(comparison === "eq" ? { aliases: [name] } : {}),
    parse(argument, record, at) {
      record.bytes[at + TTL_VALUE] = argument.unsigned(0, 255);
      record.bytes[at + TTL_MODE] = argument.inverted ? NOT_EQUAL : mode;
    },
  });
  return {
    name,
    type,
    size: TTL_SIZE,
    family,
    options: [option("eq", 0), option("lt", 2), option("gt", 3)],

    finish(argument) {
      if (argument.seen === 0) argument.fail("missing-option", `one of --${names.join(", --")}`);
      return TTL_SIZE;
    },

    print(out, record, at) {
      const mode = record.bytes[at + TTL_MODE] as number;
      out.text(mode === NOT_EQUAL ? " ! --" : " --");
      out.option(`${name}-${MODES[mode]} `, record.bytes[at + TTL_VALUE] as number);
    },
  };
}

export const ttl = hopMatch("ttl", MATCH_TTL, "ipv4");
export const hl = hopMatch("hl", MATCH_HL, "ipv6");
