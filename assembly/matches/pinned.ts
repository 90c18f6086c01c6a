/** bpf --object-pinned (xt_bpf.c): what a program says that only Linux could run is told with the packet. */
import { KNOWN_PROGRAMS, KNOWN_PROGRAMS_BYTES, RECORD_BYTES } from "../../src/blob/layout";
import { BPF_PATH } from "../../src/blob/payloads";
import { known } from "../known";

/** Whether what is known of the packet names the program pinned at the record's path, which only Linux could run. */
export function takenByPinned(record: usize): bool {
  const path = record + BPF_PATH;
  const about = known();
  if (!about) return false;
  let at = about + KNOWN_PROGRAMS;
  const end = at + KNOWN_PROGRAMS_BYTES;
  while (at < end && load<u8>(at)) {
    let same = path;
    while (at < end && load<u8>(at) && load<u8>(at) == load<u8>(same)) {
      at++;
      same++;
    }
    if (at < end && !load<u8>(at) && !load<u8>(same)) return true;
    while (at < end && load<u8>(at)) at++;
    at++;
  }
  return false;
}

/** A path that is not empty, and ends in its record. */
export function checkPinned(record: usize): bool {
  const end = <u32>load<u16>(record, RECORD_BYTES);
  return end > <u32>BPF_PATH && load<u8>(record, BPF_PATH) != 0 && !load<u8>(record + end - 1);
}
