/** How each target shows in a listing, by its type. Its name stands in a column of its own. */
import * as P from "../../blob/payloads.js";
import { printTrigger } from "../targets/led.js";
import { tcpOptionName } from "../targets/tcpoptstrip.js";
import { tosSymbol } from "../values/tos.js";
import { headed, labelled, type Lister, optionOf, type Rendering, without } from "./listed.js";

const ALL_BITS = 0xffffffff;
const hex = (value: number, digits = 1): string => `0x${(value >>> 0).toString(16).padStart(digits, "0")}`;

/** What `(old & ~mask) ^ value` does, in the fewest words. */
function operation(value: number, mask: number): string {
  if (value === 0) return `and ${hex(~mask)}`;
  if (value === mask) return `or ${hex(value)}`;
  if (mask === 0) return `xor ${hex(value)}`;
  return mask === ALL_BITS ? `set ${hex(value)}` : `xset ${hex(value)}/${hex(mask)}`;
}

const mark: Lister = ({ out, record, at }) => {
  const [value, mask] = [P.SETMARK_VALUE, P.SETMARK_MASK].map((field) => record.view.getUint32(at + field, true));
  out.text(` MARK ${operation(value as number, mask as number)}`);
};

const SET = 0;
const SAVE = 1;

const connmark: Lister = ({ out, record, at }) => {
  const { bytes, view } = record;
  const mode = bytes[at + P.SETCONNMARK_MODE];
  const connection = view.getUint32(at + P.SETCONNMARK_CT_MASK, true);
  const packet = view.getUint32(at + P.SETCONNMARK_NF_MASK, true);
  out.text(" CONNMARK ");
  if (mode === SET) out.text(operation(view.getUint32(at + P.SETCONNMARK_VALUE, true), connection));
  else {
    out.text(mode === SAVE ? "save" : "restore");
    if (connection !== packet)
      out.text(
        mode === SAVE
          ? ` nfmask ${hex(packet)} ctmask ~${hex(connection)}`
          : ` ctmask ${hex(connection)} nfmask ~${hex(packet)}`,
      );
    else if (packet !== ALL_BITS) out.text(` mask ${hex(packet)}`);
  }
  const shift = bytes[at + P.SETCONNMARK_SHIFT] as number;
  if (shift) out.option(bytes[at + P.SETCONNMARK_SHIFT_DIRECTION] ? " right-shift-mark " : " left-shift-mark ", shift);
};

/** An address range behind `label`; ports alone begin with a colon there. */
function nat(option: string, label: string): Lister {
  return headed("", { [option]: labelled(` ${label}`) });
}

const LEVELS = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
const LOG_WORDS = [
  [1, "tcp-sequence"],
  [2, "tcp-options"],
  [4, "ip-options"],
  [8, "uid"],
  [32, "macdecode"],
] as const;

const log: Lister = ({ out, record, at, numeric }) => {
  const { bytes } = record;
  const level = bytes[at + P.LOG_LEVEL] as number;
  const flags = bytes[at + P.LOG_FLAGS] as number;
  if (numeric) out.text(` LOG flags ${flags} level ${level}`);
  else {
    out.text(` LOG level ${LEVELS[level]}`);
    for (const [bit, word] of LOG_WORDS) if (flags & bit) out.text(` ${word}`);
  }
  if (bytes[at + P.LOG_PREFIX] === 0) return;
  out.text(' prefix "');
  out.padded(bytes, at + P.LOG_PREFIX, P.LOG_PREFIX_BYTES);
  out.byte(34);
};

const nflog: Lister = (listed) => {
  const { out, record, at } = listed;
  out.optionalText(" nflog-prefix ", record.bytes, at + P.NFLOG_PREFIX, P.NFLOG_PREFIX_BYTES);
  for (const name of ["nflog-group", "nflog-size", "nflog-range", "nflog-threshold"]) {
    const option = optionOf(listed, name);
    if (option) out.text(` ${name} ${option.value}`);
  }
};

const MODES = ["set to", "increment by", "decrement by"];

function hops(name: string): Lister {
  return ({ out, record, at }) => {
    out.text(` ${name} ${MODES[record.bytes[at + P.SETTTL_MODE] as number]} ${record.bytes[at + P.SETTTL_VALUE]}`);
  };
}

const tos: Lister = ({ out, record, at, numeric }) => {
  const value = record.bytes[at + P.SETTOS_VALUE] as number;
  const mask = record.bytes[at + P.SETTOS_MASK] as number;
  const symbol = numeric ? undefined : tosSymbol(value, mask);
  out.text(symbol ? "  TOS " : " TOS ");
  if (symbol) out.text(`set${symbol}`);
  else if (numeric || (value !== 0 && value !== mask && mask !== 0)) out.text(`set ${hex(value, 2)}/${hex(mask, 2)}`);
  else if (value === 0) out.text(`and ${hex(~mask & 255, 2)}`);
  else out.text(value === mask ? `or ${hex(value, 2)}` : `xor ${hex(value, 2)}`);
};

const tproxy: Lister = (listed) => {
  const value = (name: string): string | undefined => optionOf(listed, name)?.value;
  listed.out.text(` TPROXY redirect ${value("on-ip")}:${value("on-port")} mark ${value("tproxy-mark")}`);
};

const tcpoptstrip: Lister = (listed) => {
  const option = optionOf(listed, "strip-options");
  if (!option) return;
  const kinds = listed.numeric
    ? option.value
    : option.value.replace(/\d+/g, (kind) => tcpOptionName(Number(kind)) ?? kind);
  listed.out.text(` TCPOPTSTRIP options ${kinds}`);
};

/** A space behind every word. */
const synproxy: Lister = ({ out, options }) => {
  out.text(" SYNPROXY ");
  for (const { name, value } of options) out.text(value === "" ? `${name} ` : `${name} ${value} `);
};

/** A space behind every word. Behind the name of a whole IPv6 prefix stands nothing. */
const hmark: Lister = (listed) => {
  const { out, options, rule } = listed;
  const value = (name: string): string | undefined => optionOf(listed, `hmark-${name}`)?.value;
  out.text(` HMARK mod ${value("mod")} `);
  const offset = value("offset");
  if (offset !== undefined) out.text(`+ ${hex(Number(offset))} `);
  if (value("tuple") !== undefined) out.text("ct, ");
  for (const { name, value: text } of options) {
    const short = name.replace("hmark-", "");
    if (["mod", "offset", "tuple"].includes(short)) continue;
    const whole = rule.width === 16 && short.endsWith("prefix") && text === "128";
    out.text(`${short} ${whole ? "" : text.startsWith("0x") ? hex(Number(text)) : text} `);
  }
};

/** Milliseconds as a number with a sign, but for ever. */
const led: Lister = ({ out, record, at }) => {
  const delay = record.view.getInt32(at + P.LED_DELAY, true);
  out.text(" led-trigger-id:");
  printTrigger(out, record, at);
  out.text(delay === -1 ? " led-delay:inf" : ` led-delay:${delay}ms`);
  if (record.bytes[at + P.LED_ALWAYS_BLINK]) out.text(" led-always-blink");
};

const clusterip = headed(" CLUSTERIP", { new: () => "" }, ({ name, value }) => ` ${name.replace("-", "_")}=${value}`);

const queue = without("queue-");
const queueNumber: Rendering = ({ name, value }) => ` NFQUEUE ${name.replace("queue-", "")} ${value}`;

export const TARGET_LISTINGS: Readonly<Record<number, Lister>> = {
  [P.TARGET_NONE]: headed(""),
  [P.TARGET_VERDICT]: headed(""),
  [P.TARGET_AUDIT]: headed(" AUDIT", { type: ({ value }) => ` ${value}` }),
  [P.TARGET_CHECKSUM]: headed(" CHECKSUM", {}, without("checksum-")),
  [P.TARGET_CLASSIFY]: ({ out, record, at }) => {
    const priority = record.view.getUint32(at + P.CLASSIFY_PRIORITY, true);
    out.text(` CLASSIFY set ${(priority >>> 16).toString(16)}:${(priority & 0xffff).toString(16)}`);
  },
  [P.TARGET_CLUSTERIP]: clusterip,
  [P.TARGET_CONNMARK]: connmark,
  [P.TARGET_CONNSECMARK]: headed(" CONNSECMARK"),
  [P.TARGET_CT]: headed(" CT"),
  [P.TARGET_DNAT]: nat("to-destination", "to:"),
  [P.TARGET_DNPT]: headed(" DNPT"),
  [P.TARGET_DSCP]: headed("", { "set-dscp": labelled(" DSCP set ") }),
  [P.TARGET_ECN]: headed(" ECN", {
    "ecn-tcp-remove": () => " TCP remove",
    "ecn-tcp-ece": labelled(" ECE="),
    "ecn-tcp-cwr": labelled(" CWR="),
    "ecn-ip-ect": labelled(" ECT codepoint="),
  }),
  [P.TARGET_HL]: hops("HL"),
  [P.TARGET_HMARK]: hmark,
  [P.TARGET_IDLETIMER]: headed("", { timeout: labelled(" timeout:"), label: labelled(" label:") }),
  [P.TARGET_LED]: led,
  [P.TARGET_LOG]: log,
  [P.TARGET_MARK]: mark,
  [P.TARGET_MASQUERADE]: nat("to-ports", "masq ports: "),
  [P.TARGET_NETMAP]: nat("to", "to:"),
  [P.TARGET_NFLOG]: nflog,
  [P.TARGET_NFQUEUE]: headed("", { "queue-num": queueNumber, "queue-balance": queueNumber }, queue),
  [P.TARGET_NOTRACK]: headed(" NOTRACK"),
  [P.TARGET_RATEEST]: headed("", {}, without("rateest-")),
  [P.TARGET_REDIRECT]: nat("to-ports", "redir ports "),
  [P.TARGET_REJECT]: headed(""),
  [P.TARGET_SECMARK]: headed(" SECMARK"),
  [P.TARGET_SET]: headed(""),
  [P.TARGET_SNPT]: headed(" SNPT"),
  [P.TARGET_SNAT]: nat("to-source", "to:"),
  [P.TARGET_SYNPROXY]: synproxy,
  [P.TARGET_TCPMSS]: headed(" TCPMSS", { "set-mss": labelled(" set "), "clamp-mss-to-pmtu": () => " clamp to PMTU" }),
  [P.TARGET_TCPOPTSTRIP]: tcpoptstrip,
  [P.TARGET_TEE]: headed(" TEE", { gateway: labelled(" gw:"), oif: labelled(" oif=") }),
  [P.TARGET_TOS]: tos,
  [P.TARGET_TPROXY]: tproxy,
  [P.TARGET_TRACE]: headed(""),
  [P.TARGET_TTL]: hops("TTL"),
};
