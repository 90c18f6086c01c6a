import { describe, expect, test } from "vitest";
import { encodePacket, Engine, parseRuleset, Reader, Updater } from "../src/index.js";

const SERVICES = 300;
const PACKETS = 200;

/** Services as KUBE-SERVICES has them, the given lines in their midst. */
function linesOf(...others: string[]): string[] {
  const lines = Array.from(
    { length: SERVICES },
    (_, nth) => `-A FORWARD -d 10.96.${nth >> 8}.${nth & 255}/32 -p tcp -m tcp --dport 80 -j ACCEPT`,
  );
  return [...lines.slice(0, SERVICES / 2), ...others, ...lines.slice(SERVICES / 2)];
}

/** Lines that classify names for packets to each service in turn and beyond, `batch` at a time. */
function classified(rules: readonly string[], classifier: "linear" | "tuple-space", batch: number): number[] {
  const engine = Engine.create({ classifier });
  const text = ["*filter", ":FORWARD DROP [0:0]", ...rules, "COMMIT", ""].join("\n");
  new Updater(engine, { strategy: "full" }).load(parseRuleset(text, { family: "ipv4" }));
  const reader = new Reader(engine, 0);
  const pool = reader.allocate(PACKETS);
  for (let nth = 0; nth < PACKETS; nth++) {
    const service = (nth * 7) % (SERVICES + 20);
    const packet = {
      family: "ipv4",
      path: "FORWARD",
      source: "192.0.2.1",
      destination: `10.96.${service >> 8}.${service & 255}`,
      protocol: nth % 11 === 0 ? 17 : 6,
      sourcePort: 1024 + nth,
      destinationPort: nth % 5 === 0 ? 443 : 80,
      fragmentOffset: nth % 13 === 0 ? 8 : nth % 17 === 0 ? 1 : 0,
    } as const;
    pool.set(nth, encodePacket(packet));
  }
  const lines: number[] = [];
  for (let at = 0; at < PACKETS; at += batch)
    for (const row of reader.classify(pool, at, Math.min(batch, PACKETS - at), "filter", "FORWARD"))
      lines.push(row === 0 ? 0 : reader.lineOf(row));
  return lines;
}

describe("classify names the same rule with an index as without, in batches of any size", () => {
  const sets: Record<string, string[]> = {
    "one tuple": linesOf(),
    "a rule that no tuple takes in the midst": linesOf("-A FORWARD ! -p udp -j ACCEPT"),
    "a rule that its entry alone does not decide": linesOf(
      "-A FORWARD -d 10.96.0.250/32 -p tcp -m tcp --dport 80 --syn",
    ),
    "several tuples": linesOf("-A FORWARD -s 192.0.0.0/16 -p udp -j ACCEPT", "-A FORWARD -f -j DROP"),
    "many shapes, and masks with holes": [
      "-A FORWARD -d 10.0.0.7/255.0.0.255 -p tcp -j ACCEPT",
      "-A FORWARD -d 10.96.0.9/255.255.240.255 -p udp -j ACCEPT",
      "-A FORWARD -s 192.0.2.0/24 -d 10.96.1.0/28 -j ACCEPT",
      "-A FORWARD -s 192.0.2.1/255.0.255.255 -d 10.96.0.32/27 -j ACCEPT",
      ...linesOf("-A FORWARD -d 10.96.0.128/25 -j ACCEPT", "-A FORWARD -s 192.0.0.0/13 -p udp -j ACCEPT"),
    ],
  };
  for (const [name, rules] of Object.entries(sets))
    test(name, () => {
      const wanted = classified(rules, "linear", 1);
      expect(new Set(wanted).size).toBeGreaterThan(PACKETS / 4);
      for (const batch of [1, 32, 33, PACKETS]) expect(classified(rules, "tuple-space", batch)).toEqual(wanted);
    });
});
