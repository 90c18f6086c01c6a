/**
 * Packets of a capture file: pcap as tcpdump has written it ever since, and pcapng. Of link types Ethernet, raw IP,
 * loopback and Linux cooked are read; what is no IP is counted and left out.
 *
 *     pcap     magic, version, snap length, link type; then seconds, fraction, kept, length, bytes a packet
 *     pcapng   blocks of type, length, body, length: 0x0a0d0d0a section, 1 interface, 6 packet, 3 simple packet
 */
import type { Packet } from "./packet.js";
import { type Frame, ipOf } from "./link-layer.js";
import { packetOfWire } from "./wire.js";

export type CaptureErrorCode = "no-capture" | "cut-short" | "unknown-link-type" | "no-packets";

export class CaptureError extends Error {
  override readonly name = "CaptureError";

  constructor(
    readonly code: CaptureErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export interface CapturedPacket {
  readonly packet: Packet;
  /** From the IP header on, as far as the capture kept it. */
  readonly bytes: Uint8Array;
}

export interface Capture {
  readonly packets: readonly CapturedPacket[];
  /** Frames that are no IP or too short for it. */
  readonly leftOut: number;
}

export interface CaptureOptions {
  /** Name for error messages. */
  readonly file: string;
  /** Interface that packets come in by where the file names none. */
  readonly input: string;
}

interface Record {
  readonly bytes: Uint8Array;
  readonly linkType: number;
  readonly milliseconds: number;
  readonly name: string | undefined;
}

/** @throws CaptureError where the file is none, ends within a packet, or holds frames of a link type not read. */
export function readCapture(file: Uint8Array, options: CaptureOptions): Capture {
  const packets: CapturedPacket[] = [];
  let leftOut = 0;
  let start: number | undefined;
  for (const { bytes, linkType, milliseconds, name } of recordsOf(file, options.file)) {
    const frame = ipOf(bytes, linkType);
    if (frame === "unknown")
      throw new CaptureError(
        "unknown-link-type",
        `${options.file}: frames of link type ${linkType}, which is not read`,
      );
    start ??= milliseconds;
    const time = Math.max(0, Math.round(milliseconds - start)) >>> 0;
    const packet = frame && packetOfWire(frame.ip, sideOf(frame, name ?? options.input, time));
    if (packet) packets.push({ packet, bytes: frame.ip });
    else leftOut++;
  }
  return { packets, leftOut };
}

/** What this machine sent has no way in. */
function sideOf(frame: Frame, name: string, time: number): Partial<Packet> {
  const way: Partial<Packet> = frame.type === "outgoing" ? { path: "out", output: name } : { input: name };
  return { ...way, time, type: frame.type, ...(frame.sourceMac ? { sourceMac: frame.sourceMac } : {}) };
}

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE = 3;
const PACKET = 6;
const ORDER_MAGIC = 0x1a2b3c4d;
const CLASSIC_MICROSECONDS = 0xa1b2c3d4;
const CLASSIC_NANOSECONDS = 0xa1b23c4d;

function recordsOf(file: Uint8Array, name: string): Generator<Record> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = file.length >= 24 ? view.getUint32(0, true) : 0;
  if (magic === SECTION) return sectionRecords(file, view, name);
  for (const little of [true, false])
    for (const [known, unit] of [
      [CLASSIC_MICROSECONDS, 1e3],
      [CLASSIC_NANOSECONDS, 1e6],
    ] as const)
      if (file.length >= 24 && view.getUint32(0, little) === known)
        return classicRecords(file, view, { name, little, unit });
  throw new CaptureError("no-capture", `${name}: neither pcap nor pcapng`);
}

function* classicRecords(
  file: Uint8Array,
  view: DataView,
  { name, little, unit }: { name: string; little: boolean; unit: number },
): Generator<Record> {
  const linkType = view.getUint32(20, little) & 0xffff;
  for (let at = 24; at < file.length; ) {
    const kept = at + 16 <= file.length ? view.getUint32(at + 8, little) : Number.POSITIVE_INFINITY;
    if (at + 16 + kept > file.length) throw cut(name);
    const milliseconds = view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / unit;
    yield { bytes: file.subarray(at + 16, at + 16 + kept), linkType, milliseconds, name: undefined };
    at += 16 + kept;
  }
}

interface Interface {
  readonly linkType: number;
  readonly name: string | undefined;
  /** Milliseconds of one tick. */
  readonly tick: number;
}

function* sectionRecords(file: Uint8Array, view: DataView, name: string): Generator<Record> {
  let little = true;
  let interfaces: Interface[] = [];
  for (let at = 0; at < file.length; ) {
    if (at + 12 > file.length) throw cut(name);
    const type = view.getUint32(at, little);
    if (view.getUint32(at, true) === SECTION) {
      little = view.getUint32(at + 8, true) === ORDER_MAGIC;
      interfaces = [];
    }
    const length = view.getUint32(at + 4, little);
    if (length < 12 || at + length > file.length) throw cut(name);
    if (type === INTERFACE) interfaces.push(interfaceOf(file, view, at, length, little));
    else if (type === PACKET || type === SIMPLE) {
      const from = interfaces[type === PACKET ? view.getUint32(at + 8, little) : 0];
      if (!from) throw new CaptureError("no-capture", `${name}: a packet of an interface that is not told`);
      const head = type === PACKET ? 28 : 12;
      const kept = type === PACKET ? view.getUint32(at + 20, little) : view.getUint32(at + 8, little);
      const end = Math.min(at + head + kept, at + length - 4);
      const ticks = type === PACKET ? view.getUint32(at + 12, little) * 2 ** 32 + view.getUint32(at + 16, little) : 0;
      const bytes = file.subarray(at + head, end);
      yield { bytes, linkType: from.linkType, milliseconds: ticks * from.tick, name: from.name };
    }
    at += length;
  }
}

const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;

function interfaceOf(file: Uint8Array, view: DataView, at: number, length: number, little: boolean): Interface {
  let name: string | undefined;
  let tick = 1e-3;
  for (let option = at + 16; option + 4 <= at + length - 4; ) {
    const [code, size] = [view.getUint16(option, little), view.getUint16(option + 2, little)];
    if (code === OPTION_NAME) {
      const text = new TextDecoder().decode(file.subarray(option + 4, option + 4 + size)).replace(/\0.*$/s, "");
      if (text.length <= 15) name = text;
    }
    const resolution = file[option + 4] as number;
    if (code === OPTION_RESOLUTION) tick = 1000 * (resolution & 128 ? 2 ** -(resolution & 127) : 10 ** -resolution);
    option += 4 + ((size + 3) & ~3);
  }
  return { linkType: view.getUint16(at + 8, little), name, tick };
}

const cut = (name: string): CaptureError => new CaptureError("cut-short", `${name}: ends within a packet`);
