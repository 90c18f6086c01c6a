/**
 * kube-proxy's own packets with their expected ends. Its tracer is no netfilter: it walks the nat table's PREROUTING, then
 * kube-proxy's filter chains; takes every branch of chance; takes each check of state, mark or recent as one that fails;
 * and looks at the port as the client sent it. So every packet is sent often, each time with other chances.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { encodePacket } from "../src/netfilter/packet.js";
import { decodeResult } from "../src/netfilter/result.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { Updater } from "../src/update/updater.js";
import { corpusFolder } from "./linux-parser/corpus.js";

interface Vector {
  readonly name: string;
  readonly src: string;
  readonly dst: string;
  readonly dport: number;
  readonly output: string;
  readonly masq: boolean;
}

const path = join(corpusFolder, "kube-proxy/trace-packet.vectors.json");
const absent = existsSync(path) ? "" : ` (skipped: no ${path})`;
const { vectors, localIPs, rules } = absent
  ? { vectors: [] as Vector[], localIPs: [] as string[], rules: "" }
  : (JSON.parse(readFileSync(path, "utf8")) as { vectors: Vector[]; localIPs: string[]; rules: string });

/** Enough for every branch of a few endpoints. */
const TRIES = 64;

function endsOf({ src, dst, dport }: Vector): { output: string; masq: boolean } {
  const text = readFileSync(join(dirname(path), rules));
  const engine = Engine.create({ localAddresses: localIPs });
  new Updater(engine, { strategy: "full", family: "ipv4" }).load(parseRuleset(text, { family: "ipv4", file: rules }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(1);
  const ends = new Set<string>();
  let masq = false;
  for (let seed = 0; seed < TRIES; seed++) {
    const packet = {
      family: "ipv4",
      source: src,
      destination: dst,
      sourcePort: 40_000,
      destinationPort: dport,
    } as const;
    pool.set(0, encodePacket({ ...packet, path: "in", input: "eth0", output: "eth1" }));
    reader.seed(seed);
    const steps = reader.trace(pool, 0);
    const { verdict, destination, destinationPort, dnat } = decodeResult(pool.result(0), "ipv4");
    masq ||= steps.some(({ chain }) => chain === "KUBE-MARK-MASQ");
    const isOurs = steps.some(({ table, chain }) => table === "filter" && chain.startsWith("KUBE-"));
    if (verdict !== "ACCEPT") ends.add(verdict);
    else if (dnat) ends.add(`${destination}:${destinationPort}`);
    else if (isOurs && steps.some(({ chain, rule }) => chain === "KUBE-NODEPORTS" && rule > 0)) ends.add("ACCEPT");
  }
  return { output: [...ends].sort().join(", "), masq };
}

describe("kube-proxy's packets", () => {
  if (absent) it.skip(`end as its tracer expects${absent}`, () => {});
  for (const vector of vectors)
    it(`end as its tracer expects: ${vector.name}`, () => {
      const { output, masq } = vector;
      expect(endsOf(vector)).toEqual({ output, masq });
    });
});
