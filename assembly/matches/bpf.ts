/**
 * bpf (xt_bpf.c, bpf_check_classic and bpf_convert_filter of net/core/filter.c): a program of classic BPF over the packet's
 * bytes, from the IP header on; the packet matches when it returns anything but 0. A program never jumps back, so it ends; one
 * that reads outside of the packet, or divides by an X of 0, returns 0, and one whose packet's bytes are not known does at once.
 * What a pinned program says is told with the packet.
 */
import {
  PACKET_FAMILY,
  FAMILY_IPV4,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_TYPE,
  RECORD_BYTES,
} from "../../src/blob/layout";
import { READER_SIZE, READERS_ADDRESS } from "../../src/blob/memory";
import {
  BPF_COUNT,
  BPF_INSTRUCTION_CODE,
  BPF_INSTRUCTION_FALSE,
  BPF_INSTRUCTION_K,
  BPF_INSTRUCTION_SIZE,
  BPF_INSTRUCTION_TRUE,
  BPF_INSTRUCTIONS,
  BPF_INSTRUCTIONS_COUNT,
} from "../../src/blob/payloads";
import { scratchTuple } from "../conntrack/track";
import { packet, reader } from "../packet";
import { rewrittenBytes, rewrittenLength } from "../rewritten";
import { asTheyCame } from "../rewritten-sums";
import { random32 } from "../random";
import { checkPinned, takenByPinned } from "./pinned";

/** Classes of instructions. */
const LD: u32 = 0;
const LDX: u32 = 1;
const ST: u32 = 2;
const STX: u32 = 3;
const ALU: u32 = 4;
const JMP: u32 = 5;
const RET: u32 = 6;
const X: u32 = 8;
/** Of loads: how many bytes, and where from. */
const HALF: u32 = 0x08;
const BYTE: u32 = 0x10;
const IMMEDIATE: u32 = 0;
const ABSOLUTE: u32 = 0x20;
const INDIRECT: u32 = 0x40;
const MEMORY: u32 = 0x60;
const LENGTH: u32 = 0x80;
const HEADER: u32 = 0xa0;
const NEGATE: u32 = 0x80;
const RETURN_A: u32 = 0x16;
const TAX: u32 = 0x07;
const TXA: u32 = 0x87;
const WORDS: u32 = 16;
/** Places that are no offsets: what is known beside the bytes, the IP header, the link layer's. */
const BESIDE: u32 = 0xfffff000;
const NETWORK: u32 = 0xfff00000;
const LINK: u32 = 0xffe00000;
const BESIDE_PROTOCOL: u32 = 0;
const BESIDE_TYPE: u32 = 4;
const BESIDE_MARK: u32 = 20;
const BESIDE_CPU: u32 = 36;
const BESIDE_XOR_X: u32 = 40;
const BESIDE_VLAN_TAG: u32 = 44;
const BESIDE_VLAN_TAG_PRESENT: u32 = 48;
const BESIDE_RANDOM: u32 = 56;
const TYPE_MASK: u8 = 7;

let bytes: usize = 0;
let length: u32 = 0;
/** Set when a load found nothing. */
let outside: bool = false;

export function matchBpf(record: usize): bool {
  if (!load<u16>(record, BPF_COUNT)) return takenByPinned(record);
  bytes = rewrittenBytes();
  if (!bytes) return false;
  length = rewrittenLength;
  outside = false;
  const taken = run(record);
  asTheyCame();
  return taken;
}

function run(record: usize): bool {
  const words = scratchTuple(8);
  let a: u32 = 0;
  let x: u32 = 0;
  let at = record + BPF_INSTRUCTIONS;
  while (true) {
    const code = <u32>load<u16>(at, BPF_INSTRUCTION_CODE);
    const k = load<u32>(at, BPF_INSTRUCTION_K);
    switch (code & 7) {
      case LD: {
        const mode = code & 0xe0;
        if (mode == IMMEDIATE) a = k;
        else if (mode == MEMORY) a = load<u32>(words + (k << 2));
        else if (mode == LENGTH) a = load<u32>(packet, PACKET_LENGTH);
        else if (mode == ABSOLUTE) a = k >= BESIDE ? beside(k - BESIDE, a, x) : read(k, code);
        else a = read(x + k, code);
        break;
      }
      case LDX: {
        const mode = code & 0xe0;
        if (mode == IMMEDIATE) x = k;
        else if (mode == MEMORY) x = load<u32>(words + (k << 2));
        else if (mode == LENGTH) x = load<u32>(packet, PACKET_LENGTH);
        else x = (read(k, BYTE) & 15) << 2;
        break;
      }
      case ST:
        store<u32>(words + (k << 2), a);
        break;
      case STX:
        store<u32>(words + (k << 2), x);
        break;
      case ALU: {
        const by = code & X ? x : k;
        if (((code & 0xf0) == 0x30 || (code & 0xf0) == 0x90) && !by) return false;
        a = calculate(code & 0xf0, a, by);
        break;
      }
      case JMP: {
        const than = code & X ? x : k;
        let skip = k;
        if (code & 0xf0)
          skip = holds(code & 0xf0, a, than)
            ? <u32>load<u8>(at, BPF_INSTRUCTION_TRUE)
            : <u32>load<u8>(at, BPF_INSTRUCTION_FALSE);
        at += skip * BPF_INSTRUCTION_SIZE;
        break;
      }
      case RET:
        return (code == RETURN_A ? a : k) != 0;
      default:
        if (code == TAX) x = a;
        else a = x;
    }
    if (outside) return false;
    at += BPF_INSTRUCTION_SIZE;
  }
}

function calculate(operation: u32, a: u32, by: u32): u32 {
  switch (operation) {
    case 0x00:
      return a + by;
    case 0x10:
      return a - by;
    case 0x20:
      return a * by;
    case 0x30:
      return a / by;
    case 0x40:
      return a | by;
    case 0x50:
      return a & by;
    // WebAssembly shifts by the lowest five bits, as Linux does.
    case 0x60:
      return a << by;
    case 0x70:
      return a >> by;
    case NEGATE:
      return 0 - a;
    case 0x90:
      return a % by;
    default:
      return a ^ by;
  }
}

function holds(comparison: u32, a: u32, than: u32): bool {
  if (comparison == 0x10) return a == than;
  if (comparison == 0x20) return a > than;
  return comparison == 0x30 ? a >= than : (a & than) != 0;
}

/** A number in network order, as long as the instruction says. What lies in front of the IP header is not known. */
function read(place: u32, code: u32): u32 {
  const at = place >= NETWORK ? place - NETWORK : place;
  const size: u32 = code & BYTE ? 1 : code & HALF ? 2 : 4;
  if (place >= LINK && place < NETWORK) outside = true;
  else if (<u64>at + size > length) outside = true;
  if (outside) return 0;
  const from = bytes + at;
  if (size == 1) return load<u8>(from);
  return size == 2 ? bswap<u16>(load<u16>(from)) : bswap<u32>(load<u32>(from));
}

function beside(what: u32, a: u32, x: u32): u32 {
  switch (what) {
    case BESIDE_PROTOCOL:
      return load<u8>(packet, PACKET_FAMILY) == FAMILY_IPV4 ? 0x0800 : 0x86dd;
    case BESIDE_TYPE:
      return load<u8>(packet, PACKET_TYPE) & TYPE_MASK;
    case BESIDE_MARK:
      return load<u32>(packet, PACKET_MARK);
    case BESIDE_CPU:
      return <u32>(reader - READERS_ADDRESS) / READER_SIZE;
    case BESIDE_XOR_X:
      return a ^ x;
    case BESIDE_RANDOM:
      return random32();
    default:
      return 0;
  }
}

/** Every instruction is one, leads on to another, stays within its words, and the last returns. */
export function checkBpf(record: usize): bool {
  const count = <u32>load<u16>(record, BPF_COUNT);
  if (!count) return checkPinned(record);
  if (count > <u32>BPF_INSTRUCTIONS_COUNT) return false;
  if (<u32>load<u16>(record, RECORD_BYTES) != BPF_INSTRUCTIONS + count * BPF_INSTRUCTION_SIZE) return false;
  for (let i: u32 = 0; i < count; i++)
    if (!checkInstruction(record + BPF_INSTRUCTIONS + i * BPF_INSTRUCTION_SIZE, count - i - 1)) return false;
  return (load<u16>(record + BPF_INSTRUCTIONS + (count - 1) * BPF_INSTRUCTION_SIZE) & 7) == RET;
}

/** `left`: instructions behind it. */
function checkInstruction(at: usize, left: u32): bool {
  const code = <u32>load<u16>(at, BPF_INSTRUCTION_CODE);
  const k = load<u32>(at, BPF_INSTRUCTION_K);
  switch (code & 7) {
    case LD:
    case LDX:
      return checkLoad(code, k);
    case ST:
    case STX:
      return code <= STX && k < WORDS;
    case ALU: {
      const operation = code & 0xf0;
      if (code > 0xac || (operation == NEGATE && code & X)) return false;
      if (code & X) return true;
      if (operation == 0x30 || operation == 0x90) return k != 0;
      return (operation != 0x60 && operation != 0x70) || k < 32;
    }
    case JMP:
      if (code == JMP) return k < left;
      return (
        code >= 0x15 &&
        code <= 0x4d &&
        <u32>load<u8>(at, BPF_INSTRUCTION_TRUE) < left &&
        <u32>load<u8>(at, BPF_INSTRUCTION_FALSE) < left
      );
    case RET:
      return code == RET || code == RETURN_A;
    default:
      return code == TAX || code == TXA;
  }
}

function checkLoad(code: u32, k: u32): bool {
  const mode = code & 0xe0;
  const size = code & 0x18;
  if (code > 0xff || size == 0x18) return false;
  if (code & 7) {
    if (mode == HEADER) return size == BYTE;
    return !size && (mode == IMMEDIATE || mode == LENGTH || (mode == MEMORY && k < WORDS));
  }
  if (mode == INDIRECT) return true;
  if (mode == ABSOLUTE) return k >= BESIDE ? isKnownBeside(k - BESIDE) : k < LINK || k >= NETWORK;
  return !size && (mode == IMMEDIATE || mode == LENGTH || (mode == MEMORY && k < WORDS));
}

/** What else Linux can tell a program is not known here: devices, queues, hashes, attributes of netlink. */
function isKnownBeside(what: u32): bool {
  return (
    what == BESIDE_PROTOCOL ||
    what == BESIDE_TYPE ||
    what == BESIDE_MARK ||
    what == BESIDE_CPU ||
    what == BESIDE_XOR_X ||
    what == BESIDE_VLAN_TAG ||
    what == BESIDE_VLAN_TAG_PRESENT ||
    what == BESIDE_RANDOM
  );
}
