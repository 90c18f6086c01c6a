/** What the machine knows of the packet beside what it carries: 0 where nothing was said. */
import { KNOWN_SIZE, PACKET_KNOWN } from "../src/blob/layout";
import { packet } from "./packet";

export function known(): usize {
  const at: usize = load<u32>(packet, PACKET_KNOWN);
  return at && <u64>at + KNOWN_SIZE <= (<u64>memory.size()) << 16 ? at : 0;
}
