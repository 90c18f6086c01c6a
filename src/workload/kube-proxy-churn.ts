/**
 * Changes of a kube-proxy ruleset. `service`: a service with all its endpoints comes, then goes again. `endpoint`: a
 * pod of some service is replaced by one with another address, then comes back.
 *
 * The batch of a change takes time for the lines it holds, however large the ruleset is; so kube-proxy cannot do it: a
 * sync states the chains that all services share whole (`restated`), one rule or more a service.
 *
 * In one thing this differs from kube-proxy: it goes through services in an order that changes from sync to sync, here
 * each keeps its place and a new one goes behind the others.
 */
import { encodePacket } from "../netfilter/packet.js";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../netfilter/packet-names.js";
import { NETWORKS, serviceAt, type Service, withNewEndpoint } from "./kube-proxy-cluster.js";
import { SYNCED_FILTER_CHAINS, SYNCED_NAT_CHAINS } from "./kube-proxy-frame.js";
import { SPARE_SERVICES } from "./kube-proxy-options.js";
import { serviceRules, type ServiceRules } from "./kube-proxy-rules.js";
import { type KubeProxyState, printState, sharedFilterLines } from "./kube-proxy.js";
import { Random } from "./random.js";
import { batchOf, type ChangedChains, declaration, type SaveText } from "./save-text.js";
import type { Change, Outcome, Probe } from "./workload.js";

/** Chains that differ from the ruleset before any change. */
interface Difference {
  readonly nat: ChangedChains;
  readonly filter: ChangedChains;
}

const NO_DIFFERENCE: Difference = { nat: new Map(), filter: new Map() };

export function* kubeProxyChanges(state: KubeProxyState, seed: number): Generator<Change, never> {
  const { options } = state;
  const random = new Random(seed, 0x6368);
  for (let round = 0; ; round++) {
    if (options.churn === "service") {
      const service = serviceAt(options.services + (round % SPARE_SERVICES), options);
      yield* comeAndGo(state, service, random);
    } else yield* moveAndReturn(state, serviceWithEndpoints(state, random), round, random);
  }
}

function* comeAndGo(state: KubeProxyState, service: Service, random: Random): Generator<Change> {
  const rules = serviceRules(service, state.style);
  const added = additionOf(state, rules);
  const chains = [...rules.chains.keys()];
  const filterLines = sharedFilterLines(rules.filter).flatMap(([, lines]) => lines);
  const inFilter = state.filter ? filterLines : [];
  const count = rules.nat.services.length + rules.nat.nodePorts.length + chainLines(rules).length + inFilter.length;
  const probe = probeOf(state, service, random);
  yield {
    label: `add service ${service.port}`,
    batch:
      batchOf("filter", inFilter) +
      batchOf("nat", [
        ...chains.map((chain) => `:${chain} - [0:0]`),
        ...chainLines(rules),
        ...rules.nat.services.map((line, nth) =>
          line.replace("-A KUBE-SERVICES", `-I KUBE-SERVICES ${state.servicesRules + nth}`),
        ),
        ...rules.nat.nodePorts,
      ]),
    rules: state.rules + count,
    restated: () => restate(state, added, chains, []),
    whole: () => printState(state, added),
    ...(probe ? { probe } : {}),
  };
  yield {
    label: `remove service ${service.port}`,
    batch:
      batchOf("filter", inFilter.map(asDeletion)) +
      batchOf("nat", [
        ...[...rules.nat.services, ...rules.nat.nodePorts].map(asDeletion),
        ...chains.map((chain) => `-F ${chain}`),
        ...chains.map((chain) => `-X ${chain}`),
      ]),
    rules: state.rules,
    restated: () => restate(state, NO_DIFFERENCE, [], chains),
    whole: () => printState(state),
    ...(probe ? { probe: { packet: probe.packet, before: probe.after, after: probe.before } } : {}),
  };
}

function* moveAndReturn(state: KubeProxyState, service: Service, round: number, random: Random): Generator<Change> {
  const nth = random.below(service.endpoints.length);
  const moved = withNewEndpoint(service, nth, round, state.options);
  const [home, away] = [serviceRules(service, state.style), serviceRules(moved, state.style)];
  const nat = new Map<string, string | undefined>([...home.chains.keys()].map((chain) => [chain, undefined]));
  for (const [chain, lines] of away.chains) nat.set(chain, text(lines));
  const difference: Difference = { nat, filter: new Map() };
  const [from, to] = [service.endpoints[nth] as string, moved.endpoints[nth] as string];
  const packet = probePacket(state, service, random);
  const outcomes = [service, moved].map(
    ({ endpoints }): Outcome => ({ verdict: "ACCEPT", dnat: true, destinations: endpoints }),
  ) as [Outcome, Outcome];
  // A client that is bound to its endpoint would never be sent to the new one.
  const probed = !service.sessionAffinity || service.endpoints.length === 1;
  yield {
    label: `move an endpoint of ${service.port} from ${from} to ${to}`,
    batch: batchOf("nat", chainEdits(home, away)),
    rules: state.rules,
    restated: () => restate(state, difference, [...away.chains.keys()], without(home, away)),
    whole: () => printState(state, difference),
    ...(probed ? { probe: { packet, before: outcomes[0], after: outcomes[1] } } : {}),
  };
  yield {
    label: `move an endpoint of ${service.port} from ${to} to ${from}`,
    batch: batchOf("nat", chainEdits(away, home)),
    rules: state.rules,
    restated: () => restate(state, NO_DIFFERENCE, [...home.chains.keys()], without(away, home)),
    whole: () => printState(state),
    ...(probed ? { probe: { packet, before: outcomes[1], after: outcomes[0] } } : {}),
  };
}

/** Makes chains that are new, replaces rules that differ, removes chains that are no more. */
function chainEdits(from: ServiceRules, to: ServiceRules): string[] {
  const made: string[] = [];
  const filled: string[] = [];
  for (const [chain, lines] of to.chains) {
    const old = from.chains.get(chain);
    if (!old) {
      made.push(`:${chain} - [0:0]`);
      filled.push(...lines);
    } else
      lines.forEach((line, nth) => {
        if (line !== old[nth]) filled.push(line.replace(`-A ${chain}`, `-R ${chain} ${nth + 1}`));
      });
  }
  const gone = without(from, to);
  return [...made, ...filled, ...gone.map((chain) => `-F ${chain}`), ...gone.map((chain) => `-X ${chain}`)];
}

/** A sync of kube-proxy: what services share whole, then the chains that may differ, then those that are no more. */
function restate(
  state: KubeProxyState,
  difference: Difference,
  chains: readonly string[],
  stale: readonly string[],
): string {
  const part = (
    table: SaveText,
    changed: ChangedChains,
    stated: readonly string[],
    removed: readonly string[],
  ): string =>
    [
      `*${table.table}\n`,
      ...[...stated, ...removed].map(declaration),
      ...stated.map((chain) => changed.get(chain) ?? table.chain(chain) ?? ""),
      ...removed.map((chain) => `-X ${chain}\n`),
      "COMMIT\n",
    ].join("");
  const loopback = state.options.family === "ipv4" ? ["KUBE-FIREWALL"] : [];
  const filter = state.filter ? part(state.filter, difference.filter, [...SYNCED_FILTER_CHAINS, ...loopback], []) : "";
  return filter + part(state.nat, difference.nat, [...SYNCED_NAT_CHAINS, ...chains], stale);
}

/** The chains that differ once a service is there. */
function additionOf(state: KubeProxyState, rules: ServiceRules): Difference {
  const nat = new Map<string, string>();
  for (const [chain, lines] of rules.chains) nat.set(chain, text(lines));
  const services = state.nat.chain("KUBE-SERVICES") ?? "";
  const last = services.lastIndexOf("-A ");
  nat.set("KUBE-SERVICES", services.slice(0, last) + text(rules.nat.services) + services.slice(last));
  nat.set("KUBE-NODEPORTS", (state.nat.chain("KUBE-NODEPORTS") ?? "") + text(rules.nat.nodePorts));
  const filter = new Map<string, string>();
  for (const [chain, lines] of sharedFilterLines(rules.filter))
    filter.set(chain, (state.filter?.chain(chain) ?? "") + text(lines));
  return { nat, filter };
}

function probeOf(state: KubeProxyState, service: Service, random: Random): Probe | undefined {
  const before: Outcome = { verdict: "ACCEPT", dnat: false };
  const served: Outcome = { verdict: "ACCEPT", dnat: true, destinations: service.endpoints };
  const packet = probePacket(state, service, random);
  if (service.endpoints.length > 0) return { packet, before, after: served };
  return state.filter ? { packet, before, after: { verdict: "REJECT", dnat: false } } : undefined;
}

/** From a pod to the service's cluster IP. */
function probePacket(state: KubeProxyState, service: Service, random: Random): Uint8Array {
  const { family } = state.options;
  return encodePacket({
    family,
    protocol: service.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP,
    source: NETWORKS[family].podIp(1 + random.below(2 ** 20)),
    sourcePort: random.between(32768, 60999),
    destination: service.clusterIp,
    destinationPort: service.number,
    input: "cni0",
  });
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

const chainLines = (rules: ServiceRules): string[] => [...rules.chains.values()].flat();
const without = (from: ServiceRules, to: ServiceRules): string[] =>
  [...from.chains.keys()].filter((chain) => !to.chains.has(chain));
const asDeletion = (line: string): string => line.replace("-A ", "-D ");
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
