/**
 * cluster (xt_cluster.c): the share of connections that is this node's, by a hash of where a connection, or the one that
 * expected it, began. The hash is Linux' own, so that nodes of both kinds agree: of an IPv6 address it takes the first word
 * alone.
 *
 * A packet that came to a group of the link layer, as all nodes' do, but is for one machine becomes that machine's own.
 */
import {
  CONNECTION_MASTER,
  CONNECTION_ORIGINAL,
  CONNECTION_STATUS,
  NODE_TUPLE,
  STATUS_TEMPLATE,
  TUPLE_SOURCE,
} from "../../src/blob/connections";
import { PACKET_DESTINATION, PACKET_TYPE } from "../../src/blob/layout";
import { CLUSTER_INVERT, CLUSTER_MASK, CLUSTER_SEED, CLUSTER_TOTAL } from "../../src/blob/payloads";
import { connection } from "../conntrack/track";
import { jhash, scaled } from "../jhash";
import { addressBytes, packet } from "../packet";

const MOST_NODES: u32 = 32;
const TYPE_HOST: u8 = 0;
const TYPE_MULTICAST: u8 = 2;

export function matchCluster(record: usize): bool {
  if (load<u8>(packet, PACKET_TYPE) == TYPE_MULTICAST && !toGroup()) store<u8>(packet, TYPE_HOST, PACKET_TYPE);
  // What raw sees behind a rule of CT has no ends.
  if (!connection || load<u32>(connection, CONNECTION_STATUS) & STATUS_TEMPLATE) return false;
  const master: usize = load<u32>(connection, CONNECTION_MASTER);
  const source = (master ? master : connection) + CONNECTION_ORIGINAL + NODE_TUPLE + TUPLE_SOURCE;
  const hash = jhash(1, load<u32>(source), 0, 0, load<u32>(record, CLUSTER_SEED));
  const node = scaled(hash, load<u32>(record, CLUSTER_TOTAL));
  const ours = ((load<u32>(record, CLUSTER_MASK) >>> node) & 1) != 0;
  return ours != (load<u8>(record, CLUSTER_INVERT) != 0);
}

/** A hash is for one of the nodes, whose bit the mask has. */
export function checkCluster(record: usize): bool {
  const total = load<u32>(record, CLUSTER_TOTAL);
  return total != 0 && total <= MOST_NODES && load<u8>(record, CLUSTER_INVERT) <= 1;
}

function toGroup(): bool {
  const first = load<u8>(packet, PACKET_DESTINATION);
  return addressBytes == 4 ? (first & 0xf0) == 0xe0 : first == 0xff;
}
