/**
 * -m bpf: a program of classic BPF over the packet's bytes. One that is pinned in bpf's file system only Linux could run: of it
 * the packet's description says whether it takes the packet (`bpf PATH`), and that it does not where it says nothing.
 */
import {
  BPF_COUNT,
  BPF_INSTRUCTION_CODE,
  BPF_INSTRUCTION_FALSE,
  BPF_INSTRUCTION_K,
  BPF_INSTRUCTION_SIZE,
  BPF_INSTRUCTION_TRUE,
  BPF_INSTRUCTIONS,
  BPF_PATH,
  BPF_PATH_BYTES,
  BPF_SIZE,
  MATCH_BPF,
} from "../../blob/payloads.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Extension, RecordMemory } from "../extension.js";
import { readProgram } from "../values/bpf-program.js";

export const bpf: Extension = {
  name: "bpf",
  type: MATCH_BPF,
  size: BPF_SIZE,
  options: [
    {
      name: "bytecode",
      excludes: ["object-pinned"],
      parse(argument, record, at) {
        const program = readProgram(argument);
        record.view.setUint16(at + BPF_COUNT, program.length, true);
        for (const [nth, { code, jt, jf, k }] of program.entries()) {
          const instruction = at + BPF_INSTRUCTIONS + nth * BPF_INSTRUCTION_SIZE;
          record.view.setUint16(instruction + BPF_INSTRUCTION_CODE, code, true);
          record.bytes[instruction + BPF_INSTRUCTION_TRUE] = jt;
          record.bytes[instruction + BPF_INSTRUCTION_FALSE] = jf;
          record.view.setUint32(instruction + BPF_INSTRUCTION_K, k, true);
        }
      },
    },
    {
      name: "object-pinned",
      parse(argument, record, at) {
        if (argument.start === argument.end) argument.fail("bad-name", "a path in bpf's file system");
        argument.name(record.bytes, at + BPF_PATH, BPF_PATH_BYTES, "a path");
      },
    },
  ],

  finish(argument, record, at) {
    if (argument.seen === 0) argument.fail("missing-option", "--bytecode or --object-pinned");
    if (argument.has("object-pinned")) return BPF_PATH + 8 * Math.ceil((pathLength(record, at) + 1) / 8);
    return BPF_INSTRUCTIONS + BPF_INSTRUCTION_SIZE * record.view.getUint16(at + BPF_COUNT, true);
  },

  print(out, record, at) {
    if (isPinned(record, at)) {
      out.text(" --object-pinned ");
      printPath(out, record, at);
      return;
    }
    out.option(' --bytecode "', record.view.getUint16(at + BPF_COUNT, true));
    out.text(",");
    printProgram(out, record, at);
    out.text('"');
  },
};

/** Whether the record holds a path. */
export function isPinned({ view }: RecordMemory, at: number): boolean {
  return view.getUint16(at + BPF_COUNT, true) === 0;
}

export function printPath(out: ByteWriter, record: RecordMemory, at: number): void {
  out.padded(record.bytes, at + BPF_PATH, pathLength(record, at));
}

function pathLength({ bytes }: RecordMemory, at: number): number {
  return bytes.indexOf(0, at + BPF_PATH) - at - BPF_PATH;
}

/** `48 0 0 9,21 0 1 6`. */
export function printProgram(out: ByteWriter, { bytes, view }: RecordMemory, at: number): void {
  const count = view.getUint16(at + BPF_COUNT, true);
  for (let nth = 0; nth < count; nth++) {
    const instruction = at + BPF_INSTRUCTIONS + nth * BPF_INSTRUCTION_SIZE;
    out.text(nth === 0 ? "" : ",");
    out.number(view.getUint16(instruction + BPF_INSTRUCTION_CODE, true));
    out.option(" ", bytes[instruction + BPF_INSTRUCTION_TRUE] as number);
    out.option(" ", bytes[instruction + BPF_INSTRUCTION_FALSE] as number);
    out.option(" ", view.getUint32(instruction + BPF_INSTRUCTION_K, true));
  }
}
