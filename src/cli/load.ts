/** A ruleset from a file into an engine, with every error naming the file and line it is about. */
import { Engine, type EngineOptions } from "../engine/engine.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { Updater } from "../update/updater.js";
import { type Input, readInput } from "./input.js";

export interface Loaded {
  readonly input: Input;
  readonly ruleset: Ruleset;
  readonly engine: Engine;
}

export function loadFile(path: string, family: Family, options: EngineOptions = {}): Loaded {
  const input = readInput(path);
  const ruleset = parseRuleset(input.bytes, { family, file: input.file });
  return { input, ruleset, engine: loadRuleset(ruleset, input, options) };
}

/** @throws RulesetError when the engine refuses a rule or the way to it. */
export function loadRuleset(ruleset: Ruleset, input: Input, options: EngineOptions = {}): Engine {
  const engine = Engine.create(options);
  try {
    new Updater(engine, { strategy: "full", family: ruleset.family }).load(ruleset);
  } catch (error) {
    throw error instanceof RulesetError ? inFile(error, input.file) : error;
  }
  return engine;
}

/** The engine knows the table and the line, not the file. */
function inFile(error: RulesetError, file: string): RulesetError {
  const { code, line, column, found, expected } = error;
  return new RulesetError({ code, file, line, column, found, expected });
}
