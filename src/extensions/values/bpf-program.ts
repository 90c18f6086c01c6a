/**
 * A program of classic BPF: read as iptables reads it, and checked as Linux does before it takes one (bpf_check_classic and
 * check_load_and_stores of net/core/filter.c).
 */
import type { Argument } from "../argument.js";

export interface Instruction {
  readonly code: number;
  /** How many instructions to skip where a comparison holds, and where it does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const MOST = 64;
const WORDS = 16;
/** Words of memory that hold something, by bit. */
const ALL_WORDS = 0xffff;
/** From here on a place names something beside the packet's bytes, up to these. */
const BESIDE = 0xfffff000;
const LAST_BESIDE = 60;

/** Classes, and instructions that are looked for. */
const STORES = [0x02, 0x03];
const MEMORY_LOADS = [0x60, 0x61];
const ARITHMETIC = 4;
const LAST_ARITHMETIC = 0xac;
const NEGATE_BY_X = 0x8c;
const JUMP = 5;
const DIVISIONS = [0x34, 0x94];
const SHIFTS = [0x64, 0x74];
const ABSOLUTES = [0x20, 0x28, 0x30];
const RETURNS = [0x06, 0x16];
const OTHERS = [0x00, 0x80, 0x60, 0x40, 0x48, 0x50, 0x01, 0x81, 0x61, 0xb1, 0x07, 0x87];

/** `4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0`: how many, and then each. */
export function readProgram(argument: Argument): Instruction[] {
  const text = argument.text();
  const head = /^\s*([+-]?\d+),/.exec(text);
  const count = head ? wrapped(head[1] as string, 16) : 0;
  if (!head || count < 1 || count > MOST)
    argument.fail("bad-value", `a number of instructions from 1 to ${MOST}, and a comma`);
  const parts = text.slice(head[0].length).split(",");
  if (parts.at(-1) === "") parts.pop();
  const program = parts.map((part) => {
    const numbers = /^\s*([+-]?\d+)(?:\s+|(?=[+-]))([+-]?\d+)(?:\s+|(?=[+-]))([+-]?\d+)(?:\s+|(?=[+-]))([+-]?\d+)/.exec(
      part,
    );
    if (!numbers) argument.fail("bad-value", `four numbers an instruction, not "${part}"`);
    const [, code = "", jt = "", jf = "", k = ""] = numbers;
    return { code: wrapped(code, 16), jt: wrapped(jt, 8), jf: wrapped(jf, 8), k: wrapped(k, 32) };
  });
  if (program.length !== count)
    argument.fail("bad-value", `${count} instructions as the program's head says, not ${program.length}`);
  const fault = faultOf(program);
  if (fault >= 0) argument.fail("bad-value", `a program that Linux takes; instruction ${fault + 1} is at fault`);
  return program;
}

/** Numbers that are too large are taken by their last bits. */
function wrapped(text: string, bits: number): number {
  return Number(BigInt.asUintN(bits, BigInt(text.replace("+", ""))));
}

/** The first instruction that Linux would refuse, -1 where it would take the program. */
function faultOf(program: readonly Instruction[]): number {
  const wrong = program.findIndex((instruction, at) => !isSound(instruction, program.length - at - 1));
  if (wrong >= 0) return wrong;
  const last = program.length - 1;
  if (!RETURNS.includes((program[last] as Instruction).code)) return last;
  return unwrittenLoad(program);
}

/** `left`: instructions behind it. */
function isSound({ code, jt, jf, k }: Instruction, left: number): boolean {
  const kind = code & 7;
  if (kind === ARITHMETIC) {
    if (code > LAST_ARITHMETIC || code === NEGATE_BY_X) return false;
    if (DIVISIONS.includes(code)) return k !== 0;
    return !SHIFTS.includes(code) || k < 32;
  }
  if (kind === JUMP) {
    if (code === JUMP) return k < left;
    return code >= 0x15 && code <= 0x4d && jt < left && jf < left;
  }
  if (STORES.includes(code) || MEMORY_LOADS.includes(code)) return k < WORDS;
  if (ABSOLUTES.includes(code)) return k < BESIDE || (k - BESIDE <= LAST_BESIDE && k % 4 === 0);
  return RETURNS.includes(code) || OTHERS.includes(code);
}

/** The first load of a word that not every way there has stored. */
function unwrittenLoad(program: readonly Instruction[]): number {
  const masks = program.map(() => ALL_WORDS);
  let written = 0;
  const reach = (at: number): void => {
    masks[at] = (masks[at] as number) & written;
  };
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    written &= masks[at] as number;
    if (STORES.includes(code)) written |= 1 << k;
    else if (MEMORY_LOADS.includes(code) && !((written >> k) & 1)) return at;
    else if ((code & 7) === JUMP) {
      if (code === JUMP) reach(at + 1 + k);
      else {
        reach(at + 1 + jt);
        reach(at + 1 + jf);
      }
      written = ALL_WORDS;
    }
  }
  return -1;
}
