/** A rule that the engine refuses, named: where it stands in its file, and how it reads. */
import { POLICY_GENERIC, POLICY_NAME_BYTES } from "../blob/connections.js";
import * as L from "../blob/layout.js";
import * as M from "../blob/memory.js";
import {
  CT_HELPER,
  CT_HELPER_BYTES,
  CT_TIMEOUT,
  MATCH_SET,
  SET_NAME,
  SETTARGET_ADD,
  SETTARGET_PART_DIMENSIONS,
  SETTARGET_PART_NAME,
  SETTARGET_PART_SIZE,
  SETTARGET_TIMEOUT,
  TARGET_CLUSTERIP,
  TARGET_SET,
} from "../blob/payloads.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import { nameAt } from "../engine/name-text.js";
import { textAt } from "../engine/read-back.js";
import { headerAt, setAddresses } from "../engine/read-sets.js";
import { readName } from "../engine/set-records.js";
import { policyNumbers, readPolicy } from "../engine/timeout-policies.js";
import { ByteWriter } from "../extensions/byte-writer.js";
import { protocolName } from "../extensions/values/protocols.js";
import type { Edit, TableBatch } from "../ruleset/batch.js";
import { printRule } from "../ruleset/print.js";
import { writeSpecification } from "../ruleset/print-rule.js";
import { type ErrorCode, RulesetError } from "../ruleset/ruleset-error.js";
import type { Family, RowStore } from "../ruleset/row-store.js";
import type { Table } from "../ruleset/ruleset.js";

const UNSUPPORTED: Readonly<Record<number, string>> = {
  [M.FAULT_UNSUPPORTED_MATCH]: "matches that the engine can evaluate",
  [M.FAULT_MATCH]: "matches with options that the engine can evaluate",
  [M.FAULT_UNSUPPORTED_TARGET]: "a target that the engine can carry out",
  [M.FAULT_TARGET]: "a target with options that the engine can carry out",
  [M.FAULT_UNTRACKED]: "an engine that tracks connections (--track)",
};

/** Targets that nothing can carry out, and why. */
const GONE: Readonly<Record<number, string>> = {
  [TARGET_CLUSTERIP]: "a target that Linux still has: -m cluster has taken the place of CLUSTERIP",
};

/** What a rule names, and is not there. */
const OBJECTS: Readonly<Record<number, string>> = {
  [M.FAULT_ACCOUNT]: "an object that was made before, as by nfacct add",
  [M.FAULT_TIMER]: "a timer of the kind that other rules of this label have, with --alarm or without",
  [M.FAULT_ESTIMATOR]: "an estimator that a rule in front measures for, and in the same way",
};

/** What is wrong with the way to a rule, not with the rule. */
const REACH: Readonly<Record<number, { code: ErrorCode; expected: string }>> = {
  [M.FAULT_LOOP]: { code: "loop", expected: "jumps that lead back to no chain on the way" },
  [M.FAULT_REACHED]: { code: "wrong-hook", expected: "a rule that may be used in every hook that leads to it" },
};

/** What stands in front of a name that a rule gives, by the error about it. */
const IN_FRONT: Partial<Record<ErrorCode, string>> = {
  "unknown-set": "\\s|[\"']",
  "wrong-family": "\\s|[\"']",
  "unknown-object": "--t\\w*[\\s=\"']+",
  "wrong-protocol": "--t\\w*[\\s=\"']+",
};

/** An error about a set or a policy that a rule names, with its place in the rule's line of `text`. */
export function locatedName(error: unknown, text: string | Uint8Array): unknown {
  if (!(error instanceof RulesetError) || error.column > 0) return error;
  const { code, file, line, found, expected } = error;
  const inFront = IN_FRONT[code];
  if (inFront === undefined) return error;
  const source = (typeof text === "string" ? text : new TextDecoder().decode(text)).split("\n")[line - 1] ?? "";
  const column = source.search(new RegExp(`(?<=${inFront})${found.replace(/[^\w-]/g, "\\$&")}(?=[\\s"']|$)`)) + 1;
  return new RulesetError({ code, file, line, column, found, expected, source });
}

/** What a name that a rule cannot have is refused with. */
type RefusedName = Pick<RulesetError, "code" | "found" | "expected" | "column">;

/** What is wrong with a set that rule `ordinal` names. */
function refusedSet(engine: Engine, rows: RowStore, ordinal: number): RefusedName {
  const { view } = rows;
  const row = rows.offsets[ordinal] as number;
  const first = row + rows.matchesOffset(row);
  const target = row + view.getUint16(row + L.ROW_TARGET, true);
  const known = setAddresses(engine);
  const names: string[] = [];
  for (let match = first; match < target; match += view.getUint16(match + L.RECORD_BYTES, true))
    if (view.getUint16(match + L.RECORD_TYPE, true) === MATCH_SET) names.push(readName(view, match + SET_NAME));
  if (view.getUint16(target + L.RECORD_TYPE, true) === TARGET_SET)
    for (let part = target + SETTARGET_ADD; part < target + SETTARGET_TIMEOUT; part += SETTARGET_PART_SIZE)
      if (view.getUint8(part + SETTARGET_PART_DIMENSIONS) > 0) names.push(readName(view, part + SETTARGET_PART_NAME));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined)
    return {
      code: "unknown-set",
      found: unknown,
      expected: "a set that was created, as by ipset save's text",
      column: 0,
    };
  const other = names.find((name) => {
    const header = headerAt(engine, known.get(name) as number);
    return header.family !== rows.family;
  });
  return {
    code: "wrong-family",
    found: other ?? "",
    expected: `a set of ${familyName(rows.family)} addresses`,
    column: 0,
  };
}

/** The helper that rule `ordinal` names is none that Linux has for what the rule matches. */
function refusedHelper(_engine: Engine, rows: RowStore, ordinal: number): RefusedName {
  const row = rows.offsets[ordinal] as number;
  const found = nameOfCt(rows, row, CT_HELPER, CT_HELPER_BYTES);
  const protocol = rows.view.getUint8(row + L.ROW_PROTOCOL);
  const expected = `a helper that Linux has for ${familyName(rows.family)} and ${protocolName(protocol) ?? protocol}`;
  return { code: "unknown-object", found, expected, column: 0 };
}

/** What is wrong with the policy of timeouts that rule `ordinal` names. */
function refusedPolicy(engine: Engine, rows: RowStore, ordinal: number): RefusedName {
  const { view } = rows;
  const row = rows.offsets[ordinal] as number;
  const found = nameOfCt(rows, row, CT_TIMEOUT, POLICY_NAME_BYTES);
  const number = policyNumbers(engine).get(found);
  if (number === undefined) {
    const expected = "a policy that was made before, as by nfct add timeout";
    return { code: "unknown-object", found, expected, column: 0 };
  }
  const text = (family: Family, protocol: number): string =>
    `${familyName(family)} and ${protocol === POLICY_GENERIC ? "what has no tracker" : (protocolName(protocol) ?? protocol)}`;
  const policy = readPolicy(engine, found, number);
  const expected = `a policy for ${text(rows.family, view.getUint8(row + L.ROW_PROTOCOL))}, this one is for ${text(policy.family, policy.protocol)}`;
  return { code: "wrong-protocol", found, expected, column: 0 };
}

/** A name of at most `most` bytes at `field` of the record of the row's CT. */
function nameOfCt({ view }: RowStore, row: number, field: number, most: number): string {
  return nameAt(view, row + view.getUint16(row + L.ROW_TARGET, true) + field, most);
}

const familyName = (family: Family): string => (family === "ipv4" ? "IPv4" : "IPv6");

/** Faults of what a rule names that tell which name it is, and why it will not do. */
const NAMES: Readonly<Record<number, (engine: Engine, rows: RowStore, ordinal: number) => RefusedName>> = {
  [M.FAULT_SET]: refusedSet,
  [M.FAULT_TIMEOUT_POLICY]: refusedPolicy,
  [M.FAULT_HELPER]: refusedHelper,
};

/** The error for edits of a batch that led to a loop, or a hook to a rule that must not be used there. */
export function refusedWay(engine: Engine, fault: number, file: string): Error {
  const reach = REACH[fault];
  if (!reach) return new EngineError(fault);
  const view = engine.data();
  const row = (engine.kernel.faultRow.value as number) >>> 0;
  const head = view.getUint32(row + L.ROW_CHAIN, true);
  const table = view.getUint32(head + L.CHAIN_TABLE, true);
  const found = textAt(
    view,
    table + view.getUint32(table + L.BLOB_TEXT, true),
    view.getUint32(head + L.CHAIN_NAME, true),
  );
  return new RulesetError({ ...reach, file, line: view.getUint32(row + L.ROW_LINE, true), column: 0, found });
}

/** The error for a blob of `table`, copied to `at`, that the engine refused with `fault`. */
export function refusedBlob(engine: Engine, table: Table, blob: Uint8Array, at: number, fault: number): Error {
  const reach = REACH[fault];
  const offset = reach
    ? ((engine.kernel.faultRow.value as number) >>> 0) - at
    : (engine.kernel.faultOffset.value as number) >>> 0;
  const expected = reach?.expected ?? OBJECTS[fault] ?? UNSUPPORTED[fault];
  const refused = NAMES[fault];
  const place = expected === undefined && !refused ? undefined : ruleAt(table, blob, offset);
  if (place && refused) {
    const what = refused(engine, table.rows, place.ordinal);
    return new RulesetError({ ...what, file: `table ${table.name}`, line: place.line });
  }
  if (!place || expected === undefined) return new EngineError(fault, offset);
  return new RulesetError({
    code: reach?.code ?? (fault in OBJECTS ? "unknown-object" : "unsupported-rule"),
    file: `table ${table.name}`,
    line: place.line,
    column: 0,
    found: place.rule,
    expected: GONE[targetOf(table.rows, place.ordinal)] ?? expected,
  });
}

/** The error for a rule of a batch that the engine refused with `fault`. */
export function refusedRule(
  engine: Engine,
  fault: number,
  part: TableBatch,
  row: number,
  edit: Edit,
  file: string,
): Error {
  const refused = NAMES[fault];
  if (refused) return new RulesetError({ ...refused(engine, part.rows, row), file, line: edit.line });
  const expected = OBJECTS[fault] ?? UNSUPPORTED[fault];
  if (expected === undefined) return new EngineError(fault);
  const out = new ByteWriter();
  writeSpecification(out, part.rows, row, (chain) => part.chainNames[chain] ?? "");
  return new RulesetError({
    code: fault in OBJECTS ? "unknown-object" : "unsupported-rule",
    file,
    line: edit.line,
    column: 0,
    found: `${edit.chain}${out.toString()}`,
    expected: GONE[targetOf(part.rows, row)] ?? expected,
  });
}

/** TARGET_* of rule `ordinal`. */
function targetOf({ offsets, view }: RowStore, ordinal: number): number {
  const row = offsets[ordinal] as number;
  return view.getUint16(row + view.getUint16(row + L.ROW_TARGET, true) + L.RECORD_TYPE, true);
}

/** The rule whose record holds byte `offset` of the blob, counted through its chains. */
function ruleAt(
  table: Table,
  blob: Uint8Array,
  offset: number,
): { rule: string; line: number; ordinal: number } | undefined {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const end = view.getUint32(L.BLOB_RECORDS_END, true);
  const text = view.getUint32(L.BLOB_TEXT, true);
  for (let at = L.BLOB_HEADER_SIZE; at < end; ) {
    const rowsEnd = view.getUint32(at + L.CHAIN_ROWS_END, true);
    if (offset < rowsEnd) {
      const name = text + view.getUint32(at + L.CHAIN_NAME, true);
      const chain = table.chains.get(
        new TextDecoder().decode(blob.subarray(name + 2, name + 2 + view.getUint16(name, true))),
      );
      let row = at + L.CHAIN_SIZE;
      for (const rule of chain?.rules ?? []) {
        const next = row + view.getUint16(row + L.ROW_NEXT, true);
        if (chain && offset < next)
          return { rule: printRule(table, chain, rule), line: view.getUint32(row + L.ROW_LINE, true), ordinal: rule };
        row = next;
      }
      return undefined;
    }
    at = rowsEnd;
  }
  return undefined;
}
