/** -m mh: the type of IPv6's mobility header. */
import { MATCH_MH, MH_INVERT, MH_MAX, MH_MIN, MH_SIZE } from "../../blob/payloads.js";
import { type Argument, COLON } from "../argument.js";
import type { Extension } from "../extension.js";
import { onlyProtocols, PROTOCOL_MOBILITY } from "../protocol-check.js";
import { wholeNumber } from "../values/number.js";

/** By number. */
const TYPES = [
  ["binding-refresh-request", "brr"],
  ["home-test-init", "hoti"],
  ["careof-test-init", "coti"],
  ["home-test", "hot"],
  ["careof-test", "cot"],
  ["binding-update", "bu"],
  ["binding-acknowledgement", "ba"],
  ["binding-error", "be"],
] as const;
const LAST = 255;

export function mobilityName(type: number): string {
  return TYPES[type]?.[0] ?? String(type);
}

export const mh: Extension = {
  name: "mh",
  aliases: ["mobility-header", "ipv6-mh"],
  type: MATCH_MH,
  size: MH_SIZE,
  family: "ipv6",
  options: [
    {
      name: "mh-type",
      invertible: true,
      parse(argument, record, at) {
        const colon = argument.indexOf(COLON);
        const { start, end } = argument;
        const first = colon === start ? 0 : typeOf(argument, start, colon < 0 ? end : colon);
        const last = colon < 0 ? first : colon + 1 === end ? LAST : typeOf(argument, colon + 1, end);
        if (first > last) argument.fail("bad-value", "a range whose first type is not above its last");
        record.bytes[at + MH_MIN] = first;
        record.bytes[at + MH_MAX] = last;
        if (argument.inverted) record.bytes[at + MH_INVERT] = 1;
      },
    },
  ],
  initialise(record, at) {
    record.bytes[at + MH_MAX] = LAST;
  },
  protocol: (argument) => onlyProtocols(argument, "mobility-header", PROTOCOL_MOBILITY),

  print(out, record, at) {
    const first = record.bytes[at + MH_MIN] as number;
    const last = record.bytes[at + MH_MAX] as number;
    if (first === 0 && last === LAST) return;
    out.option(record.bytes[at + MH_INVERT] ? " ! --mh-type " : " --mh-type ", first);
    if (first !== last) out.option(":", last);
  },
};

/** A number, a name, or how a name begins. */
function typeOf(argument: Argument, start: number, end: number): number {
  const number = wholeNumber(argument.bytes, start, end, 0, LAST);
  if (number >= 0) return number;
  const text = argument.text(start, end).toLowerCase();
  const exact = TYPES.findIndex((names) => names.some((name) => name === text));
  if (exact >= 0) return exact;
  const begun = TYPES.findIndex((names) => names.some((name) => name.startsWith(text)));
  if (begun >= 0) return begun;
  return argument.fail("bad-value", `a number from 0 to ${LAST} or one of ${TYPES.flat().join(", ")}`, start, end);
}
