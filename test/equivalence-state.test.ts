import { describe, expect, it } from "vitest";
import { HOOK_INPUT, PATH_HOOK } from "../src/blob/layout.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { printRuleset } from "../src/ruleset/print.js";
import { Updater } from "../src/update/updater.js";
import { addressBytes } from "./oracle/address.js";
import { blankPacket, type Packet } from "./oracle/packet.js";
import { CLASSIFIERS, STRATEGIES, Subject } from "./oracle/subject.js";

function toInput(family: "ipv4" | "ipv6", time = 0): Packet {
  const packet = blankPacket(family);
  packet.path = PATH_HOOK + HOOK_INPUT;
  packet.source = addressBytes(family === "ipv4" ? "192.0.2.1" : "2001:db8:5::1");
  packet.destination = addressBytes(family === "ipv4" ? "10.0.0.1" : "fd00::1");
  packet.time = time;
  return packet;
}

const FILLER = Array.from({ length: 20 }, (_, i) => `-A INPUT -d 10.9.9.${i}/32 -j DROP`).join("\n");

/** Each third packet gets mark 1; two packets at once, and then one a second, get mark 2. */
const REMEMBERING = `*filter
:INPUT ACCEPT [0:0]
:other - [0:0]
${FILLER}
-A INPUT -m statistic --mode nth --every 3 --packet 0 -j MARK --set-xmark 0x1/0x1
-A INPUT -m limit --limit 1/sec --limit-burst 2 -j MARK --set-xmark 0x2/0x2
-A INPUT -d 10.8.8.8/32 -j other
COMMIT
`;

/** Batches that leave the two rules alone, in turn. */
const AROUND = [
  "-A other -s 10.1.1.1/32 -j DROP",
  "-I INPUT 1 -s 10.1.1.2/32 -j DROP",
  "-D INPUT 1",
  "-A INPUT -s 10.1.1.3/32 -j DROP",
  "-R INPUT 1 -d 10.9.9.0/32 -p tcp -j DROP",
  "-N more\n-A more -j RETURN",
  "-E more less",
  "-P INPUT ACCEPT",
];

for (const strategy of STRATEGIES)
  for (const classifier of CLASSIFIERS)
    describe(`an update by ${strategy}, ${classifier}`, () => {
      it("lets rules that it does not touch remember: nth goes on counting, limit's bucket stays as full", () => {
        const subject = new Subject(classifier, strategy);
        subject.updater.load(parseRuleset(REMEMBERING, { family: "ipv4" }));
        const marks: number[] = [];
        // 600 ms apart: the bucket of two runs dry at the third packet, then every second one passes, roughly.
        for (let i = 0; i < 24; i++) {
          marks.push(subject.match(toInput("ipv4", 600 * i)).mark);
          subject.updater.update({
            batch: `*filter\n${AROUND[i % AROUND.length]?.replaceAll("more", `more${i >> 3}`).replaceAll("less", `less${i >> 3}`)}\nCOMMIT\n`,
          });
        }
        const undisturbed = new Subject(classifier, strategy);
        undisturbed.updater.load(parseRuleset(REMEMBERING, { family: "ipv4" }));
        expect(marks).toEqual(Array.from({ length: 24 }, (_, i) => undisturbed.match(toInput("ipv4", 600 * i)).mark));
        expect(marks.filter((mark) => mark & 1)).toHaveLength(8);
      });

      it("leaves the other family alone", () => {
        const subject = new Subject(classifier, strategy);
        const text = (address: string): string =>
          `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s ${address} -j DROP\nCOMMIT\n`;
        subject.updater.load(parseRuleset(text("192.0.2.1/32"), { family: "ipv4" }));
        subject.updater.load(parseRuleset(text("2001:db8:5::1/128"), { family: "ipv6" }));
        expect([subject.match(toInput("ipv4")).verdict, subject.match(toInput("ipv6")).verdict]).toEqual([0, 0]);
        const six = new Updater(subject.engine, { strategy, family: "ipv6" });
        six.update({ batch: "*filter\n-D INPUT 1\n-A INPUT -p udp -j DROP\nCOMMIT\n" });
        expect([subject.match(toInput("ipv4")).verdict, subject.match(toInput("ipv6")).verdict]).toEqual([0, 1]);
        subject.updater.update({ batch: "*filter\n-F INPUT\nCOMMIT\n" });
        expect([subject.match(toInput("ipv4")).verdict, subject.match(toInput("ipv6")).verdict]).toEqual([1, 1]);
        const [four, other] = subject.engine.readRuleset().map((ruleset) => printRuleset(ruleset, { counters: true }));
        expect(four).toBe("*filter\n:INPUT ACCEPT [1:100]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
        expect(other).toContain(":INPUT ACCEPT [2:200]\n");
        expect(other).toContain("[0:0] -A INPUT -p udp -j DROP\n");
      });
    });
