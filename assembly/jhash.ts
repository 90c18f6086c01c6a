/** Jenkins' hash as Linux has it (include/linux/jhash.h), of up to three words: machines that share work by it must agree. */
const INITIAL: u32 = 0xdeadbeef;

/** Of `count` words; those that there are not are 0. */
export function jhash(count: u32, first: u32, second: u32, third: u32, seed: u32): u32 {
  const begin = INITIAL + (count << 2) + seed;
  let a = begin + first;
  let b = begin + second;
  let c = begin + third;
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
