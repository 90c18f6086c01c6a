/**
 * SYNPROXY (ipt_SYNPROXY.c, nf_synproxy_core.c): answers SYNs in the server's place and opens a connection to it only for a
 * client that has got the answer. The server then begins with a number of its own, so the client's acknowledgements of it
 * are shifted as long as the connection lives.
 *
 *     client            machine                        server
 *       | SYN ------------> | kept                        |
 *       | <-- SYN ACK cookie|                             |
 *       | ACK of cookie --> | kept, SYN ----------------> |   begins a connection, which remembers the cookie
 *       |                   | kept <------------- SYN ACK |
 *       | <- ACK, a window  | ACK ----------------------> |
 *
 * What the client sends is seen by the rule, what the server answers in front of confirmation. Without its bytes a client's
 * acknowledgement counts as one of the right cookie, and numbers are not shifted.
 */
import {
  CONNECTION_COOKIE,
  CONNECTION_PROXIED,
  CONNECTION_PROXY_TIME,
  CONNECTION_SHIFT,
  CONNECTION_STATE,
  CONNECTION_TIME_SHIFT,
  TCP_CLOSE,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  WINDOW_MAX_WINDOW,
} from "../../src/blob/connections";
import {
  EVENT_ACKNOWLEDGE,
  EVENT_LEVEL,
  EVENT_PACKET,
  EVENT_PREFIX,
  EVENT_REPLY,
  EVENT_SEQUENCE,
} from "../../src/blob/events";
import {
  PACKET_DESTINATION_PORT,
  PACKET_FLAG_ODD,
  PACKET_FLAGS,
  PACKET_FRAGMENT_OFFSET,
  PACKET_INPUT,
  PACKET_LENGTH,
  PACKET_PAYLOAD,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_DESTINATION,
  PACKET_SOURCE_PORT,
  PACKET_TCP_DATA_OFFSET,
  PACKET_TCP_FLAGS,
  PACKET_TIME,
  VERDICT_ACCEPT,
  VERDICT_CONTINUE,
  VERDICT_DROP,
  VERDICT_STOLEN,
} from "../../src/blob/layout";
import { SYNPROXY_MSS, SYNPROXY_OPTIONS, SYNPROXY_WSCALE } from "../../src/blob/payloads";
import {
  segmentAck,
  segmentHeader,
  segmentKnown,
  segmentRead,
  segmentSequence,
  segmentWindow,
} from "../conntrack/segment";
import { connection, direction } from "../conntrack/track";
import { windowOf } from "../conntrack/window";
import { eventClose, eventOpen } from "../events";
import { ownGoesOn, ownPacket, sendGreeting, sendInstead, sendOn, sendOpening } from "../own";
import { fired, ownNumber, packet } from "../packet";
import { turnAround } from "../reply";
import { cookieOf, cookieSize } from "./synproxy-cookie";
import {
  echo,
  ECN,
  given,
  MSS,
  readOptions,
  SACK,
  SCALE,
  scale,
  setGiven,
  setScale,
  setSize,
  setTimes,
  size,
  time,
  TIMES,
  timesAt,
  writeSegment,
} from "./synproxy-segment";

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const ECE: u8 = 64;
const CWR: u8 = 128;
/** In the echo of our time: a scale, or that there is none; and what else the SYN offered. */
const TIME_MASK: u32 = 0x3f;
const SCALE_MASK: u32 = 15;
const ECHO_SACK: u32 = 16;
const ECHO_ECN: u32 = 32;
/** The size of a segment without bytes whose cookie cannot be read. */
const SIZE_UNKNOWN: u16 = 536;
const LOOPBACK: u32 = 0x00006f6c;
const LOOPBACK_MASK: u32 = 0x00ffffff;

/** A client's SYN is answered, its acknowledgement opens the connection; what else comes goes on. */
export function proxySyn(record: usize): u32 {
  const cut = (load<u8>(packet, PACKET_FLAGS) & PACKET_FLAG_ODD) != 0;
  if (load<u16>(packet, PACKET_FRAGMENT_OFFSET) || cut || !segmentRead()) return VERDICT_DROP;
  const flags = load<u8>(packet, PACKET_TCP_FLAGS);
  readOptions();
  if ((flags & (SYN | ACK | FIN | RST)) == SYN) {
    greet(record, flags);
    return VERDICT_STOLEN;
  }
  if ((flags & (SYN | ACK | FIN | RST)) != ACK) return VERDICT_CONTINUE;
  return open(segmentSequence - 1) ? VERDICT_STOLEN : VERDICT_DROP;
}

/** In front of confirmation: the answer of a server whose connection the machine has opened. */
export function proxyAnswer(): u32 {
  if (!connection || !load<u8>(connection, CONNECTION_PROXIED) || isLooped()) return VERDICT_ACCEPT;
  const state = load<u8>(connection, CONNECTION_STATE);
  const flags = load<u8>(packet, PACKET_TCP_FLAGS);
  if (!segmentRead()) return VERDICT_DROP;
  if (state == TCP_SYN_SENT) {
    // A client that goes on asking, since the SYN or its answer was lost. The number is the SYN's.
    if (!direction && (flags & (SYN | ACK)) == ACK) {
      readOptions();
      return open(segmentSequence) ? VERDICT_STOLEN : VERDICT_DROP;
    }
    remember();
  } else if (state == TCP_CLOSE) {
    if (direction && flags & RST) shiftBy(segmentSequence - 1);
    else if (!direction && (flags & (SYN | ACK)) == SYN) {
      store<u32>(connection, 0, CONNECTION_TIME_SHIFT);
      remember();
    }
  } else if (state == TCP_SYN_RECV && (flags & (SYN | ACK)) == (SYN | ACK)) {
    readOptions();
    settle();
    return VERDICT_STOLEN;
  }
  if (ownNumber) shiftOwn();
  return VERDICT_ACCEPT;
}

/** Of a SYN to the server: where the cookie is, and what time the client was told. */
function remember(): void {
  readOptions();
  store<u32>(connection, segmentAck, CONNECTION_COOKIE);
  if (given & TIMES) store<u32>(connection, echo, CONNECTION_PROXY_TIME);
}

/** The server's number is the client's cookie. What is shifted stays so, even by nothing (nf_ct_seqadj_init). */
function shiftBy(sequence: u32): void {
  const shift = segmentKnown ? load<u32>(connection, CONNECTION_COOKIE) - sequence : 0;
  if (shift) store<u32>(connection, shift, CONNECTION_SHIFT);
}

/** Numbers and times of the machine's own packets are shifted as they leave, as those of others are, whose bytes are not ours. */
function shiftOwn(): void {
  if (!segmentKnown) return;
  const shift = load<u32>(connection, CONNECTION_SHIFT);
  if (direction) store<u32>(segmentHeader, bswap<u32>(segmentSequence + shift), 4);
  else if (load<u8>(packet, PACKET_TCP_FLAGS) & ACK) store<u32>(segmentHeader, bswap<u32>(segmentAck - shift), 8);
  const later = load<u32>(connection, CONNECTION_TIME_SHIFT);
  if (!later) return;
  readOptions();
  if (!timesAt) return;
  if (direction) store<u32>(timesAt, bswap<u32>(time - later));
  else store<u32>(timesAt, bswap<u32>(echo + later), 4);
}

/** Answers a SYN. Without times there is no room to remember what it offers. */
function greet(record: usize, flags: u8): void {
  const offered = (flags & (ECE | CWR)) == (ECE | CWR) ? given | ECN : given;
  const cookie = cookieOf(segmentSequence, size);
  let options = offered & load<u8>(record, SYNPROXY_OPTIONS);
  setSize(load<u16>(record, SYNPROXY_MSS));
  if (options & TIMES) {
    const kept = (options & SCALE ? <u32>scale : SCALE_MASK) | (options & SACK ? ECHO_SACK : 0);
    setTimes((load<u32>(packet, PACKET_TIME) & ~TIME_MASK) | kept | (options & ECN ? ECHO_ECN : 0), time);
    setScale(load<u8>(record, SYNPROXY_WSCALE));
  } else options &= ~(SCALE | SACK | ECN);
  setGiven(options);
  const own = ownPacket();
  if (!own) return;
  turnAround(own);
  swapPorts(own);
  writeSegment(own, options & ECN ? SYN | ACK | ECE : SYN | ACK, cookie, segmentSequence + 1, 0);
  if (sendGreeting(own)) tell(own);
}

/** Opens the connection that a client acknowledges, by a SYN of this number. False where its cookie is none of ours. */
function open(sequence: u32): bool {
  const cookie = segmentAck - 1;
  const window = segmentWindow;
  const allowed = segmentKnown ? cookieSize(cookie, segmentSequence - 1) : SIZE_UNKNOWN;
  if (!allowed) return false;
  setSize(allowed);
  let options = given | MSS;
  if (options & TIMES && segmentKnown) {
    setScale(<u8>(echo & SCALE_MASK));
    if ((echo & SCALE_MASK) != SCALE_MASK) options |= SCALE;
    if (echo & ECHO_SACK) options |= SACK;
    if (echo & ECHO_ECN) options |= ECN;
  }
  setGiven(options);
  const own = ownPacket();
  if (!own) return true;
  goOn(own);
  writeSegment(own, options & ECN ? SYN | ECE | CWR : SYN, sequence, cookie, window);
  if (sendOpening(own)) tell(own);
  return true;
}

/** Both ends are told that the connection is there. From here on the client's numbers are shifted. */
function settle(): void {
  const sequence = segmentSequence;
  const ack = segmentAck;
  const options = given & TIMES;
  const theirs = time;
  const ours = echo;
  const window = segmentWindow >> scale;
  const record = connection;
  if (options) store<u32>(record, theirs - load<u32>(record, CONNECTION_PROXY_TIME), CONNECTION_TIME_SHIFT);
  setGiven(options);
  setTimes(ours, theirs);
  const towards = ownPacket();
  if (towards) {
    turnAround(towards);
    swapPorts(towards);
    writeSegment(towards, ACK, ack, sequence + 1, <u16>load<u32>(windowOf(record, 0), WINDOW_MAX_WINDOW));
    if (sendOn(towards)) tell(towards);
  }
  segmentRead();
  shiftBy(sequence);
  setGiven(options);
  setTimes(theirs, ours);
  const back = ownPacket();
  if (!back) return;
  goOn(back);
  writeSegment(back, ACK, sequence + 1, ack, window);
  if (sendInstead(back)) tell(back);
}

/** A packet of the machine's own has left. */
function tell(own: usize): void {
  const event = eventOpen(EVENT_REPLY, fired);
  if (!event) return;
  memory.copy(event + EVENT_PACKET, own, PACKET_SIZE);
  // Its bytes lie where the next one's will.
  store<u32>(event + EVENT_PACKET, 0, PACKET_PAYLOAD);
  if (load<u32>(own, PACKET_PAYLOAD)) {
    const size = <u32>load<u8>(own, PACKET_TCP_DATA_OFFSET);
    const header = event + EVENT_PREFIX;
    memory.copy(header, <usize>load<u32>(own, PACKET_PAYLOAD) + load<u32>(own, PACKET_LENGTH) - size, size);
    // NAT may have changed ports on the way.
    store<u16>(header, bswap<u16>(load<u16>(own, PACKET_SOURCE_PORT)));
    store<u16>(header, bswap<u16>(load<u16>(own, PACKET_DESTINATION_PORT)), 2);
    store<u8>(event, <u8>size, EVENT_LEVEL);
    store<u32>(event, bswap<u32>(load<u32>(header, 4)), EVENT_SEQUENCE);
    if (load<u8>(header, 13) & ACK) store<u32>(event, bswap<u32>(load<u32>(header, 8)), EVENT_ACKNOWLEDGE);
  }
  eventClose();
}

/** In the name of who sent the packet on its way: its ends as they are. */
function goOn(own: usize): void {
  turnAround(own);
  v128.store(own, v128.load(packet, PACKET_SOURCE), PACKET_SOURCE);
  v128.store(own, v128.load(packet, PACKET_DESTINATION), PACKET_DESTINATION);
  ownGoesOn(own);
}

function swapPorts(own: usize): void {
  store<u16>(own, load<u16>(packet, PACKET_SOURCE_PORT), PACKET_DESTINATION_PORT);
  store<u16>(own, load<u16>(packet, PACKET_DESTINATION_PORT), PACKET_SOURCE_PORT);
}

/** What has come in by the loopback interface has been seen as it went out. */
function isLooped(): bool {
  return (load<u32>(packet, PACKET_INPUT) & LOOPBACK_MASK) == LOOPBACK;
}
