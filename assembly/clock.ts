/** The packets' clock, for a writer: it stands where the latest packet of any reader was. */
import { CONTROL_ADDRESS, CONTROL_READERS, READER_SIZE, READER_TIME, READERS_ADDRESS } from "../src/blob/memory";

export function latestTime(): u32 {
  let latest: u32 = 0;
  const readers = load<u32>(CONTROL_ADDRESS, CONTROL_READERS);
  for (let i: u32 = 0; i < readers; i++) {
    const time = load<u32>(READERS_ADDRESS + i * READER_SIZE, READER_TIME);
    if (time > latest) latest = time;
  }
  return latest;
}
