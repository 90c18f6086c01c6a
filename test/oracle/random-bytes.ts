/** Random matches on the packet's own bytes. */
import { addressBytes } from "./address.js";
import type { Random } from "./random.js";
import { type Condition, maybeNot, type Place, together } from "./random-condition.js";
import { randomAddress } from "./random-pool.js";

const WORDS = [
  "GET /",
  "get /",
  "X-Kazaa-User",
  "aab",
  "aaab",
  "ab",
  "a",
  "\\xe9t\\xe9",
  "host: Example",
  "\\xf7\\xe9",
  "\\xf7b",
];

/** As iptables takes it, and the bytes that it stands for. */
function randomPattern(random: Random): { text: string; bytes: Buffer } {
  const word = random.pick(WORDS);
  const bytes = Buffer.from(
    word.replace(/\\x(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
  if (word.includes("\\") || random.chance(0.2)) return { text: `--hex-string "|${bytes.toString("hex")}|"`, bytes };
  return { text: `--string "${word}"`, bytes };
}

export function randomString(random: Random): Condition {
  const { text, bytes } = randomPattern(random);
  const from = random.pick([0, 0, 0, 28, 40, 60]);
  const to = random.pick([0, 0, 41, 60, 100, 1500]);
  const range = `${from > 0 ? ` --from ${from}` : ""}${to > from ? ` --to ${to}` : ""}`;
  const icase = random.chance(0.4);
  const inner = maybeNot(random, {
    text,
    aim: (packet) => {
      const filler = Buffer.from(random.pick(["", "a", "aaaa", "host: example ab"]));
      const wanted = icase && random.chance(0.5) ? Buffer.from(bytes.map(otherCase)) : bytes;
      packet.data = Buffer.concat([packet.data, filler, wanted, Buffer.from("aa")]);
    },
  });
  const algorithm = `--algo ${random.pick(["bm", "kmp"])}${icase ? " --icase" : ""}`;
  return together("-m string", [inner, { text: `${algorithm}${range}`, aim: () => undefined }]);
}

function otherCase(byte: number): number {
  // Latin-1's letters, and the signs of division and multiplication, which are none.
  if ((byte >= 97 && byte <= 122) || byte >= 0xe0) return byte - 32;
  return (byte >= 65 && byte <= 90) || (byte >= 0xc0 && byte <= 0xde) ? byte + 32 : byte;
}

const ROUTING = 43;
/** Hop-by-hop options, a fragment that is whole, authentication, destination options: padding within. */
export const OTHER_HEADERS = [
  { type: 0, bytes: Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]) },
  { type: 44, bytes: Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]) },
  { type: 51, bytes: Buffer.from([0, 4, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, ...Array<number>(12).fill(0)]) },
  { type: 60, bytes: Buffer.from([0, 1, 1, 12, ...Array<number>(12).fill(0)]) },
];

/** IPv6 only. */
export function randomRoutingHeader(random: Random): Condition {
  const addresses = Array.from({ length: random.below(4) }, () => randomAddress(random, "ipv6"));
  const type = random.pick([0, 0, 2, 4]);
  const left = random.below(3);
  const aim: Condition["aim"] = (packet) => {
    // Now and then it says that it is longer than the packet.
    const size = random.chance(0.05) ? 200 : 2 * addresses.length;
    const fixed = Buffer.from([0, size, type, left, 0, 0, 0, random.pick([0, 0, 0, 1])]);
    const routing = { type: ROUTING, bytes: Buffer.concat([fixed, ...addresses.map(addressBytes)]) };
    const others = random.chance(0.5) ? [] : random.some(OTHER_HEADERS);
    packet.extensions = random.chance(0.7) ? [...others, routing] : [routing, ...others];
  };
  const parts: Condition[] = [];
  if (random.chance(0.5))
    parts.push(maybeNot(random, { text: `--rt-segsleft ${random.pick([`${left}`, "0:1", "2:"])}`, aim }));
  if (random.chance(0.3)) parts.push(maybeNot(random, { text: `--rt-len ${8 + 16 * addresses.length}`, aim }));
  if (type !== 0) return together("-m rt", [...parts, maybeNot(random, { text: `--rt-type ${type}`, aim })]);
  const plain = random.chance(0.3);
  parts.unshift(plain ? maybeNot(random, { text: "--rt-type 0", aim }) : { text: "--rt-type 0", aim });
  if (plain) return together("-m rt", parts);
  if (random.chance(0.4) || addresses.length === 0) parts.push({ text: "--rt-0-res", aim });
  else {
    const some = random.chance(0.5) ? addresses : random.some(addresses);
    parts.push({ text: `--rt-0-addrs ${some.join(",")}${random.chance(0.5) ? " --rt-0-not-strict" : ""}`, aim });
  }
  return together("-m rt", parts);
}

/** Name, number and a flag with its letter. */
const CHUNKS = [
  ["DATA", 0, "E", 1],
  ["INIT", 1, "", 0],
  ["SACK", 3, "", 0],
  ["ABORT", 6, "T", 1],
  ["SHUTDOWN_COMPLETE", 14, "T", 1],
  ["ASCONF", 193, "", 0],
] as const;

/** Behind `-p sctp` only. */
export function randomChunks(random: Random): Condition {
  const kind = random.pick(["any", "all", "only"]);
  const chosen = random.some(CHUNKS).map(([name, type, letter, flag]) => {
    const set = random.below(3);
    const text = letter === "" || set === 2 ? name : `${name}:${set === 1 ? letter : letter.toLowerCase()}`;
    return { text, type: type as number, flags: set === 1 ? (flag as number) : 0 };
  });
  const everything = random.chance(0.1);
  return maybeNot(random, {
    text: `--chunk-types ${kind} ${everything ? random.pick(["ALL", "NONE"]) : chosen.map(({ text }) => text).join(",")}`,
    aim: (packet) => {
      const shown = kind === "any" ? [random.pick(chosen)] : [...chosen];
      if (random.chance(0.3)) shown.push({ text: "", type: random.pick([0, 1, 3, 6]), flags: random.below(2) });
      packet.chunkType = shown[0]?.type ?? 0;
      packet.data = Buffer.concat(shown.map(({ type, flags }) => randomChunk(random, type, flags)));
      // No padding behind the last chunk, which would be an empty one.
      packet.length = 0;
    },
  });
}

function randomChunk(random: Random, type: number, flags: number): Buffer {
  const size = random.pick([4, 8, 9, 20]);
  const chunk = Buffer.alloc(4 * Math.ceil(size / 4));
  chunk.set([type, flags, 0, size]);
  return chunk;
}

/** Matches that look at bytes, by family. */
export const hasRoutingHeaders = ({ family }: Place): boolean => family === "ipv6";
