/** The real ipset: texts restored in a network namespace, and what it saves of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../run.js";

const probe = "ipset create a hash:ip && ipset destroy a";
const available =
  process.platform === "linux" && process.getuid?.() === 0 && run("unshare", ["--net", "sh", "-c", probe]).status === 0;
export const ipsetAbsence = available ? "" : " (skipped: needs root on Linux with ipset and unshare)";
export const hasIpset = available;

export interface SaveAnswer {
  readonly status: number;
  readonly complaint: string;
  readonly saved: string;
}

/** One answer a text, each restored into nothing. */
export function restoreAndSave(texts: readonly string[]): SaveAnswer[] {
  const folder = mkdtempSync(join(tmpdir(), "ruleswap-ipset-"));
  try {
    const script = [`cd '${folder}'`];
    for (const [n, text] of texts.entries()) {
      writeFileSync(join(folder, `${n}.in`), text);
      script.push(`ipset restore < ${n}.in 2> ${n}.err; echo $? > ${n}.status; ipset save > ${n}.out`);
      // Lists hold their members.
      script.push("ipset flush; ipset destroy");
    }
    run("unshare", ["--net", "sh"], { input: script.join("\n") });
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    return texts.map((_, n) => ({
      status: Number(read(`${n}.status`)),
      complaint: read(`${n}.err`).trim(),
      saved: read(`${n}.out`),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Which types this kernel has. */
export function typesOfKernel(creates: Readonly<Record<string, string>>): Set<string> {
  const names = Object.keys(creates);
  const answers = restoreAndSave(names.map((name) => `create a ${name} ${creates[name]}\n`));
  return new Set(names.filter((_, n) => answers[n]?.status === 0));
}

/** What ipset chooses by itself, or changes while time passes, and the order of a hash. */
export function comparable(saved: string): string[] {
  const plain = saved
    .replace(/ (hashsize|bucketsize) \d+/g, "")
    .replace(/ initval 0x[0-9a-f]+/g, "")
    .replace(/ timeout (\d+)/g, (_, seconds) => ` timeout ${Math.ceil(Number(seconds) / 100)}`);
  return plain.trim().split("\n").sort();
}
