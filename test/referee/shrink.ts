/** A case that parts us from Linux, made as small as it stays so, and kept to be asked again for ever. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removePieces } from "../oracle/compare.js";
import type { Packet } from "../oracle/packet.js";
import type { Tool } from "../oracle/traffic.js";
import { judge } from "./judge.js";
import { ASKS_FOR_CONNECTIONS, type Case } from "./plan.js";

const CASES = fileURLToPath(new URL("cases", import.meta.url));

/** Drops packets, then rules, while a difference stays; greedy, from big pieces to single ones. */
export function shrink(found: Case, tool: Tool): Case {
  const differs = (one: Case): boolean => judge([one], tool)[0] !== undefined;
  const packets = removePieces(
    [...found.packets],
    () => true,
    (some) => differs({ ...found, packets: some }),
  );
  const lines = removePieces(
    found.text.split("\n"),
    (line) => line.startsWith("-A ") && `${line}\n` !== ASKS_FOR_CONNECTIONS,
    (some) => differs({ ...found, packets, text: some.join("\n") }),
  );
  return { ...found, packets, text: lines.join("\n") };
}

/** Writes the case where the tests will find it; the name of the file. */
export function keep(one: Case): string {
  // A Buffer would be written as a list of numbers before the replacer saw it.
  const packets = one.packets.map((packet) => ({ ...packet, bytes: new Uint8Array(packet.bytes ?? []) }));
  const text = `${JSON.stringify({ ...one, packets }, (_, value) => (value instanceof Uint8Array ? { hex: hexOf(value) } : value), 1)}\n`;
  const name = `${one.family}-${createHash("sha256").update(text).digest("hex").slice(0, 10)}.json`;
  mkdirSync(CASES, { recursive: true });
  writeFileSync(join(CASES, name), text);
  return name;
}

/** All cases that were ever kept, by the names of their files. */
export function keptCases(): [string, Case][] {
  const names = readdirSync(CASES).filter((name) => name.endsWith(".json"));
  return names.map((name) => [name, JSON.parse(readFileSync(join(CASES, name), "utf8"), bytesBack) as Case]);
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function bytesBack(_: string, value: Packet | { hex?: string }): unknown {
  const hex = typeof value === "object" && value !== null && "hex" in value ? value.hex : undefined;
  return hex === undefined ? value : new Uint8Array(Buffer.from(hex, "hex"));
}
