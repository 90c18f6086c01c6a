/** Every dump that Linux loads, in an engine: it loads, and packets find their way through it. */
import { describe, expect, it } from "vitest";
import { RESULT_SIZE, RESULT_VERDICT } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { Reader } from "../src/engine/reader.js";
import { verdictName } from "../src/netfilter/result.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { RulesetError } from "../src/ruleset/ruleset-error.js";
import { Updater } from "../src/update/updater.js";
import { saveFile } from "../src/workload/save-file.js";
import { absence, type CorpusFile, hasCorpus, loadedFiles } from "./linux-parser/corpus.js";

const PACKETS = 64;

/** Packets that got a verdict; what was refused, where the file was. */
function run({ path, family, bytes }: CorpusFile): number | string {
  const ruleset = parseRuleset(bytes, { family, file: path });
  if (
    [...ruleset.tables.values()].every((table) => [...table.chains.values()].every(({ rules }) => rules.length === 0))
  )
    return PACKETS;
  const workload = saveFile({ name: path, text: new TextDecoder().decode(bytes), family });
  const engine = Engine.create({ connections: 256, localAddresses: workload.localAddresses, maximumBytes: 2 ** 28 });
  try {
    new Updater(engine, { strategy: "full", family }).load(ruleset);
  } catch (error) {
    if (error instanceof RulesetError) return error.code;
    throw error;
  }
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(PACKETS);
  pool.set(0, workload.traffic(PACKETS));
  reader.match(pool, 0, PACKETS);
  const results = new DataView(engine.handle.memory.buffer, pool.results, PACKETS * RESULT_SIZE);
  for (let i = 0; i < PACKETS; i++) verdictName(results.getUint8(i * RESULT_SIZE + RESULT_VERDICT));
  return PACKETS;
}

describe("an engine", () => {
  it.skipIf(!hasCorpus)(
    `runs every dump that Linux loads, but for sets that the dump does not hold${absence}`,
    () => {
      const refused = loadedFiles().flatMap((file) => {
        const outcome = run(file);
        return outcome === PACKETS || (outcome === "unknown-set" && file.sets.length > 0)
          ? []
          : [`${file.path}: ${outcome}`];
      });
      expect(refused).toEqual([]);
    },
    170_000,
  );
});
