/** ipvs (xt_ipvs.c): what the packet's description says of the connection that IPVS has for it. */
import {
  KNOWN_FLAG_IPVS,
  KNOWN_FLAG_IPVS_CONNECTION,
  KNOWN_FLAG_IPVS_CONTROL,
  KNOWN_FLAGS,
  KNOWN_IPVS_ADDRESS,
  KNOWN_IPVS_CONTROL_PORT,
  KNOWN_IPVS_METHOD,
  KNOWN_IPVS_PORT,
  PACKET_PROTOCOL,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { wantsConnections } from "../conntrack/pool";
import { connection, direction } from "../conntrack/track";
import { known } from "../known";
import { packet } from "../packet";

const PROPERTY: u8 = 1;
const PROTOCOL: u8 = 2;
const ADDRESS: u8 = 4;
const PORT: u8 = 8;
const DIRECTION: u8 = 16;
const METHOD: u8 = 32;
const CONTROL_PORT: u8 = 64;
const ALL: u8 = 127;

export function matchIpvs(record: usize): bool {
  const flags = load<u8>(record, P.IPVS_FLAGS);
  const invert = load<u8>(record, P.IPVS_INVERT);
  const about = known();
  const traits: u8 = about ? load<u8>(about, KNOWN_FLAGS) : 0;
  const handled = (traits & KNOWN_FLAG_IPVS) != 0;
  if (flags == PROPERTY) return handled != ((invert & PROPERTY) != 0);
  // Beside another condition --ipvs goes without saying, and its inversion is not looked at.
  if (!handled) return false;
  if (fails(PROTOCOL, flags, invert, load<u8>(packet, PACKET_PROTOCOL) == load<u8>(record, P.IPVS_PROTOCOL)))
    return false;
  if (!(traits & KNOWN_FLAG_IPVS_CONNECTION)) return false;
  if (fails(PORT, flags, invert, load<u16>(about, KNOWN_IPVS_PORT) == load<u16>(record, P.IPVS_PORT))) return false;
  const controlled =
    (traits & KNOWN_FLAG_IPVS_CONTROL) != 0 &&
    load<u16>(about, KNOWN_IPVS_CONTROL_PORT) == load<u16>(record, P.IPVS_CONTROL_PORT);
  if (fails(CONTROL_PORT, flags, invert, controlled)) return false;
  if (flags & DIRECTION && (!connection || (direction == 1) != ((invert & DIRECTION) != 0))) return false;
  if (fails(METHOD, flags, invert, load<u8>(about, KNOWN_IPVS_METHOD) == load<u8>(record, P.IPVS_METHOD))) return false;
  const differ = v128.and(
    v128.xor(v128.load(about, KNOWN_IPVS_ADDRESS), v128.load(record, P.IPVS_ADDRESS)),
    v128.load(record + P.IPVS_ADDRESS, 16),
  );
  return !fails(ADDRESS, flags, invert, !v128.any_true(differ));
}

/** Whose direction a packet has, only tracking knows. */
export function checkIpvs(record: usize): bool {
  const flags = load<u8>(record, P.IPVS_FLAGS);
  return flags != 0 && !(flags & ~ALL) && (!(flags & DIRECTION) || wantsConnections());
}

function fails(condition: u8, flags: u8, invert: u8, holds: bool): bool {
  return (flags & condition) != 0 && holds == ((invert & condition) != 0);
}
