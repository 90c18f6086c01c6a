/**
 * An engine: shared memory, and this thread's instance over it. One thread creates it; others attach by its handle.
 */
import * as M from "../blob/memory.js";
import type { IpSets } from "../ruleset/ipset/apply-sets.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { kernelModule } from "../ruleset/kernel-module.js";
import { addAccounting, type NewAccountingObject } from "./accounting.js";
import { EngineError, mustSucceed } from "./engine-error.js";
import { fingerprintImage } from "./fingerprints.js";
import { registryRecord, usualHooks } from "./hook-registry.js";
import { instantiateKernel, type Kernel } from "./kernel.js";
import { readBack } from "./read-back.js";
import { readSets } from "./read-sets.js";
import { localAddress, type Routing } from "./routing.js";
import { routingImage } from "./routing-image.js";
import { checkSysctls, type SysctlName, writeSysctls } from "./sysctls.js";
import { addTimeoutPolicies, type TimeoutPolicy } from "./timeout-policies.js";
import { lockWriters, unlockWriters } from "./writers-lock.js";

/** Classifiers by name. */
export const CLASSIFIERS = { linear: M.CLASSIFIER_LINEAR, "tuple-space": M.CLASSIFIER_TUPLE_SPACE } as const;
export type Classifier = keyof typeof CLASSIFIERS;

export interface EngineOptions {
  /** Threads that may walk packets at the same time, 1 to 64. */
  readers?: number;
  /** How chains are searched; `tuple-space` still walks short ones linearly. */
  classifier?: Classifier;
  /** Seed of the generators behind `statistic --mode random`. */
  seed?: number;
  /** The most memory it may take, in bytes, at most 4 GiB. */
  maximumBytes?: number;
  /** Addresses of this host: `10.0.0.1`, or `10.0.0.1 eth0` with the interface that has it; beside those of `routing`. */
  localAddresses?: readonly string[];
  /** Its interfaces, addresses, routes and rules, as `readRouting` reads them from what `ip` prints. */
  routing?: Routing;
  /**
   * Most connections to track at a time (nf_conntrack_max). 0, the default, tracks none: then a packet's record says
   * what state its connection is in, and NAT targets rewrite that packet alone.
   */
  connections?: number;
  /** Settings of tracking by the names of Linux' sysctls without `net.netfilter.nf_conntrack_`, such as `udp_timeout`. */
  sysctls?: Readonly<Partial<Record<SysctlName, number>>>;
  /** Objects of nfacct that rules may name; `addAccounting` makes more later. */
  accounting?: readonly NewAccountingObject[];
  /** Policies of timeouts that rules may name, where connections are tracked; `addTimeoutPolicies` makes more later. */
  timeoutPolicies?: readonly TimeoutPolicy[];
  /** Fingerprints of systems, for `osf`: the text of a file as pf.os. Without them it finds none, as Linux does. */
  fingerprints?: string;
  /** What the packets' clock counts from, for `time`: seconds since 1970 (UTC) at its millisecond 0. Default 0. */
  epoch?: number;
}

/** What another thread needs to attach; may be posted to a worker. */
export interface EngineHandle {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly readers: number;
}

export const ENGINE_DEFAULTS = Object.freeze({
  readers: 1,
  classifier: "tuple-space" as Classifier,
  seed: 1,
  maximumBytes: 2 ** 32,
});

/** Bytes of the writer's staging area: a row of at most 64 KiB, text, names. */
export const SCRATCH_BYTES = 1 << 18;
const WASM_PAGE = 65536;
/** What an engine of a few hundred rules takes: to grow costs more than to begin with more. */
const INITIAL_PAGES = 72;
const CONNECTIONS_MOST = 1 << 22;

export class Engine {
  readonly handle: EngineHandle;
  readonly kernel: Kernel;
  private view: DataView;
  private asBytes: Uint8Array;
  private asWords: Int32Array;
  /** Bytes of the memory that they show. */
  private shown: number;

  private constructor(handle: EngineHandle) {
    this.handle = handle;
    this.kernel = instantiateKernel(handle.module, handle.memory);
    this.view = new DataView(handle.memory.buffer);
    this.asBytes = new Uint8Array(handle.memory.buffer);
    this.asWords = new Int32Array(handle.memory.buffer);
    this.shown = this.asBytes.length;
  }

  static create(options: EngineOptions = {}): Engine {
    const { readers, classifier, seed, maximumBytes } = { ...ENGINE_DEFAULTS, ...options };
    if (!Number.isInteger(readers) || readers < 1 || readers > M.READERS_COUNT)
      throw new RangeError(`readers must be a whole number from 1 to ${M.READERS_COUNT}, not ${readers}`);
    if (!(classifier in CLASSIFIERS)) throw new RangeError(`unknown classifier ${JSON.stringify(classifier)}`);
    const module = kernelModule();
    const maximum = Math.min(65536, Math.max(4, Math.floor(maximumBytes / WASM_PAGE)));
    const memory = new WebAssembly.Memory({ initial: Math.min(INITIAL_PAGES, maximum), maximum, shared: true });
    const engine = new Engine({ module, memory, readers });
    if (!engine.kernel.engineInit(readers, CLASSIFIERS[classifier], seed, SCRATCH_BYTES))
      throw new EngineError(M.FAULT_MEMORY);
    engine.publish(() => registryRecord(usualHooks(), []), "updateHooks");
    const own = (options.localAddresses ?? []).map(localAddress);
    const { routing = {} } = options;
    engine.setRouting({ ...routing, addresses: [...(routing.addresses ?? []), ...own] });
    const connections = options.connections ?? 0;
    if (!Number.isInteger(connections) || connections < 0 || connections > CONNECTIONS_MOST)
      throw new RangeError(`connections must be a whole number from 0 to ${CONNECTIONS_MOST}, not ${connections}`);
    if (connections > 0 && !engine.locked(() => engine.kernel.engineTrack(connections)))
      throw new EngineError(M.FAULT_MEMORY);
    const sysctls = options.sysctls ?? {};
    checkSysctls(sysctls);
    const table = engine.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_CONNECTIONS, true);
    if (table !== 0) writeSysctls(engine.data(), table, sysctls);
    const epoch = options.epoch ?? 0;
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0xffffffff)
      throw new RangeError(`epoch must be whole seconds from 0 to ${0xffffffff}, not ${epoch}`);
    engine.data().setUint32(M.CONTROL_ADDRESS + M.CONTROL_EPOCH, epoch, true);
    addAccounting(engine, options.accounting ?? []);
    addTimeoutPolicies(engine, options.timeoutPolicies ?? []);
    if (options.fingerprints !== undefined) engine.keep(fingerprintImage(options.fingerprints, "fingerprints"));
    return engine;
  }

  /** Keeps the image of fingerprints for good. */
  private keep(image: Uint8Array): void {
    const at = this.allocate(image.length);
    this.bytes().set(image, at);
    this.data().setUint32(M.CONTROL_ADDRESS + M.CONTROL_FINGERPRINTS, at, true);
  }

  /** This thread's instance over another thread's engine. */
  static attach(handle: EngineHandle): Engine {
    const engine = new Engine(handle);
    engine.kernel.engineAttach();
    return engine;
  }

  /** A view of the whole memory as it is now; do not keep it across calls that may grow memory. */
  data(): DataView {
    this.follow();
    return this.view;
  }

  /** The same as bytes. */
  bytes(): Uint8Array {
    this.follow();
    return this.asBytes;
  }

  /** The same as 32-bit words, for atomics. */
  words(): Int32Array {
    this.follow();
    return this.asWords;
  }

  /** Takes notice of memory that has grown, by whichever thread: what is handed out then lies behind what is shown. */
  private follow(): void {
    if ((this.asWords[(M.CONTROL_ADDRESS + M.CONTROL_HEAP_TOP) >> 2] as number) >>> 0 <= this.shown) return;
    const { buffer } = this.handle.memory;
    this.view = new DataView(buffer);
    this.asBytes = new Uint8Array(buffer);
    this.asWords = new Int32Array(buffer);
    this.shown = this.asBytes.length;
  }

  /** The generation in force. */
  generation(): number {
    const words = this.words();
    return words[
      (Atomics.load(words, (M.CONTROL_ADDRESS + M.CONTROL_ROOT) >> 2) >>> 2) + (M.ROOT_GENERATION >> 2)
    ] as number;
  }

  /** Everything in force, counters included, one ruleset a family that has a table. Takes the writers' lock. */
  readRuleset(): Ruleset[] {
    return this.locked(() => {
      const rulesets: Ruleset[] = [];
      for (const family of ["ipv4", "ipv6"] as const) {
        const ruleset = readBack(this, family);
        if (ruleset.tables.size > 0) rulesets.push(ruleset);
      }
      return rulesets;
    });
  }

  /**
   * Sets as they are at `now` milliseconds of the packets' clock, the time of the latest packet when it is not said:
   * what printSets prints as `ipset save` would. Takes the writers' lock.
   */
  readSets(now?: number): IpSets {
    return this.locked(() => readSets(this, now));
  }

  /** Bytes handed out of the shared heap now, and the most there ever were. */
  memory(): { liveBytes: number; peakBytes: number } {
    const view = this.data();
    return {
      liveBytes: view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_LIVE_BYTES, true),
      peakBytes: view.getUint32(M.CONTROL_ADDRESS + M.CONTROL_PEAK_BYTES, true),
    };
  }

  /** Memory for good, for a reader's packets and results. */
  allocate(bytes: number): number {
    const address = this.locked(() => this.kernel.engineAllocate(bytes)) >>> 0;
    if (address === 0) throw new EngineError(M.FAULT_MEMORY);
    return address;
  }

  /** The writer's staging area, SCRATCH_BYTES of it. */
  scratch(): number {
    return this.data().getUint32(M.CONTROL_ADDRESS + M.CONTROL_SCRATCH, true);
  }

  /** Runs `work` as the only writer. */
  locked<T>(work: () => T): T {
    const words = this.words();
    lockWriters(words);
    try {
      return work();
    } finally {
      unlockWriters(words);
    }
  }

  /** Lets `routing` take the place of what the engine knows of its machine; packets on their way keep what they have seen. */
  setRouting(routing: Routing): void {
    this.publish((base) => routingImage(routing, base), "updateRouting");
  }

  /** Publishes an immutable record, an update of its own. `make` gives its bytes for the address that it will have. */
  publish(make: (base: number) => Uint8Array, update: "updateHooks" | "updateRouting"): void {
    const { kernel } = this;
    const size = make(0).length;
    this.locked(() => {
      mustSucceed(kernel.updateBegin());
      try {
        const at = kernel.updateAllocate(size) >>> 0;
        if (at === 0) throw new EngineError(M.FAULT_MEMORY);
        new Uint8Array(this.handle.memory.buffer, at, size).set(make(at));
        mustSucceed(kernel[update](at));
        mustSucceed(kernel.updateCommit());
      } catch (error) {
        kernel.updateRollback();
        throw error;
      }
    });
  }
}
