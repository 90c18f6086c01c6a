/** Files that commands read: a path, or "-" for standard input. */
import { readFileSync } from "node:fs";
import { CliError, systemText } from "./fault.js";

export interface Input {
  /** Name for error messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export function readInput(path: string): Input {
  if (path === "-") return { file: "standard input", bytes: readFileSync(0) };
  const bytes = readBytes(path);
  if (bytes.length === 0) throw new CliError(`${path}: the file is empty`);
  return { file: path, bytes };
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`${path}: ${systemText(error as Error) ?? (error as Error).message}`);
  }
}
