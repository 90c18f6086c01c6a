/** The checksum of SCTP (RFC 9260, appendix A): CRC-32C, its polynomial bit by bit, as few packets need it. */
const POLYNOMIAL: u32 = 0x82f63b78;

/** As it is laid down in memory. */
export function crc32c(at: usize, length: u32): u32 {
  let crc: u32 = 0xffffffff;
  for (let i: u32 = 0; i < length; i++) {
    crc ^= load<u8>(at + i);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return ~crc;
}
