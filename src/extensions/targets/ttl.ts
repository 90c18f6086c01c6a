/** -j TTL, and -j HL: sets or changes the hops that a packet has left. */
import { SETTTL_MODE, SETTTL_SIZE, SETTTL_VALUE, TARGET_HL, TARGET_TTL } from "../../blob/payloads.js";
import type { Option, Target } from "../extension.js";

/** By mode. */
const OPERATIONS = ["set", "inc", "dec"];

function hopTarget(name: string, type: number, family: "ipv4" | "ipv6"): Target {
  const names = OPERATIONS.map((operation) => `${name.toLowerCase()}-${operation}`);
  return {
    name,
    type,
    size: SETTTL_SIZE,
    family,
    tables: ["mangle"],
    options: names.map(
      (option, mode): Option => ({
        name: option,
        excludes: names.filter((other) => other !== option),
        parse(argument, record, at) {
          record.bytes[at + SETTTL_VALUE] = argument.unsigned(mode === 0 ? 0 : 1, 255);
          record.bytes[at + SETTTL_MODE] = mode;
        },
      }),
    ),

    finish(argument) {
      if (argument.seen === 0) argument.fail("missing-option", `one of --${names.join(", --")}`);
      return SETTTL_SIZE;
    },

    print: (out, record, at) =>
      out.option(` --${names[record.bytes[at + SETTTL_MODE] as number]} `, record.bytes[at + SETTTL_VALUE] as number),
  };
}

export const setTtl = hopTarget("TTL", TARGET_TTL, "ipv4");
export const setHl = hopTarget("HL", TARGET_HL, "ipv6");
