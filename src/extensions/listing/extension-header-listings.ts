/** Listings of what looks at extension headers of IPv6 that `security-listings.ts` does not have. */
import { IPV6HEADER_INVERT, IPV6HEADER_MASK, MH_INVERT, MH_MAX, MH_MIN } from "../../blob/payloads.js";
import { mobilityName } from "../matches/mh.js";
import { headed, labelled, type Lister, optionOf, type Rendering } from "./listed.js";

/** ` length:!3`, ` opts 1:2,5`. */
export function headerOptionsListing(name: string): Lister {
  return headed(` ${name}`, {
    [`${name}-len`]: labelled(" length:"),
    [`${name}-opts`]: ({ value }) => ` opts ${value}`,
  });
}

/** An address has a place of its own for the `!`, which a space fills otherwise. */
const segment: Rendering = ({ name, inverted, value }) => ` ${name.slice(4)} ${inverted ? "!" : ""} ${value}`;

export const srhListing = headed(
  " srh",
  { "srh-psid": segment, "srh-nsid": segment, "srh-lsid": segment },
  ({ name, inverted, value }) => ` ${name.slice(4)}:${inverted ? "!" : ""}${value}`,
);

const LAST_TYPE = 255;

/** Inverted it shows even where it is of all types, which prints nothing. */
export const mhListing: Lister = ({ out, record, at, numeric }) => {
  const [first, last] = [MH_MIN, MH_MAX].map((field) => record.bytes[at + field] as number) as [number, number];
  const inverted = record.bytes[at + MH_INVERT] !== 0;
  const shown = (type: number): string => (numeric ? String(type) : mobilityName(type));
  out.text(" mh");
  if (first === 0 && last === LAST_TYPE && !inverted) return;
  out.text(` ${inverted ? "!" : ""}${shown(first)}`);
  if (first !== last) out.text(`:${shown(last)}`);
};

export const ipv6headerListing: Lister = (listed) => {
  const { out, record, at, numeric } = listed;
  const mask = (record.bytes[at + IPV6HEADER_MASK] as number).toString(16).toUpperCase().padStart(2, "0");
  out.text(` ipv6header flags:${record.bytes[at + IPV6HEADER_INVERT] ? "!" : ""}`);
  out.text(numeric ? `0x${mask}` : (optionOf(listed, "header")?.value ?? ""));
  if (optionOf(listed, "soft")) out.text(" soft");
};
