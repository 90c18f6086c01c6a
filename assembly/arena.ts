/**
 * Arenas: small records in size classes of 16 bytes, carved from slabs that are freed together. A table has one for what
 * edits add to it, the engine one for roots, retired entries and state.
 *
 * A record above ARENA_LARGEST gets a slab of its own.
 */
import {
  ARENA_BYTES,
  ARENA_END,
  ARENA_FREE,
  ARENA_LARGEST,
  ARENA_NEXT,
  ARENA_SLABS,
  SLAB_BYTES,
  SLAB_FIRST,
  SLAB_NEXT,
  SLAB_PREVIOUS,
  SLAB_SIZE,
} from "../src/blob/memory";
import { heapAllocate, heapFree } from "./heap";
import { put32, remember } from "./store";

const LINE: u32 = 64;

/** An arena that was made by this very update, 0 for none: an undone update gives back the whole of it, so it needs no log. */
let fresh: usize = 0;

export function arenaFresh(arena: usize): void {
  fresh = arena;
}

/** The address of `bytes` bytes, not zeroed; 0 when memory is at its maximum. */
export function arenaAllocate(arena: usize, bytes: u32): usize {
  const size = (bytes + 15) & ~15;
  if (size > <u32>ARENA_LARGEST) {
    const slab = takeSlab(arena, size + SLAB_FIRST);
    if (!slab) return 0;
    put32(arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) + size);
    return slab + SLAB_FIRST;
  }
  if (arena == fresh) return allocateFresh(arena, size);
  const list = arena + ARENA_FREE + (((size >> 4) - 1) << 2);
  const free: usize = load<u32>(list);
  if (free) {
    // Its new owner writes it unlogged; of what is free, a rollback needs no more than the link.
    remember(free);
    put32(list, load<u32>(free));
    put32(arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) + size);
    return free;
  }
  let next: usize = load<u32>(arena, ARENA_NEXT);
  if (next + size > <usize>load<u32>(arena, ARENA_END)) {
    const slab = takeSlab(arena, SLAB_SIZE);
    if (!slab) return 0;
    next = slab + SLAB_FIRST;
    put32(arena + ARENA_END, <u32>(slab + SLAB_SIZE));
  }
  put32(arena + ARENA_NEXT, <u32>(next + size));
  put32(arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) + size);
  return next;
}

/** The same, and what lies `lead` bytes behind the address begins a cache line, unless the memory was given back before. */
export function arenaAllocateAligned(arena: usize, bytes: u32, lead: u32): usize {
  const size = (bytes + 15) & ~15;
  const next: usize = load<u32>(arena, ARENA_NEXT);
  const gap = (0 - <u32>next - lead) & (LINE - 1);
  if (
    gap &&
    size <= <u32>ARENA_LARGEST &&
    !load<u32>(arena + ARENA_FREE + (((size >> 4) - 1) << 2)) &&
    next + gap + size <= <usize>load<u32>(arena, ARENA_END)
  ) {
    put32(arena + ARENA_NEXT, <u32>(next + gap));
    const list = arena + ARENA_FREE + (((gap >> 4) - 1) << 2);
    put32(next, load<u32>(list));
    put32(list, <u32>next);
  }
  return arenaAllocate(arena, bytes);
}

function allocateFresh(arena: usize, size: u32): usize {
  store<u32>(arena, load<u32>(arena, ARENA_BYTES) + size, ARENA_BYTES);
  const list = arena + ARENA_FREE + (((size >> 4) - 1) << 2);
  const free: usize = load<u32>(list);
  if (free) {
    store<u32>(list, load<u32>(free));
    return free;
  }
  let next: usize = load<u32>(arena, ARENA_NEXT);
  if (next + size > <usize>load<u32>(arena, ARENA_END)) {
    const slab = takeSlab(arena, SLAB_SIZE);
    if (!slab) return 0;
    next = slab + SLAB_FIRST;
    store<u32>(arena, <u32>(slab + SLAB_SIZE), ARENA_END);
  }
  store<u32>(arena, <u32>(next + size), ARENA_NEXT);
  return next;
}

/** Gives back what was allocated with the same `bytes`. */
export function arenaFree(arena: usize, address: usize, bytes: u32): void {
  const size = (bytes + 15) & ~15;
  put32(arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) - size);
  if (size > <u32>ARENA_LARGEST) {
    const slab = address - SLAB_FIRST;
    const next: usize = load<u32>(slab, SLAB_NEXT);
    const previous: usize = load<u32>(slab, SLAB_PREVIOUS);
    if (next) put32(next + SLAB_PREVIOUS, <u32>previous);
    if (previous) put32(previous + SLAB_NEXT, <u32>next);
    else put32(arena + ARENA_SLABS, <u32>next);
    heapFree(slab, load<u32>(slab, SLAB_BYTES));
    return;
  }
  const list = arena + ARENA_FREE + (((size >> 4) - 1) << 2);
  put32(address, load<u32>(list));
  put32(list, <u32>address);
}

/** Counts a piece of foreign memory, aligned to 16, as handed out, so that it may be given to the arena. */
export function arenaAdopt(arena: usize, bytes: u32): void {
  put32(arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) + bytes);
}

/** Gives every slab back to the heap. */
export function arenaRelease(arena: usize): void {
  let slab: usize = load<u32>(arena, ARENA_SLABS);
  while (slab) {
    const next: usize = load<u32>(slab, SLAB_NEXT);
    heapFree(slab, load<u32>(slab, SLAB_BYTES));
    slab = next;
  }
}

/** Whether `address` lies in one of the arena's slabs. Walks the slabs. */
export function arenaHolds(arena: usize, address: usize): bool {
  for (let slab: usize = load<u32>(arena, ARENA_SLABS); slab; slab = load<u32>(slab, SLAB_NEXT))
    if (address >= slab && address < slab + load<u32>(slab, SLAB_BYTES)) return true;
  return false;
}

function takeSlab(arena: usize, bytes: u32): usize {
  const slab = heapAllocate(bytes);
  if (!slab) return 0;
  const first: usize = load<u32>(arena, ARENA_SLABS);
  store<u32>(slab, <u32>first, SLAB_NEXT);
  store<u32>(slab, 0, SLAB_PREVIOUS);
  store<u32>(slab, bytes, SLAB_BYTES);
  if (first) put32(first + SLAB_PREVIOUS, <u32>slab);
  put32(arena + ARENA_SLABS, <u32>slab);
  return slab;
}
