/**
 * The memory of a table of connections: all that it may ever need is reserved when the engine is made, since readers cannot
 * allocate, and stays untouched until it is needed.
 */
import {
  CONNECTION_MASTER,
  CONNECTION_REFERENCES,
  CONNECTION_SIZE,
  CONNECTION_STATUS,
  CONNECTIONS_CAPACITY,
  CONNECTIONS_COUNTED,
  CONNECTIONS_COUNTED_RECORDS,
  CONNECTIONS_EXPECTED,
  CONNECTIONS_HEADER_SIZE,
  CONNECTIONS_HELPED,
  CONNECTIONS_LABELS,
  CONNECTIONS_LIMIT,
  CONNECTIONS_POLICIES,
  CONNECTIONS_RECORDS,
  CONNECTIONS_SEED,
  CONNECTIONS_SOURCES,
  CONNECTIONS_SPARE,
  CONNECTIONS_TEMPLATE,
  CONNECTIONS_TUPLES,
  COUNTED_PER_CONNECTION,
  COUNTED_SIZE,
  EXPECTED_MOST,
  EXPECTED_SIZE,
  HELPED_SIZE,
  LABELS_SIZE,
  POLICIES_COUNT,
  POLICY_SIZE,
  STATUS_CONFIRMED,
  STATUS_TEMPLATE,
} from "../../src/blob/connections";
import { heapAllocate } from "../heap";
import { chainsBytes, chainsInit } from "./chains";
import { sysctlDefaults } from "./sysctl";

/** Lays out an empty table for `limit` connections in fresh memory; 0 where there is none. */
export function connectionsInit(limit: u32, seed: u32): usize {
  const capacity = limit + CONNECTIONS_SPARE;
  const tuples = chainsBytes(2 * limit);
  const others = chainsBytes(limit);
  const expected: u32 = EXPECTED_SIZE * EXPECTED_MOST;
  const policies: u32 = POLICY_SIZE * POLICIES_COUNT;
  // Records are found from within by their alignment: the template is the first of them.
  const records = CONNECTION_SIZE * (capacity + 2);
  const header = CONNECTIONS_HEADER_SIZE + tuples + 2 * others + expected + policies;
  const table = heapAllocate(header + records);
  const counted = table ? heapAllocate(COUNTED_SIZE * COUNTED_PER_CONNECTION * capacity) : 0;
  const labels = counted ? heapAllocate(LABELS_SIZE * capacity) : 0;
  const helped = labels ? heapAllocate(HELPED_SIZE * capacity) : 0;
  if (!helped) return 0;
  memory.fill(table, 0, header);
  let at = table + CONNECTIONS_HEADER_SIZE;
  chainsInit(table + CONNECTIONS_TUPLES, at, 2 * limit);
  at += tuples;
  chainsInit(table + CONNECTIONS_SOURCES, at, limit);
  at += others;
  chainsInit(table + CONNECTIONS_COUNTED, at, limit);
  at += others;
  store<u32>(table, <u32>at, CONNECTIONS_EXPECTED);
  at += expected;
  store<u32>(table, <u32>at, CONNECTIONS_POLICIES);
  at += policies;
  const template = (at + CONNECTION_SIZE - 1) & ~(<usize>CONNECTION_SIZE - 1);
  memory.fill(template, 0, CONNECTION_SIZE);
  store<u32>(template, STATUS_CONFIRMED | STATUS_TEMPLATE, CONNECTION_STATUS);
  store<u32>(template, 1, CONNECTION_REFERENCES);
  store<u32>(template, 0, CONNECTION_MASTER);
  store<u32>(table, <u32>template, CONNECTIONS_TEMPLATE);
  store<u32>(table, <u32>template + CONNECTION_SIZE, CONNECTIONS_RECORDS);
  store<u32>(table, limit, CONNECTIONS_LIMIT);
  store<u32>(table, capacity, CONNECTIONS_CAPACITY);
  store<u32>(table, <u32>counted, CONNECTIONS_COUNTED_RECORDS);
  store<u32>(table, <u32>labels, CONNECTIONS_LABELS);
  store<u32>(table, <u32>helped, CONNECTIONS_HELPED);
  store<u32>(table, seed * 0x9e3779b1 + 1, CONNECTIONS_SEED);
  sysctlDefaults(table);
  return table;
}
