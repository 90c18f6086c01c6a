/** -m pkttype: whom the link layer sent the packet to. */
import { MATCH_PKTTYPE, PKTTYPE_INVERT, PKTTYPE_SIZE, PKTTYPE_TYPE } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

/** By number; the names behind are other names of the first three. */
const TYPES = ["unicast", "broadcast", "multicast", "otherhost"];
const ALIASES: Readonly<Record<string, number>> = { host: 0, bcast: 1, mcast: 2 };

export const pkttype: Extension = {
  name: "pkttype",
  type: MATCH_PKTTYPE,
  size: PKTTYPE_SIZE,
  options: [
    {
      name: "pkt-type",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        const name = argument.text().toLowerCase();
        const type = ALIASES[name] ?? TYPES.indexOf(name);
        if (type < 0) argument.fail("bad-value", `one of ${TYPES.join(", ")}`);
        record.bytes[at + PKTTYPE_TYPE] = type;
        if (argument.inverted) record.bytes[at + PKTTYPE_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(record.bytes[at + PKTTYPE_INVERT] ? " ! --pkt-type " : " --pkt-type ");
    out.text(TYPES[record.bytes[at + PKTTYPE_TYPE] as number] ?? "");
  },
};
