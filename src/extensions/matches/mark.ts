/** -m mark: the packet's mark under a mask. */
import { VALUE_MARK } from "../../blob/reading.js";
import { MARK_INVERT, MARK_MASK, MARK_SIZE, MARK_VALUE, MATCH_MARK } from "../../blob/payloads.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, Option, RecordMemory } from "../extension.js";

/** `--mark value[/mask]`, which connmark has as well. */
export const markOption: Option = {
  name: "mark",
  invertible: true,
  mandatory: true,
  value: { kind: VALUE_MARK, at: MARK_VALUE },
  parse(argument, record, at) {
    argument.maskedMark();
    record.view.setUint32(at + MARK_VALUE, argument.value, true);
    record.view.setUint32(at + MARK_MASK, argument.mask, true);
    if (argument.inverted) record.bytes[at + MARK_INVERT] = 1;
  },
};

export function printMark(out: ByteWriter, record: RecordMemory, at: number): void {
  const mask = record.view.getUint32(at + MARK_MASK, true);
  if (record.bytes[at + MARK_INVERT]) out.text(" !");
  out.text(" --mark 0x");
  out.hexadecimal(record.view.getUint32(at + MARK_VALUE, true));
  if (mask === 0xffffffff) return;
  out.text("/0x");
  out.hexadecimal(mask);
}

export const mark: Extension = {
  name: "mark",
  type: MATCH_MARK,
  size: MARK_SIZE,
  options: [markOption],
  print: printMark,
};
