/**
 * Changes of a kube-proxy ruleset. `single`: a service with all its endpoints comes, then goes again. `endpoint`: a
 * pod of some service is replaced by one with another address, then comes back. `flapping`: an endpoint of some service
 * is no longer ready, then is again.
 *
 * The batch of a change takes time for the lines it holds, however large the ruleset is; so kube-proxy cannot do it: a
 * sync states the chains that all services share whole (`restated`), one rule or more a service.
 *
 * In one thing this differs from kube-proxy: it goes through services in an order that changes from sync to sync, here
 * each keeps its place and a new one goes behind the others.
 */
import type { TableName } from "../ruleset/ruleset.js";
import { comeAndGo } from "./addition.js";
import type { KubeProxyState } from "./kube-proxy.js";
import { type Service, serviceAt, withNewEndpoint } from "./kube-proxy-cluster.js";
import { SYNCED_FILTER_CHAINS, SYNCED_NAT_CHAINS } from "./kube-proxy-frame.js";
import { SPARE_SERVICES } from "./kube-proxy-options.js";
import { type ServiceRules, serviceRules, sharedFilterLines } from "./kube-proxy-rules.js";
import { KUBE_PROXY_CLIENTS } from "./kube-proxy-traffic.js";
import { Random } from "./random.js";
import { type Difference, NO_DIFFERENCE } from "./save-document.js";
import { batchOf, declaration } from "./save-text.js";
import { packetTo } from "./traffic.js";
import type { Change, Outcome, Probe } from "./workload.js";

export function* kubeProxyChanges(state: KubeProxyState, seed: number): Generator<Change, never> {
  const { options } = state;
  const random = new Random(seed, 0x6368);
  for (let round = 0; ; round++) {
    if (options.churn === "single") {
      const service = serviceAt(options.services + (round % SPARE_SERVICES), options);
      yield* serviceChanges(state, service, random);
    } else if (options.churn === "endpoint") yield* moveAndReturn(state, round, random);
    else yield* flap(state, random);
  }
}

function serviceChanges(state: KubeProxyState, service: Service, random: Random): Generator<Change> {
  const rules = serviceRules(service, state.style);
  const probe = probeOf(state, service, random);
  return comeAndGo({
    document: state.document,
    name: `service ${service.port}`,
    additions: [
      {
        table: "filter",
        chains: new Map(),
        shared: sharedFilterLines(rules.filter).map(([chain, lines]) => ({ chain, lines })),
      },
      {
        table: "nat",
        chains: rules.chains,
        shared: [
          { chain: "KUBE-SERVICES", lines: rules.nat.services, behind: 1 },
          { chain: "KUBE-NODEPORTS", lines: rules.nat.nodePorts },
        ],
      },
    ],
    restate: (difference, own, stale) => restate(state, difference, own, stale),
    ...(probe ? { probe } : {}),
  });
}

function* moveAndReturn(state: KubeProxyState, round: number, random: Random): Generator<Change> {
  const service = serviceWithEndpoints(state, random);
  const nth = random.below(service.endpoints.length);
  const moved = withNewEndpoint(service, nth, round, state.options);
  const [from, to] = [service.endpoints[nth] as string, moved.endpoints[nth] as string];
  const [there, back] = [
    `move an endpoint of ${service.port} from ${from} to ${to}`,
    `move an endpoint of ${service.port} from ${to} to ${from}`,
  ];
  yield* alterAndRestore(state, { service, altered: moved, labels: [there, back] }, random);
}

/** An endpoint that is not on this node, so that only the balancing changes. */
function* flap(state: KubeProxyState, random: Random): Generator<Change> {
  const service = serviceWithEndpoints(state, random);
  const gone = service.endpoints[random.between(1, service.endpoints.length - 1)] as string;
  const altered = { ...service, endpoints: service.endpoints.filter((end) => end !== gone) };
  const labels = [`lose endpoint ${gone} of ${service.port}`, `regain endpoint ${gone} of ${service.port}`] as const;
  yield* alterAndRestore(state, { service, altered, labels }, random);
}

interface Alteration {
  readonly service: Service;
  readonly altered: Service;
  readonly labels: readonly [string, string];
}

function* alterAndRestore(
  state: KubeProxyState,
  { service, altered, labels }: Alteration,
  random: Random,
): Generator<Change> {
  const [home, away] = [serviceRules(service, state.style), serviceRules(altered, state.style)];
  const nat = new Map<string, string | undefined>([...home.chains.keys()].map((chain) => [chain, undefined]));
  for (const [chain, lines] of away.chains) nat.set(chain, text(lines));
  const difference: Difference = new Map([["nat", nat]]);
  const packet = probePacket(state, service, random);
  const [before, after] = [service, altered].map(
    ({ endpoints }): Outcome => ({ verdict: "ACCEPT", dnat: true, destinations: endpoints }),
  ) as [Outcome, Outcome];
  // A client that is bound to its endpoint would never be sent to a new one, and an endpoint lost is missed by no packet.
  const bound = service.sessionAffinity && service.endpoints.length > 1;
  const gains = (from: Service, to: Service): boolean => to.endpoints.some((end) => !from.endpoints.includes(end));
  yield {
    label: labels[0],
    batch: batchOf("nat", chainEdits(home, away)),
    rules: state.document.rules + lineCount(away) - lineCount(home),
    restated: () => restate(state, difference, [...away.chains.keys()], without(home, away)),
    whole: () => state.document.print(difference),
    ...(!bound && gains(service, altered) ? { probe: { packet, before, after } } : {}),
  };
  yield {
    label: labels[1],
    batch: batchOf("nat", chainEdits(away, home)),
    rules: state.document.rules,
    restated: () => restate(state, NO_DIFFERENCE, [...home.chains.keys()], without(away, home)),
    whole: () => state.document.print(),
    ...(!bound && gains(altered, service) ? { probe: { packet, before: after, after: before } } : {}),
  };
}

/** Makes chains that are new, replaces rules that differ, adds and removes those at the end, removes chains that are no more. */
function chainEdits(from: ServiceRules, to: ServiceRules): string[] {
  const made: string[] = [];
  const filled: string[] = [];
  for (const [chain, lines] of to.chains) {
    const old = from.chains.get(chain);
    if (!old) {
      made.push(`:${chain} - [0:0]`);
      filled.push(...lines);
      continue;
    }
    lines.forEach((line, nth) => {
      if (nth >= old.length) filled.push(line);
      else if (line !== old[nth]) filled.push(line.replace(`-A ${chain}`, `-R ${chain} ${nth + 1}`));
    });
    for (let nth = old.length; nth > lines.length; nth--) filled.push(`-D ${chain} ${nth}`);
  }
  const gone = without(from, to);
  return [...made, ...filled, ...gone.map((chain) => `-F ${chain}`), ...gone.map((chain) => `-X ${chain}`)];
}

/** A sync of kube-proxy: what services share whole, then the chains that may differ, then those that are no more. */
function restate(
  { document, options }: KubeProxyState,
  difference: Difference,
  chains: readonly string[],
  stale: readonly string[],
): string {
  const part = (table: TableName, stated: readonly string[], removed: readonly string[]): string =>
    [
      `*${table}\n`,
      ...[...stated, ...removed].map(declaration),
      ...stated.map((chain) => document.chain(table, chain, difference)),
      ...removed.map((chain) => `-X ${chain}\n`),
      "COMMIT\n",
    ].join("");
  const loopback = options.family === "ipv4" ? ["KUBE-FIREWALL"] : [];
  const filter = document.table("filter") ? part("filter", [...SYNCED_FILTER_CHAINS, ...loopback], []) : "";
  return filter + part("nat", [...SYNCED_NAT_CHAINS, ...chains], stale);
}

function probeOf(state: KubeProxyState, service: Service, random: Random): Probe | undefined {
  const before: Outcome = { verdict: "ACCEPT", dnat: false };
  const served: Outcome = { verdict: "ACCEPT", dnat: true, destinations: service.endpoints };
  const packet = probePacket(state, service, random);
  if (service.endpoints.length > 0) return { packet, before, after: served };
  return state.document.table("filter") ? { packet, before, after: { verdict: "REJECT", dnat: false } } : undefined;
}

/** From a pod to the service's cluster IP. */
function probePacket({ options: { family } }: KubeProxyState, service: Service, random: Random): Uint8Array {
  const end = { address: service.clusterIp, port: service.number, protocol: service.protocol };
  return packetTo(end, { family, clients: KUBE_PROXY_CLIENTS[family] }, random);
}

function serviceWithEndpoints(state: KubeProxyState, random: Random): Service {
  const { options } = state;
  const first = random.below(options.services);
  for (let step = 0; step < options.services; step++) {
    const service = serviceAt((first + step) % options.services, options);
    if (service.endpoints.length > 0) return service;
  }
  throw new RangeError("churn: no service has endpoints that could move");
}

const without = (from: ServiceRules, to: ServiceRules): string[] =>
  [...from.chains.keys()].filter((chain) => !to.chains.has(chain));
const lineCount = ({ chains }: ServiceRules): number =>
  [...chains.values()].reduce((sum, lines) => sum + lines.length, 0);
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
