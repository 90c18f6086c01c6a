/**
 * The memory in which a thread reads text: an instance of the module over memory of its own, laid out in regions (see
 * blob/reading.ts). It is used again for the next text, so what is read has to be copied out before, or not kept.
 */
import * as R from "../../blob/reading.js";
import { instantiate, kernelModule } from "../kernel-module.js";
import type { ReadingKernel } from "./reading-kernel.js";
import { writeNames } from "./names.js";
import { ADDRESSES, CHAINS, COUNTS, FULL, OFFSETS, OWNERS, REGION_COUNT, ROWS, SLOTS, TEXT, TEXTS } from "./regions.js";

const PAGE = 65536;
const INITIAL_PAGES = 32;
const MAXIMUM_PAGES = 65536;
/** A larger memory is not kept for the next text. */
const KEPT_BYTES = 1 << 28;
/** Longest row, and the 16 bytes more that copying it may write. */
const ROW_ROOM = 65_536;

/** Texts up to this length share a layout, and those up to the other use the last one again where they fit. */
const SHORT_TEXT = 4096;
const REUSED_TEXT = 65_536;

/** A table's part of the regions. */
export interface TableViews {
  /** Text reference by chain, chain by row, and offset by row. */
  readonly names: Uint32Array;
  readonly owners: Uint32Array;
  readonly offsets: Uint32Array;
  readonly texts: Uint8Array;
  readonly rows: Uint8Array;
  readonly rowWords: Uint32Array;
  readonly rowView: DataView;
}

/** What must look at its memory anew when regions have moved. */
export interface Resident {
  relocate(): void;
}

let idle: ReadingMemory | undefined;

export class ReadingMemory {
  readonly kernel: ReadingKernel;
  bytes: Uint8Array;
  view: DataView;
  words: Uint32Array;
  readonly textStart = R.READING_TEXT;
  /** Address behind the text. */
  textEnd = R.READING_TEXT;
  /** Start and bytes of every region. */
  readonly starts = new Uint32Array(REGION_COUNT);
  readonly sizes = new Uint32Array(REGION_COUNT);
  /** Those of a text's first table, as long as the regions lie where they do. */
  private firstViews: TableViews | undefined;
  /** The first byte that no shape has. */
  shapesEnd = R.READING_SHAPES;
  /** Lines that shapes have read, and shapes that were learned, in all. */
  linesRead = 0;
  shapesLearned = 0;
  /** Tells shapes of this thread from those of others, as far as chance does. */
  private readonly firstStamp = 1 + Math.floor(Math.random() * 2 ** 31);
  private readonly memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true });
  private readonly residents: Resident[] = [];

  private constructor() {
    this.kernel = instantiate(kernelModule(), this.memory) as unknown as ReadingKernel;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
    writeNames(this.bytes, this.words);
  }

  /**
   * Copies the shapes that this thread has learned to an engine's memory, given as bytes and as words, unless those that are there
   * were copied from here and none was learned since: then false. Also counts the lines that shapes have read there.
   */
  static teach(bytes: Uint8Array, words: Int32Array): boolean {
    if (!idle) return false;
    idle.linesRead += words[R.READING_KNOWN >> 2] as number;
    words[R.READING_KNOWN >> 2] = 0;
    const stamp = (idle.firstStamp + idle.shapesLearned) | 0;
    if (words[R.READING_STAMP >> 2] === stamp) return false;
    const { bytes: known, shapesEnd } = idle;
    bytes.set(known.subarray(R.READING_TAUGHT, R.READING_TAUGHT_END), R.READING_TAUGHT);
    bytes.set(known.subarray(R.READING_SHAPES, shapesEnd), R.READING_SHAPES);
    words[R.READING_STAMP >> 2] = stamp;
    return true;
  }

  /** The thread's memory with `text` in it, to be given back. */
  static take(text: string | Uint8Array): ReadingMemory {
    const taken = idle ?? new ReadingMemory();
    idle = undefined;
    taken.load(text);
    return taken;
  }

  /** Nothing that lies in it may be used any more. */
  giveBack(): void {
    // To cut off nothing takes 0.05 us.
    if (this.residents.length > 0) this.residents.length = 0;
    if (this.bytes.length <= KEPT_BYTES) idle = this;
  }

  control(field: number): number {
    return this.words[field >> 2] as number;
  }

  setControl(field: number, value: number): void {
    this.words[field >> 2] = value;
  }

  /** Something that will live in this memory until it is given back. */
  admit(resident: Resident): void {
    this.residents.push(resident);
  }

  /** Slots of the hash of texts, to begin with. */
  get firstSlots(): number {
    return slotsFor(this.textEnd - this.textStart);
  }

  /** Puts a name where values lie between lines; the address behind it. */
  stage(text: string): number {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        const room = bytes.subarray(R.READING_VALUES, R.READING_PENDING - 8);
        return R.READING_VALUES + encoder.encodeInto(text, room).written;
      }
      bytes[R.READING_VALUES + i] = code;
    }
    return R.READING_VALUES + text.length;
  }

  /** The same of bytes, at most READING_COMMENT_LIMIT of them. */
  stageBytes(text: Uint8Array): number {
    this.bytes.set(text, R.READING_VALUES);
    return R.READING_VALUES + text.length;
  }

  /** Makes the region larger that was full when reading stopped with `reason`. */
  grow(reason: number): void {
    const region = FULL[reason];
    if (region === undefined) throw new Error(`reading stopped with ${reason}`);
    if (region === SLOTS) this.growSlots();
    else this.enlarge(region, 2 * (this.sizes[region] as number) + (region === ROWS ? ROW_ROOM : 0));
    if (region === OFFSETS) this.enlarge(OWNERS, this.sizes[OFFSETS] as number);
  }

  /** Makes room for `bytes` in a region, moving those behind it. */
  enlarge(region: number, bytes: number): void {
    const by = align(bytes) - (this.sizes[region] as number);
    if (by <= 0) return;
    const ends = this.usedEnds();
    this.extend((this.starts[ROWS] as number) + (this.sizes[ROWS] as number) + by);
    for (let n = REGION_COUNT - 1; n > region; n--) {
      const start = this.starts[n] as number;
      this.bytes.copyWithin(start + by, start, ends[n] as number);
      this.starts[n] = start + by;
      const field = ADDRESSES[n] as number;
      this.setControl(field, this.control(field) + by);
    }
    this.sizes[region] = (this.sizes[region] as number) + by;
    this.setRoom();
    this.firstViews = undefined;
    for (const resident of this.residents) resident.relocate();
  }

  /** Says in the control block how much the table that is being read may still take. */
  setRoom(): void {
    const room = (region: number, field: number): number =>
      (this.starts[region] as number) + (this.sizes[region] as number) - this.control(field);
    this.setControl(R.READING_CHAINS_MOST, room(CHAINS, R.READING_CHAINS) >>> 2);
    this.setControl(R.READING_ROWS_MOST, room(OFFSETS, R.READING_OFFSETS) >>> 2);
    this.setControl(R.READING_TEXTS_MOST, room(TEXTS, R.READING_TEXTS));
    this.setControl(R.READING_ROWS_BYTES, room(ROWS, R.READING_ROWS));
  }

  /** The regions behind what other tables have of them, in bytes. */
  views(chainsFrom: number, columnsFrom: number, textsFrom: number, rowsFrom: number): TableViews {
    // A table has chains from its beginning.
    if (chainsFrom === 0 && this.firstViews) return this.firstViews;
    const { buffer } = this.bytes;
    const start = (region: number, from: number): number => (this.starts[region] as number) + from;
    const bytes = (region: number, from: number): number => (this.sizes[region] as number) - from;
    const words = (region: number, from: number): Uint32Array =>
      new Uint32Array(buffer, start(region, from), bytes(region, from) >>> 2);
    const views: TableViews = {
      names: words(CHAINS, chainsFrom),
      owners: words(OWNERS, columnsFrom),
      offsets: words(OFFSETS, columnsFrom),
      texts: new Uint8Array(buffer, start(TEXTS, textsFrom), bytes(TEXTS, textsFrom)),
      rows: new Uint8Array(buffer, start(ROWS, rowsFrom), bytes(ROWS, rowsFrom)),
      rowWords: words(ROWS, rowsFrom),
      rowView: new DataView(buffer, start(ROWS, rowsFrom), bytes(ROWS, rowsFrom)),
    };
    if (chainsFrom === 0) this.firstViews = views;
    return views;
  }

  private load(text: string | Uint8Array): void {
    const length = typeof text === "string" ? Buffer.byteLength(text) : text.length;
    this.textEnd = R.READING_TEXT + length;
    const room = (this.sizes[TEXT] as number) - R.READING_SPARE;
    if (length > room || room > REUSED_TEXT) this.layOut(Math.max(length, SHORT_TEXT));
    if (typeof text === "string") Buffer.from(this.memory.buffer, R.READING_TEXT, length).write(text);
    else this.bytes.set(text, R.READING_TEXT);
    this.bytes[this.textEnd] = NEWLINE;
    this.setControl(R.READING_END, this.textEnd);
    this.restart();
  }

  /** Nothing was read of the text yet. */
  private restart(): void {
    for (let n = SLOTS; n < REGION_COUNT; n++) this.setControl(ADDRESSES[n] as number, this.starts[n] as number);
    for (const field of COUNTS) this.setControl(field, 0);
  }

  /** Regions for a text of `length` bytes. */
  private layOut(length: number): void {
    // Guesses of what an average file needs; memory that is not touched costs nothing.
    const columns = (length >>> 2) + 256;
    const sizes = [
      length + R.READING_SPARE,
      16 * slotsFor(length),
      columns,
      columns,
      columns,
      length + 8192,
      length + ROW_ROOM,
    ];
    let at = R.READING_TEXT;
    for (let n = 0; n < REGION_COUNT; n++) {
      this.starts[n] = at;
      this.sizes[n] = align(sizes[n] as number);
      at += this.sizes[n] as number;
    }
    this.extend(at);
    this.firstViews = undefined;
  }

  /** Twice the slots, which are read from their old place while they are written behind it. */
  private growSlots(): void {
    const slots = this.control(R.READING_SLOT_MASK) + 1;
    const bytes = slots * R.TEXT_SLOT_SIZE;
    this.enlarge(SLOTS, 3 * bytes);
    const start = this.starts[SLOTS] as number;
    this.bytes.fill(0, start + bytes, start + 3 * bytes);
    this.kernel.textsRehash(start + bytes, 2 * slots - 1);
    this.bytes.copyWithin(start, start + bytes, start + 3 * bytes);
    this.setControl(R.READING_SLOT_MASK, 2 * slots - 1);
  }

  /** Where what was written of each region ends. */
  private usedEnds(): number[] {
    const ends: number[] = [];
    ends[SLOTS] = (this.starts[SLOTS] as number) + R.TEXT_SLOT_SIZE * (this.control(R.READING_SLOT_MASK) + 1);
    ends[CHAINS] = this.control(R.READING_CHAINS) + 4 * this.control(R.READING_CHAIN_COUNT);
    ends[OFFSETS] = this.control(R.READING_OFFSETS) + 4 * this.control(R.READING_ROW_COUNT);
    ends[OWNERS] = this.control(R.READING_OWNERS) + 4 * this.control(R.READING_ROW_COUNT);
    ends[TEXTS] = this.control(R.READING_TEXTS) + this.control(R.READING_TEXTS_END);
    ends[ROWS] = this.control(R.READING_ROWS) + this.control(R.READING_ROWS_END);
    return ends;
  }

  /** Makes the memory at least `bytes` long. */
  private extend(bytes: number): void {
    const pages = Math.ceil(bytes / PAGE) - this.bytes.length / PAGE;
    if (pages <= 0) return;
    if (bytes > MAXIMUM_PAGES * PAGE)
      throw new RangeError("text of this size cannot be read: it needs more than 4 GiB");
    this.memory.grow(pages);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
  }
}

const NEWLINE = 10;
const encoder = new TextEncoder();

function slotsFor(length: number): number {
  return 1 << Math.max(7, 32 - Math.clz32(length >>> 7));
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
