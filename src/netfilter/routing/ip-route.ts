/** What `ip route`, `ip -6 route` and `ip route show table all` print. */
import { type NextHop, type Route, ROUTE_TYPES, type RouteType } from "../../engine/routing.js";
import type { Family } from "../../ruleset/row-store.js";
import { blocksOf, familyOf, type Words } from "./ip-text.js";

type Draft = { -readonly [Key in keyof Route]: Route[Key] };
type HopDraft = { -readonly [Key in keyof NextHop]: NextHop[Key] };

/** Words with a value that say nothing of the way that a packet takes. */
const BESIDE = new Set(
  (
    "proto scope advmss window rtt rttvar reordering cwnd initcwnd initrwnd ssthresh quickack hoplimit rto_min features " +
    "congctl pref expires error nhid fastopen_no_cookie users age ttl-propagate"
  ).split(" "),
);
/** Words without one. */
const ALONE = new Set(
  "onlink pervasive offload trap notify rt_offload rt_trap rt_offload_failed linkdown cache unresolved".split(" "),
);

export interface RouteTextOptions {
  /** For messages; default "routes". */
  readonly file?: string;
  /** Of routes that name no address; default that of the first address in the text. */
  readonly family?: Family;
}

/** @throws RoutingTextError at the first word that does not belong there. */
export function readRoutes(text: string, { file = "routes", family = familyOf(text) }: RouteTextOptions = {}): Route[] {
  return blocksOf(text, file).map(([line, ...more]) => readRoute(line as Words, more, family));
}

function readRoute(words: Words, more: readonly Words[], family: Family): Route {
  const draft: Draft = { family, destination: "default", hops: [] };
  if (Object.hasOwn(ROUTE_TYPES, words.peek)) draft.type = words.take() as RouteType;
  if (!words.skip("default")) {
    draft.destination = words.prefix();
    draft.family = draft.destination.address.includes(":") ? "ipv6" : "ipv4";
  }
  const hop: HopDraft = { device: "" };
  const hops: NextHop[] = [];
  readWords(words, draft, hop, hops);
  for (const line of more) readWords(line, draft, hop, hops);
  const sends = !["blackhole", "unreachable", "prohibit", "throw"].includes(draft.type ?? "unicast");
  if (hops.length === 0 && sends) {
    if (hop.device === "") words.missing('"dev" and an interface');
    hops.push(hop);
  }
  draft.hops = hops;
  return draft;
}

function readWords(words: Words, draft: Draft, own: HopDraft, hops: NextHop[]): void {
  let hop = own;
  while (words.peek !== "") {
    const word = words.take();
    if (word === "nexthop") {
      hop = { device: "" };
      hops.push(hop);
    } else if (word === "via") {
      words.skip("inet6");
      words.skip("inet");
      hop.gateway = words.address();
    } else if (word === "dev") hop.device = words.value("an interface");
    else if (word === "weight") hop.weight = words.number(256);
    else if (word === "dead") hop.dead = true;
    else if (word === "src") draft.source = words.address();
    else if (word === "metric") draft.metric = words.number(0xffffffff);
    else if (word === "table") draft.table = words.value("a table");
    else if (word === "tos" || word === "dsfield") draft.tos = words.number(255);
    else if (word === "realm" || word === "realms") draft.realm = Number.parseInt(words.value("a realm"), 10) || 0;
    else if (word === "mtu") {
      words.skip("lock");
      draft.mtu = words.number(0xffffffff);
    } else if (BESIDE.has(word)) {
      words.skip("lock");
      words.value(`a value of ${word}`);
    } else if (!ALONE.has(word)) words.fail("a word that `ip route` prints and that says where packets go");
  }
}
