/** -j NFLOG: hands a copy to a netlink group; goes on with the next rule. */
import {
  NFLOG_FLAGS,
  NFLOG_GROUP,
  NFLOG_LENGTH,
  NFLOG_PREFIX,
  NFLOG_PREFIX_BYTES,
  NFLOG_SIZE,
  NFLOG_THRESHOLD,
  TARGET_NFLOG,
} from "../../blob/payloads.js";
import type { Target } from "../extension.js";

const SIZE_GIVEN = 1;

export const nflog: Target = {
  name: "NFLOG",
  type: TARGET_NFLOG,
  size: NFLOG_SIZE,
  options: [
    {
      name: "nflog-group",
      parse: (argument, record, at) => record.view.setUint16(at + NFLOG_GROUP, argument.unsigned(0, 65_535), true),
    },
    {
      name: "nflog-prefix",
      parse(argument, record, at) {
        if (argument.start === argument.end) argument.fail("bad-name", "a prefix that is not empty");
        argument.name(record.bytes, at + NFLOG_PREFIX, NFLOG_PREFIX_BYTES, "a prefix");
      },
    },
    {
      name: "nflog-range",
      excludes: ["nflog-size"],
      parse: (argument, record, at) => record.view.setUint32(at + NFLOG_LENGTH, argument.unsigned(0, 0xffffffff), true),
    },
    {
      name: "nflog-size",
      parse(argument, record, at) {
        record.view.setUint32(at + NFLOG_LENGTH, argument.unsigned(0, 0xffffffff), true);
        record.view.setUint16(at + NFLOG_FLAGS, SIZE_GIVEN, true);
      },
    },
    {
      name: "nflog-threshold",
      parse: (argument, record, at) => record.view.setUint16(at + NFLOG_THRESHOLD, argument.unsigned(0, 65_535), true),
    },
  ],

  print(out, record, at) {
    const { view } = record;
    out.optionalText(" --nflog-prefix ", record.bytes, at + NFLOG_PREFIX, NFLOG_PREFIX_BYTES);
    const group = view.getUint16(at + NFLOG_GROUP, true);
    const length = view.getUint32(at + NFLOG_LENGTH, true);
    const threshold = view.getUint16(at + NFLOG_THRESHOLD, true);
    const sized = view.getUint16(at + NFLOG_FLAGS, true) & SIZE_GIVEN;
    if (group) out.option(" --nflog-group ", group);
    if (sized) out.option(" --nflog-size ", length);
    else if (length) out.option(" --nflog-range ", length);
    if (threshold) out.option(" --nflog-threshold ", threshold);
  },
};
