/** Listings of what looks at headers between IP's and the payload: esp, ah, ipcomp, frag, rt. */
import {
  FRAG_ID_MIN,
  FRAG_INVERT,
  RT_INVERT,
  RT_SEGMENTS_MAX,
  RT_SEGMENTS_MIN,
  SPI_INVERT,
  SPI_MIN,
} from "../../blob/payloads.js";
import { headed, type Lister, type Rendering, without } from "./listed.js";

/** `spis:!1:5`, `spi:5`. */
function range(label: string, space = " "): Rendering {
  return ({ value, inverted }) => `${space}${label}${value.includes(":") ? "s" : ""}:${inverted ? "!" : ""}${value}`;
}

const ALL = 0xffffffff;
const INVERTED = 1;

/** Where in a record a range of 32 bits lies, and what shows when it is inverted and of all, which prints nothing. */
interface EmptyRange {
  readonly minimum: number;
  readonly invert: number;
  readonly text: string;
}

function withEmpty(heading: string, empty: EmptyRange, list: Lister): Lister {
  return (listed) => {
    const { out, record, at } = listed;
    const [first, last] = [empty.minimum, empty.minimum + 4].map((field) => record.view.getUint32(at + field, true));
    out.text(heading);
    if (first === 0 && last === ALL && (record.bytes[at + empty.invert] as number) & INVERTED) out.text(empty.text);
    list(listed);
  };
}

const reserved: Rendering = () => " reserved";

function indexed(heading: string, option: string, space: string): Lister {
  const empty = { minimum: SPI_MIN, invert: SPI_INVERT, text: `${space}spis:!0:${ALL}` };
  const renderings = {
    [option]: range("spi", space),
    ahlen: range("length", ""),
    ahres: reserved,
    compres: reserved,
  };
  return withEmpty(heading, empty, headed("", renderings));
}

export const espListing = indexed(" esp", "espspi", " ");
export const ahListing = indexed(" ah ", "ahspi", "");
export const ipcompListing = indexed(" comp ", "ipcompspi", "");

export const fragListing = withEmpty(
  " frag ",
  { minimum: FRAG_ID_MIN, invert: FRAG_INVERT, text: `ids:!0:${ALL}` },
  headed("", { fragid: range("id", ""), fraglen: range("length"), fragres: reserved }, without("frag")),
);

/** The range comes behind the type. */
export const rtListing: Lister = (listed) => {
  const { record, at, options } = listed;
  const [first, last] = [RT_SEGMENTS_MIN, RT_SEGMENTS_MAX].map((field) => record.view.getUint32(at + field, true));
  const none = first === 0 && last === ALL && (record.bytes[at + RT_INVERT] as number) & RT_INVERT_SEGMENTS;
  const empty = none ? [{ name: "rt-segsleft", inverted: true, value: `0:${ALL}` }] : [];
  const type = options.filter(({ name }) => name === "rt-type");
  listRt({ ...listed, options: [...type, ...empty, ...options.filter(({ name }) => name !== "rt-type")] });
};

const RT_INVERT_SEGMENTS = 2;

const listRt = headed(
  " rt",
  {
    "rt-type": range("type"),
    "rt-segsleft": range("segsleft"),
    "rt-len": range("length"),
    "rt-0-res": reserved,
  },
  without("rt-"),
);
