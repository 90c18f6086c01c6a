/** Source and destination port ranges, at the same place in the records of tcp, udp, sctp and their like. */
import type { Argument } from "../argument.js";
import type { ByteWriter } from "../byte-writer.js";
import type { Option, RecordMemory } from "../extension.js";
import {
  PORTS_DESTINATION_MAX,
  PORTS_DESTINATION_MIN,
  PORTS_INVERT,
  PORTS_INVERT_DESTINATION,
  PORTS_INVERT_SOURCE,
  PORTS_SOURCE_MAX,
  PORTS_SOURCE_MIN,
} from "../../blob/payloads.js";
import { VALUE_PORTS, VALUE_PORTS_LOOSE } from "../../blob/reading.js";
import { COLON } from "../argument.js";

/** `--source-port` and `--destination-port`, which getaddrinfo reads where no `service` says whose names they take. A range that is upside down is refused, or matches nothing (`loose`). */
export function portOptions(service: "tcp" | "sctp" | undefined, loose: boolean): Option[] {
  const kind = loose ? VALUE_PORTS_LOOSE : VALUE_PORTS;
  return [
    {
      name: "source-port",
      aliases: ["sport"],
      invertible: true,
      value: { kind, at: PORTS_SOURCE_MIN },
      parse(argument, record, at) {
        readPorts(argument, service, loose, record, at + PORTS_SOURCE_MIN);
        if (argument.inverted) flag(record, at, PORTS_INVERT_SOURCE);
      },
    },
    {
      name: "destination-port",
      aliases: ["dport"],
      invertible: true,
      value: { kind, at: PORTS_DESTINATION_MIN },
      parse(argument, record, at) {
        readPorts(argument, service, loose, record, at + PORTS_DESTINATION_MIN);
        if (argument.inverted) flag(record, at, PORTS_INVERT_DESTINATION);
      },
    },
  ];
}

export function initialisePorts(record: RecordMemory, at: number): void {
  record.view.setUint16(at + PORTS_SOURCE_MAX, 0xffff, true);
  record.view.setUint16(at + PORTS_DESTINATION_MAX, 0xffff, true);
}

/** Both ranges; one of all ports prints only when `source` or `destination` says so. */
export function printPorts(
  out: ByteWriter,
  record: RecordMemory,
  at: number,
  source = false,
  destination = false,
): void {
  const invert = record.bytes[at + PORTS_INVERT] as number;
  printRange(out, " --sport ", record, at + PORTS_SOURCE_MIN, invert & PORTS_INVERT_SOURCE, source);
  printRange(out, " --dport ", record, at + PORTS_DESTINATION_MIN, invert & PORTS_INVERT_DESTINATION, destination);
}

/** Two u16 fields, the lower and the upper end. */
function readPorts(
  argument: Argument,
  service: "tcp" | "sctp" | undefined,
  loose: boolean,
  record: RecordMemory,
  field: number,
): void {
  const { start, end } = argument;
  const colon = argument.indexOf(COLON);
  let minimum = 0;
  let maximum = 0xffff;
  const port = (from: number, to: number): number =>
    service === undefined ? argument.resolvedPort(from, to) : argument.port(service, from, to);
  if (colon < 0) minimum = maximum = port(start, end);
  else {
    if (colon > start) minimum = port(start, colon);
    if (colon + 1 < end) maximum = port(colon + 1, end);
    if (minimum > maximum && !loose) argument.fail("bad-port", "a range whose first port is not above its last");
  }
  record.view.setUint16(field, minimum, true);
  record.view.setUint16(field + 2, maximum, true);
}

function flag(record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + PORTS_INVERT] = (record.bytes[at + PORTS_INVERT] as number) | bit;
}

function printRange(
  out: ByteWriter,
  option: string,
  record: RecordMemory,
  field: number,
  inverted: number,
  always: boolean,
): void {
  const minimum = record.view.getUint16(field, true);
  const maximum = record.view.getUint16(field + 2, true);
  if (minimum === 0 && maximum === 0xffff && !always) return;
  if (inverted) out.text(" !");
  out.text(option);
  out.number(minimum);
  if (maximum === minimum) return;
  out.byte(COLON);
  out.number(maximum);
}
