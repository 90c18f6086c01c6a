// The last line of .ci/run: what vitest's own report says, and a failure when it says nothing.
import { readFileSync } from "node:fs";

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], "utf8"));
} catch {
  console.log("vitest left no report");
  console.log("0 passed, 1 failed");
  process.exit(1);
}
const { numPassedTests: passed, numPendingTests: pending, numTodoTests: todo, testResults } = report;
// A file that could not even be loaded has failed without a test that did.
const broken = testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
).length;
const failed = report.numFailedTests + broken;
const skipped = pending + todo;
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
