/**
 * The tests' own netfilter: rule by rule, chain by chain, jumps as recursion, as ipt_do_table does. Nothing here is
 * fast, shared with the engine, or clever.
 */
import {
  CT_STATE_INVALID,
  HOOK_FORWARD,
  HOOK_INPUT,
  PATH_HOOK,
  RESULT_FLAG_EXPIRED,
  ROW_FLAG_GOTO,
  VERDICT_ACCEPT,
  VERDICT_CONTINUE,
  VERDICT_DROP,
  VERDICT_REJECT,
  VERDICT_RETURN,
  VERDICT_STOLEN,
} from "../../src/blob/layout.js";
import { JUMP_CHAIN, MATCH_HASHLIMIT, MATCH_RECENT, TARGET_JUMP } from "../../src/blob/payloads.js";
import { printSets } from "../../src/ruleset/ipset/print-sets.js";
import type { Family } from "../../src/ruleset/row-store.js";
import { HOOK_NAMES, type Ruleset, TABLE_NUMBERS, type Table, type TableName } from "../../src/ruleset/ruleset.js";
import { addressBytes, addressText } from "./address.js";
import { ruleMatches } from "./matches.js";
import { joinHashTable } from "./match-hashlimit.js";
import { joinRecentList } from "./match-recent.js";
import { answerTo } from "./own.js";
import type { Packet } from "./packet.js";
import { EPOCH } from "./random-pool.js";
import { devicesAt, firstHook, natApplies, nextHook, TABLES_OF_HOOK, takeHop } from "./path.js";
import type { Outcome, Result, Step } from "./result.js";
import { type OracleChain, readChain, type Rule, writeBack } from "./rule.js";
import { TARGETS } from "./targets.js";
import { modelSets, savedSets } from "./set-model.js";
import { Waiting } from "./waiting.js";
import type { Host, Walk } from "./walk.js";

/** A walk through a chain ends with a verdict, or with VERDICT_RETURN when it comes out at the end. */
interface TableWalk extends Walk {
  readonly table: TableName;
  readonly chains: Map<number, OracleChain>;
  readonly outcome: Outcome;
  readonly steps: Step[];
}

export class Oracle {
  readonly family: Family;
  readonly tables = new Map<TableName, Map<number, OracleChain>>();
  private readonly host: Host;
  private readonly waiting = new Waiting();

  constructor(
    private readonly ruleset: Ruleset,
    localAddresses: readonly string[],
    sets = "",
  ) {
    this.family = ruleset.family;
    const local = localAddresses
      .map(addressBytes)
      .filter((bytes) => bytes.length === (this.family === "ipv4" ? 4 : 16));
    const localText = new Set(local.map(addressText));
    this.host = {
      isLocal: (address) => localText.has(addressText(address)) || isLoopback(address),
      redirectAddress: local[0],
      nth: new Map(),
      limits: new Map(),
      quotas: new Map(),
      recentLists: new Map(),
      hashTables: new Map(),
      sets: modelSets(sets),
      epoch: EPOCH,
    };
    for (const table of ruleset.tables.values()) this.tables.set(table.name, this.readTable(table));
  }

  /** Sends one packet on its way; `packet` stays as it is. */
  walk(packet: Packet): { result: Result; steps: Step[] } {
    const own: Packet = { ...packet };
    const outcome = noOutcome();
    const steps: Step[] = [];
    this.walkHooks(own, outcome, steps, false);
    const { mark, ctMark, sourcePort, destinationPort, mss, ttl, tos, priority } = own;
    const source = addressText(own.source);
    const destination = addressText(own.destination);
    const rewritten = { mark, ctMark, source, destination, sourcePort, destinationPort, mss, ttl, tos, priority };
    return { result: { ...outcome, ...rewritten }, steps };
  }

  /** As `ipset save` prints them at `now` ms. */
  sets(now: number): string {
    return printSets(savedSets(this.host.sets, now).values());
  }

  /** Puts what was counted into the ruleset that this oracle was made from. */
  saveCounters(): void {
    for (const table of this.ruleset.tables.values())
      for (const chain of table.chains.values())
        writeBack(table, chain, this.tables.get(table.name)?.get(chain.id) as OracleChain);
  }

  /** Lines "table chain rule packets:bytes", rule 0 the policy, in the ruleset's order. */
  counters(): string[] {
    return [...this.tables].flatMap(([table, chains]) =>
      [...chains.values()].flatMap((chain) => [
        ...(chain.builtIn ? [`${table} ${chain.name} 0 ${chain.policyPackets}:${chain.policyBytes}`] : []),
        ...chain.rules.map((rule) => `${table} ${chain.name} ${rule.number} ${rule.packets}:${rule.bytes}`),
      ]),
    );
  }

  private readTable(table: Table): Map<number, OracleChain> {
    const chains = new Map<number, OracleChain>();
    for (const chain of table.chains.values()) chains.set(chain.id, readChain(table, chain));
    for (const chain of [...chains.values()].sort(inLoadOrder))
      for (const rule of chain.rules)
        for (const record of rule.matches) {
          if (record.type === MATCH_RECENT) joinRecentList(record, this.host.recentLists);
          if (record.type === MATCH_HASHLIMIT) joinHashTable(record, this.host.hashTables);
        }
    return chains;
  }

  /** `answers`: the machine's own answer to another packet, which has that one's connection from the start and no NAT. */
  private walkHooks(packet: Packet, outcome: Outcome, steps: Step[], answers: boolean): void {
    for (let hook: number | undefined = firstHook(packet); hook !== undefined; ) {
      if (hook === HOOK_INPUT && packet.path < PATH_HOOK && !this.isWhole(packet, outcome)) break;
      outcome.hook = hook;
      outcome.verdict = this.walkHook(hook, packet, outcome, steps, answers);
      if (outcome.verdict === VERDICT_REJECT) this.answer(packet, outcome, steps);
      if (outcome.verdict !== VERDICT_ACCEPT) break;
      hook = nextHook(hook, packet, this.host.isLocal);
      if (hook === HOOK_FORWARD && !takeHop(packet)) {
        outcome.verdict = VERDICT_DROP;
        outcome.flags |= RESULT_FLAG_EXPIRED;
        break;
      }
    }
  }

  /** Puts what is for this machine together; the whole packet takes the place of the last fragment. */
  private isWhole(packet: Packet, outcome: Outcome): boolean {
    const gathered = this.waiting.gather({ ...packet });
    if (typeof gathered === "object") Object.assign(packet, gathered);
    else outcome.verdict = gathered === "kept" ? VERDICT_STOLEN : VERDICT_DROP;
    return typeof gathered === "object";
  }

  private answer(packet: Packet, { hook, reject }: Outcome, steps: Step[]): void {
    const answer = answerTo(packet, hook, reject, this.host);
    if (answer) this.walkHooks(answer, noOutcome(), steps, true);
  }

  private walkHook(hook: number, packet: Packet, outcome: Outcome, steps: Step[], answers: boolean): number {
    // Until raw is done nobody knows the packet's connection.
    const known = packet.ctState;
    for (const table of TABLES_OF_HOOK[hook] ?? []) {
      if (table === "raw" && !answers) packet.ctState = CT_STATE_INVALID;
      else if (packet.ctState === CT_STATE_INVALID) packet.ctState = known;
      const chains = this.tables.get(table);
      if (!chains || (table === "nat" && (answers || !natApplies(packet)))) continue;
      outcome.table = TABLE_NUMBERS[table];
      const devices = devicesAt(hook, packet);
      const walk: TableWalk = {
        host: this.host,
        packet,
        hook,
        ...devices,
        hotdrop: false,
        table,
        chains,
        outcome,
        steps,
      };
      const verdict = this.walkBase(walk);
      if (verdict !== VERDICT_ACCEPT) return verdict;
    }
    return VERDICT_ACCEPT;
  }

  private walkBase(walk: TableWalk): number {
    const chain = [...walk.chains.values()].find((one) => one.name === HOOK_NAMES[walk.hook]) as OracleChain;
    const verdict = this.walkChain(chain, walk);
    if (verdict !== VERDICT_RETURN) return verdict;
    chain.policyPackets++;
    chain.policyBytes += BigInt(walk.packet.length);
    const policy = chain.policy === "ACCEPT" ? VERDICT_ACCEPT : VERDICT_DROP;
    this.step(walk, chain.name, 0, policy);
    return policy;
  }

  private walkChain(chain: OracleChain, walk: TableWalk): number {
    for (const rule of chain.rules) {
      const matched = ruleMatches(rule, walk);
      if (walk.hotdrop && !matched) return VERDICT_DROP;
      if (!matched) continue;
      rule.packets++;
      rule.bytes += BigInt(walk.packet.length);
      if (walk.hotdrop) return this.actAndDrop(rule, walk);
      const verdict = rule.target.type === TARGET_JUMP ? this.jump(rule, walk) : this.act(rule, walk);
      if (verdict !== VERDICT_CONTINUE) return verdict;
    }
    return VERDICT_RETURN;
  }

  /** Coming out of a chain that was jumped to goes on behind the jump; out of one gone to, with the caller's caller. */
  private jump(rule: Rule, walk: TableWalk): number {
    this.step(walk, rule.chain, rule.number, VERDICT_CONTINUE);
    const chain = walk.chains.get(rule.target.view.getUint32(JUMP_CHAIN, true)) as OracleChain;
    const verdict = this.walkChain(chain, walk);
    return verdict === VERDICT_RETURN && !(rule.flags & ROW_FLAG_GOTO) ? VERDICT_CONTINUE : verdict;
  }

  /** An inverted match may hit although it drops the packet; what the rule then says does not count. */
  private actAndDrop(rule: Rule, walk: TableWalk): number {
    if (rule.target.type !== TARGET_JUMP) TARGETS[rule.target.type]?.(rule.target, walk, walk.outcome);
    this.step(walk, rule.chain, rule.number, VERDICT_DROP);
    return VERDICT_DROP;
  }

  private act(rule: Rule, walk: TableWalk): number {
    const target = TARGETS[rule.target.type];
    if (!target) throw new Error(`the oracle does not know target ${rule.target.type}`);
    const verdict = target(rule.target, walk, walk.outcome);
    this.step(walk, rule.chain, rule.number, verdict);
    return verdict;
  }

  private step(walk: TableWalk, chain: string, rule: number, verdict: number): void {
    walk.steps.push({ hook: HOOK_NAMES[walk.hook] as string, table: walk.table, chain, rule, verdict });
  }
}

function noOutcome(): Outcome {
  return { verdict: VERDICT_ACCEPT, hook: 0, table: 0, flags: 0, reject: 0, events: 0, queue: 0 };
}

/** Built-in chains as they are given, then the user's by name. */
function inLoadOrder(a: OracleChain, b: OracleChain): number {
  if (a.builtIn || b.builtIn) return Number(b.builtIn) - Number(a.builtIn);
  return a.name < b.name ? -1 : 1;
}

/** 127.0.0.0/8 and ::1 are every machine's own. */
function isLoopback(address: Uint8Array): boolean {
  return address.length === 4 ? address[0] === 127 : addressText(address) === "::1";
}
