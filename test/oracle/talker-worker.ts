/** A thread that opens connections which another opens, too, and answers each at once: NAT has to know whose it is. */
import { parentPort, workerData } from "node:worker_threads";
import { RESULT_DESTINATION_PORT, RESULT_SOURCE_PORT, RESULT_VERDICT, VERDICT_ACCEPT } from "../../src/blob/layout.js";
import { Engine, type EngineHandle } from "../../src/engine/engine.js";
import { Reader } from "../../src/engine/reader.js";
import { encodePacket } from "../../src/netfilter/packet.js";

export interface TalkerOrder {
  readonly handle: EngineHandle;
  readonly id: number;
  readonly rounds: number;
  /** Clients that use one port at a time, so that all but one have to be given another. */
  readonly clients: number;
  /** One word: talkers that are ready. */
  readonly control: SharedArrayBuffer;
  readonly talkers: number;
}

const UDP = 17;
const { handle, id, rounds, clients, control, talkers } = workerData as TalkerOrder;
const reader = new Reader(Engine.attach(handle), id);
const pool = reader.allocate(1);
const faults: string[] = [];

const send = (
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  input: string,
): DataView => {
  const output = input === "eth1" ? "eth0" : "eth1";
  pool.set(
    0,
    encodePacket({ family: "ipv4", protocol: UDP, source, sourcePort, destination, destinationPort, input, output }),
  );
  reader.match(pool, 0, 1);
  return pool.result(0);
};

Atomics.add(new Int32Array(control), 0, 1);
while (Atomics.load(new Int32Array(control), 0) < talkers);
for (let round = 0; round < rounds; round++)
  for (let nth = 0; nth < clients; nth++) {
    const port = 2000 + round;
    const client = `10.0.0.${10 + nth}`;
    const there = send(client, port, "198.51.100.7", 53, "eth1");
    if (there.getUint8(RESULT_VERDICT) !== VERDICT_ACCEPT) faults.push(`${client}:${port} was dropped`);
    const given = there.getUint16(RESULT_SOURCE_PORT, true);
    const back = send("198.51.100.7", 53, "192.0.2.1", given, "eth0");
    const known = back.getUint16(RESULT_DESTINATION_PORT, true);
    if (known !== port) faults.push(`the answer to ${client}:${port}, sent as ${given}, went to port ${known}`);
  }
parentPort?.postMessage(faults.slice(0, 5));
