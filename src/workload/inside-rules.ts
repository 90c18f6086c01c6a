/**
 * Traffic for a ruleset that came from elsewhere: nine packets in ten are made to meet a rule chosen at random, together
 * with the rules that lead to its chain; the tenth is anything. A rule may still not see its packet, when one in front of
 * it takes it.
 */
import {
  CT_STATE_NEW,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_PROTOCOL,
  PACKET_SIZE,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TCP_FLAGS,
  ROW_INVERT,
  ROW_INVERT_DESTINATION,
  ROW_SOURCE,
} from "../blob/layout.js";
import { readAddressText, writeAddress } from "../netfilter/address.js";
import { encodePacket } from "../netfilter/packet.js";
import {
  hasPorts,
  isIcmp,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_FLAGS,
} from "../netfilter/packet-names.js";
import { jumpOf } from "../ruleset/references.js";
import type { Chain, Ruleset, Table } from "../ruleset/ruleset.js";
import { type Draft, meetConditions } from "./meet-conditions.js";
import type { Random } from "./random.js";
import { type Spread, SPREADS } from "./spread.js";

/** A rule that a packet can reach. */
export interface RulePlace {
  readonly table: Table;
  readonly chain: Chain;
  /** Of the row in the table's store. */
  readonly ordinal: number;
}

const COMMON_PORTS = [22, 25, 53, 80, 123, 443, 993, 3306, 5432, 8080];
/** The longest way from a hook's chain to a rule that is followed. */
const LONGEST_WAY = 64;

export class InsideRules {
  /** Rules of chains that some hook leads to. */
  readonly places: readonly RulePlace[];
  private readonly callers = new Map<Chain, RulePlace[]>();
  private readonly templates: { readonly in: Uint8Array; readonly out: Uint8Array };

  constructor(
    private readonly ruleset: Ruleset,
    /** Addresses of the machine, without interfaces. */
    private readonly localAddresses: readonly string[],
  ) {
    const places = [...ruleset.tables.values()].flatMap((table) =>
      [...table.chains.values()].flatMap((chain) => chain.rules.map((ordinal) => ({ table, chain, ordinal }))),
    );
    for (const place of places) {
      const callee = calleeOf(place);
      const others = callee && this.callers.get(callee);
      if (others) others.push(place);
      else if (callee) this.callers.set(callee, [place]);
    }
    const reached = reachedChains(ruleset);
    this.places = places.filter(({ chain }) => reached.has(chain));
    const { family } = ruleset;
    const nowhere = family === "ipv4" ? "0.0.0.0" : "::";
    const blank = { family, source: nowhere, destination: nowhere } as const;
    this.templates = {
      in: encodePacket({ ...blank, input: "eth0", output: "eth1" }),
      out: encodePacket({ ...blank, path: "out", output: "eth0" }),
    };
  }

  /** `count` records, PACKET_SIZE bytes each. */
  traffic(count: number, random: Random, spread: Spread = "uniform"): Uint8Array {
    const { places } = this;
    const draw = SPREADS[spread](places.length, random);
    const bytes = new Uint8Array(count * PACKET_SIZE);
    for (let nth = 0; nth < count; nth++) {
      const inside = places.length > 0 && random.below(10) > 0;
      this.write(bytes, nth * PACKET_SIZE, random, inside ? places[draw()] : undefined);
    }
    return bytes;
  }

  /** One packet that meets the rule's conditions. */
  packet(place: RulePlace, random: Random): Uint8Array {
    const bytes = new Uint8Array(PACKET_SIZE);
    this.write(bytes, 0, random, place);
    return bytes;
  }

  private write(bytes: Uint8Array, at: number, random: Random, place: RulePlace | undefined): void {
    const way = place ? this.wayTo(place, random) : [];
    const hook = way[0]?.chain.name ?? random.pick(["PREROUTING", "INPUT", "OUTPUT"]);
    const { family } = this.ruleset;
    const view = new DataView(bytes.buffer);
    const draft: Draft = { bytes, view, at, random, local: random.pick(this.localAddresses) };
    bytes.set(hook === "OUTPUT" ? this.templates.out : this.templates.in, at);
    const toHost = hook === "INPUT" || (hook === "PREROUTING" && random.below(2) === 0);
    for (const field of [PACKET_SOURCE, PACKET_DESTINATION]) {
      if (field === PACKET_DESTINATION ? toHost : hook === "OUTPUT")
        writeAddress(bytes, at + field, draft.local, family);
      else writeSomeAddress(draft, at + field, family === "ipv4" ? 4 : 16);
    }
    const chance = random.below(20);
    const icmp = family === "ipv4" ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    bytes[at + PACKET_PROTOCOL] = chance < 12 ? PROTOCOL_TCP : chance < 19 ? PROTOCOL_UDP : icmp;
    view.setUint16(at + PACKET_SOURCE_PORT, random.between(1024, 65535), true);
    view.setUint16(
      at + PACKET_DESTINATION_PORT,
      random.below(2) ? random.pick(COMMON_PORTS) : random.below(65536),
      true,
    );
    bytes[at + PACKET_TCP_FLAGS] = 0;
    for (const { table, ordinal } of way) meetConditions(draft, table.rows, ordinal);
    this.settle(draft);
  }

  /** Makes the fields that hang on the protocol fit it. */
  private settle({ bytes, view, at }: Draft): void {
    const protocol = bytes[at + PACKET_PROTOCOL] as number;
    if (isIcmp(protocol)) {
      if (view.getUint16(at + PACKET_SOURCE_PORT, true) > 255) {
        view.setUint16(at + PACKET_SOURCE_PORT, protocol === PROTOCOL_ICMP ? 8 : 128, true);
        view.setUint16(at + PACKET_DESTINATION_PORT, 0, true);
      }
    } else if (!hasPorts(protocol)) {
      view.setUint16(at + PACKET_SOURCE_PORT, 0, true);
      view.setUint16(at + PACKET_DESTINATION_PORT, 0, true);
    }
    if (protocol === PROTOCOL_TCP && bytes[at + PACKET_TCP_FLAGS] === 0)
      bytes[at + PACKET_TCP_FLAGS] =
        view.getUint16(at + PACKET_CT_STATE, true) === CT_STATE_NEW ? TCP_FLAGS.syn : TCP_FLAGS.ack;
    if (protocol !== PROTOCOL_TCP) bytes[at + PACKET_TCP_FLAGS] = 0;
  }

  /** The rule with the rules that lead to it, the hook's first: callers are chosen at random. */
  private wayTo(place: RulePlace, random: Random): RulePlace[] {
    const way = [place];
    for (let { chain } = place; chain.hook < 0 && way.length < LONGEST_WAY; ) {
      const callers = this.callers.get(chain);
      if (!callers) break;
      const caller = random.pick(callers);
      way.unshift(caller);
      chain = caller.chain;
    }
    return way;
  }
}

/**
 * Addresses that are the machine's as far as its rules tell: single destinations of rules of chain INPUT, and one of the
 * networks for documentation for want of others.
 */
export function guessLocalAddresses(ruleset: Ruleset): string[] {
  const width = ruleset.family === "ipv4" ? 4 : 16;
  const found = new Set<string>(ruleset.family === "ipv4" ? ["192.0.2.1"] : ["2001:db8::1"]);
  for (const table of ruleset.tables.values())
    for (const ordinal of table.chains.get("INPUT")?.rules ?? []) {
      const { bytes, offsets, family } = table.rows;
      const row = offsets[ordinal] as number;
      const address = row + ROW_SOURCE + 2 * width;
      const isSingle = bytes.subarray(address + width, address + 2 * width).every((byte) => byte === 255);
      const isMulticast = family === "ipv4" ? (bytes[address] as number) >= 224 : bytes[address] === 255;
      if (isSingle && !isMulticast && !((bytes[row + ROW_INVERT] as number) & ROW_INVERT_DESTINATION))
        found.add(readAddressText(bytes, address, family));
    }
  return [...found];
}

/** Anything but loopback, multicast and the reserved ends of the address space. */
function writeSomeAddress({ bytes, random }: Draft, at: number, width: 4 | 16): void {
  for (let i = 0; i < width; i++) bytes[at + i] = random.below(256);
  const first = random.between(1, 222);
  bytes[at] = width === 16 ? 0x20 : first < 127 ? first : first + 1;
}

function calleeOf({ table, ordinal }: RulePlace): Chain | undefined {
  return table.chainsById[jumpOf(table, ordinal)];
}

function reachedChains(ruleset: Ruleset): Set<Chain> {
  const reached = new Set<Chain>();
  for (const table of ruleset.tables.values()) {
    const open = [...table.chains.values()].filter(({ hook }) => hook >= 0);
    for (let chain = open.pop(); chain; chain = open.pop()) {
      if (reached.has(chain)) continue;
      reached.add(chain);
      for (const ordinal of chain.rules) {
        const callee = calleeOf({ table, chain, ordinal });
        if (callee) open.push(callee);
      }
    }
  }
  return reached;
}
