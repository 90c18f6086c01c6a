/** Systems by the look of their SYN: the file of fingerprints, and packets whose bytes are not known. */
import { describe, expect, it } from "vitest";
import { Engine } from "../src/engine/engine.js";
import { Host, OPEN } from "./oracle/host.js";

const SYN = "tcp 10.0.0.9:1000 > 192.0.2.1:80 in eth0 syn";
const LINUX = "S4:64:1:60:M1360,S,T,N,W0:Linux:google::Linux (Google crawlbot)";
const drops = (condition: string, packet: string): boolean =>
  new Host(OPEN.replace("COMMIT", `-A INPUT -p tcp -m osf ${condition} -j DROP\nCOMMIT`))
    .send(packet)
    .startsWith("drop");

describe("osf", () => {
  it.each([
    ["--genre Linux", "genre Linux", true],
    ["--genre Windows", "genre Linux", false],
    ["--genre Windows --log 0", "genre Linux", true],
    ["--genre Linux", "", false],
    ["--genre Linux --log 0", "", false],
  ])("%s for a SYN that is said to be of %j: %s", (condition, said, expected) => {
    expect(drops(condition, `${SYN} ${said}`)).toBe(expected);
  });

  it("looks at a SYN alone", () => {
    expect(drops("--genre Linux", `${SYN.replace("syn", "ack")} genre Linux`)).toBe(false);
  });

  it.each([
    ["S4:64:1:60:M1360:Linux:google", "9 fields"],
    [LINUX.replace("S4", "X4"), "a window"],
    [LINUX.replace(":64:", ":256:"), "a TTL"],
    [LINUX.replace(":1:60", ":2:60"), "0 or 1"],
    [LINUX.replace(":60:", ":long:"), "length"],
    [LINUX.replace(":Linux:", "::"), "a system"],
  ])("is told which line of its file is wrong: %s", (line, expected) => {
    expect(() => Engine.create({ fingerprints: `# systems\n\n${LINUX}\n${line}\n` })).toThrow(
      expect.objectContaining({
        code: "bad-fingerprint",
        message: expect.stringMatching(`fingerprints:4: expected .*${expected}`),
      }),
    );
  });
});
