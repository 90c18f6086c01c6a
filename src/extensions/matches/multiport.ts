/** -m multiport: up to 15 ports and ranges of them. */
import {
  MATCH_MULTIPORT,
  MULTIPORT_COUNT,
  MULTIPORT_INVERT,
  MULTIPORT_KIND,
  MULTIPORT_PORTS,
  MULTIPORT_PORTS_COUNT,
  MULTIPORT_RANGES,
  MULTIPORT_SIZE,
} from "../../blob/payloads.js";
import { VALUE_PORT_LIST } from "../../blob/reading.js";
import { type Argument, COLON, COMMA } from "../argument.js";
import type { Extension, Option, RecordMemory } from "../extension.js";
import {
  onlyProtocols,
  PROTOCOL_DCCP,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  PROTOCOL_UDPLITE,
} from "../protocol-check.js";

/** By kind: long name, short name, which prints. */
const KINDS = [
  ["source-ports", "sports"],
  ["destination-ports", "dports"],
  ["ports", "ports"],
] as const;
const NAMES = KINDS.map(([name]) => name);

export const multiport: Extension = {
  name: "multiport",
  type: MATCH_MULTIPORT,
  size: MULTIPORT_SIZE,
  options: KINDS.map(
    ([name, short], kind): Option => ({
      name,
      ...(short === name ? {} : { aliases: [short] }),
      invertible: true,
      excludes: NAMES.filter((other) => other !== name),
      value: { kind: VALUE_PORT_LIST, at: 0 },
      parse(argument, record, at) {
        const expected = withPorts(argument);
        if (expected !== "") argument.fail("wrong-protocol", expected);
        record.bytes[at + MULTIPORT_KIND] = kind;
        if (argument.inverted) record.bytes[at + MULTIPORT_INVERT] = 1;
        readPorts(argument, record, at);
      },
    }),
  ),

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", `--${NAMES.join(", --")}`);
    return MULTIPORT_SIZE;
  },

  protocol: withPorts,

  print(out, record, at) {
    const { view } = record;
    out.text(record.bytes[at + MULTIPORT_INVERT] ? " ! --" : " --");
    out.text(KINDS[record.bytes[at + MULTIPORT_KIND] as number]?.[1] ?? "");
    out.byte(32);
    const ranges = view.getUint16(at + MULTIPORT_RANGES, true);
    const count = record.bytes[at + MULTIPORT_COUNT] as number;
    for (let i = 0; i < count; i++) {
      if (i > 0) out.byte((ranges >> (i - 1)) & 1 ? COLON : COMMA);
      out.number(view.getUint16(at + MULTIPORT_PORTS + 2 * i, true));
    }
  },
};

function withPorts(argument: Argument): string {
  const numbers = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE, PROTOCOL_SCTP, PROTOCOL_DCCP];
  return onlyProtocols(argument, "tcp, udp, udplite, sctp or dccp", ...numbers);
}

function readPorts(argument: Argument, record: RecordMemory, at: number): void {
  const { view } = record;
  const service = argument.protocol === PROTOCOL_UDP ? "udp" : "tcp";
  let count = 0;
  let ranges = 0;
  for (let from = argument.start; ; ) {
    const comma = argument.indexOf(COMMA, from);
    const to = comma < 0 ? argument.end : comma;
    const colon = argument.indexOf(COLON, from);
    const isRange = colon >= 0 && colon < to;
    if (count + (isRange ? 2 : 1) > MULTIPORT_PORTS_COUNT)
      argument.fail("bad-port", `at most ${MULTIPORT_PORTS_COUNT} ports, a range counting as two`, from, to);
    const first = argument.port(service, from, isRange ? colon : to);
    view.setUint16(at + MULTIPORT_PORTS + 2 * count, first, true);
    if (isRange) {
      const last = argument.port(service, colon + 1, to);
      if (last <= first) argument.fail("bad-port", "a range whose first port is below its last", from, to);
      ranges |= 1 << count++;
      view.setUint16(at + MULTIPORT_PORTS + 2 * count, last, true);
    }
    count++;
    if (comma < 0) break;
    from = comma + 1;
  }
  view.setUint16(at + MULTIPORT_RANGES, ranges, true);
  record.bytes[at + MULTIPORT_COUNT] = count;
}
