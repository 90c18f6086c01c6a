import { expect, it } from "vitest";
import { CONTROL_ADDRESS, CONTROL_EPOCH } from "../src/blob/memory.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import { HOOK_INPUT, PATH_HOOK } from "../src/blob/layout.js";
import { Engine } from "../src/engine/engine.js";
import { blankPacket } from "./oracle/packet.js";
import { Subject } from "./oracle/subject.js";

const MONTHDAYS = Array.from({ length: 31 }, (_, n) => n + 1);
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
/** Rules that add up: each marks a bit of its own. */
const RULES = [
  ...MONTHDAYS.map((day) => `-A INPUT -m time --monthdays ${day} -j MARK --set-xmark ${day}/0xff`),
  ...WEEKDAYS.map((day) => `-A INPUT -m time --weekdays ${day} -j MARK --set-xmark ${256 * day}/0xff00`),
];
const LAST_DAY = Date.UTC(2038, 0, 18) / 86_400_000;

it("day by day from 1970 to 2038, time knows the day of the month and of the week", () => {
  const subject = new Subject("linear");
  subject.updater.load(parseRuleset(`*mangle\n:INPUT ACCEPT [0:0]\n${RULES.join("\n")}\nCOMMIT\n`, { family: "ipv4" }));
  const packet = { ...blankPacket("ipv4"), path: PATH_HOOK + HOOK_INPUT };
  const wrong: string[] = [];
  for (let day = 0; day <= LAST_DAY; day++) {
    subject.engine.data().setUint32(CONTROL_ADDRESS + CONTROL_EPOCH, 86_400 * day, true);
    packet.time = 1000 * ((day * 977) % 86_400);
    const { mark } = subject.match(packet);
    const date = new Date(86_400_000 * day);
    if (mark !== date.getUTCDate() + 256 * (date.getUTCDay() || 7)) wrong.push(`${date.toISOString()}: ${mark}`);
  }
  expect(wrong).toEqual([]);
});

it("an epoch that is no time is refused", () => {
  for (const epoch of [-1, 1.5, 2 ** 32]) expect(() => Engine.create({ epoch })).toThrow(RangeError);
});
