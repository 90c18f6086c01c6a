/** -m connlabel: labels of the connection. Their names stand in a file of the host's, so here they are numbers. */
import { CONNLABEL_BIT, CONNLABEL_FLAGS, CONNLABEL_SIZE, MATCH_CONNLABEL } from "../../blob/payloads.js";
import type { Extension, RecordMemory } from "../extension.js";

const INVERT = 1;
const SET = 2;
const LAST = 127;

export const connlabel: Extension = {
  name: "connlabel",
  type: MATCH_CONNLABEL,
  size: CONNLABEL_SIZE,
  options: [
    {
      name: "label",
      invertible: true,
      mandatory: true,
      parse(argument, record, at) {
        record.view.setUint16(at + CONNLABEL_BIT, argument.unsigned(0, LAST), true);
        if (argument.inverted) flag(record, at, INVERT);
      },
    },
    { name: "set", arguments: 0, parse: (_, record, at) => flag(record, at, SET) },
  ],

  print(out, record, at) {
    const flags = record.bytes[at + CONNLABEL_FLAGS] as number;
    out.text(flags & INVERT ? ' ! --label "' : ' --label "');
    out.number(record.view.getUint16(at + CONNLABEL_BIT, true));
    out.text(flags & SET ? '" --set' : '"');
  },
};

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + CONNLABEL_FLAGS] = (record.bytes[at + CONNLABEL_FLAGS] as number) | bit;
}
