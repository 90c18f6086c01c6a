/** Traffic out of a capture: its packets of one family over and over, in their order. */
import { readFileSync } from "node:fs";
import { PACKET_SIZE } from "../blob/layout.js";
import { CaptureError, readCapture } from "../netfilter/capture.js";
import { encodePacket } from "../netfilter/packet.js";
import type { Family } from "../ruleset/row-store.js";

/** By which packets come in, where the capture does not say. */
const INPUT = "eth0";

/**
 * `count` records of PACKET_SIZE bytes.
 * @throws CaptureError that names the file when it is no capture or holds no packet of the family.
 */
export function captureTraffic(file: string, family: Family, count: number): Uint8Array {
  const packets = readCapture(readFileSync(file), { file, input: INPUT })
    .packets.filter(({ packet }) => packet.family === family)
    .slice(0, count)
    .map(({ packet }) => encodePacket(packet));
  if (packets.length === 0) throw new CaptureError("no-packets", `${file}: no packets of ${family}`);
  const bytes = new Uint8Array(count * PACKET_SIZE);
  for (let nth = 0; nth < count; nth++) bytes.set(packets[nth % packets.length] as Uint8Array, nth * PACKET_SIZE);
  return bytes;
}
