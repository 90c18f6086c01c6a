/** owner, socket, cgroup (xt_owner.c, xt_socket.c, xt_cgroup.c): of the socket, what the packet's description says. */
import {
  KNOWN_CGROUP,
  KNOWN_CGROUP_PATH,
  KNOWN_CGROUP_PATH_BYTES,
  KNOWN_FLAG_TRANSPARENT,
  KNOWN_FLAG_WILDCARD,
  KNOWN_FLAGS,
  KNOWN_GROUP_COUNT,
  KNOWN_GROUPS,
  KNOWN_GROUPS_COUNT,
  KNOWN_SOCKET_MARK,
  PACKET_FLAG_SOCKET,
  PACKET_FLAGS,
  PACKET_GID,
  PACKET_MARK,
  PACKET_UID,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { known } from "../known";
import { packet } from "../packet";

const OWNER_USER: u8 = 1;
const OWNER_GROUP: u8 = 2;
const OWNER_SOCKET: u8 = 4;
const OWNER_GROUPS: u8 = 8;
const SOCKET_TRANSPARENT: u8 = 1;
const SOCKET_NOWILDCARD: u8 = 2;
const SOCKET_RESTORE_MARK: u8 = 4;
const CGROUP_HAS_CLASS: u8 = 1;
const SLASH: u8 = 47;

function hasSocket(): bool {
  return (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_SOCKET) != 0;
}

export function matchOwner(record: usize): bool {
  const match = load<u8>(record, P.OWNER_MATCH);
  const invert = load<u8>(record, P.OWNER_INVERT);
  if (!hasSocket()) return match == invert;
  if (match & invert & OWNER_SOCKET) return false;
  if (match & OWNER_USER) {
    const uid = load<u32>(packet, PACKET_UID);
    const inside = uid >= load<u32>(record, P.OWNER_UID_MIN) && uid <= load<u32>(record, P.OWNER_UID_MAX);
    if (inside == ((invert & OWNER_USER) != 0)) return false;
  }
  if (match & OWNER_GROUP) {
    const inside =
      isOfGroup(load<u32>(packet, PACKET_GID), record) || ((match & OWNER_GROUPS) != 0 && hasGroupOf(record));
    if (inside == ((invert & OWNER_GROUP) != 0)) return false;
  }
  return true;
}

function isOfGroup(gid: u32, record: usize): bool {
  return gid >= load<u32>(record, P.OWNER_GID_MIN) && gid <= load<u32>(record, P.OWNER_GID_MAX);
}

function hasGroupOf(record: usize): bool {
  const about = known();
  if (!about) return false;
  const count = min<u32>(load<u16>(about, KNOWN_GROUP_COUNT), KNOWN_GROUPS_COUNT);
  for (let i: u32 = 0; i < count; i++) if (isOfGroup(load<u32>(about + (i << 2), KNOWN_GROUPS), record)) return true;
  return false;
}

/** A socket that listens everywhere, or is not transparent, may not do; one that does may give the packet its mark. */
export function matchSocket(record: usize): bool {
  if (!hasSocket()) return false;
  const flags = load<u8>(record, P.SOCKET_FLAGS);
  const about = known();
  const traits: u8 = about ? load<u8>(about, KNOWN_FLAGS) : 0;
  if (traits & KNOWN_FLAG_WILDCARD && !(flags & SOCKET_NOWILDCARD)) return false;
  if (flags & SOCKET_TRANSPARENT && !(traits & KNOWN_FLAG_TRANSPARENT)) return false;
  if (flags & SOCKET_RESTORE_MARK) store<u32>(packet, about ? load<u32>(about, KNOWN_SOCKET_MARK) : 0, PACKET_MARK);
  return true;
}

export function matchCgroup(record: usize): bool {
  if (!hasSocket()) return false;
  const about = known();
  const inverted = load<u8>(record, P.CGROUP_INVERT) != 0;
  if (load<u8>(record, P.CGROUP_FLAGS) & CGROUP_HAS_CLASS) {
    const own: u32 = about ? load<u32>(about, KNOWN_CGROUP) : 0;
    return (own == load<u32>(record, P.CGROUP_CLASS)) != inverted;
  }
  return liesUnder(about ? about + KNOWN_CGROUP_PATH : 0, record + P.CGROUP_PATH) != inverted;
}

export function checkCgroup(record: usize): bool {
  const flags = load<u8>(record, P.CGROUP_FLAGS);
  if (flags != CGROUP_HAS_CLASS && flags != 2) return false;
  return (load<u16>(record) == P.CGROUP_PATH) == (flags == CGROUP_HAS_CLASS);
}

/** Whether `path` is of the group at `above`, or of one in it: name by name, of slashes any number. 0: the root. */
function liesUnder(path: usize, above: usize): bool {
  const end = above + P.CGROUP_PATH_BYTES;
  const own = path + KNOWN_CGROUP_PATH_BYTES;
  let to = path;
  for (let at = names(above, end); at < end && load<u8>(at); at = names(at, end)) {
    if (!path) return false;
    to = names(to, own);
    while (at < end && load<u8>(at) && load<u8>(at) != SLASH) {
      if (to >= own || load<u8>(to) != load<u8>(at)) return false;
      at++;
      to++;
    }
    if (to < own && load<u8>(to) && load<u8>(to) != SLASH) return false;
  }
  return true;
}

/** Behind the slashes. */
function names(from: usize, end: usize): usize {
  let at = from;
  while (at < end && load<u8>(at) == SLASH) at++;
  return at;
}
