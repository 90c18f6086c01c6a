/**
 * Targets of the nat table. With connections each binds the connection, whose packets are then all changed alike; without, it
 * changes the packet at hand and no other.
 */
import {
  CT_STATE_DNAT,
  CT_STATE_SNAT,
  HOOK_OUTPUT,
  PACKET_CT_STATE,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_INPUT,
  PACKET_OUTPUT,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  RESULT_FLAG_DNAT,
  RESULT_FLAG_MASQUERADE,
  RESULT_FLAG_SNAT,
  RESULT_FLAGS,
  VERDICT_ACCEPT,
  VERDICT_DROP,
} from "../../src/blob/layout";
import * as P from "../../src/blob/payloads";
import { natBindAddress, natMasquerade } from "../conntrack/nat";
import { connections } from "../conntrack/pool";
import { scratchTuple } from "../conntrack/track";
import { localFirst, localOn } from "../locals";
import { addressBytes, flagResult, hook, packet, result } from "../packet";
import { route } from "../routing/decide";
import { sourceOn } from "../routing/source";
import { mappedAddress, mapsDestination } from "./netmap";

/** Gives one end of the packet the range's first address and port. `given` 0: no address is known. */
export function rewrite(record: usize, address: usize, port: usize, given: usize, mark: u32): u32 {
  const flags = load<u32>(record, P.NAT_FLAGS);
  flagResult(mark);
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

/** To this host: its loopback for what it sends itself, else the address of the interface that the packet came in by. */
export function redirect(record: usize): u32 {
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
  flagResult(RESULT_FLAG_DNAT);
  if (load<u32>(record, P.NAT_FLAGS) & P.NAT_FLAG_PORT)
    store<u16>(packet, load<u16>(record, P.NAT_PORT_MIN), PACKET_DESTINATION_PORT);
  rewritten(CT_STATE_DNAT, old, to, oldPort, packet + PACKET_DESTINATION_PORT);
  return VERDICT_ACCEPT;
}

/** The address that the way out has; Linux drops where there is none. */
export function masquerade(record: usize): u32 {
  const address = sourceOn(packet + PACKET_OUTPUT, route);
  return address ? natMasquerade(record, address) : VERDICT_DROP;
}

export function netmap(record: usize): u32 {
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
  flagResult(destination ? RESULT_FLAG_DNAT : RESULT_FLAG_SNAT);
  rewritten(destination ? CT_STATE_DNAT : CT_STATE_SNAT, old, address, load<u16>(port), port);
  return VERDICT_ACCEPT;
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

/** A connection whose packets really change is in the NAT state (nf_nat_setup_info). */
function rewritten(bit: u32, oldAddress: v128, address: usize, oldPort: u16, port: usize): void {
  if (oldPort != load<u16>(port) || v128.any_true(v128.xor(oldAddress, v128.load(address))))
    store<u16>(packet, <u16>(load<u16>(packet, PACKET_CT_STATE) | bit), PACKET_CT_STATE);
}
