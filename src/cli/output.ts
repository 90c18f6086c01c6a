/** Data for standard output, all of it before the program may end. */
import { writeFileSync } from "node:fs";

/** Writes to standard output and waits until whoever reads it has taken it; a reader that has gone is no error. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve();
    });
  });
}

/** Writes to a file, or to standard output for "-". */
export async function writeOutput(path: string, text: string): Promise<void> {
  if (path === "-") await print(text);
  else writeFileSync(path, text);
}

/** Colours for people only: a terminal that has not said no (no-color.org). */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR;
}
