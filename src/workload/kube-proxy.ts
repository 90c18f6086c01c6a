/**
 * What kube-proxy's iptables mode keeps on a node: for every service port a rule that sends its cluster IP to a chain,
 * which picks an endpoint by chance, and for every endpoint a chain that rewrites the destination.
 *
 *     KUBE-SERVICES  -d 10.96.31.7/32 tcp 443 -> KUBE-SVC-...                              1 rule
 *     KUBE-SVC-...   from outside the pods' network -> KUBE-MARK-MASQ, then 3 endpoints    4 rules
 *     KUBE-SEP-...   from itself -> KUBE-MARK-MASQ, then DNAT                              2 rules each
 *
 * Everything is written as iptables-save prints it, so the text is what comes back once the kernel has it.
 */
import { kubeProxyChanges, kubeProxyPeriod } from "./kube-proxy-churn.js";
import { NETWORKS } from "./kube-proxy-cluster.js";
import { kubeProxyState } from "./kube-proxy-document.js";
import { checkKubeProxyOptions, KUBE_PROXY_DEFAULTS, type KubeProxyOptions } from "./kube-proxy-options.js";
import { kubeProxyTraffic } from "./kube-proxy-traffic.js";
import type { Workload } from "./workload.js";

export function kubeProxy(options: Partial<KubeProxyOptions> = {}): Workload {
  const whole: KubeProxyOptions = { ...KUBE_PROXY_DEFAULTS, ...options };
  checkKubeProxyOptions(whole);
  const state = kubeProxyState(whole);
  return {
    name: "kube-proxy",
    family: whole.family,
    services: whole.services,
    rules: state.document.rules,
    period: kubeProxyPeriod(whole),
    localAddresses: NETWORKS[whole.family].localAddresses,
    ruleset: () => state.document.print(),
    changes: (seed = whole.seed) => kubeProxyChanges(state, seed),
    traffic: (count, seed = whole.seed, spread = "uniform") => kubeProxyTraffic(whole, { count, seed, spread }),
  };
}
