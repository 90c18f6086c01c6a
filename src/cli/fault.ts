/** How the program ends: 0 fine, 1 a finding, 2 bad use or bad input with one message and no stack. */
export const EXIT_FINE = 0;
export const EXIT_FINDING = 1;
export const EXIT_BAD = 2;

/** Bad use or bad input, said in full by its message. */
export class CliError extends Error {
  override readonly name = "CliError";
}

const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  ENOSPC: "no space left",
  EROFS: "read-only file system",
};

/** What the operating system had against reading or writing a file; undefined where it was something else. */
export function systemText({ code }: NodeJS.ErrnoException): string | undefined {
  return code !== undefined && Object.hasOwn(SYSTEM, code) ? SYSTEM[code] : undefined;
}
