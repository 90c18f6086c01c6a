/** A ruleset from a file into an engine, with every error naming the file and line it is about. */
import { Engine, type EngineOptions } from "../engine/engine.js";
import { parseRuleset } from "../ruleset/parse.js";
import type { Family } from "../ruleset/row-store.js";
import { RulesetError } from "../ruleset/ruleset-error.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { locatedName } from "../update/refusal.js";
import { Updater } from "../update/updater.js";
import { type Input, readInput } from "./input.js";
import { type SetText, setText } from "./set-options.js";

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

/** @throws RulesetError when the engine refuses a rule, the way to it, or what the sets are made of. */
export function loadRuleset(
  ruleset: Ruleset,
  input: Input,
  options: EngineOptions = {},
  sets: SetText = setText(ruleset, {}),
): Engine {
  const engine = Engine.create(options);
  const updater = new Updater(engine, { strategy: "full", family: ruleset.family });
  if (sets.text !== "") updater.updateSets({ sets: sets.text, setsFile: sets.file });
  try {
    updater.load(ruleset);
  } catch (error) {
    throw error instanceof RulesetError ? locatedName(inFile(error, input.file), input.bytes) : error;
  }
  return engine;
}

/** The engine knows the table and the line, not the file. */
function inFile(error: RulesetError, file: string): RulesetError {
  const { code, line, column, found, expected } = error;
  return new RulesetError({ code, file, line, column, found, expected });
}
