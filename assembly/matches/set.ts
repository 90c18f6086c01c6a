/** set (xt_set.c). */
import {
  SET_BYTES_OPERATION,
  SET_DIMENSIONS,
  SET_DIRECTIONS,
  SET_FLAGS,
  SET_INVERT,
  SET_NO_UPDATE_COUNTERS,
  SET_NO_UPDATE_SUBCOUNTERS,
  SET_OBJECT,
  SET_PACKETS_OPERATION,
  SET_RETURN_NOMATCH,
} from "../../src/blob/payloads";
import { causedByPacket } from "../sets/extensions";
import { nameDirections, setHasPacket } from "../sets/packet";

const MOST_DIMENSIONS: u8 = 6;
const OPERATIONS: u8 = 4;

export function matchSet(record: usize): bool {
  const flags = load<u8>(record, SET_FLAGS);
  const asks = (load<u8>(record, SET_PACKETS_OPERATION) | load<u8>(record, SET_BYTES_OPERATION)) != 0;
  causedByPacket((flags & SET_NO_UPDATE_COUNTERS) != 0, asks ? record : 0);
  nameDirections(
    load<u8>(record, SET_DIRECTIONS),
    load<u8>(record, SET_DIMENSIONS),
    (flags & SET_RETURN_NOMATCH) != 0,
    (flags & SET_NO_UPDATE_SUBCOUNTERS) != 0,
  );
  return setHasPacket(load<u32>(record, SET_OBJECT)) != ((flags & SET_INVERT) != 0);
}

export function checkSet(record: usize): bool {
  const dimensions = load<u8>(record, SET_DIMENSIONS);
  return (
    dimensions >= 1 &&
    dimensions <= MOST_DIMENSIONS &&
    load<u8>(record, SET_PACKETS_OPERATION) <= OPERATIONS &&
    load<u8>(record, SET_BYTES_OPERATION) <= OPERATIONS &&
    load<u32>(record, SET_OBJECT) == 0
  );
}
