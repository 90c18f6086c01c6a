/** -m cgroup: the group of processes that the sending socket belongs to, by class or by path. A packet's description says it. */
import {
  CGROUP_CLASS,
  CGROUP_FLAGS,
  CGROUP_INVERT,
  CGROUP_PATH,
  CGROUP_PATH_BYTES,
  CGROUP_SIZE,
  MATCH_CGROUP,
} from "../../blob/payloads.js";
import { type Extension, INPUT, OUTPUT, POSTROUTING } from "../extension.js";

const CLASS = 1;
const PATH = 2;

export const cgroup: Extension = {
  name: "cgroup",
  type: MATCH_CGROUP,
  size: CGROUP_SIZE,
  hooks: () => INPUT | OUTPUT | POSTROUTING,
  options: [
    {
      name: "cgroup",
      invertible: true,
      excludes: ["path"],
      parse(argument, record, at) {
        record.view.setUint32(at + CGROUP_CLASS, argument.unsigned(0, 0xffffffff), true);
        record.bytes[at + CGROUP_FLAGS] = CLASS;
        if (argument.inverted) record.bytes[at + CGROUP_INVERT] = 1;
      },
    },
    {
      name: "path",
      invertible: true,
      parse(argument, record, at) {
        argument.name(record.bytes, at + CGROUP_PATH, CGROUP_PATH_BYTES, "a path");
        record.bytes[at + CGROUP_FLAGS] = PATH;
        if (argument.inverted) record.bytes[at + CGROUP_INVERT] = 1;
      },
    },
  ],

  finish(argument, record, at) {
    if (argument.seen === 0) argument.fail("missing-option", "--cgroup or --path");
    return record.bytes[at + CGROUP_FLAGS] === CLASS ? CGROUP_PATH : CGROUP_SIZE;
  },

  print(out, record, at) {
    if (record.bytes[at + CGROUP_INVERT]) out.text(" !");
    if (record.bytes[at + CGROUP_FLAGS] === CLASS) {
      out.option(" --cgroup ", record.view.getUint32(at + CGROUP_CLASS, true));
      return;
    }
    out.text(" --path ");
    const end = record.bytes.indexOf(0, at + CGROUP_PATH);
    out.quoted(record.bytes, at + CGROUP_PATH, end);
  },
};
