/** -j CONNMARK: sets the connection's mark, or copies between it and the packet's. */
import {
  SETCONNMARK_CT_MASK,
  SETCONNMARK_MODE,
  SETCONNMARK_NF_MASK,
  SETCONNMARK_SHIFT,
  SETCONNMARK_SHIFT_DIRECTION,
  SETCONNMARK_SIZE,
  SETCONNMARK_VALUE,
  TARGET_CONNMARK,
} from "../../blob/payloads.js";
import type { Option, RecordMemory, Target } from "../extension.js";

const SET = 0;
const SAVE = 1;
const RESTORE = 2;
const OPERATIONS = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark", "save-mark", "restore-mark"];
const ALL_BITS = 0xffffffff;
const RIGHT = 1;

function operation(name: string, words: 0 | 1, parse: Option["parse"]): Option {
  return { name, arguments: words, excludes: OPERATIONS.filter((other) => other !== name), parse };
}

/** The new mark of the connection is (old & ~mask) ^ value. */
function set(record: RecordMemory, at: number, value: number, mask: number): void {
  record.bytes[at + SETCONNMARK_MODE] = SET;
  record.view.setUint32(at + SETCONNMARK_VALUE, value, true);
  record.view.setUint32(at + SETCONNMARK_CT_MASK, mask, true);
}

function maskOption(name: string, excludes: readonly string[], ...fields: readonly number[]): Option {
  return {
    name,
    excludes,
    parse(argument, record, at) {
      const mask = argument.unsigned(0, ALL_BITS);
      for (const field of fields) record.view.setUint32(at + field, mask, true);
    },
  };
}

function shiftOption(name: string, direction: number): Option {
  return {
    name,
    parse(argument, record, at) {
      record.bytes[at + SETCONNMARK_SHIFT_DIRECTION] = direction;
      record.bytes[at + SETCONNMARK_SHIFT] = argument.unsigned(0, 32);
    },
  };
}

export const connmarkTarget: Target = {
  name: "CONNMARK",
  type: TARGET_CONNMARK,
  size: SETCONNMARK_SIZE,
  options: [
    operation("set-xmark", 1, (argument, record, at) => {
      argument.maskedMark();
      set(record, at, argument.value, argument.mask);
    }),
    operation("set-mark", 1, (argument, record, at) => {
      argument.maskedMark();
      set(record, at, argument.value, argument.value | argument.mask);
    }),
    operation("and-mark", 1, (argument, record, at) => set(record, at, 0, ~argument.unsigned(0, ALL_BITS))),
    operation("or-mark", 1, (argument, record, at) => {
      const bits = argument.unsigned(0, ALL_BITS);
      set(record, at, bits, bits);
    }),
    operation("xor-mark", 1, (argument, record, at) => set(record, at, argument.unsigned(0, ALL_BITS), 0)),
    operation("save-mark", 0, (_, record, at) => {
      record.bytes[at + SETCONNMARK_MODE] = SAVE;
    }),
    operation("restore-mark", 0, (_, record, at) => {
      record.bytes[at + SETCONNMARK_MODE] = RESTORE;
    }),
    shiftOption("left-shift-mark", 0),
    shiftOption("right-shift-mark", RIGHT),
    maskOption("ctmask", ["mask"], SETCONNMARK_CT_MASK),
    maskOption("nfmask", ["mask"], SETCONNMARK_NF_MASK),
    maskOption("mask", [], SETCONNMARK_CT_MASK, SETCONNMARK_NF_MASK),
  ],

  initialise(record, at) {
    record.view.setUint32(at + SETCONNMARK_CT_MASK, ALL_BITS, true);
    record.view.setUint32(at + SETCONNMARK_NF_MASK, ALL_BITS, true);
  },

  finish(argument) {
    if (!OPERATIONS.some((name) => argument.has(name)))
      argument.fail("missing-option", `one of --${OPERATIONS.join(", --")}`);
    return SETCONNMARK_SIZE;
  },

  print(out, record, at) {
    const { bytes, view } = record;
    const mode = bytes[at + SETCONNMARK_MODE];
    const ctMask = view.getUint32(at + SETCONNMARK_CT_MASK, true);
    if (mode === SET) {
      out.text(" --set-xmark 0x");
      out.hexadecimal(view.getUint32(at + SETCONNMARK_VALUE, true));
      out.text("/0x");
      out.hexadecimal(ctMask);
    } else {
      out.text(mode === SAVE ? " --save-mark --nfmask 0x" : " --restore-mark --nfmask 0x");
      out.hexadecimal(view.getUint32(at + SETCONNMARK_NF_MASK, true));
      out.text(" --ctmask 0x");
      out.hexadecimal(ctMask);
    }
    if (!bytes[at + SETCONNMARK_SHIFT]) return;
    const right = bytes[at + SETCONNMARK_SHIFT_DIRECTION] === RIGHT;
    out.option(right ? " --right-shift-mark " : " --left-shift-mark ", bytes[at + SETCONNMARK_SHIFT] as number);
  },
};
