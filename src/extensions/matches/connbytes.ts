/** -m connbytes: how much a connection has carried so far. */
import {
  CONNBYTES_DIRECTION,
  CONNBYTES_FROM,
  CONNBYTES_SIZE,
  CONNBYTES_TO,
  CONNBYTES_WHAT,
  MATCH_CONNBYTES,
} from "../../blob/payloads.js";
import { COLON } from "../argument.js";
import type { Extension } from "../extension.js";

const MODES = ["packets", "bytes", "avgpkt"];
const DIRECTIONS = ["original", "reply", "both"];
const LARGEST = 0xffffffffffffffffn;

export const connbytes: Extension = {
  name: "connbytes",
  type: MATCH_CONNBYTES,
  size: CONNBYTES_SIZE,
  options: [
    {
      name: "connbytes",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        const colon = argument.indexOf(COLON);
        const from = colon === argument.start ? 0n : argument.wide(argument.start, colon < 0 ? argument.end : colon);
        const to = colon < 0 || colon + 1 === argument.end ? LARGEST : argument.wide(colon + 1, argument.end);
        if (to < from) argument.fail("bad-number", "a range whose first number is not above its last");
        record.view.setBigUint64(at + CONNBYTES_FROM, argument.inverted ? to : from, true);
        record.view.setBigUint64(at + CONNBYTES_TO, argument.inverted ? from : to, true);
      },
    },
    {
      name: "connbytes-dir",
      mandatory: true,
      parse(argument, record, at) {
        record.bytes[at + CONNBYTES_DIRECTION] = argument.oneOf(DIRECTIONS);
      },
    },
    {
      name: "connbytes-mode",
      mandatory: true,
      parse(argument, record, at) {
        record.bytes[at + CONNBYTES_WHAT] = argument.oneOf(MODES);
      },
    },
  ],

  print(out, record, at) {
    const from = record.view.getBigUint64(at + CONNBYTES_FROM, true);
    const to = record.view.getBigUint64(at + CONNBYTES_TO, true);
    const [first, last] = from > to ? [to, from] : [from, to];
    out.text(from > to ? ` ! --connbytes ${first}` : ` --connbytes ${first}`);
    if (last !== 0n && last < LARGEST) out.text(`:${last}`);
    out.text(` --connbytes-mode ${MODES[record.bytes[at + CONNBYTES_WHAT] as number]}`);
    out.text(` --connbytes-dir ${DIRECTIONS[record.bytes[at + CONNBYTES_DIRECTION] as number]}`);
  },
};
