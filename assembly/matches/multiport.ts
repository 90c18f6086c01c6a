/** multiport (xt_multiport.c, revision 1). */
import { PACKET_DESTINATION_PORT, PACKET_FRAGMENT_OFFSET, PACKET_SOURCE_PORT } from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { packet, setHotdrop } from "../packet";
import { transportHas } from "../payload";

/** Bytes of a header that it looks at, whatever the protocol. */
const PORTS: u32 = 4;

export function matchMultiport(record: usize): bool {
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET)) return false;
  if (!transportHas(PORTS)) {
    setHotdrop();
    return false;
  }
  const kind = load<u8>(record, P.MULTIPORT_KIND);
  const source = load<u16>(packet, PACKET_SOURCE_PORT);
  const destination = load<u16>(packet, PACKET_DESTINATION_PORT);
  const count = <u32>load<u8>(record, P.MULTIPORT_COUNT);
  const ranges = <u32>load<u16>(record, P.MULTIPORT_RANGES);
  const invert = load<u8>(record, P.MULTIPORT_INVERT) != 0;
  for (let i: u32 = 0; i < count; i++) {
    const low = load<u16>(record + (i << 1), P.MULTIPORT_PORTS);
    let high = low;
    if (ranges & (1 << i) && i + 1 < count) high = load<u16>(record + (++i << 1), P.MULTIPORT_PORTS);
    if (kind != 1 && source >= low && source <= high) return !invert;
    if (kind != 0 && destination >= low && destination <= high) return !invert;
  }
  return invert;
}
