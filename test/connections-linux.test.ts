/** Connections and NAT, packet by packet, against the machine's own kernel. */
import { describe, expect, it } from "vitest";
import { Random } from "./oracle/random.js";
import { randomTalks } from "./oracle/random-talk.js";
import { differencesOnLinux } from "./oracle/talk-difference.js";
import { trafficMissing } from "./oracle/traffic.js";
import { setting } from "./setting.js";

const missing = trafficMissing();
/** Few in the usual run; RULESWAP_ROUNDS says otherwise. */
const ROUNDS = setting("ROUNDS", 80);
const FIRST = setting("SEED", 0);

describe("connections and NAT", () => {
  const skipped = missing ? ` (skipped: ${missing})` : "";

  it.skipIf(missing)(
    `do to every packet of random talks what Linux does${skipped}`,
    () => {
      const rounds = Array.from({ length: ROUNDS }, (_, i) =>
        randomTalks(new Random(FIRST + i), (FIRST + i) % 2 === 0 ? "ipv4" : "ipv6"),
      );
      const found = differencesOnLinux(FIRST, rounds);
      expect(found.length, [...found.map((one) => one.split("\n")[0]), found[0]].join("\n")).toBe(0);
    },
    60_000 + 1000 * ROUNDS,
  );
});
