/**
 * Targets: what a rule does to the packet that satisfied its matches. Each returns a verdict, or CONTINUE to go on with the
 * next rule. Verdict and jump targets are the walk's own.
 */
import {
  CT_STATE_DNAT,
  CT_STATE_SNAT,
  HOOK_OUTPUT,
  PACKET_CT_MARK,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_FRAGMENT_OFFSET,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_MSS,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_OPTIONS,
  RESULT_FLAG_CT_MARK,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_MASQUERADE,
  RESULT_FLAG_NOTRACK,
  RESULT_FLAG_SNAT,
  RESULT_FLAGS,
  RESULT_QUEUE,
  RESULT_REJECT,
  VERDICT_ACCEPT,
  VERDICT_CONTINUE,
  VERDICT_DROP,
  VERDICT_QUEUE,
  VERDICT_REJECT,
} from "../src/blob/layout";
import { CONNECTION_MARK } from "../src/blob/connections";
import * as P from "../src/blob/payloads";
import { checkCt, track } from "./conntrack/ct";
import { natBindAddress, natBindRange, natMasquerade } from "./conntrack/nat";
import { connections } from "./conntrack/pool";
import { connection, scratchTuple, trackNot } from "./conntrack/track";
import { eventAudit, eventLog, eventNflog, traceThis } from "./events";
import { localFirst, localOn } from "./locals";
import { tracked } from "./matches/conntrack";
import { checkRateestTarget, measure } from "./matches/rateest";
import { addressBytes, hook, packet, result } from "./packet";
import { pathMtu } from "./routing/mtu";
import { route } from "./routing/decide";
import { sourceOn } from "./routing/source";
import { classify, giveToProxy, setDscp, setTos, setTtl } from "./targets/mangle";
import { checkHmark, markByHash } from "./targets/hmark";
import { checkIdletimer, startTimer } from "./targets/idletimer";
import { proxySyn } from "./targets/synproxy";
import { sendCopy } from "./targets/tee";
import { changeSets, checkSetTarget } from "./targets/set";
import { checkEcn, setEcn, stripOptions } from "./targets/tcp-header";
import { mappedAddress, mapsDestination } from "./targets/netmap";
import { checkPrefixes, mapPrefix } from "./targets/npt";
import { traceOn } from "./walk";

const CONNMARK_SET: u8 = 0;
const CONNMARK_SAVE: u8 = 1;
/** The size a SYN without the option is taken to have (RFC 1122, RFC 8200). */
const MSS_IPV4: u16 = 536;
const MSS_IPV6: u16 = 1220;
const MSS_OPTION: u32 = 2;
const TCP_HEADER_MIN: u8 = 20;
/** Of TCPMSS_VALUE: what the path allows. */
const CLAMP: u16 = 0xffff;
const TCP_HEADER_MAX: u32 = 60;
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;

/** Does what the target record at `record` says; a VERDICT_*. */
export function fire(type: u32, record: usize): u32 {
  switch (type) {
    case P.TARGET_NONE:
      return VERDICT_CONTINUE;
    case P.TARGET_REJECT:
      store<u8>(result, load<u8>(record, P.REJECT_WITH), RESULT_REJECT);
      return VERDICT_REJECT;
    case P.TARGET_NFQUEUE:
      store<u16>(result, load<u16>(record, P.NFQUEUE_NUMBER), RESULT_QUEUE);
      return VERDICT_QUEUE;
    case P.TARGET_MARK:
      store<u32>(
        packet,
        (load<u32>(packet, PACKET_MARK) & ~load<u32>(record, P.SETMARK_MASK)) ^ load<u32>(record, P.SETMARK_VALUE),
        PACKET_MARK,
      );
      return VERDICT_CONTINUE;
    case P.TARGET_CONNMARK:
      return connmark(record);
    case P.TARGET_DNAT:
      if (connections()) return natBindRange(record);
      return rewrite(record, PACKET_DESTINATION, PACKET_DESTINATION_PORT, record + P.NAT_ADDRESS_MIN, RESULT_FLAG_DNAT);
    case P.TARGET_SNAT:
      if (connections()) return natBindRange(record);
      return rewrite(record, PACKET_SOURCE, PACKET_SOURCE_PORT, record + P.NAT_ADDRESS_MIN, RESULT_FLAG_SNAT);
    case P.TARGET_REDIRECT:
      return redirect(record);
    case P.TARGET_MASQUERADE:
      if (connections()) return masquerade(record);
      return rewrite(
        record,
        PACKET_SOURCE,
        PACKET_SOURCE_PORT,
        sourceOn(packet + PACKET_OUTPUT, route),
        RESULT_FLAG_MASQUERADE,
      );
    case P.TARGET_LOG:
      eventLog(record);
      return VERDICT_CONTINUE;
    case P.TARGET_NFLOG:
      eventNflog(record);
      return VERDICT_CONTINUE;
    case P.TARGET_AUDIT:
      eventAudit(record);
      return VERDICT_CONTINUE;
    case P.TARGET_CT:
      if (track(record)) flag(RESULT_FLAG_NOTRACK);
      return VERDICT_CONTINUE;
    case P.TARGET_NOTRACK:
      trackNot();
      flag(RESULT_FLAG_NOTRACK);
      return VERDICT_CONTINUE;
    case P.TARGET_TCPMSS:
      return clampMss(record);
    case P.TARGET_NETMAP:
      return netmap(record);
    case P.TARGET_TTL:
    case P.TARGET_HL:
      return setTtl(record);
    case P.TARGET_TOS:
      return setTos(record);
    case P.TARGET_DSCP:
      return setDscp(record);
    case P.TARGET_CLASSIFY:
      return classify(record);
    case P.TARGET_TPROXY:
      return giveToProxy(record);
    case P.TARGET_ECN:
      return setEcn(record);
    case P.TARGET_SNPT:
      return mapPrefix(record, true);
    case P.TARGET_DNPT:
      return mapPrefix(record, false);
    case P.TARGET_TCPOPTSTRIP:
      return stripOptions(record);
    case P.TARGET_SET:
      return changeSets(record);
    case P.TARGET_TRACE:
      if (traceThis()) traceOn();
      return VERDICT_CONTINUE;
    case P.TARGET_TEE:
      return sendCopy(record);
    case P.TARGET_RATEEST:
      measure(record);
      return VERDICT_CONTINUE;
    case P.TARGET_IDLETIMER:
      startTimer(record);
      return VERDICT_CONTINUE;
    case P.TARGET_HMARK:
      return markByHash(record);
    case P.TARGET_SYNPROXY:
      return proxySyn(record);
    // Nothing that a rule can see: CHECKSUM fills in what hardware left open, LED lights a lamp, the others label for a
    // security module.
    case P.TARGET_CHECKSUM:
    case P.TARGET_LED:
    case P.TARGET_SECMARK:
    case P.TARGET_CONNSECMARK:
      return VERDICT_CONTINUE;
    default:
      return VERDICT_CONTINUE;
  }
}

/** Whether the walk can do a target of this type whose record has `bytes` bytes. */
export function targetSize(type: u32, bytes: u32): bool {
  switch (type) {
    case P.TARGET_NONE:
    case P.TARGET_VERDICT:
    case P.TARGET_JUMP:
    case P.TARGET_REJECT:
    case P.TARGET_NOTRACK:
    case P.TARGET_TCPMSS:
    case P.TARGET_CHECKSUM:
    case P.TARGET_TRACE:
    case P.TARGET_TTL:
    case P.TARGET_HL:
    case P.TARGET_TOS:
    case P.TARGET_DSCP:
    case P.TARGET_CLASSIFY:
    case P.TARGET_ECN:
    case P.TARGET_AUDIT:
    case P.TARGET_CONNSECMARK:
      return bytes == 8;
    case P.TARGET_SECMARK:
      return bytes == P.SECMARK_SIZE;
    case P.TARGET_SNPT:
    case P.TARGET_DNPT:
      return bytes == P.NPT_SIZE;
    case P.TARGET_TEE:
      return bytes == P.TEE_SIZE;
    case P.TARGET_RATEEST:
      return bytes == P.SETRATEEST_SIZE;
    case P.TARGET_IDLETIMER:
      return bytes == P.IDLETIMER_SIZE;
    case P.TARGET_HMARK:
      return bytes == P.HMARK_SIZE;
    case P.TARGET_LED:
      return bytes == P.LED_SIZE;
    case P.TARGET_SYNPROXY:
      return bytes == P.SYNPROXY_SIZE && connections() != 0;
    case P.TARGET_TCPOPTSTRIP:
      return bytes == P.TCPOPTSTRIP_SIZE;
    case P.TARGET_SET:
      return bytes == P.SETTARGET_SIZE;
    case P.TARGET_NFQUEUE:
    case P.TARGET_MARK:
    case P.TARGET_MASQUERADE:
    case P.TARGET_REDIRECT:
      return bytes == 16;
    case P.TARGET_CONNMARK:
      return bytes == P.SETCONNMARK_SIZE;
    case P.TARGET_DNAT:
    case P.TARGET_SNAT:
    case P.TARGET_NETMAP:
      return bytes == P.NAT_SIZE;
    case P.TARGET_TPROXY:
      return bytes == P.TPROXY_SIZE;
    case P.TARGET_LOG:
      return bytes == P.LOG_SIZE;
    case P.TARGET_NFLOG:
      return bytes == P.NFLOG_SIZE;
    case P.TARGET_CT:
      return bytes == P.CT_SIZE;
    default:
      return false;
  }
}

/** Whether the values of a record of a known type are ones that the walk can do. */
export function checkTarget(type: u32, record: usize): bool {
  if (type == P.TARGET_VERDICT) {
    const verdict = load<u32>(record, P.VERDICT_VALUE);
    return verdict == 0 || verdict == 1 || verdict == 3 || verdict == 5;
  }
  if (type == P.TARGET_CT) return checkCt(record);
  if (type == P.TARGET_SET) return checkSetTarget(record);
  if (type == P.TARGET_IDLETIMER) return checkIdletimer(record);
  if (type == P.TARGET_RATEEST) return checkRateestTarget(record);
  if (type == P.TARGET_HMARK) return checkHmark(record);
  if (type == P.TARGET_NETMAP) return (load<u32>(record, P.NAT_FLAGS) & P.NAT_FLAG_ADDRESS) != 0;
  if (type == P.TARGET_TTL || type == P.TARGET_HL)
    return (
      load<u8>(record, P.SETTTL_MODE) == 0 ||
      (load<u8>(record, P.SETTTL_MODE) <= 2 && load<u8>(record, P.SETTTL_VALUE) != 0)
    );
  if (type == P.TARGET_ECN) return checkEcn(record);
  if (type == P.TARGET_SNPT || type == P.TARGET_DNPT) return checkPrefixes(record);
  if (type == P.TARGET_DSCP) return load<u8>(record, P.SETDSCP_VALUE) <= 63;
  return true;
}

function flag(bit: u32): void {
  store<u8>(result, <u8>(load<u8>(result, RESULT_FLAGS) | bit), RESULT_FLAGS);
}

function redirectAddress(): usize {
  if (hook == HOOK_OUTPUT) {
    const loopback = scratchTuple(6);
    store<u64>(loopback, addressBytes == 4 ? 0x0100007f : 0);
    store<u64>(loopback, addressBytes == 4 ? 0 : 0x0100000000000000, 8);
    return loopback;
  }
  const onInput = localOn(packet + PACKET_INPUT);
  return onInput ? onInput : localFirst();
}

function connmark(record: usize): u32 {
  if (!tracked()) return VERDICT_CONTINUE;
  const mode = load<u8>(record, P.SETCONNMARK_MODE);
  const ctMask = load<u32>(record, P.SETCONNMARK_CT_MASK);
  const nfMask = load<u32>(record, P.SETCONNMARK_NF_MASK);
  const mark = load<u32>(packet, PACKET_MARK);
  const ctMark = load<u32>(packet, PACKET_CT_MARK);
  if (mode == CONNMARK_SET) {
    store<u32>(packet, shift(record, (ctMark & ~ctMask) ^ load<u32>(record, P.SETCONNMARK_VALUE)), PACKET_CT_MARK);
    flag(RESULT_FLAG_CT_MARK);
  } else if (mode == CONNMARK_SAVE) {
    store<u32>(packet, (ctMark & ~ctMask) ^ shift(record, mark & nfMask), PACKET_CT_MARK);
    flag(RESULT_FLAG_CT_MARK);
  } else store<u32>(packet, (mark & ~nfMask) ^ shift(record, ctMark & ctMask), PACKET_MARK);
  if (connections() && connection) store<u32>(connection, load<u32>(packet, PACKET_CT_MARK), CONNECTION_MARK);
  return VERDICT_CONTINUE;
}

function shift(record: usize, mark: u32): u32 {
  const bits = <u32>load<u8>(record, P.SETCONNMARK_SHIFT);
  return load<u8>(record, P.SETCONNMARK_SHIFT_DIRECTION) ? mark >> bits : mark << bits;
}

/** Gives one end of the packet the range's first address and port. `given` 0: no address is known. */
function rewrite(record: usize, address: usize, port: usize, given: usize, mark: u32): u32 {
  const flags = load<u32>(record, P.NAT_FLAGS);
  flag(mark);
  const bit: u32 = mark == RESULT_FLAG_DNAT ? CT_STATE_DNAT : CT_STATE_SNAT;
  const oldPort = load<u16>(packet + port);
  const old = v128.load(packet + address);
  if (mark == RESULT_FLAG_MASQUERADE) {
    if (!given) return VERDICT_ACCEPT;
    store<u8>(
      result,
      <u8>((load<u8>(result, RESULT_FLAGS) & ~RESULT_FLAG_MASQUERADE) | RESULT_FLAG_SNAT),
      RESULT_FLAGS,
    );
    memory.copy(packet + address, given, addressBytes);
  } else if (flags & P.NAT_FLAG_ADDRESS) memory.copy(packet + address, given, addressBytes);
  if (flags & P.NAT_FLAG_PORT) store<u16>(packet + port, load<u16>(record, P.NAT_PORT_MIN));
  rewritten(bit, old, packet + address, oldPort, packet + port);
  return VERDICT_ACCEPT;
}

/** The address that the way out has; Linux drops where there is none. */
function masquerade(record: usize): u32 {
  const address = sourceOn(packet + PACKET_OUTPUT, route);
  return address ? natMasquerade(record, address) : VERDICT_DROP;
}

/** A connection whose packets really change is in the NAT state (nf_nat_setup_info). */
function rewritten(bit: u32, oldAddress: v128, address: usize, oldPort: u16, port: usize): void {
  if (oldPort != load<u16>(port) || v128.any_true(v128.xor(oldAddress, v128.load(address))))
    store<u16>(packet, <u16>(load<u16>(packet, PACKET_CT_STATE) | bit), PACKET_CT_STATE);
}

function netmap(record: usize): u32 {
  if (connections()) {
    const mapped = scratchTuple(6);
    v128.store(mapped, mappedAddress(record));
    return natBindAddress(record, mapped);
  }
  const destination = mapsDestination();
  const address = packet + (destination ? PACKET_DESTINATION : PACKET_SOURCE);
  const port = packet + (destination ? PACKET_DESTINATION_PORT : PACKET_SOURCE_PORT);
  const old = v128.load(address);
  v128.store(address, mappedAddress(record));
  flag(destination ? RESULT_FLAG_DNAT : RESULT_FLAG_SNAT);
  rewritten(destination ? CT_STATE_DNAT : CT_STATE_SNAT, old, address, load<u16>(port), port);
  return VERDICT_ACCEPT;
}

/** To this host: its loopback for what it sends itself, else the address of the interface that the packet came in by. */
function redirect(record: usize): u32 {
  if (connections()) {
    const address = redirectAddress();
    return address ? natBindAddress(record, address) : VERDICT_DROP;
  }
  const to = packet + PACKET_DESTINATION;
  const oldPort = load<u16>(packet, PACKET_DESTINATION_PORT);
  const old = v128.load(to);
  const given = redirectAddress();
  if (!given) return VERDICT_DROP;
  memory.copy(to, given, addressBytes);
  flag(RESULT_FLAG_DNAT);
  if (load<u32>(record, P.NAT_FLAGS) & P.NAT_FLAG_PORT)
    store<u16>(packet, load<u16>(record, P.NAT_PORT_MIN), PACKET_DESTINATION_PORT);
  rewritten(CT_STATE_DNAT, old, to, oldPort, packet + PACKET_DESTINATION_PORT);
  return VERDICT_ACCEPT;
}

/**
 * Lowers the size that the SYN announces, never raises it; a SYN that announces none grows by an option of 4 bytes where
 * that needs no data moved (xt_TCPMSS.c).
 */
function clampMss(record: usize): u32 {
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET)) return VERDICT_CONTINUE;
  if (load<u8>(packet, PACKET_TCP_DATA_OFFSET) < TCP_HEADER_MIN) return VERDICT_DROP;
  const headers = (addressBytes == 4 ? IPV4_HEADER : IPV6_HEADER) + TCP_HEADER_MIN;
  let limit = load<u16>(record, P.TCPMSS_VALUE);
  if (limit == CLAMP) {
    const mtu = pathMtu();
    if (mtu <= headers) return VERDICT_DROP;
    limit = <u16>(mtu - headers < CLAMP ? mtu - headers : CLAMP);
  }
  const old = load<u16>(packet, PACKET_MSS);
  const assumed: u16 = addressBytes == 4 ? MSS_IPV4 : MSS_IPV6;
  if (old == 0) {
    const header = <u32>load<u8>(packet, PACKET_TCP_DATA_OFFSET);
    const length = load<u32>(packet, PACKET_LENGTH);
    if (header >= TCP_HEADER_MAX || length > header + (addressBytes == 4 ? IPV4_HEADER : IPV6_HEADER))
      return VERDICT_CONTINUE;
    store<u16>(packet, limit < assumed ? limit : assumed, PACKET_MSS);
    store<u32>(packet, load<u32>(packet, PACKET_TCP_OPTIONS) | (1 << MSS_OPTION), PACKET_TCP_OPTIONS);
    store<u8>(packet, <u8>(header + 4), PACKET_TCP_DATA_OFFSET);
    store<u32>(packet, length + 4, PACKET_LENGTH);
  } else if (old > limit) store<u16>(packet, limit, PACKET_MSS);
  return VERDICT_CONTINUE;
}
