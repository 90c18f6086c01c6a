/** -m comment: text for people. Matches everything. */
import { VALUE_COMMENT } from "../../blob/reading.js";
import { COMMENT_SIZE, COMMENT_TEXT, MATCH_COMMENT } from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

/** Bytes of text that the kernel's record holds. Longer text is refused here; iptables cuts it without a word. */
const COMMENT_LIMIT = 255;

export const comment: Extension = {
  name: "comment",
  type: MATCH_COMMENT,
  size: COMMENT_SIZE,
  options: [
    {
      name: "comment",
      mandatory: true,
      value: { kind: VALUE_COMMENT, at: COMMENT_TEXT },
      parse(argument, record, at) {
        if (argument.end - argument.start > COMMENT_LIMIT)
          argument.fail("comment-too-long", `at most ${COMMENT_LIMIT} bytes`);
        record.view.setUint32(
          at + COMMENT_TEXT,
          argument.texts.intern(argument.bytes, argument.start, argument.end),
          true,
        );
      },
    },
  ],

  print(out, record, at, rule) {
    const text = rule.text(record.view.getUint32(at + COMMENT_TEXT, true));
    out.text(" --comment ");
    out.quoted(text, 0, text.length);
  },
};
