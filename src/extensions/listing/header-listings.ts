/** Listings of what looks at a packet's headers and bytes. */
import {
  ICMP_CODE_MAX,
  ICMP_CODE_MIN,
  ICMP_INVERT,
  ICMP_TYPE,
  STRING_ALGORITHM,
  STRING_FLAGS,
  STRING_FROM,
  STRING_LENGTH,
  STRING_PATTERN,
  STRING_TO,
  TOS_MASK,
  TOS_VALUE,
  U32_INVERT,
} from "../../blob/payloads.js";
import { isPinned, printPath, printProgram } from "../matches/bpf.js";
import { printTests } from "../matches/u32.js";
import type { IcmpName } from "../values/icmp-types.js";
import { tosSymbol } from "../values/tos.js";
import { headed, labelled, type Lister, optionOf, plain } from "./listed.js";

export const addrtypeListing = headed(" ADDRTYPE match", {
  "src-type": labelled(" src-type "),
  "dst-type": labelled(" dst-type "),
  "limit-iface-in": () => " limit-in",
  "limit-iface-out": () => " limit-out",
});

export const dscpListing = headed("", { dscp: labelled(" DSCP match ") });
export const lengthListing = headed("", { length: labelled(" length ") });
export const macListing = headed("", { "mac-source": labelled(" MAC ", "! ") });
export const pkttypeListing = headed("", {
  "pkt-type": ({ value, inverted }) => ` PKTTYPE ${inverted ? "!" : ""}= ${value}`,
});
export const tcpmssListing = headed("", { mss: labelled(" tcpmss match ") });
export const physdevListing = headed(" PHYSDEV match", {}, (option, listed) =>
  plain({ ...option, name: `--${option.name}` }, listed),
);

export const iprangeListing = headed("", {
  "src-range": labelled(" source IP range ", "! "),
  "dst-range": labelled(" destination IP range ", "! "),
});

const OPERATORS: Readonly<Record<string, string>> = { eq: "==", lt: "<", gt: ">" };

/** ` TTL match TTL == 5`. */
export function hopsListing(name: string): Lister {
  return headed(` ${name} match ${name}`, {}, ({ name: option, value, inverted }) => {
    const operator = inverted ? "!=" : OPERATORS[option.slice(-2)];
    return ` ${operator} ${value}`;
  });
}

export function icmpListing(heading: string, names: readonly IcmpName[]): Lister {
  return ({ out, record, at, numeric }) => {
    const field = (offset: number): number => record.bytes[at + offset] as number;
    const [type, first, last] = [field(ICMP_TYPE), field(ICMP_CODE_MIN), field(ICMP_CODE_MAX)];
    const known = names.find((name) => name[1] === type && name[2] === first && name[3] === last);
    const inversion = field(ICMP_INVERT) ? "!" : "";
    out.text(heading);
    if (!numeric && known) {
      out.text(` ${inversion}${known[0]}`);
      return;
    }
    // Linux leaves no space in front of "type".
    out.text(`${inversion && " !"}type ${type}`);
    if (first === last) out.text(` code ${first}`);
    else if (first !== 0 || last !== 255) out.text(` codes ${first}-${last}`);
  };
}

export const ecnListing = headed(" ECN match", {
  "ecn-tcp-ece": ({ inverted }) => ` ${inverted ? "!" : ""}ECE`,
  "ecn-tcp-cwr": ({ inverted }) => ` ${inverted ? "!" : ""}CWR`,
  "ecn-ip-ect": ({ inverted, value }) => ` ${inverted ? "!" : ""}ECT=${value}`,
});

export const tosListing = headed("", {
  tos: ({ value, inverted }, { numeric, record, at }) => {
    const { bytes } = record;
    const symbol = numeric ? undefined : tosSymbol(bytes[at + TOS_VALUE] as number, bytes[at + TOS_MASK] as number);
    return ` tos match${inverted ? "!" : ""}${symbol ? ` ${symbol}` : value}`;
  },
});

const QUOTE = 34;
const BACKSLASH = 92;
const INVERT = 1;
const IGNORE_CASE = 2;
const LAST = 65_535;

export const stringListing: Lister = (listed) => {
  const { out, record, at } = listed;
  const { bytes, view } = record;
  const flags = bytes[at + STRING_FLAGS] as number;
  const isHex = optionOf(listed, "hex-string") !== undefined;
  const start = at + STRING_PATTERN;
  out.text(` STRING match ${flags & INVERT ? "!" : ""} "${isHex ? "|" : ""}`);
  for (const byte of bytes.subarray(start, start + (bytes[at + STRING_LENGTH] as number))) {
    if (isHex) out.hexadecimal(byte, 2);
    else {
      if (byte === QUOTE || byte === BACKSLASH) out.byte(BACKSLASH);
      out.byte(byte);
    }
  }
  out.text(isHex ? '|" ALGO name ' : '" ALGO name ');
  out.padded(bytes, at + STRING_ALGORITHM, STRING_FROM - STRING_ALGORITHM);
  const from = view.getUint16(at + STRING_FROM, true);
  const to = view.getUint16(at + STRING_TO, true);
  if (from !== 0) out.option(" FROM ", from);
  if (to !== LAST) out.option(" TO ", to);
  if (flags & IGNORE_CASE) out.text(" ICASE");
};

export const u32Listing: Lister = ({ out, record, at }) => {
  out.text(record.bytes[at + U32_INVERT] ? ' u32 ! "' : ' u32 "');
  printTests(out, record, at);
  out.byte(QUOTE);
};

export const osfListing = headed(
  " OS fingerprint match",
  { genre: ({ value, inverted }) => ` ${inverted ? "! " : ""}${value}` },
  () => "",
);

/** Linux' tool ends it by the byte 0 of its string. */
export const bpfListing: Lister = ({ out, record, at }) => {
  if (isPinned(record, at)) {
    out.text(" match bpf pinned ");
    printPath(out, record, at);
    return;
  }
  out.text("match bpf ");
  printProgram(out, record, at);
  out.byte(0);
};
