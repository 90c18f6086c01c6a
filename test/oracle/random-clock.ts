/** Random matches on time, and on rates by who sends. */
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, together } from "./random-condition.js";

const aimless = (text: string): Condition => ({ text, aim: () => undefined });

/** Round about the midnight that packets' clocks come by. */
export function randomTime(random: Random): Condition {
  const parts: Condition[] = [];
  const daytime = (): string =>
    random.pick(["00:00", "00:00:05", "00:00:20", "12:00", "23:59", "23:59:45", "23:59:59"]);
  if (random.chance(0.6)) {
    const [start, stop] = [daytime(), daytime()];
    parts.push(aimless(`--timestart ${start} --timestop ${stop}`));
    const late = start.padEnd(8, ":00") >= stop.padEnd(8, ":00");
    if (late && random.chance(0.6)) parts.push(aimless("--contiguous"));
  }
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  if (random.chance(0.4)) parts.push(maybeNot(random, aimless(`--weekdays ${random.some(days).join(",")}`)));
  if (random.chance(0.3))
    parts.push(maybeNot(random, aimless(`--monthdays ${random.pick(["28", "29", "1,28,31", "2,29"])}`)));
  if (random.chance(0.2))
    parts.push(aimless(`--datestart ${random.pick(["2020-01-01", "2028-02-29", "2028-02-29T00:00:10"])}`));
  if (random.chance(0.2))
    parts.push(aimless(`--datestop ${random.pick(["2037-01-01", "2028-02-29", "2028-02-29T00:00:10"])}`));
  return together("-m time", parts);
}

const MODES = ["srcip", "srcport", "dstip", "dstport"];

/** Few tables that fill up and are emptied soon, with rules that differ in what they say of one table. */
export function randomHashlimit(random: Random, { family }: Place): Condition {
  const words = [`--hashlimit-${random.pick(["upto", "above"])}`];
  const kind = random.pick(["packets", "packets", "bytes", "packet-rate", "byte-rate"]);
  if (kind.startsWith("byte")) {
    words.push(random.pick(["100b/s", "1kb/s", "64kb/s", "1mb/s"]));
    if (random.chance(0.4)) words.push(`--hashlimit-burst ${random.pick(["2mb", "3mb", "9mb"])}`);
  } else
    words.push(`${random.pick([1, 3, 10])}/${random.pick(["sec", "min"])} --hashlimit-burst ${random.pick([1, 2, 5])}`);
  const modes = random.chance(0.8) ? random.some(MODES) : [];
  if (modes.length > 0) words.push(`--hashlimit-mode ${modes.join(",")}`);
  const prefix = family === "ipv4" ? [0, 8, 24, 31] : [0, 16, 48, 127];
  if (random.chance(0.3)) words.push(`--hashlimit-srcmask ${random.pick(prefix)}`);
  if (random.chance(0.3)) words.push(`--hashlimit-dstmask ${random.pick(prefix)}`);
  if (random.chance(0.5)) words.push(`--hashlimit-htable-size ${random.pick([1, 2, 7])}`);
  if (random.chance(0.4)) words.push(`--hashlimit-htable-max ${random.pick([1, 2, 4])}`);
  if (random.chance(0.4)) words.push(`--hashlimit-htable-gcinterval ${random.pick([1, 700, 3000])}`);
  if (random.chance(0.5)) words.push(`--hashlimit-htable-expire ${random.pick([1, 1500, 5000])}`);
  const rate = kind.endsWith("rate");
  words.push(`--hashlimit-name ${rate ? "rate" : "credit"}${random.below(2)}`);
  if (rate) words.push("--hashlimit-rate-match");
  if (rate && random.chance(0.5)) words.push(`--hashlimit-rate-interval ${random.pick([1, 3])}`);
  return together("-m hashlimit", [aimless(words.join(" "))]);
}

/**
 * Where the clock may stand still: rates so slow, and lives so long, that what a few packets take is not given back.
 * A table counts packets or bytes, not both: what a byte costs is nothing beside what a tick brings to packets.
 */
export function randomSlowHashlimit(random: Random, { family }: Place): Condition {
  const words = [`--hashlimit-${random.pick(["upto", "above"])}`];
  const kind = random.pick(["packets", "packets", "bytes", "packet-rate", "byte-rate"]);
  if (kind.startsWith("byte")) {
    words.push(random.pick(["16b/s", "32b/s"]));
    if (random.chance(0.6)) words.push(`--hashlimit-burst ${random.pick(["64b", "160b", "1kb"])}`);
  } else words.push(`${random.pick([1, 2])}/hour --hashlimit-burst ${random.pick([1, 2, 5])}`);
  const modes = random.chance(0.8) ? random.some(MODES) : [];
  if (modes.length > 0) words.push(`--hashlimit-mode ${modes.join(",")}`);
  if (random.chance(0.3))
    words.push(`--hashlimit-srcmask ${random.pick(family === "ipv4" ? [0, 8, 24, 31] : [0, 16, 48, 127])}`);
  if (random.chance(0.2)) words.push(`--hashlimit-htable-size 7 --hashlimit-htable-max ${random.pick([1, 8])}`);
  const rate = kind.endsWith("rate");
  words.push(`--hashlimit-htable-expire 3600000 --hashlimit-name ${kind}${random.below(3)}`);
  if (rate) words.push("--hashlimit-rate-match --hashlimit-rate-interval 1000");
  return together("-m hashlimit", [aimless(words.join(" "))]);
}
