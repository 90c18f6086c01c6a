/**
 * What the machine knows of a packet beside what it carries: its socket and who owns it, what IPVS has done with it, and
 * what it looks to come from, and which pinned programs take it.
 * A record of its own (KNOWN_* of blob/layout.ts), since hardly any rule asks for it: `PacketPool.setKnown`.
 */
import * as L from "../blob/layout.js";
import type { Family } from "../ruleset/row-store.js";
import { writeAddress } from "./address.js";
import { PacketError } from "./packet-error.js";

/** What kind of socket there is; `plain`: none of the others. */
export const SOCKET_TRAITS = ["plain", "transparent", "wildcard"] as const;
export type SocketTrait = (typeof SOCKET_TRAITS)[number];

/** How IPVS forwards, by number. */
export const IPVS_METHODS = { MASQ: 0, IPIP: 2, GATE: 3 } as const;
export type IpvsMethod = keyof typeof IPVS_METHODS;

export interface Known {
  /** Further groups of the socket's owner, at most 64, for `owner --suppl-groups`. */
  readonly groups?: readonly number[];
  /** The class of control groups that the socket belongs to (net_cls.classid). Default 0. */
  readonly cgroup?: number;
  /** Its control group in the unified hierarchy, such as `system.slice/ssh.service`. Default the root. */
  readonly cgroupPath?: string;
  /** For `socket`: transparent ones (IP_TRANSPARENT), and those that listen on every address. */
  readonly socket?: readonly SocketTrait[];
  /** Its SO_MARK, for `socket --restore-skmark`. Default 0. */
  readonly socketMark?: number;
  /** The system that its SYN looks to come from, for `osf`, where the packet's bytes are not known. */
  readonly genre?: string;
  /** Paths of pinned programs that take the packet, for `bpf --object-pinned`; less than 512 bytes in all. */
  readonly programs?: readonly string[];
  /** IPVS has handled the packet. What it knows of its connection, for `ipvs`: */
  readonly ipvs?: boolean;
  /** The service's address, which says that there is a connection; its port, how it is forwarded, its control port. */
  readonly ipvsAddress?: string;
  readonly ipvsPort?: number;
  readonly ipvsMethod?: IpvsMethod;
  readonly ipvsControlPort?: number;
}

/** Whether a socket is said to be there. */
export function saysSocket(known: Known): boolean {
  const { groups = [], cgroup, cgroupPath = "", socket = [], socketMark } = known;
  return groups.length + socket.length > 0 || cgroupPath !== "" || cgroup !== undefined || socketMark !== undefined;
}

/** The record, KNOWN_SIZE bytes; undefined where nothing is said. @throws PacketError when a field does not fit. */
export function encodeKnown(known: Known & { readonly family: Family }): Uint8Array | undefined {
  const { groups = [], cgroupPath = "", socket = [], ipvsAddress, genre = "", programs = [] } = known;
  const ipvs = known.ipvs === true || saysConnection(known);
  if (!saysSocket(known) && !ipvs && genre === "" && programs.length === 0) return undefined;
  const bytes = new Uint8Array(L.KNOWN_SIZE);
  const view = new DataView(bytes.buffer);
  const path = new TextEncoder().encode(cgroupPath);
  const system = new TextEncoder().encode(genre);
  if (system.length >= L.KNOWN_GENRE_BYTES)
    throw new PacketError("bad-name", `a genre of less than ${L.KNOWN_GENRE_BYTES} bytes`, genre);
  if (path.length >= L.KNOWN_CGROUP_PATH_BYTES)
    throw new PacketError("bad-name", `a path of less than ${L.KNOWN_CGROUP_PATH_BYTES} bytes`, cgroupPath);
  const paths = new TextEncoder().encode(programs.map((program) => `${program}\0`).join(""));
  if (paths.length > L.KNOWN_PROGRAMS_BYTES)
    throw new PacketError("bad-name", `paths of less than ${L.KNOWN_PROGRAMS_BYTES} bytes`, programs.join(","));
  if (groups.length > L.KNOWN_GROUPS_COUNT)
    throw new PacketError("bad-number", `at most ${L.KNOWN_GROUPS_COUNT} groups`, String(groups.length));
  bytes[L.KNOWN_FLAGS] =
    (socket.includes("transparent") ? L.KNOWN_FLAG_TRANSPARENT : 0) |
    (socket.includes("wildcard") ? L.KNOWN_FLAG_WILDCARD : 0) |
    (ipvs ? L.KNOWN_FLAG_IPVS : 0) |
    (saysConnection(known) ? L.KNOWN_FLAG_IPVS_CONNECTION : 0) |
    (known.ipvsControlPort === undefined ? 0 : L.KNOWN_FLAG_IPVS_CONTROL);
  bytes[L.KNOWN_IPVS_METHOD] = IPVS_METHODS[known.ipvsMethod ?? "MASQ"];
  view.setUint16(L.KNOWN_IPVS_PORT, whole("ipvsPort", known.ipvsPort, 0xffff), true);
  view.setUint16(L.KNOWN_IPVS_CONTROL_PORT, whole("ipvsControlPort", known.ipvsControlPort, 0xffff), true);
  view.setUint16(L.KNOWN_GROUP_COUNT, groups.length, true);
  view.setUint32(L.KNOWN_SOCKET_MARK, whole("socketMark", known.socketMark, 0xffffffff), true);
  view.setUint32(L.KNOWN_CGROUP, whole("cgroup", known.cgroup, 0xffffffff), true);
  if (ipvsAddress !== undefined && !writeAddress(bytes, L.KNOWN_IPVS_ADDRESS, ipvsAddress, known.family))
    throw new PacketError("bad-address", `an ${known.family} address`, ipvsAddress);
  bytes.set(path, L.KNOWN_CGROUP_PATH);
  bytes.set(system, L.KNOWN_GENRE);
  bytes.set(paths, L.KNOWN_PROGRAMS);
  for (const [nth, group] of groups.entries())
    view.setUint32(L.KNOWN_GROUPS + 4 * nth, whole("groups", group, 0xffffffff), true);
  return bytes;
}

function saysConnection({ ipvsAddress, ipvsPort, ipvsMethod, ipvsControlPort }: Known): boolean {
  return [ipvsAddress, ipvsPort, ipvsMethod, ipvsControlPort].some((field) => field !== undefined);
}

function whole(field: string, value = 0, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new PacketError("bad-number", `${field} from 0 to ${most}`, String(value));
}
