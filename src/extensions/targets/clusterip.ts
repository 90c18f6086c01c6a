/**
 * -j CLUSTERIP: one address for several machines. Linux has given it up for -m cluster; rules of it are read and printed, but
 * no engine takes them, as no kernel of today does.
 */
import {
  CLUSTERIP_FLAGS,
  CLUSTERIP_HASH_MODE,
  CLUSTERIP_LOCAL,
  CLUSTERIP_MAC,
  CLUSTERIP_SEED,
  CLUSTERIP_SIZE,
  CLUSTERIP_TOTAL,
  TARGET_CLUSTERIP,
} from "../../blob/payloads.js";
import type { Target } from "../extension.js";

const MODES = ["sourceip", "sourceip-sourceport", "sourceip-sourceport-destport"];
const MOST_NODES = 16;
const MULTICAST = 1;
/** With one of these come the others. */
const TOGETHER = ["new", "hashmode", "clustermac", "total-nodes", "local-node"];

export const clusterip: Target = {
  name: "CLUSTERIP",
  type: TARGET_CLUSTERIP,
  size: CLUSTERIP_SIZE,
  family: "ipv4",
  options: [
    {
      name: "new",
      arguments: 0,
      parse(_, record, at) {
        record.bytes[at + CLUSTERIP_FLAGS] = 1;
      },
    },
    {
      name: "hashmode",
      parse(argument, record, at) {
        record.bytes[at + CLUSTERIP_HASH_MODE] = argument.oneOf(MODES);
      },
    },
    {
      name: "clustermac",
      parse(argument, record, at) {
        argument.macAddress(record.bytes, at + CLUSTERIP_MAC);
        if (!((record.bytes[at + CLUSTERIP_MAC] as number) & MULTICAST))
          argument.fail("bad-mac-address", "the address of a group");
      },
    },
    {
      name: "total-nodes",
      parse(argument, record, at) {
        record.bytes[at + CLUSTERIP_TOTAL] = argument.unsigned(0, MOST_NODES);
      },
    },
    {
      name: "local-node",
      parse(argument, record, at) {
        record.bytes[at + CLUSTERIP_LOCAL] = argument.unsigned(0, MOST_NODES);
      },
    },
    {
      name: "hash-init",
      parse: (argument, record, at) =>
        record.view.setUint32(at + CLUSTERIP_SEED, argument.unsigned(0, 0xffffffff), true),
    },
  ],

  finish(argument) {
    const missing = TOGETHER.find((option) => !argument.has(option));
    if (argument.seen !== 0 && missing) argument.fail("missing-option", `--${missing}`);
    return CLUSTERIP_SIZE;
  },

  print(out, record, at) {
    const { bytes, view } = record;
    if (!bytes[at + CLUSTERIP_FLAGS]) return;
    const mac = [...bytes.subarray(at + CLUSTERIP_MAC, at + CLUSTERIP_MAC + 6)];
    const capitals = mac.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
    out.text(
      ` --new --hashmode ${MODES[bytes[at + CLUSTERIP_HASH_MODE] as number]} --clustermac ${capitals.join(":")}`,
    );
    out.option(" --total-nodes ", bytes[at + CLUSTERIP_TOTAL] as number);
    out.option(" --local-node ", bytes[at + CLUSTERIP_LOCAL] as number);
    out.option(" --hash-init ", view.getUint32(at + CLUSTERIP_SEED, true));
  },
};
