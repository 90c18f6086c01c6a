/** Taking out a policy of timeouts, as `nfct delete timeout`: connections that have it live by the settings from then on. */
import { POLICY_FAMILY, POLICY_REFERENCES } from "../blob/connections.js";
import type { Engine } from "../engine/engine.js";
import { policyAddress, policyNumbers, TimeoutPolicyError } from "../engine/timeout-policies.js";
import { RECLAIM_ALL } from "./transaction.js";
import { waitForSequences } from "./quiesce.js";

/** @throws TimeoutPolicyError where there is none, or rules name it. Takes the writers' lock. */
export function deleteTimeoutPolicy(engine: Engine, name: string): void {
  engine.locked(() => {
    const number = policyNumbers(engine).get(name);
    if (number === undefined) throw new TimeoutPolicyError("unknown-policy", `there is no policy ${name}`);
    const at = policyAddress(engine, number);
    const references = (): number => engine.data().getUint32(at + POLICY_REFERENCES, true);
    const wait = (): void => waitForSequences(engine.words(), engine.handle.readers);
    if (references() > 0) {
      // Rules that were deleted refer to it until no reader can be at them.
      wait();
      engine.kernel.updateReclaim(RECLAIM_ALL);
    }
    if (references() > 0) throw new TimeoutPolicyError("policy-in-use", `rules name the policy ${name}`);
    engine.kernel.policyRemove(number);
    // Its record is another's only when no reader can have found its number in a connection.
    wait();
    engine.data().setUint8(at + POLICY_FAMILY, 0);
  });
}
