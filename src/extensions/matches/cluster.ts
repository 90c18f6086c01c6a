/** -m cluster: whether the connection is in this node's share of a cluster. */
import {
  CLUSTER_INVERT,
  CLUSTER_MASK,
  CLUSTER_SEED,
  CLUSTER_SIZE,
  CLUSTER_TOTAL,
  MATCH_CLUSTER,
} from "../../blob/payloads.js";
import type { Extension } from "../extension.js";

const MOST_NODES = 32;

export const cluster: Extension = {
  name: "cluster",
  type: MATCH_CLUSTER,
  size: CLUSTER_SIZE,
  options: [
    {
      name: "cluster-total-nodes",
      mandatory: true,
      parse: (argument, record, at) =>
        record.view.setUint32(at + CLUSTER_TOTAL, argument.unsigned(1, MOST_NODES), true),
    },
    {
      name: "cluster-local-node",
      invertible: true,
      excludes: ["cluster-local-nodemask"],
      parse(argument, record, at) {
        record.view.setUint32(at + CLUSTER_MASK, 1 << (argument.unsigned(1, MOST_NODES) - 1), true);
        if (argument.inverted) record.bytes[at + CLUSTER_INVERT] = 1;
      },
    },
    {
      // iptables takes no mask above 32, and so prints masks that it cannot read back. Here they can be.
      name: "cluster-local-nodemask",
      invertible: true,
      parse(argument, record, at) {
        record.view.setUint32(at + CLUSTER_MASK, argument.unsigned(1, 0xffffffff), true);
        if (argument.inverted) record.bytes[at + CLUSTER_INVERT] = 1;
      },
    },
    {
      name: "cluster-hash-seed",
      mandatory: true,
      parse: (argument, record, at) => record.view.setUint32(at + CLUSTER_SEED, argument.unsigned(0, 0xffffffff), true),
    },
  ],

  finish(argument, record, at) {
    if (!argument.has("cluster-local-node") && !argument.has("cluster-local-nodemask"))
      argument.fail("missing-option", "--cluster-local-node or --cluster-local-nodemask");
    const total = record.view.getUint32(at + CLUSTER_TOTAL, true);
    if (record.view.getUint32(at + CLUSTER_MASK, true) >= 2 ** total)
      argument.fail("bad-number", `nodes from 1 to the ${total} that there are`);
    return CLUSTER_SIZE;
  },

  print(out, record, at) {
    out.text(`${record.bytes[at + CLUSTER_INVERT] ? " !" : ""} --cluster-local-nodemask 0x`);
    out.hexadecimal(record.view.getUint32(at + CLUSTER_MASK, true), 8);
    out.option(" --cluster-total-nodes ", record.view.getUint32(at + CLUSTER_TOTAL, true));
    out.text(" --cluster-hash-seed 0x");
    out.hexadecimal(record.view.getUint32(at + CLUSTER_SEED, true), 8);
  },
};
