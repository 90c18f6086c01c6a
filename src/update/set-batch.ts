/**
 * ipset's commands carried out on an engine's sets: one after another, each in force at once, as Linux does it. When one
 * fails, those before it are taken back: what each changed is noted. To change a set as a whole, fill another and swap.
 */
import * as M from "../blob/memory.js";
import * as S from "../blob/sets.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import { headerAt, setAddresses } from "../engine/read-sets.js";
import { writeElement, writeMade, writeName } from "../engine/set-records.js";
import { sameHeader } from "../ruleset/ipset/apply-sets.js";
import type { SetCommand, SetHeader } from "../ruleset/ipset/ip-set.js";
import { type ErrorCode, RulesetError } from "../ruleset/ruleset-error.js";
import { waitForSequences } from "./quiesce.js";
import { costs, RECLAIM_ALL } from "./transaction.js";

/** Where things lie in the writer's staging area. */
const BEFORE = 1024;
const NAME = 2048;
/** Elements that a set gets room for at least. */
const LEAST_ROOM = 64;

type Add = SetCommand & { op: "add" };
type Delete = SetCommand & { op: "del" };
type Renaming = SetCommand & { op: "rename" | "swap" };

export class SetBatch {
  bytesWritten = 0;
  recordsTouched = 0;
  private readonly engine: Engine;
  private readonly file: string;
  private readonly now: number;
  private readonly scratch: number;
  private readonly sets: Map<string, number>;
  private readonly headers = new Map<number, SetHeader>();
  /** Adds by name that are still to come. */
  private readonly expected = new Map<string, number>();
  private readonly undos: (() => void)[] = [];
  private readonly settled: (() => void)[] = [];

  /** Carries out `commands` at `now` ms of the packets' clock. @throws RulesetError when one fails; then none was. */
  static run(engine: Engine, commands: readonly SetCommand[], file: string, now: number): SetBatch {
    const batch = new SetBatch(engine, file, now);
    for (const { op, set } of commands) if (op === "add") batch.expected.set(set, (batch.expected.get(set) ?? 0) + 1);
    try {
      for (const command of commands) batch.carryOut(command);
    } catch (error) {
      batch.undo();
      throw error;
    }
    return batch;
  }

  private constructor(engine: Engine, file: string, now: number) {
    this.engine = engine;
    this.file = file;
    this.now = now;
    this.scratch = engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_SCRATCH, true);
    this.sets = setAddresses(engine);
  }

  /** Takes everything back, the last first. */
  undo(): void {
    for (const undo of this.undos.reverse()) undo();
  }

  /** Gives up what would be needed to take it back. */
  settle(): void {
    for (const settle of this.settled) settle();
  }

  private carryOut(command: SetCommand): void {
    if (command.op === "create") return this.create(command);
    const set = this.sets.get(command.set);
    if (set === undefined) return this.refuse(command, "unknown-set", command.set, "a set that was created");
    switch (command.op) {
      case "add":
        return this.add(set, command);
      case "del":
        return this.delete(set, command);
      case "flush":
        return this.flush(set);
      case "destroy":
        return this.destroy(set, command);
      case "rename":
        return this.rename(set, command);
      case "swap":
        return this.swap(set, command);
    }
  }

  private create(command: SetCommand & { op: "create" }): void {
    const { kernel } = this.engine;
    const there = this.sets.get(command.set);
    if (there !== undefined) {
      if (command.exist && sameHeader(this.header(there), command.header)) return;
      const expected = command.exist ? "a set of the same type and options" : "a new name";
      return this.refuse(command, "set-exists", command.set, expected);
    }
    writeMade(this.engine.data(), this.scratch, command.header);
    const set = kernel.setsCreate(this.name(command.set), this.scratch) >>> 0;
    if (set === 0) throw new EngineError(M.FAULT_MEMORY);
    this.count();
    this.sets.set(command.set, set);
    this.undos.push(() => {
      kernel.setsRemove(set);
      kernel.setsForget(set);
    });
  }

  private add(set: number, command: Add): void {
    const { kernel } = this.engine;
    const header = this.header(set);
    const left = this.expected.get(command.set) ?? 1;
    this.expected.set(command.set, left - 1);
    if (header.type === "list:set") this.checkMember(set, command);
    const write = (): void => {
      const { exist, given, beside } = command;
      writeElement(this.engine.data(), this.scratch, header, command.entry, { exist, ...given, beside });
    };
    write();
    let result = kernel.setsAdd(set, this.scratch, this.scratch + BEFORE, this.now);
    if (result === S.SETS_MEMORY) {
      this.reserve(set, left);
      result = kernel.setsAdd(set, this.scratch, this.scratch + BEFORE, this.now);
    }
    this.count();
    switch (result) {
      case S.SETS_DONE:
        this.undos.push(() => {
          write();
          kernel.setsDelete(set, this.scratch, 0, this.now);
        });
        return;
      case S.SETS_CHANGED:
        return this.undoTo(set);
      case S.SETS_ELEMENT_EXISTS:
        return this.refuse(command, "duplicate-element", command.entry.text, "an element that is not in the set");
      case S.SETS_FULL: {
        const room = `room for more than ${header.maxelem} elements`;
        return this.refuse(command, "set-full", command.set, room);
      }
      case S.SETS_BESIDE_MISSING:
        return this.refuse(command, "no-such-element", command.beside?.name ?? "", "a member of the list");
    }
    throw new EngineError(M.FAULT_MEMORY);
  }

  private checkMember(set: number, command: Add): void {
    const member = this.sets.get(command.entry.text);
    if (member === undefined || member === set)
      this.refuse(command, "unknown-set", command.entry.text, "a set that was created");
    else if (this.header(member).type === "list:set")
      this.refuse(command, "bad-value", command.entry.text, "a set that is no list");
  }

  /** Room for the elements that are to come, and for as many as there are by halves, so that single adds are cheap. */
  private reserve(set: number, coming: number): void {
    const view = this.engine.data();
    const count = view.getUint32(view.getUint32(set + S.IPSET_BODY, true) + S.BODY_COUNT, true);
    const more = Math.max(coming, LEAST_ROOM, count >>> 1);
    if (this.engine.kernel.setsReserve(set, more) !== S.SETS_DONE) throw new EngineError(M.FAULT_MEMORY);
    this.count();
  }

  private delete(set: number, command: Delete): void {
    const { kernel } = this.engine;
    const { entry, beside, exist } = command;
    if (this.header(set).type === "list:set" && !this.sets.has(entry.text))
      return this.refuse(command, "unknown-set", entry.text, "a set that was created");
    writeElement(this.engine.data(), this.scratch, this.header(set), entry, { beside });
    const result = kernel.setsDelete(set, this.scratch, this.scratch + BEFORE, this.now);
    this.count();
    if (result === S.SETS_MEMORY) throw new EngineError(M.FAULT_MEMORY);
    if (result === S.SETS_DONE || result === S.SETS_CHANGED) this.undoTo(set);
    if (result === S.SETS_BESIDE_MISSING) {
      const side = beside?.side === "before" ? "behind" : "in front of";
      this.refuse(command, "no-such-element", beside?.name ?? "", `a member ${side} ${entry.text}`);
    } else if (result !== S.SETS_DONE && !exist)
      this.refuse(command, "no-such-element", entry.text, "an element that is in the set");
  }

  /** The element goes back to how it was: that is told where BEFORE is. */
  private undoTo(set: number): void {
    const { engine, scratch, now } = this;
    const before = new Uint8Array(engine.handle.memory.buffer, scratch + BEFORE, S.ELEMENT_SIZE).slice();
    this.undos.push(() => {
      new Uint8Array(engine.handle.memory.buffer, scratch, S.ELEMENT_SIZE).set(before);
      engine.kernel.setsAdd(set, scratch, 0, now);
    });
  }

  private flush(set: number): void {
    const { kernel } = this.engine;
    const old = kernel.setsFlush(set) >>> 0;
    if (old === 0) throw new EngineError(M.FAULT_MEMORY);
    this.count();
    this.settled.push(() => kernel.setsForgetBody(old));
    this.undos.push(() => kernel.setsForgetBody(kernel.setsExchange(set, old)));
  }

  private destroy(set: number, command: SetCommand): void {
    const { kernel } = this.engine;
    this.mustBeUnused(set, command);
    const after = kernel.setsRemove(set) >>> 0;
    this.count();
    this.sets.delete(command.set);
    this.settled.push(() => kernel.setsForget(set));
    this.undos.push(() => kernel.setsRestore(set, after));
  }

  private rename(set: number, command: Renaming): void {
    const { kernel } = this.engine;
    if (this.sets.has(command.to)) return this.refuse(command, "set-exists", command.to, "a new name");
    this.mustBeUnused(set, command);
    const give = (name: string): void => kernel.setsRename(set, this.name(name));
    give(command.to);
    this.count();
    this.sets.delete(command.set);
    this.sets.set(command.to, set);
    this.headers.delete(set);
    this.undos.push(() => give(command.set));
  }

  private swap(set: number, command: Renaming): void {
    const { kernel } = this.engine;
    const other = this.sets.get(command.to);
    if (other === undefined) return this.refuse(command, "unknown-set", command.to, "a set that was created");
    const [from, to] = [this.header(set), this.header(other)];
    if (from.type !== to.type || from.family !== to.family)
      return this.refuse(command, "bad-value", command.to, `a set of type ${from.type} and ${from.family}`);
    if (kernel.setsSwap(set, other) !== S.SETS_DONE) throw new EngineError(M.FAULT_MEMORY);
    this.count();
    this.headers.delete(set);
    this.headers.delete(other);
    this.undos.push(() => kernel.setsSwap(set, other));
  }

  /** Rules that were deleted refer to their sets until no reader can be at them. */
  private mustBeUnused(set: number, command: SetCommand): void {
    const { engine } = this;
    const references = (): number => engine.data().getUint32(set + S.IPSET_REFERENCES, true);
    if (references() > 0) {
      waitForSequences(engine.words(), engine.handle.readers);
      engine.kernel.updateReclaim(RECLAIM_ALL);
    }
    if (references() > 0) this.refuse(command, "set-in-use", command.set, "a set that no rule and no list names");
  }

  private header(set: number): SetHeader {
    const known = this.headers.get(set);
    if (known) return known;
    const header = headerAt(this.engine, set);
    this.headers.set(set, header);
    return header;
  }

  /** Puts a name where the engine reads it; its address. */
  private name(name: string): number {
    writeName(this.engine.data(), this.scratch + NAME, name);
    return this.scratch + NAME;
  }

  private count(): void {
    const { bytesWritten, recordsTouched } = costs(this.engine);
    this.bytesWritten += bytesWritten;
    this.recordsTouched += recordsTouched;
  }

  private refuse({ line, column }: SetCommand, code: ErrorCode, found: string, expected: string): void {
    throw new RulesetError({ code, file: this.file, line, column, found, expected });
  }
}
