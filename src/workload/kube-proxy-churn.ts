/**
 * Changes of a kube-proxy ruleset, in rounds that end where they began.
 *
 *     single          a service with all its endpoints comes, then goes again
 *     endpoint        a pod of some service is replaced by one with another address, then comes back
 *     flapping        an endpoint of some service is no longer ready, then is again
 *     rolling-deploy  for each endpoint of some service a new one comes, then the old one goes; then it is rolled back
 *     node-drain      all endpoints on some node go at once, then come back
 *     cold-start      all services go at once, then come a tenth at a time
 *
 * The batch of a change takes time for the lines it holds, however large the ruleset is; so kube-proxy cannot do it: a
 * sync states the chains that all services share whole (`restated`), one rule or more a service.
 *
 * In one thing this differs from kube-proxy: it goes through services in an order that changes from sync to sync, here
 * each keeps its place and a new one goes behind the others.
 */
import { comeAndGo } from "./addition.js";
import { serviceAt } from "./kube-proxy-cluster.js";
import { ARRIVAL_BATCHES, startCold } from "./kube-proxy-cold-start.js";
import type { KubeProxyState } from "./kube-proxy-document.js";
import { drainAndReturn, flap, moveAndReturn, rollAndRollBack } from "./kube-proxy-endpoints.js";
import { type KubeProxyChurn, type KubeProxyOptions, SPARE_SERVICES } from "./kube-proxy-options.js";
import { serviceRules, sharedFilterLines } from "./kube-proxy-rules.js";
import { probeOf, restate } from "./kube-proxy-sync.js";
import { Random } from "./random.js";
import type { Change } from "./workload.js";

interface Churn {
  /** Changes of a round. */
  readonly period: (options: KubeProxyOptions) => number;
  readonly round: (state: KubeProxyState, round: number, random: Random) => Generator<Change>;
}

const THERE_AND_BACK = (): number => 2;

const CHURNS: Readonly<Record<KubeProxyChurn, Churn>> = {
  single: { period: THERE_AND_BACK, round: serviceComesAndGoes },
  endpoint: { period: THERE_AND_BACK, round: moveAndReturn },
  flapping: { period: THERE_AND_BACK, round: flap },
  "rolling-deploy": { period: ({ endpoints }) => 4 * endpoints, round: rollAndRollBack },
  "node-drain": { period: THERE_AND_BACK, round: drainAndReturn },
  "cold-start": { period: ({ services }) => 1 + Math.min(services, ARRIVAL_BATCHES), round: startCold },
};

export const kubeProxyPeriod = (options: KubeProxyOptions): number => CHURNS[options.churn].period(options);

export function* kubeProxyChanges(state: KubeProxyState, seed: number): Generator<Change, never> {
  const random = new Random(seed, 0x6368);
  const churn = CHURNS[state.options.churn];
  for (let round = 0; ; round++) yield* churn.round(state, round, random);
}

function serviceComesAndGoes(state: KubeProxyState, round: number, random: Random): Generator<Change> {
  const service = serviceAt(state.options.services + (round % SPARE_SERVICES), state.options);
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
