/** Listings of what looks at connections, at rates, at the clock, or at where a packet comes from. */
import {
  CGROUP_PATH,
  CGROUP_PATH_BYTES,
  COMMENT_TEXT,
  HELPER_INVERT,
  HELPER_NAME,
  HELPER_NAME_BYTES,
  LIMIT_BURST,
  RECENT_HITCOUNT,
  RECENT_INVERT,
  RECENT_NAME,
  RECENT_NAME_BYTES,
  RECENT_SECONDS,
  RECENT_SIDE,
  TIME_FLAGS,
} from "../../blob/payloads.js";
import { listRates } from "../matches/rateest.js";
import { protocolNumber } from "../values/protocols.js";
import { headed, labelled, type Lister, named, optionOf, plain, type Rendering, without } from "./listed.js";

export const commentListing: Lister = ({ out, record, at, rule }) => {
  out.text(" /* ");
  out.copy(rule.text(record.view.getUint32(at + COMMENT_TEXT, true)));
  out.text(" */");
};

export const markListing = headed(" mark match", { mark: labelled(" ", "! ") });
export const connmarkListing = headed(" connmark match ", {
  mark: ({ value, inverted }) => `${inverted ? "!" : ""} ${value}`,
});

/** An address that is any is one in words. */
const address: Rendering = (option, listed) => {
  const any = !listed.numeric && /^(0\.0\.0\.0|::)(\/|$)/.test(option.value);
  return plain(any ? { ...option, value: "anywhere" } : option, listed);
};

export const conntrackListing = headed("", {
  ctorigsrc: address,
  ctorigdst: address,
  ctreplsrc: address,
  ctrepldst: address,
});

export const connlimitListing: Lister = (listed) => {
  const upto = optionOf(listed, "connlimit-upto");
  const limit = upto ?? optionOf(listed, "connlimit-above");
  const side = optionOf(listed, "connlimit-daddr") ? "dst" : "src";
  const mask = optionOf(listed, "connlimit-mask")?.value;
  listed.out.text(` #conn ${side}/${mask} ${upto ? "<=" : ">"} ${limit?.value}`);
};

export const limitListing: Lister = (listed) => {
  const burst = listed.record.view.getUint32(listed.at + LIMIT_BURST, true);
  listed.out.text(` limit: avg ${optionOf(listed, "limit")?.value} burst ${burst}`);
};

export const hashlimitListing = headed(
  " limit:",
  {
    "hashlimit-upto": labelled(" up to "),
    "hashlimit-above": labelled(" above "),
    "hashlimit-mode": ({ value }) => ` mode ${value.replaceAll(",", "-")}`,
    "hashlimit-name": () => "",
  },
  without("hashlimit-"),
);

const OPERATIONS = [
  ["set", "SET"],
  ["rcheck", "CHECK"],
  ["update", "UPDATE"],
  ["remove", "REMOVE"],
] as const;

/** A list's name may hold anything. */
export const recentListing: Lister = (listed) => {
  const { out, record, at } = listed;
  const seconds = record.view.getUint32(at + RECENT_SECONDS, true);
  const hits = record.view.getUint32(at + RECENT_HITCOUNT, true);
  out.text(record.bytes[at + RECENT_INVERT] ? " ! recent:" : " recent:");
  for (const [name, label] of OPERATIONS) if (optionOf(listed, name)) out.text(` ${label}`);
  if (seconds) out.option(" seconds: ", seconds);
  if (optionOf(listed, "reap")) out.text(" reap");
  if (hits) out.option(" hit_count: ", hits);
  if (optionOf(listed, "rttl")) out.text(" TTL-Match");
  out.text(" name: ");
  out.padded(record.bytes, at + RECENT_NAME, RECENT_NAME_BYTES);
  out.text(record.bytes[at + RECENT_SIDE] ? " side: dest" : " side: source");
  out.text(` mask: ${optionOf(listed, "mask")?.value}`);
};

export const statisticListing = headed(" statistic", {
  packet: (option, listed) => (option.value === "0" ? "" : plain(option, listed)),
});

export const connbytesListing = headed("", {
  "connbytes-mode": ({ value }) => ` connbytes mode ${value}`,
  "connbytes-dir": ({ value }) => ` connbytes direction ${value}`,
});

export const quotaListing = headed("", { quota: ({ value }) => ` quota: ${value} bytes` });
export const cpuListing = headed("", { cpu: labelled(" cpu ", "! ") });
export const helperListing: Lister = ({ out, record, at }) => {
  out.text(record.bytes[at + HELPER_INVERT] ? ' helper match ! "' : ' helper match "');
  out.padded(record.bytes, at + HELPER_NAME, HELPER_NAME_BYTES);
  out.byte(34);
};

/** Of groups and realms, 0 alone has the same name everywhere. */
function zero(name: string): Rendering {
  return (option, listed) =>
    plain({ ...option, value: listed.numeric && option.value === name ? "0x0" : option.value }, listed);
}

export const devgroupListing = headed("", {}, zero("default"));
export const realmListing = headed("", {}, zero("cosmos"));

/** Options as on a command line, which Linux shows here too. */
export const socketListing = headed(" socket", {}, (option, listed) =>
  plain({ ...option, name: `--${option.name}` }, listed),
);

/** Of users' and groups' names, only root is the same on every host. */
function id(label: string): Rendering {
  return ({ value, inverted }, { numeric }) =>
    `${inverted ? " !" : ""} ${label} ${!numeric && value === "0" ? "root" : value}`;
}

export const ownerListing = headed("", {
  "socket-exists": named("owner socket exists"),
  "uid-owner": id("owner UID match"),
  "gid-owner": id("owner GID match"),
  "suppl-groups": named("incl. suppl. groups"),
});

export const policyListing: Lister = (listed) => {
  const several = optionOf(listed, "next") !== undefined;
  let element = 0;
  listed.out.text(" policy match");
  for (const option of listed.options) {
    const isFirst = element === 0 && !["dir", "pol", "strict"].includes(option.name);
    if (several && (isFirst || option.name === "next")) listed.out.text(` [${element++}]`);
    if (option.name === "next") continue;
    const value = option.name === "proto" && listed.numeric ? `${protocolNumber(option.value)}` : option.value;
    listed.out.text(plain({ ...option, value }, listed));
  }
};

const ENDINGS: Readonly<Record<string, string>> = { 1: "st", 2: "nd", 3: "rd" };
const KERNEL_ZONE = 1;
const CONTIGUOUS = 2;
/** The last second of all, which is what stands where no date was given. */
const LAST_DATE = "2038-01-19T03:14:07";
const moment = (text: string): string => text.replace("T", " ");

/** In the order in which they show. */
const TIMES: readonly (readonly [option: string, show: (value: string) => string])[] = [
  ["timestart", (value) => ` from ${value}`],
  ["timestop", (value) => ` to ${value}`],
  ["weekdays", (value) => ` on ${value}`],
  ["monthdays", (value) => ` on ${value.replace(/(\d)(?=,|$)/g, (digit) => digit + (ENDINGS[digit] ?? "th"))}`],
  ["datestart", (value) => ` starting from ${moment(value)}`],
  ["datestop", (value) => (value === LAST_DATE ? "" : ` until date ${moment(value)}`)],
];

export const timeListing: Lister = (listed) => {
  const flags = listed.record.bytes[listed.at + TIME_FLAGS] as number;
  listed.out.text(" TIME");
  for (const [name, show] of TIMES) {
    const option = optionOf(listed, name);
    if (option) listed.out.text(show(option.value));
  }
  if (!(flags & KERNEL_ZONE)) listed.out.text(" UTC");
  if (flags & CONTIGUOUS) listed.out.text(" contiguous");
};

/** A path shows as it is. */
export const cgroupListing = headed(" cgroup", {
  cgroup: ({ value, inverted }) => ` ${inverted ? "! " : ""}${value}`,
  path({ inverted }, { record, at }) {
    const path = record.bytes.subarray(at + CGROUP_PATH, at + CGROUP_PATH + CGROUP_PATH_BYTES);
    return ` ${inverted ? "! " : ""}${Buffer.from(path.subarray(0, path.indexOf(0))).toString()}`;
  },
});

export const clusterListing = headed(" cluster", {}, ({ name, inverted, value }) => {
  const label = name.replace("cluster-local-nodemask", "node_mask").replace("cluster-", "").replace("-", "_");
  return ` ${inverted ? "!" : ""}${label}=${value}`;
});

export const connlabelListing = headed(" connlabel", {
  label: ({ inverted, value }) => ` ${inverted ? "! " : ""}${value.replaceAll('"', "")}`,
});

export const rateestListing: Lister = ({ out, record, at, numeric }) => {
  out.text(" rateest match ");
  listRates(out, record, at, numeric);
};
