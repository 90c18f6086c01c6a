/** -m owner: user and group of the local socket that sent the packet, as its description says. */
import {
  MATCH_OWNER,
  OWNER_GID_MAX,
  OWNER_GID_MIN,
  OWNER_INVERT,
  OWNER_MATCH,
  OWNER_SIZE,
  OWNER_UID_MAX,
  OWNER_UID_MIN,
} from "../../blob/payloads.js";
import { type Argument, COLON, DASH } from "../argument.js";
import { type Extension, type Option, OUTPUT, POSTROUTING, type RecordMemory } from "../extension.js";

const UID = 1;
const GID = 2;
const SOCKET = 4;
const GROUPS = 8;
/** -1 means nobody. */
const LARGEST_ID = 0xfffffffe;

export const owner: Extension = {
  name: "owner",
  type: MATCH_OWNER,
  size: OWNER_SIZE,
  hooks: () => OUTPUT | POSTROUTING,
  options: [
    idOption("uid-owner", UID, OWNER_UID_MIN, OWNER_UID_MAX),
    idOption("gid-owner", GID, OWNER_GID_MIN, OWNER_GID_MAX),
    {
      name: "socket-exists",
      arguments: 0,
      invertible: true,
      parse: (argument, record, at) => give(argument, record, at, SOCKET),
    },
    {
      name: "suppl-groups",
      arguments: 0,
      parse(argument, record, at) {
        if (!argument.has("gid-owner")) argument.fail("missing-option", "--gid-owner in front of --suppl-groups");
        give(argument, record, at, GROUPS);
      },
    },
  ],

  finish(argument) {
    if (argument.seen === 0) argument.fail("missing-option", "--uid-owner, --gid-owner or --socket-exists");
    return OWNER_SIZE;
  },

  print(out, record, at) {
    const given = record.bytes[at + OWNER_MATCH] as number;
    const inverted = record.bytes[at + OWNER_INVERT] as number;
    if (given & SOCKET) out.text(inverted & SOCKET ? " ! --socket-exists" : " --socket-exists");
    for (const [name, bit, minimum, maximum] of [
      ["uid-owner ", UID, OWNER_UID_MIN, OWNER_UID_MAX],
      ["gid-owner ", GID, OWNER_GID_MIN, OWNER_GID_MAX],
    ] as const) {
      if (!(given & bit)) continue;
      const first = record.view.getUint32(at + minimum, true);
      const last = record.view.getUint32(at + maximum, true);
      out.text(inverted & bit ? " ! --" : " --");
      out.text(name);
      out.number(first);
      if (last === first) continue;
      out.byte(DASH);
      out.number(last);
    }
    if (given & GROUPS) out.text(" --suppl-groups");
  },
};

/** An id or a range of ids. Of names, only root is the same on every host. */
function idOption(name: string, bit: number, minimum: number, maximum: number): Option {
  return {
    name,
    invertible: true,
    parse(argument, record, at) {
      const { start, end } = argument;
      let first = 0;
      let last = 0;
      if (!argument.equals("root")) {
        let separator = argument.indexOf(DASH);
        if (separator < 0) separator = argument.indexOf(COLON);
        first = readId(argument, start, separator < 0 ? end : separator);
        last = separator < 0 ? first : readId(argument, separator + 1, end);
        if (last < first) argument.fail("bad-value", "a range whose first id is not above its last");
      }
      record.view.setUint32(at + minimum, first, true);
      record.view.setUint32(at + maximum, last, true);
      give(argument, record, at, bit);
    },
  };
}

function readId(argument: Argument, start: number, end: number): number {
  const first = argument.bytes[start] as number;
  if (start === end || first < 48 || first > 57)
    argument.fail(
      "bad-value",
      "a number or two with a dash; names of users and groups are not looked up, but for root",
      start,
      end,
    );
  return argument.unsigned(0, LARGEST_ID, start, end);
}

function give(argument: Argument, record: RecordMemory, at: number, bit: number): void {
  record.bytes[at + OWNER_MATCH] = (record.bytes[at + OWNER_MATCH] as number) | bit;
  if (argument.inverted) record.bytes[at + OWNER_INVERT] = (record.bytes[at + OWNER_INVERT] as number) | bit;
}
