/**
 * Has packets that are sent again and again begin a connection each time, where connections are tracked: each in a zone of its own, and
 * once all zones have been used at a time at which those who were never answered have been forgotten.
 */
import { PACKET_TIME, PACKET_ZONE } from "../blob/layout.js";

const ZONES = 65_535;
/** Milliseconds of the virtual clock: more than any connection without an answer lives. */
const FORGOTTEN = 700_000;

export class FreshConnections {
  private zone = 0;
  private time = 0;

  /** Writes zone and time to the record of a packet that is about to be sent. Allocates nothing. */
  renew(packet: Uint8Array): void {
    if (this.zone++ === ZONES) {
      this.zone = 1;
      this.time += FORGOTTEN;
    }
    put(packet, PACKET_ZONE, this.zone, 2);
    put(packet, PACKET_TIME, this.time, 4);
  }
}

function put(bytes: Uint8Array, at: number, value: number, length: number): void {
  for (let i = 0; i < length; i++) bytes[at + i] = (value >>> (8 * i)) & 255;
}
