// Carries out command lines of ruleswap one after another, and tells what each said and how it would have ended.
import { run } from "../../dist/cli/program.js";

// Every command line listens anew.
process.stdout.setMaxListeners(0);

process.on("message", async (args) => {
  const said = { stdout: "", stderr: "" };
  const restore = ["stdout", "stderr"].map((name) => {
    const { write } = process[name];
    process[name].write = (text, ...rest) => {
      said[name] += Buffer.from(text).toString();
      rest.findLast((one) => typeof one === "function")?.();
      return true;
    };
    return () => {
      process[name].write = write;
    };
  });
  process.exitCode = undefined;
  await run([process.execPath, "ruleswap", ...args]);
  for (const one of restore) one();
  process.send({ status: process.exitCode ?? 0, ...said });
});
process.on("disconnect", () => process.exit());
