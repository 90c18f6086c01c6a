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
import { own32, remember, wrote } from "./store";

const LINE: u32 = 64;

/** An arena that was made by this very update, 0 for none. */
let fresh: usize = 0;

export function arenaFresh(arena: usize): void {
  fresh = arena;
}

/** The address of `bytes` bytes, not zeroed; 0 when memory is at its maximum. */
export function arenaAllocate(arena: usize, bytes: u32): usize {
  const size = (bytes + 15) & ~15;
  let address: usize;
  if (size > <u32>ARENA_LARGEST) {
    const slab = takeSlab(arena, size + SLAB_FIRST);
    address = slab ? slab + SLAB_FIRST : 0;
  } else {
    address = takeFree(arena, size);
    if (!address) address = carve(arena, size);
  }
  if (address) put(arena, arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) + size);
  return address;
}

/** The same, and what lies `lead` bytes behind the address begins a cache line, unless the memory was given back before. */
export function arenaAllocateAligned(arena: usize, bytes: u32, lead: u32): usize {
  const size = (bytes + 15) & ~15;
  const next: usize = load<u32>(arena, ARENA_NEXT);
  const gap = (0 - <u32>next - lead) & (LINE - 1);
  if (
    gap &&
    size <= <u32>ARENA_LARGEST &&
    !load<u32>(freeList(arena, size)) &&
    next + gap + size <= <usize>load<u32>(arena, ARENA_END)
  ) {
    put(arena, arena + ARENA_NEXT, <u32>(next + gap));
    giveFree(arena, next, gap);
  }
  return arenaAllocate(arena, bytes);
}

/** Gives back what was allocated with the same `bytes`. */
export function arenaFree(arena: usize, address: usize, bytes: u32): void {
  const size = (bytes + 15) & ~15;
  put(arena, arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) - size);
  if (size <= <u32>ARENA_LARGEST) {
    giveFree(arena, address, size);
    return;
  }
  const slab = address - SLAB_FIRST;
  const next: usize = load<u32>(slab, SLAB_NEXT);
  const previous: usize = load<u32>(slab, SLAB_PREVIOUS);
  if (next) put(arena, next + SLAB_PREVIOUS, <u32>previous);
  put(arena, previous ? previous + SLAB_NEXT : arena + ARENA_SLABS, <u32>next);
  heapFree(slab, load<u32>(slab, SLAB_BYTES));
}

/**
 * The same of what readers walked and no longer can: a word of each line is stored, so that it leaves their caches now, and the next
 * owner, who will be in the middle of an update, need not wait for it. Large records are seldom taken again soon.
 */
export function arenaFreeWalked(arena: usize, address: usize, bytes: u32): void {
  if (bytes <= <u32>ARENA_LARGEST) {
    const lines = (bytes + LINE - 1) / LINE;
    for (let i: u32 = 0; i < lines; i++) store<u32>(address + i * LINE, 0);
    wrote(4 * lines);
  }
  arenaFree(arena, address, bytes);
}

/** Counts a piece of foreign memory, aligned to 16, as handed out, so that it may be given to the arena. */
export function arenaAdopt(arena: usize, bytes: u32): void {
  put(arena, arena + ARENA_BYTES, load<u32>(arena, ARENA_BYTES) + bytes);
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

/** Where the list of free records of this size begins. */
function freeList(arena: usize, size: u32): usize {
  return arena + ARENA_FREE + (((size >> 4) - 1) << 2);
}

function takeFree(arena: usize, size: u32): usize {
  const list = freeList(arena, size);
  const free: usize = load<u32>(list);
  if (!free) return 0;
  // Its new owner writes it unlogged; of what is free, a rollback needs no more than the link.
  if (arena != fresh) remember(free);
  put(arena, list, load<u32>(free));
  return free;
}

function giveFree(arena: usize, address: usize, size: u32): void {
  const list = freeList(arena, size);
  put(arena, address, load<u32>(list));
  put(arena, list, <u32>address);
}

/** From the newest slab, or one more. */
function carve(arena: usize, size: u32): usize {
  let next: usize = load<u32>(arena, ARENA_NEXT);
  if (next + size > <usize>load<u32>(arena, ARENA_END)) {
    const slab = takeSlab(arena, SLAB_SIZE);
    if (!slab) return 0;
    next = slab + SLAB_FIRST;
    put(arena, arena + ARENA_END, <u32>(slab + SLAB_SIZE));
  }
  put(arena, arena + ARENA_NEXT, <u32>(next + size));
  return next;
}

function takeSlab(arena: usize, bytes: u32): usize {
  const slab = heapAllocate(bytes);
  if (!slab) return 0;
  const first: usize = load<u32>(arena, ARENA_SLABS);
  store<u32>(slab, <u32>first, SLAB_NEXT);
  store<u32>(slab, 0, SLAB_PREVIOUS);
  store<u32>(slab, bytes, SLAB_BYTES);
  if (first) put(arena, first + SLAB_PREVIOUS, <u32>slab);
  put(arena, arena + ARENA_SLABS, <u32>slab);
  return slab;
}

/** Into the arena's own memory. Of one that this update has made, all is given back when the update is undone: it needs no log. */
function put(arena: usize, address: usize, value: u32): void {
  if (arena == fresh) store<u32>(address, value);
  else own32(address, value);
}
