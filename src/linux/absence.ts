/** Why the real kernel cannot be asked here. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { LinuxError } from "./linux-error.js";

/** Administrators' programs are often not in the path of whoever became root. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

const NAMESPACE_MS = 60_000;

/** The path with which programs are looked for, here and inside namespaces. */
export const TOOL_PATH = [process.env.PATH ?? "", ...SYSTEM_FOLDERS].join(delimiter);

/** Undefined when network namespaces can be made and all of these programs are installed. */
export function kernelAbsence(programs: readonly string[]): LinuxError | undefined {
  if (process.platform !== "linux") return new LinuxError("not-linux", "the real kernel: only on Linux");
  if (process.getuid?.() !== 0) return new LinuxError("not-root", "the real kernel: only as root");
  const missing = ["unshare", ...programs].find((program) => !isInstalled(program));
  if (missing !== undefined) return new LinuxError("no-tool", `the real kernel: ${missing} is not installed`);
  const { status, stderr, error } = spawnSync("unshare", ["--net", "true"], {
    env: { ...process.env, PATH: TOOL_PATH },
    encoding: "utf8",
    // A new namespace waits for old ones that are being taken down.
    timeout: NAMESPACE_MS,
    killSignal: "SIGKILL",
  });
  if (status === 0) return undefined;
  const reason = error ? error.message : stderr.trim();
  return new LinuxError("no-namespace", `the real kernel: no network namespaces: ${reason}`);
}

function isInstalled(program: string): boolean {
  return TOOL_PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}
