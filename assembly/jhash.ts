/** Jenkins' hash as Linux has it (include/linux/jhash.h): machines that share work by it must agree. */
const INITIAL: u32 = 0xdeadbeef;

/** Of `count` words; those that there are not are 0. */
export function jhash(count: u32, first: u32, second: u32, third: u32, seed: u32): u32 {
  const begin = INITIAL + (count << 2) + seed;
  return last(begin + first, begin + second, begin + third);
}

/** Of the four words of an address at `words`. */
export function jhashAddress(words: usize, seed: u32): u32 {
  const begin = INITIAL + (4 << 2) + seed;
  let a = begin + load<u32>(words);
  let b = begin + load<u32>(words, 4);
  let c = begin + load<u32>(words, 8);
  a = (a - c) ^ rotl<u32>(c, 4);
  c += b;
  b = (b - a) ^ rotl<u32>(a, 6);
  a += c;
  c = (c - b) ^ rotl<u32>(b, 8);
  b += a;
  a = (a - c) ^ rotl<u32>(c, 16);
  c += b;
  b = (b - a) ^ rotl<u32>(a, 19);
  a += c;
  c = (c - b) ^ rotl<u32>(b, 4);
  b += a;
  return last(a + load<u32>(words, 12), b, c);
}

function last(a: u32, b: u32, c: u32): u32 {
  c = (c ^ b) - rotl<u32>(b, 14);
  a = (a ^ c) - rotl<u32>(c, 11);
  b = (b ^ a) - rotl<u32>(a, 25);
  c = (c ^ b) - rotl<u32>(b, 16);
  a = (a ^ c) - rotl<u32>(c, 4);
  b = (b ^ a) - rotl<u32>(a, 14);
  return (c ^ b) - rotl<u32>(b, 24);
}

/** A hash as a number below `modulus`, without a division. */
export function scaled(hash: u32, modulus: u32): u32 {
  return <u32>((<u64>hash * modulus) >> 32);
}
