/** -j CT: how connection tracking will treat the packet. */
import {
  CT_EVENTS,
  CT_EXPECT_EVENTS,
  CT_FLAGS,
  CT_HELPER,
  CT_SIZE,
  CT_TIMEOUT,
  CT_ZONE,
  TARGET_CT,
} from "../../blob/payloads.js";
import type { Argument, Keyword } from "../argument.js";
import type { Option, RecordMemory, Target } from "../extension.js";
import { printWords } from "../matches/conntrack.js";

const NOTRACK = 1;
const ZONE_ORIGINAL = 4;
const ZONE_REPLY = 8;
const ZONE_MARK = 16;
const HELPER_BYTES = 16;
const TIMEOUT_BYTES = 32;

/** In the order of their bits. */
const EVENTS: readonly Keyword[] = [
  "new",
  "related",
  "destroy",
  "reply",
  "assured",
  "protoinfo",
  "helper",
  "mark",
  "natseqinfo",
  "secmark",
].map((name, bit) => [name, 1 << bit]);
const EXPECT_EVENTS = EVENTS.slice(0, 1);

export const ct: Target = {
  name: "CT",
  type: TARGET_CT,
  size: CT_SIZE,
  tables: ["raw"],
  options: [
    { name: "notrack", arguments: 0, parse: (_, record, at) => flag(record, at, NOTRACK) },
    {
      name: "helper",
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + CT_HELPER, HELPER_BYTES, "the name of a helper"),
    },
    {
      name: "timeout",
      parse: (argument, record, at) =>
        argument.name(record.bytes, at + CT_TIMEOUT, TIMEOUT_BYTES, "the name of a policy"),
    },
    {
      name: "ctevents",
      parse: (argument, record, at) => record.view.setUint32(at + CT_EVENTS, readEvents(argument, EVENTS), true),
    },
    {
      name: "expevents",
      parse: (argument, record, at) =>
        record.view.setUint32(at + CT_EXPECT_EVENTS, readEvents(argument, EXPECT_EVENTS), true),
    },
    zoneOption("zone", 0),
    zoneOption("zone-orig", ZONE_ORIGINAL),
    zoneOption("zone-reply", ZONE_REPLY),
  ],

  protocol(argument, record, at) {
    const named = record.bytes[at + CT_HELPER] !== 0 || record.bytes[at + CT_TIMEOUT] !== 0;
    const tracked = (record.view.getUint16(at + CT_FLAGS, true) & NOTRACK) === 0;
    return named && tracked && (argument.protocol === 0 || argument.protocolInverted)
      ? "-p and a protocol in the same rule"
      : "";
  },

  print(out, record, at) {
    const { bytes, view } = record;
    const flags = view.getUint16(at + CT_FLAGS, true);
    if (flags & NOTRACK) out.text(" --notrack");
    for (const [option, field, size] of [
      [" --helper ", CT_HELPER, HELPER_BYTES],
      [" --timeout ", CT_TIMEOUT, TIMEOUT_BYTES],
    ] as const) {
      if (bytes[at + field] === 0) continue;
      out.text(option);
      out.padded(bytes, at + field, size);
    }
    const events = view.getUint32(at + CT_EVENTS, true);
    if (events) {
      out.text(" --ctevents ");
      printWords(out, EVENTS, events);
    }
    if (view.getUint32(at + CT_EXPECT_EVENTS, true)) {
      out.text(" --expevents ");
      printWords(out, EXPECT_EVENTS, view.getUint32(at + CT_EXPECT_EVENTS, true));
    }
    const zone = view.getUint16(at + CT_ZONE, true);
    if (zone === 0 && !(flags & ZONE_MARK)) return;
    const direction = flags & (ZONE_ORIGINAL | ZONE_REPLY);
    out.text(direction === ZONE_ORIGINAL ? " --zone-orig " : direction === ZONE_REPLY ? " --zone-reply " : " --zone ");
    if (flags & ZONE_MARK) out.text("mark");
    else out.number(zone);
  },
};

function zoneOption(name: string, direction: number): Option {
  return {
    name,
    parse(argument, record, at) {
      flag(record, at, direction);
      const isMark = argument.text().toLowerCase() === "mark";
      if (isMark) flag(record, at, ZONE_MARK);
      record.view.setUint16(at + CT_ZONE, isMark ? 0 : argument.unsigned(0, 65_535), true);
    },
  };
}

function flag(record: RecordMemory, at: number, bit: number): void {
  record.view.setUint16(at + CT_FLAGS, record.view.getUint16(at + CT_FLAGS, true) | bit, true);
}

/** Whole names, in lower case. */
function readEvents(argument: Argument, events: readonly Keyword[]): number {
  let bits = 0;
  for (const name of argument.text().split(",")) {
    const known = events.find(([event]) => event === name);
    if (!known) argument.fail("bad-value", `a comma list of ${events.map(([event]) => event).join(", ")}`);
    bits |= known[1];
  }
  return bits;
}
