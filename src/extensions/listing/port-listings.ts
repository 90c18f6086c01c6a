/** Listings of what has ports: tcp, udp, sctp, multiport. */
import {
  DCCP_TYPES,
  PORTS_DESTINATION_MIN,
  PORTS_INVERT,
  PORTS_INVERT_DESTINATION,
  PORTS_INVERT_SOURCE,
  PORTS_SOURCE_MIN,
  TCP_FLAG_COMPARE,
  TCP_FLAG_MASK,
} from "../../blob/payloads.js";
import { CHUNK_NUMBERS } from "../matches/sctp.js";
import { protocolName } from "../values/protocols.js";
import { serviceName } from "../values/services.js";
import { headed, labelled, type ListedOption, type Lister, type Rendering } from "./listed.js";

/** A port, by its service's name unless numbers are asked for. */
function port(text: string, protocol: string | undefined, numeric: boolean): string {
  return (numeric ? undefined : serviceName(Number(text), protocol)) ?? text;
}

/** ` dpt:22`, ` dpts:!22:25`. */
function range(label: string, protocol: string): Rendering {
  return ({ value, inverted }, { numeric }) => {
    const ends = value.split(":").map((end) => port(end, protocol, numeric));
    return ` ${label}${ends.length > 1 ? "s" : ""}:${inverted ? "!" : ""}${ends.join(":")}`;
  };
}

const ports = (protocol: string): Record<string, Rendering> => ({
  sport: range("spt", protocol),
  dport: range("dpt", protocol),
});

/**
 * Ports, then `renderings`. Where no port will do, which a rule may ask for, iptables-save prints nothing, but a listing
 * does.
 */
function withPorts(heading: string, protocol: string, renderings: Readonly<Record<string, Rendering>> = {}): Lister {
  const list = headed(heading, { ...ports(protocol), ...renderings });
  return (listed) => {
    const { record, at, options } = listed;
    const inverted = record.bytes[at + PORTS_INVERT] as number;
    const side = (name: string, field: number, bit: number): ListedOption[] => {
      if (inverted & bit && record.view.getUint32(at + field, true) === ALL_PORTS)
        return [{ name, inverted: true, value: "0:65535" }];
      return options.filter((option) => option.name === name);
    };
    const source = side("sport", PORTS_SOURCE_MIN, PORTS_INVERT_SOURCE);
    const destination = side("dport", PORTS_DESTINATION_MIN, PORTS_INVERT_DESTINATION);
    const rest = options.filter(({ name }) => name !== "sport" && name !== "dport");
    list({ ...listed, options: [...source, ...destination, ...rest] });
  };
}

/** 0 to 65,535 in two u16. */
const ALL_PORTS = 0xffff0000;

const hexadecimal = (value: number, digits: number): string =>
  `0x${value.toString(16).toUpperCase().padStart(digits, "0")}`;

export const tcpListing = withPorts(" tcp", "tcp", {
  "tcp-option": labelled(" option="),
  "tcp-flags": ({ value, inverted }, { numeric, record, at }) => {
    const flags = numeric
      ? [TCP_FLAG_MASK, TCP_FLAG_COMPARE].map((field) => hexadecimal(record.bytes[at + field] as number, 2)).join("/")
      : value.replace(" ", "/");
    return ` flags:${inverted ? "!" : ""}${flags}`;
  },
});

export const udpListing = withPorts(" udp", "udp");

export const sctpListing = headed(" sctp", {
  ...ports("sctp"),
  "chunk-types": ({ value, inverted }, { numeric }) => {
    const [kind, chunks = ""] = value.split(" ");
    return `${inverted ? " !" : ""} ${kind} ${numeric ? numbered(chunks) : chunks}`;
  },
});

/** All ports show nothing, unless inverted. */
const someRange = (label: string): Rendering => {
  const show = range(label, "dccp");
  return (option, listed) => (option.value === "0:65535" && !option.inverted ? "" : show(option, listed));
};

export const dccpListing = headed(" dccp", {
  sport: someRange("spt"),
  dport: someRange("dpt"),
  "dccp-types": ({ value, inverted }, { numeric, record, at }) => {
    const types = record.view.getUint16(at + DCCP_TYPES, true);
    const numbers = Array.from({ length: 16 }, (_, type) => type).filter((type) => (types >> type) & 1);
    return `${inverted ? " !" : ""} ${numeric ? numbers.join(",") : value}`;
  },
  "dccp-option": labelled(" option="),
});

/** Chunk types as numbers; flags behind a colon stay letters. */
function numbered(chunks: string): string {
  if (chunks === "ALL" || chunks === "NONE") return chunks;
  return chunks.replace(/(?<![:\w])\w+/g, (name) => hexadecimal(CHUNK_NUMBERS.get(name) ?? 0, 4));
}

const list: Rendering = ({ name, value, inverted }, { numeric, protocol }) => {
  const shown = value.replace(/\d+/g, (text) => port(text, protocolName(protocol), numeric));
  return `${name} ${inverted ? " !" : ""}${shown}`;
};

export const multiportListing = headed(" multiport ", {}, list);
