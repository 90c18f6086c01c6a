/** -m state: the connection state alone. */
import { MATCH_STATE, STATE_INVERT, STATE_MASK, STATE_SIZE } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";
import { printWords, STATES } from "./conntrack.js";

/** What the state match knows; SNAT and DNAT are conntrack's alone. */
const OWN_STATES = STATES.slice(0, 5);

export const state: Extension = {
  name: "state",
  type: MATCH_STATE,
  size: STATE_SIZE,
  options: [
    {
      name: "state",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        record.view.setUint16(at + STATE_MASK, argument.keywords(OWN_STATES), true);
        if (argument.inverted) record.bytes[at + STATE_INVERT] = 1;
      },
    },
  ],

  print(out, record, at) {
    out.text(record.bytes[at + STATE_INVERT] ? " ! --state " : " --state ");
    printWords(out, STATES, record.view.getUint16(at + STATE_MASK, true));
  },
};
