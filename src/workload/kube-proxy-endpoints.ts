/**
 * Endpoints of services that are there: a pod moves, flaps, is replaced by a new deployment, or leaves with its node. Only
 * chains of these services change; nothing is written for the others, unless one states the chains that all share.
 */
import { freshEnd, nodeCount, type Service, serviceAt, withNewEndpoint } from "./kube-proxy-cluster.js";
import type { KubeProxyState } from "./kube-proxy-document.js";
import { type ServiceRules, serviceRules } from "./kube-proxy-rules.js";
import { probePacket, restate } from "./kube-proxy-sync.js";
import type { Random } from "./random.js";
import type { Difference } from "./save-document.js";
import { batchOf } from "./save-text.js";
import type { Change, Outcome, Probe } from "./workload.js";

/** A pod of some service is replaced by one with another address, then comes back. */
export function* moveAndReturn(state: KubeProxyState, round: number, random: Random): Generator<Change> {
  const service = serviceWithEndpoints(state, random);
  const nth = random.below(service.endpoints.length);
  const moved = withNewEndpoint(service, nth, round, state.options);
  const [from, to] = [service.endpoints[nth] as string, moved.endpoints[nth] as string];
  const stages = [
    { label: `move an endpoint of ${service.port} from ${from} to ${to}`, services: [moved] },
    { label: `move an endpoint of ${service.port} from ${to} to ${from}`, services: [service] },
  ];
  yield* alterations(state, [service], stages, random);
}

/** An endpoint that is not on this node, so that only the balancing changes, is no longer ready, then is again. */
export function* flap(state: KubeProxyState, _: number, random: Random): Generator<Change> {
  const service = serviceWithEndpoints(state, random);
  const gone = service.endpoints[random.between(1, service.endpoints.length - 1)] as string;
  const altered = withoutEndpoint(service, gone);
  const stages = [
    { label: `lose endpoint ${gone} of ${service.port}`, services: [altered] },
    { label: `regain endpoint ${gone} of ${service.port}`, services: [service] },
  ];
  yield* alterations(state, [service], stages, random);
}

/**
 * A Deployment with one pod more than it wants while it rolls: for each pod a new one is ready, then the old one goes. Then
 * it is rolled back in the same way.
 */
export function* rollAndRollBack(state: KubeProxyState, round: number, random: Random): Generator<Change> {
  const service = serviceWithEndpoints(state, random);
  const old = service.endpoints;
  const fresh = old.map((end, nth) => freshEnd(end, round * state.options.endpoints + nth, state.options));
  const stages: Stage[] = [];
  let now = service;
  const replace = (end: string, successor: string, why: string): void => {
    const isLocal = now.localEndpoints.includes(end);
    const both: Service = {
      ...now,
      endpoints: [...now.endpoints, successor],
      localEndpoints: isLocal ? [...now.localEndpoints, successor] : now.localEndpoints,
    };
    now = withoutEndpoint(both, end);
    stages.push({ label: `${why} ${service.port}: ${successor} is ready`, services: [both] });
    stages.push({ label: `${why} ${service.port}: ${end} is gone`, services: [now] });
  };
  for (const [nth, end] of old.entries()) replace(end, fresh[nth] as string, "roll");
  for (const [nth, end] of fresh.entries()) replace(end, old[nth] as string, "roll back");
  yield* alterations(state, [service], stages, random);
}

/** All pods of another node leave, each service at the same time, and come back. */
export function* drainAndReturn(state: KubeProxyState, _: number, random: Random): Generator<Change> {
  const { options } = state;
  const nodes = nodeCount(options);
  const first = random.below(nodes);
  for (let step = 0; step < nodes; step++) {
    const node = (first + step) % nodes;
    const drained = servicesOn(node, state);
    if (drained.length === 0) continue;
    const home = drained.map(({ service }) => service);
    const away = drained.map(({ service, end }) => withoutEndpoint(service, end));
    const stages = [
      { label: `drain node ${node}: ${home.length} endpoints go`, services: away },
      { label: `node ${node} is back: ${home.length} endpoints come`, services: home },
    ];
    yield* alterations(state, home, stages, random);
    return;
  }
  throw new RangeError("churn: no node but this one has endpoints");
}

interface Stage {
  readonly label: string;
  /** Those of home, in the same order, as they are once it is done. */
  readonly services: readonly Service[];
}

/** Changes of services that are as in `home` before the first. */
function* alterations(
  state: KubeProxyState,
  home: readonly Service[],
  stages: readonly Stage[],
  random: Random,
): Generator<Change> {
  const { document, style } = state;
  const rulesOf = (services: readonly Service[]): ServiceRules[] => services.map((one) => serviceRules(one, style));
  const homeRules = rulesOf(home);
  // A client that is bound to its endpoint would never be sent to a new one.
  const probed = home.findIndex(({ sessionAffinity, endpoints }) => !sessionAffinity || endpoints.length === 1);
  const packet = probePacket(state, home[Math.max(0, probed)] as Service, random);
  let [services, rules] = [home, homeRules];
  for (const { label, services: next } of stages) {
    const [before, after] = [rules, rulesOf(next)];
    const difference = differenceOf(homeRules, after);
    const stale = before.flatMap((one, nth) => without(one, after[nth] as ServiceRules));
    const stated = after.flatMap(({ chains }) => [...chains.keys()]);
    const probe = probed < 0 ? undefined : gainOf(services[probed] as Service, next[probed] as Service, packet);
    yield {
      label,
      batch: batchOf("nat", chainEdits(before, after)),
      rules: document.rules + lineCount(after) - lineCount(homeRules),
      restated: () => restate(state, difference, stated, stale),
      whole: () => document.print(difference),
      ...(probe ? { probe } : {}),
    };
    [services, rules] = [next, after];
  }
}

/** An endpoint lost is missed by no packet, so it is one that is gained that tells. */
function gainOf(from: Service, to: Service, packet: Uint8Array): Probe | undefined {
  if (to.endpoints.every((end) => from.endpoints.includes(end))) return undefined;
  const [before, after] = [from, to].map(
    ({ endpoints }): Outcome => ({ verdict: "ACCEPT", dnat: true, destinations: endpoints }),
  ) as [Outcome, Outcome];
  return { packet, before, after };
}

function differenceOf(home: readonly ServiceRules[], now: readonly ServiceRules[]): Difference {
  const changed = new Map<string, string | undefined>();
  for (const { chains } of home) for (const chain of chains.keys()) changed.set(chain, undefined);
  for (const { chains } of now) for (const [chain, lines] of chains) changed.set(chain, text(lines));
  return new Map([["nat", changed]]);
}

/** Makes chains that are new, replaces rules that differ, adds and removes those at the end, removes chains that are no more. */
function chainEdits(before: readonly ServiceRules[], after: readonly ServiceRules[]): string[] {
  const made: string[] = [];
  const filled: string[] = [];
  const gone: string[] = [];
  after.forEach((to, nth) => {
    const from = before[nth] as ServiceRules;
    for (const [chain, lines] of to.chains) {
      const old = from.chains.get(chain);
      if (!old) made.push(`:${chain} - [0:0]`);
      filled.push(...(old ? lineEdits(chain, old, lines) : lines));
    }
    gone.push(...without(from, to));
  });
  return [...made, ...filled, ...gone.map((chain) => `-F ${chain}`), ...gone.map((chain) => `-X ${chain}`)];
}

function lineEdits(chain: string, old: readonly string[], lines: readonly string[]): string[] {
  const edits = lines.flatMap((line, nth) => {
    if (nth >= old.length) return [line];
    return line === old[nth] ? [] : [line.replace(`-A ${chain}`, `-R ${chain} ${nth + 1}`)];
  });
  for (let nth = old.length; nth > lines.length; nth--) edits.push(`-D ${chain} ${nth}`);
  return edits;
}

/** Services with the one endpoint that each has on the node; those that it shares with this node left out. */
function servicesOn(node: number, { options }: KubeProxyState): { service: Service; end: string }[] {
  const { endpoints, services } = options;
  const nodes = nodeCount(options);
  const found: { service: Service; end: string }[] = [];
  // Endpoint number e, counted over all services, is on node e modulo their count: not more than one of a service.
  for (let index = 0; index < services; index++) {
    const nth = (((node - index * endpoints) % nodes) + nodes) % nodes;
    if (nth >= endpoints) continue;
    const service = serviceAt(index, options);
    const end = service.endpoints[nth];
    if (end !== undefined && !service.localEndpoints.includes(end)) found.push({ service, end });
  }
  return found;
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

function withoutEndpoint(service: Service, gone: string): Service {
  const kept = (ends: readonly string[]): string[] => ends.filter((end) => end !== gone);
  return { ...service, endpoints: kept(service.endpoints), localEndpoints: kept(service.localEndpoints) };
}

const without = (from: ServiceRules, to: ServiceRules): string[] =>
  [...from.chains.keys()].filter((chain) => !to.chains.has(chain));
const lineCount = (rules: readonly ServiceRules[]): number =>
  rules.reduce((sum, { chains }) => [...chains.values()].reduce((all, lines) => all + lines.length, sum), 0);
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
