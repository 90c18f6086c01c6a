/** -m socket: there is a local socket for the packet. The packet's description says it, and what kind of socket. */
import { MATCH_SOCKET, SOCKET_FLAGS, SOCKET_SIZE } from "../../blob/payloads.js";
import { type Extension, INPUT, type Option, PREROUTING } from "../extension.js";

/** By bit. */
const OPTIONS = ["transparent", "nowildcard", "restore-skmark"];

export const socket: Extension = {
  name: "socket",
  type: MATCH_SOCKET,
  size: SOCKET_SIZE,
  hooks: () => PREROUTING | INPUT,
  options: OPTIONS.map(
    (name, bit): Option => ({
      name,
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + SOCKET_FLAGS] = (record.bytes[at + SOCKET_FLAGS] as number) | (1 << bit);
      },
    }),
  ),

  print(out, record, at) {
    for (const [bit, name] of OPTIONS.entries())
      if (((record.bytes[at + SOCKET_FLAGS] as number) >> bit) & 1) out.text(` --${name}`);
  },
};
