/** -j CT (xt_CT.c): how tracking will treat the packet. */
import { PACKET_MARK } from "../../src/blob/layout";
import { CT_FLAGS, CT_POLICY, CT_ZONE } from "../../src/blob/payloads";
import { packet } from "../packet";
import { wantsConnections } from "./pool";
import { trackAs, trackNot } from "./track";

export const NOTRACK: u16 = 1;
const ZONE_ORIGINAL: u16 = 4;
const ZONE_REPLY: u16 = 8;
const ZONE_MARK: u16 = 16;

/** Does what the record says. True when the packet is not to be tracked. */
export function track(record: usize): bool {
  const flags = load<u16>(record, CT_FLAGS);
  if (flags & NOTRACK) {
    trackNot();
    return true;
  }
  const zone = flags & ZONE_MARK ? load<u16>(packet, PACKET_MARK) : load<u16>(record, CT_ZONE);
  const one = flags & (ZONE_ORIGINAL | ZONE_REPLY);
  trackAs(one == ZONE_REPLY ? 0 : zone, one == ZONE_ORIGINAL ? 0 : zone, record);
  return false;
}

/** NOTRACK always, all else where connections are tracked. Helpers and policies of timeouts have faults of their own. */
export function checkCt(record: usize): bool {
  const flags = load<u16>(record, CT_FLAGS);
  if (load<u32>(record, CT_POLICY)) return false;
  if (flags & NOTRACK) return true;
  return wantsConnections();
}
